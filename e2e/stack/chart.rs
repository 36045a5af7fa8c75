//! The chart as its users install it: by helm, with its own values.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::Result;
use crate::findings;
use crate::kubectl::{Kubectl, finish};

/// Namespace of the operator.
pub const SYSTEM: &str = "obspipe-system";
const RELEASE: &str = "obspipe";
/// The operator alone: its image is in the node already.
const INSTALLED_WITHIN: &str = "3m";

/// The chart on a cluster.
#[derive(Debug, Clone)]
pub struct Chart {
    kubectl: Kubectl,
    helm: PathBuf,
}

impl Chart {
    pub(crate) fn new(kubectl: Kubectl, helm: PathBuf) -> Self {
        Self { kubectl, helm }
    }

    /// Installs or upgrades the chart of this workspace, with values such as
    /// `collector.image.tag=2`, and waits until the operator is available.
    ///
    /// # Errors
    /// helm failed; the error tells what the pods say.
    pub async fn install(&self, values: &[&str]) -> Result<()> {
        self.install_from(&crate::root().join("charts/obspipe"), values).await
    }

    /// The same from another directory or archive of a chart. Values of an earlier upgrade are
    /// forgotten: by itself helm keeps them where none are given.
    ///
    /// # Errors
    /// As [`Self::install`].
    pub async fn install_from(&self, chart: &Path, values: &[&str]) -> Result<()> {
        let mut arguments = vec!["upgrade", "--install", RELEASE];
        let chart = chart.display().to_string();
        arguments.extend([&*chart, "--namespace", SYSTEM, "--reset-values"]);
        arguments.extend(["--wait", "--timeout", INSTALLED_WITHIN]);
        for value in values {
            arguments.extend(["--set", value]);
        }
        self.restrict().await?;
        match self.helm(&arguments).await {
            Ok(_) => Ok(()),
            Err(error) => Err(findings::explain(&self.kubectl, SYSTEM, error).await),
        }
    }

    /// Uninstalls it and waits until its objects are gone.
    ///
    /// # Errors
    /// helm failed.
    pub async fn uninstall(&self) -> Result<()> {
        self.helm(&["uninstall", RELEASE, "--namespace", SYSTEM, "--wait"]).await.map(|_| ())
    }

    /// Runs helm and returns what it prints.
    ///
    /// # Errors
    /// It ended with an error.
    pub async fn helm(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.helm);
        command.args(arguments).env("KUBECONFIG", self.kubectl.target().kubeconfig());
        finish(command, &format!("helm {}", arguments.join(" ")), "").await
    }

    /// As an administrator would before installing anything.
    async fn restrict(&self) -> Result<()> {
        let namespace = serde_json::json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": SYSTEM,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
        });
        self.kubectl.apply(&[namespace]).await
    }
}
