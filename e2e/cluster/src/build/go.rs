//! Calling the Go toolchain: which variables it is given, where its output goes, and
//! what to say when it is not there. Knows no module by name.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::error::{Error, Result};

const REMEDY: &str = "Install Go 1.24 or newer: the tarball of https://go.dev/dl, or the package `golang` \
                      where it is that new (Debian 13 and later, Debian 12 backports)";

/// A `go` command with nothing of the caller's own settings that would change the result.
pub(super) fn go(directory: &Path) -> Command {
    let mut command = Command::new("go");
    clean(&mut command, directory);
    command
}

/// Gives a command that calls `go` itself the same directory and variables.
pub(super) fn clean(command: &mut Command, directory: &Path) {
    command
        .current_dir(directory)
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOWORK", "off")
        .env_remove("GOOS")
        .env_remove("GOARCH")
        .stdin(Stdio::null())
        .kill_on_drop(true);
}

/// Runs it with everything it prints in the log.
pub(super) async fn run(mut command: Command, what: &str, log: &Path) -> Result<()> {
    let output = File::create(log).map_err(Error::io(format!("create {}", log.display())))?;
    let errors = output.try_clone().map_err(Error::io(format!("open {}", log.display())))?;
    let status = command
        .stdout(output)
        .stderr(errors)
        .status()
        .await
        .map_err(|source| not_run(what, source))?;
    if status.success() { Ok(()) } else { Err(Error::build(what.to_owned(), log)) }
}

/// Runs it and returns what it printed on standard output.
pub(super) async fn read(mut command: Command, what: &str, log: &Path) -> Result<Vec<u8>> {
    let output = command.output().await.map_err(|source| not_run(what, source))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let printed = [output.stderr, output.stdout].concat();
    std::fs::write(log, printed).map_err(Error::io(format!("write {}", log.display())))?;
    Err(Error::build(what.to_owned(), log))
}

fn not_run(what: &str, source: std::io::Error) -> Error {
    if source.kind() == std::io::ErrorKind::NotFound {
        return Error::MissingProgram {
            program: "go",
            purpose: format!("build {what}"),
            remedy: REMEDY,
        };
    }
    Error::Io { action: "run go".to_owned(), source }
}
