//! Tools of the same kind: fetched or built at a fixed version, kept in the same cache.
//! One function for each, here or in the file of its subject; `module` says how Go modules
//! become programs. Knows nothing of clusters.

mod backends;
mod collectors;
mod dns;
mod manifests;
mod module;
mod monitoring;
mod pause;
mod python;

use std::path::{Path, PathBuf};

pub use backends::{jaeger, loki, prometheus, promtool};
pub use collectors::{otelcol, otelcol_jaeger, otelcol_loki};
pub(crate) use dns::coredns;
pub use manifests::{checkov, kube_score, kubeconform};
pub use monitoring::{
    alertmanager, prometheus_operator, prometheus_operator_all_crds, prometheus_operator_crds,
};
pub(crate) use pause::{PAUSE, pause};
pub use python::{python_sdk, python_shop};

use super::{Recipe, go};
use crate::error::Result;
use crate::progress::Progress;

const HELM: &str = "helm.sh/helm/v3/cmd/helm@v3.22.0";
const HELM_RECIPE: Recipe =
    Recipe { what: "helm v3.22.0", takes: "about a minute", inputs: &[HELM] };

/// The path of `helm`: the one on PATH, else built.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn helm(progress: &dyn Progress) -> Result<PathBuf> {
    if let Some(found) = on_path("helm") {
        return Ok(found);
    }
    let directory = HELM_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            module::install(go::go(fresh), &[HELM], fresh, log).await
        })
        .await?;
    Ok(directory.join("bin/helm"))
}

/// A program by this name in PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}
