//! Tools of the same kind: fetched or built from Go modules at a fixed version, kept in
//! the same cache. One function for each; append here. Knows nothing of clusters.

use std::fs;
use std::path::{Path, PathBuf};

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
        .provide(progress, async |fresh: &Path, log: &Path| install(HELM, fresh, log).await)
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

/// `go install`, into `bin/` of the directory.
async fn install(package: &'static str, directory: &Path, log: &Path) -> Result<()> {
    let mut command = go::go(directory);
    command
        .args(["install", "-trimpath", "-ldflags", "-s -w", package])
        .env("GOBIN", directory.join("bin"));
    go::run(command, package, log).await
}

/// What `go mod download -json` says of a module.
#[derive(serde::Deserialize)]
struct Module {
    #[serde(rename = "Dir")]
    directory: PathBuf,
}

async fn copy_crds(directory: &Path, log: &Path) -> Result<()> {
    let mut command = go::go(directory);
    command.args(["mod", "download", "-json", OPERATOR_MODULE]);
    let answer = go::read(command, CRDS_RECIPE.what, log).await?;
    let module: Module = serde_json::from_slice(&answer).map_err(|source| Error::Format {
        what: "the answer of go mod download".to_owned(),
        source,
    })?;
    let from = module.directory.join("example/prometheus-operator-crd");
    for name in CRDS {
        // Read and written rather than copied: files of the module cache are read-only.
        fs::read(from.join(name))
            .and_then(|text| fs::write(directory.join(name), text))
            .map_err(Error::io(format!("copy {name}")))?;
    }
    Ok(())
}
