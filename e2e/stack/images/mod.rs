//! The images that pods of the stack run, as archives below `<target>/images`: the backends' from
//! their static programs, the application's from a Python and its packages, and our own two, which
//! `make image` writes. No engine and no registry.

mod python;

use std::path::{Path, PathBuf};

use local_cluster::Progress;
use obspipe_image::{Format, Image, Name, Program, static_programs};

use crate::error::{Error, Result};

/// Our own, by the file that `make image` writes.
const OURS: [&str; 2] = ["obspipe-operator.tar", "obspipe-collector.tar"];

/// Makes what is missing and returns every archive.
///
/// # Errors
/// A tool could not be built, an archive not be written, or `make image` was not run.
pub async fn provide(progress: &dyn Progress) -> Result<Vec<PathBuf>> {
    let directory = directory();
    let mut archives = Vec::new();
    for name in OURS {
        let archive = directory.join(name);
        if !archive.is_file() {
            let path = archive.display().to_string();
            return Err(Error::Missing { path, remedy: "`make image` writes it" });
        }
        archives.push(archive);
    }
    let kept = directory.join("e2e");
    for (name, program) in programs(progress).await? {
        let image = of_program(name, &program);
        archives
            .push(image.and_then(|it| it.provide(Format::Docker, &kept)).map_err(failed(name))?);
    }
    let interpreter = local_cluster::python_shop(progress).await?;
    progress.step("writing the application's image");
    archives.push(python::provide(&interpreter, &kept).await?);
    Ok(archives)
}

/// The backends: an image's name and its program. In the image it is `/bin/<name of its file>`;
/// prometheus-operator starts its reloader by that path.
async fn programs(progress: &dyn Progress) -> Result<[(&'static str, PathBuf); 6]> {
    let (operator, reloader) = local_cluster::prometheus_operator(progress).await?;
    Ok([
        ("jaeger:1.76.0", local_cluster::jaeger(progress).await?),
        ("loki:3.7.8", local_cluster::loki(progress).await?),
        ("prometheus:3.16.0", local_cluster::prometheus(progress).await?),
        ("alertmanager:0.28.1", local_cluster::alertmanager(progress).await?),
        ("prometheus-operator:0.85.0", operator),
        ("prometheus-config-reloader:0.85.0", reloader),
    ])
}

/// Where archives are: beside our own.
#[must_use]
pub fn directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| crate::root().join("target"), PathBuf::from);
    std::path::absolute(&target).unwrap_or(target).join("images")
}

fn of_program(name: &str, program: &Path) -> obspipe_image::Result<Image> {
    static_programs(named(name)?, "/bin", &[Program::read(program)?])
}

/// As the manifests call it.
fn named(name: &str) -> obspipe_image::Result<Name> {
    format!("obspipe-e2e/{name}").parse()
}

fn failed(name: &str) -> impl FnOnce(obspipe_image::Error) -> Error {
    let name = name.to_owned();
    |source| Error::Image { name, source }
}

#[cfg(test)]
mod tests;
