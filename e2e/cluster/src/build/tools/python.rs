//! The OpenTelemetry SDK of Python in a virtual environment, from PyPI, made with `uv` or
//! the `python3` of the machine. Which programs run with it is not known here.

use std::ffi::OsStr;
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
const REMEDY: &str = "Install `uv` (https://docs.astral.sh/uv), or Python 3.10 or newer with its \
                      venv module (the packages `python3` and `python3-venv`)";

/// The interpreter of a virtual environment with the OpenTelemetry SDK and its OTLP
/// exporters for gRPC and HTTP.
///
/// # Errors
/// Neither `uv` nor `python3` is there, `python3` lacks venv, or a package could not be had.
pub async fn python_sdk(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = RECIPE.provide(progress, build).await?;
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

async fn build(directory: &Path, log: &Path) -> Result<()> {
    let interpreter = directory.join("venv/bin/python");
    if let Some(uv) = on_path("uv") {
        run(&uv, ["venv".as_ref(), directory.join("venv").as_os_str()], log).await?;
        let arguments = ["pip", "install", "--python"].map(OsStr::new);
        let arguments = arguments.into_iter().chain([interpreter.as_os_str()]);
        return run(&uv, arguments.chain(PACKAGES.map(OsStr::new)), log).await;
    }
    let Some(python) = on_path("python3") else {
        return Err(Error::MissingProgram {
            program: "python3",
            purpose: "run programs with the OpenTelemetry SDK".to_owned(),
            remedy: REMEDY,
        });
    };
    let venv = directory.join("venv");
    let made = run(&python, ["-m".as_ref(), "venv".as_ref(), venv.as_os_str()], log).await;
    if made.is_err() && run(&python, ["-c", "import venv, ensurepip"], log).await.is_err() {
        return Err(Error::MissingProgram {
            program: "python3 with its venv module",
            purpose: "run programs with the OpenTelemetry SDK".to_owned(),
            remedy: REMEDY,
        });
    }
    made?;
    let pip = ["-m", "pip", "--disable-pip-version-check", "install"];
    run(&interpreter, pip.into_iter().chain(PACKAGES), log).await
}

/// Runs it with nothing of the caller's own Python settings.
async fn run<A: AsRef<OsStr>>(
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
    go::run(command, RECIPE.what, log).await
}
