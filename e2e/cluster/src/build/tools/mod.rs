//! Tools of the same kind: fetched or built at a fixed version, kept in the same cache.
//! One function for each, here or in the file of its subject; `module` says how Go modules
//! become programs. Knows nothing of clusters.

mod backends;
mod collectors;
mod module;
mod python;

use std::fs;
use std::path::{Path, PathBuf};

pub use backends::{jaeger, loki, prometheus, promtool};
pub use collectors::{otelcol, otelcol_jaeger, otelcol_loki};
pub use python::{python_sdk, python_shop};

use super::{Recipe, go};
use crate::error::{Error, Result};
use crate::progress::Progress;

const HELM: &str = "helm.sh/helm/v3/cmd/helm@v3.22.0";
const HELM_RECIPE: Recipe =
    Recipe { what: "helm v3.22.0", takes: "about a minute", inputs: &[HELM] };

const OPERATOR_MODULE: &str = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const CRDS: [&str; 2] =
    ["monitoring.coreos.com_podmonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml"];
const CRDS_RECIPE: Recipe = Recipe {
    what: "prometheus-operator-crds v0.85.0",
    takes: "a few seconds",
    inputs: &[OPERATOR_MODULE, CRDS[0], CRDS[1]],
};

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

/// The directory with prometheus-operator's own CRDs (`PrometheusRule`, `PodMonitor`), one file each.
///
/// # Errors
/// Go is missing, or the module could not be had.
pub async fn prometheus_operator_crds(progress: &dyn Progress) -> Result<PathBuf> {
    CRDS_RECIPE.provide(progress, copy_crds).await
}

/// A program by this name in PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|candidate| candidate.is_file())
}

async fn copy_crds(directory: &Path, log: &Path) -> Result<()> {
    let module = module::download(go::go(directory), OPERATOR_MODULE, log).await?;
    let from = module.directory.join("example/prometheus-operator-crd");
    for name in CRDS {
        // Read and written rather than copied: files of the module cache are read-only.
        fs::read(from.join(name))
            .and_then(|text| fs::write(directory.join(name), text))
            .map_err(Error::io(format!("copy {name}")))?;
    }
    Ok(())
}
