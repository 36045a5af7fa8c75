//! The image that every pod's first container runs, which no registry is asked for.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use obspipe_image::{Format, Name, Program, static_programs};
use tokio::process::Command;

use crate::build::{Recipe, go};
use crate::error::{Error, Result};
use crate::progress::Progress;

pub(crate) const PAUSE: &str = "local-cluster/pause:1";
const SOURCE: &str = include_str!("pause.c");
const RECIPE: Recipe = Recipe { what: "pause 1", takes: "a second", inputs: &[SOURCE, PAUSE] };

/// The archive.
pub(crate) async fn pause(progress: &dyn Progress) -> Result<PathBuf> {
    Ok(RECIPE.provide(progress, build).await?.join("pause.tar"))
}

async fn build(directory: &Path, log: &Path) -> Result<()> {
    let (source, program) = (directory.join("pause.c"), directory.join("pause"));
    std::fs::write(&source, SOURCE).map_err(Error::io("write pause.c"))?;
    let mut compiler = Command::new("cc");
    compiler.args(["-Os", "-static", "-o"]).arg(&program).arg(&source).stdin(Stdio::null());
    go::run(compiler, RECIPE.what, log).await?;
    archive(&program, &directory.join("pause.tar")).map_err(|error| Error::Io {
        action: "write the image of pause".to_owned(),
        source: std::io::Error::other(error),
    })
}

fn archive(program: &Path, path: &Path) -> obspipe_image::Result<()> {
    let name: Name = PAUSE.parse()?;
    let image = static_programs(name, "/", &[Program::read(program)?])?;
    image.write(Format::Docker, path).map(|_| ())
}
