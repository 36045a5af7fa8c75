//! A cluster with everything that namespaces share: images in the node, prometheus-operator, the
//! chart. Each step can be done by itself, so that the demo can tell them; `up` does all.

use std::path::PathBuf;
use std::sync::Arc;

use local_cluster::{LocalCluster, Progress, Target};
use serde_json::{Value, json};

use crate::chart::Chart;
use crate::error::{Error, Result};
use crate::kubectl::Kubectl;
use crate::namespace::Namespace;
use crate::{images, parts};

/// Namespace of prometheus-operator.
const MONITORING: &str = "monitoring";

/// A cluster with a node and what is installed on it.
#[derive(Debug, Clone)]
pub struct Stack {
    kubectl: Kubectl,
    helm: PathBuf,
}

impl Stack {
    /// A cluster of its own, which ends with the value, with everything installed.
    ///
    /// # Errors
    /// No node can be run here, or a step failed.
    pub async fn up(progress: impl Progress + Clone + 'static) -> Result<Self> {
        let builder = LocalCluster::builder().node(true).progress(progress.clone());
        let target = Target::Local(builder.start().await?);
        let stack = Self::on(Arc::new(target), &progress).await?;
        stack.load_images(&progress).await?;
        progress.step("installing prometheus-operator");
        stack.install_prometheus_operator(&progress).await?;
        progress.step("installing the chart");
        stack.chart().install(&[]).await?;
        Ok(stack)
    }

    /// On a cluster that runs; nothing is installed yet.
    ///
    /// # Errors
    /// helm cannot be had.
    pub async fn on(target: Arc<Target>, progress: &dyn Progress) -> Result<Self> {
        let helm = local_cluster::helm(progress).await?;
        Ok(Self { kubectl: Kubectl::new(target), helm })
    }

    /// The cluster.
    #[must_use]
    pub fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// The chart on it.
    #[must_use]
    pub fn chart(&self) -> Chart {
        Chart::new(self.kubectl.clone(), self.helm.clone())
    }

    /// Makes the images that are missing and brings all into the node.
    ///
    /// # Errors
    /// One could not be made or imported.
    pub async fn load_images(&self, progress: &dyn Progress) -> Result<()> {
        let archives = images::provide(progress).await?;
        progress.step("importing the images into the node");
        Ok(self.kubectl.target().import_images(&archives).await?)
    }

    /// Installs prometheus-operator with all of its definitions.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn install_prometheus_operator(&self, progress: &dyn Progress) -> Result<()> {
        let definitions = local_cluster::prometheus_operator_all_crds(progress).await?;
        let path = definitions.display().to_string();
        self.kubectl.run(&["apply", "--server-side", "--force-conflicts", "-f", &path]).await?;
        let all = ["wait", "--for=condition=Established", "--timeout=60s", "-f", &path];
        self.kubectl.run(&all).await?;
        let monitoring = self.namespace(MONITORING).await?;
        monitoring.apply(parts::PROMETHEUS_OPERATOR).await?;
        monitoring.rolled_out("deployment/prometheus-operator").await
    }

    /// A namespace, made if it is not there, where only pods of the Pod Security Standard
    /// `restricted` are admitted.
    ///
    /// # Errors
    /// The API server refused.
    pub async fn namespace(&self, name: &str) -> Result<Namespace> {
        let restricted: Value = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
            },
        });
        self.kubectl.apply(&[restricted]).await?;
        Ok(Namespace::new(self.kubectl.clone(), name))
    }

    /// Kills the operator's pods, without a moment to tidy up; their Deployment makes others.
    ///
    /// # Errors
    /// The API server refused.
    pub async fn stop_operator(&self) -> Result<()> {
        let selector = "app.kubernetes.io/name=obspipe-operator";
        let kill =
            ["delete", "pod", "-n", crate::SYSTEM, "-l", selector, "--force", "--grace-period=0"];
        self.kubectl.run(&kill).await.map(|_| ())
    }

    /// Ends the cluster, if it is ours and nobody else holds it.
    ///
    /// # Errors
    /// It cannot be ended.
    pub async fn down(self) -> Result<()> {
        match self.kubectl.into_target() {
            Some(target) => target.stop().await.map_err(Error::from),
            None => Ok(()),
        }
    }
}
