//! The images that pods of the stack run, as archives below `<target>/images`: the backends' from
//! their static programs, the application's from a Python and its packages, and our own two, which
//! `make image` writes. No engine and no registry.

mod python;

use std::fs;
use std::path::{Path, PathBuf};

use local_cluster::Progress;
use obspipe_image::{Architecture, Format, Image, Layer, Name, User};

use crate::error::{Error, Result};

/// Our own, by the file that `make image` writes.
const OURS: [&str; 2] = ["obspipe-operator.tar", "obspipe-collector.tar"];

/// A static program and the image it becomes.
struct Program {
    /// As the manifests call it.
    name: &'static str,
    /// Where it is in the image: prometheus-operator starts its reloader by this path.
    entrypoint: &'static str,
    /// Where it is on this machine.
    file: PathBuf,
}

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
    for program in programs(progress).await? {
        archives.push(of_program(&program, &directory)?);
    }
    let interpreter = local_cluster::python_shop(progress).await?;
    progress.step("writing the application's image");
    archives.push(python::provide(&interpreter, &directory).await?);
    Ok(archives)
}

async fn programs(progress: &dyn Progress) -> Result<Vec<Program>> {
    let (operator, reloader) = local_cluster::prometheus_operator(progress).await?;
    let list = [
        ("jaeger:1.76.0", "/bin/jaeger", local_cluster::jaeger(progress).await?),
        ("loki:3.7.8", "/bin/loki", local_cluster::loki(progress).await?),
        ("prometheus:3.16.0", "/bin/prometheus", local_cluster::prometheus(progress).await?),
        ("alertmanager:0.28.1", "/bin/alertmanager", local_cluster::alertmanager(progress).await?),
        ("prometheus-operator:0.85.0", "/bin/operator", operator),
        ("prometheus-config-reloader:0.85.0", "/bin/prometheus-config-reloader", reloader),
    ];
    Ok(list.map(|(name, entrypoint, file)| Program { name, entrypoint, file }).into())
}

/// Where archives are: beside our own.
#[must_use]
pub fn directory() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR");
    let target = target.map_or_else(|| crate::root().join("target"), PathBuf::from);
    std::path::absolute(&target).unwrap_or(target).join("images")
}

fn of_program(program: &Program, directory: &Path) -> Result<PathBuf> {
    let archive = archive(directory, program.name);
    if newer(&archive, &program.file) {
        return Ok(archive);
    }
    let failed = failed(program.name);
    let image = || -> obspipe_image::Result<Image> {
        let mut layer = Layer::new();
        layer.file(program.entrypoint, 0o755, program.file.as_path())?;
        let mut image = named(program.name, &[program.entrypoint])?;
        image.layers.push(layer);
        Ok(image)
    };
    image().and_then(|image| image.write(Format::Docker, &archive)).map_err(failed)?;
    Ok(archive)
}

/// An image of ours for this machine, without layers.
fn named(name: &str, entrypoint: &[&str]) -> obspipe_image::Result<Image> {
    let name: Name = format!("obspipe-e2e/{name}").parse()?;
    let mut image = Image::new(name, Architecture::here()?, entrypoint);
    image.user = User::NOBODY;
    Ok(image)
}

fn archive(directory: &Path, name: &str) -> PathBuf {
    directory.join("e2e").join(format!("{}.tar", name.replace(':', "-")))
}

fn failed(name: &str) -> impl FnOnce(obspipe_image::Error) -> Error {
    let name = name.to_owned();
    |source| Error::Image { name, source }
}

/// Whether a file is there, and was written after that other one.
fn newer(file: &Path, than: &Path) -> bool {
    let written = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    matches!((written(file), written(than)), (Some(file), Some(than)) if file > than)
}

#[cfg(test)]
mod tests;
