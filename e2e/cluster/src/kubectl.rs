//! kubectl as this crate calls it: with one kubeconfig and nothing from the caller's
//! surroundings that would send it elsewhere. Knows no cluster's life.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// A kubectl bound to a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Kubectl {
    path: PathBuf,
    environment: Vec<(&'static str, OsString)>,
}

impl Kubectl {
    /// For the cluster of a kubeconfig that is ours. What it caches lies beside that and goes
    /// with it, and a person's own preferences (kuberc) do not change what a test does.
    pub(crate) fn ours(path: PathBuf, kubeconfig: &Path) -> Self {
        let environment = vec![
            ("KUBECONFIG", kubeconfig.into()),
            ("KUBECACHEDIR", kubeconfig.with_file_name("kubectl-cache").into()),
            ("KUBERC", "off".into()),
        ];
        Self { path, environment }
    }

    /// For somebody's own: this kubeconfig, else the one that kubectl finds itself.
    pub(crate) fn theirs(path: PathBuf, kubeconfig: Option<&Path>) -> Self {
        let environment =
            kubeconfig.map(|kubeconfig| ("KUBECONFIG", kubeconfig.into())).into_iter().collect();
        Self { path, environment }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs it to its end and returns what it printed.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = tokio::process::Command::from(self.command());
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let output =
            command.output().await.map_err(Error::io(format!("run {}", self.path.display())))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Kubectl { arguments: arguments.join(" "), message })
    }
}
