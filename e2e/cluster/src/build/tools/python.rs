//! Virtual environments with packages of PyPI, made with `uv` or the `python3` of the machine: one
//! with OpenTelemetry's SDK, the demo application's, and what other files ask for. Which programs run with them is not known
//! here.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::on_path;
use crate::build::{Recipe, go};
use crate::error::{Error, Result};
use crate::progress::Progress;

const PACKAGES: [&str; 3] = [
    "opentelemetry-sdk==1.45.2",
    "opentelemetry-exporter-otlp-proto-grpc==1.45.2",
    "opentelemetry-exporter-otlp-proto-http==1.45.2",
];
const RECIPE: Recipe = Recipe {
    what: "python-sdk 1.45.2",
    takes: "about half a minute",
    inputs: &[PACKAGES[0], PACKAGES[1], PACKAGES[2]],
};

const SHOP: &str = include_str!("../../../../app/requirements.txt");
const SHOP_RECIPE: Recipe =
    Recipe { what: "python-shop 1", takes: "about half a minute", inputs: &[SHOP] };

const REMEDY: &str = "Install `uv` (https://docs.astral.sh/uv), or Python 3.10 or newer with its \
                      venv module (the packages `python3` and `python3-venv`)";

/// The interpreter of a virtual environment with the OpenTelemetry SDK and its OTLP
/// exporters for gRPC and HTTP.
///
/// # Errors
/// Neither `uv` nor `python3` is there, `python3` lacks venv, or a package could not be had.
pub async fn python_sdk(progress: &dyn Progress) -> Result<PathBuf> {
    let build = async |directory: &Path, log: &Path| {
        let packages: Vec<&OsStr> = PACKAGES.iter().map(OsStr::new).collect();
        build(&RECIPE, &packages, directory, log).await
    };
    let directory = RECIPE.provide(progress, build).await?;
    present(&directory)
}

/// The interpreter of a virtual environment with everything in `e2e/app/requirements.txt`.
///
/// # Errors
/// As [`python_sdk`].
pub async fn python_shop(progress: &dyn Progress) -> Result<PathBuf> {
    let build = async |directory: &Path, log: &Path| {
        let file = directory.join("requirements.txt");
        fs::write(&file, SHOP).map_err(Error::io(format!("write {}", file.display())))?;
        build(&SHOP_RECIPE, &["-r".as_ref(), file.as_os_str()], directory, log).await
    };
    let directory = SHOP_RECIPE.provide(progress, build).await?;
    present(&directory)
}

pub(super) fn present(directory: &Path) -> Result<PathBuf> {
    let interpreter = directory.join("venv/bin/python");
    if interpreter.exists() {
        return Ok(interpreter);
    }
    Err(Error::Io {
        action: format!(
            "use {}: the Python it was made with is gone; remove {} and run this again",
            interpreter.display(),
            directory.display()
        ),
        source: std::io::ErrorKind::NotFound.into(),
    })
}

pub(super) async fn build(
    recipe: &Recipe,
    packages: &[&OsStr],
    directory: &Path,
    log: &Path,
) -> Result<()> {
    let interpreter = directory.join("venv/bin/python");
    if let Some(uv) = on_path("uv") {
        run(recipe, &uv, ["venv".as_ref(), directory.join("venv").as_os_str()], log).await?;
        let arguments = ["pip", "install", "--python"].map(OsStr::new);
        let arguments = arguments.into_iter().chain([interpreter.as_os_str()]);
        return run(recipe, &uv, arguments.chain(packages.iter().copied()), log).await;
    }
    let Some(python) = on_path("python3") else {
        return Err(Error::MissingProgram {
            program: "python3",
            purpose: "run programs with the OpenTelemetry SDK".to_owned(),
            remedy: REMEDY,
        });
    };
    let venv = directory.join("venv");
    let arguments = ["-m".as_ref(), "venv".as_ref(), venv.as_os_str()];
    let made = run(recipe, &python, arguments, log).await;
    if made.is_err() && run(recipe, &python, ["-c", "import venv, ensurepip"], log).await.is_err() {
        return Err(Error::MissingProgram {
            program: "python3 with its venv module",
            purpose: "run programs with the OpenTelemetry SDK".to_owned(),
            remedy: REMEDY,
        });
    }
    made?;
    let pip = ["-m", "pip", "--disable-pip-version-check", "install"].map(OsStr::new);
    run(recipe, &interpreter, pip.into_iter().chain(packages.iter().copied()), log).await
}

/// Runs it with nothing of the caller's own Python settings.
async fn run<A: AsRef<OsStr>>(
    recipe: &Recipe,
    program: &Path,
    arguments: impl IntoIterator<Item = A>,
    log: &Path,
) -> Result<()> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env_remove("PYTHONPATH")
        .env_remove("PYTHONHOME")
        .env_remove("VIRTUAL_ENV")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    go::run(command, recipe.what, log).await
}
