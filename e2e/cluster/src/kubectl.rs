//! kubectl as this crate calls it: with one kubeconfig and nothing from the caller's
//! surroundings that would send it elsewhere. Knows no cluster's life.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// A kubectl bound to a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Kubectl {
    path: PathBuf,
    /// None: as kubectl itself finds it.
    kubeconfig: Option<PathBuf>,
}

impl Kubectl {
    pub(crate) fn new(path: PathBuf, kubeconfig: Option<PathBuf>) -> Self {
        Self { path, kubeconfig }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Some(kubeconfig) = &self.kubeconfig {
            command.env("KUBECONFIG", kubeconfig);
        }
        command
    }

    /// Runs it to its end and returns what it printed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::from(self.command());
        command
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = command
            .output()
            .await
            .map_err(Error::io(format!("run {}", self.path.display())))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Kubectl {
            arguments: arguments.join(" "),
            message,
        })
    }
}
