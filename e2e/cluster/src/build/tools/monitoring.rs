//! What runs Prometheus in a cluster and takes its alerts: prometheus-operator with its config
//! reloader and its definitions, and Alertmanager. How they are run is not known here.

use std::fs;
use std::path::{Path, PathBuf};

use super::module;
use crate::build::{Recipe, go};
use crate::error::{Error, Result};
use crate::progress::Progress;

const OPERATOR: &str = "github.com/prometheus-operator/prometheus-operator@v0.85.0";
const PROGRAMS: [&str; 2] = ["cmd/operator", "cmd/prometheus-config-reloader"];
const OPERATOR_RECIPE: Recipe = Recipe {
    what: "prometheus-operator v0.85.0",
    takes: "about 90 seconds on two cores",
    inputs: &[OPERATOR, PROGRAMS[0], PROGRAMS[1]],
};

/// Later releases lack files of their page in the module, and do not build.
const ALERTMANAGER: &str = "github.com/prometheus/alertmanager/cmd/alertmanager@v0.28.1";
const ALERTMANAGER_RECIPE: Recipe = Recipe {
    what: "alertmanager v0.28.1",
    takes: "about a minute on two cores",
    inputs: &[ALERTMANAGER],
};

/// Those that pipelines make objects of.
const OURS: [&str; 2] =
    ["monitoring.coreos.com_podmonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml"];
const OURS_RECIPE: Recipe = Recipe {
    what: "prometheus-operator-crds v0.85.0",
    takes: "a few seconds",
    inputs: &[OPERATOR, OURS[0], OURS[1]],
};
const ALL_RECIPE: Recipe = Recipe {
    what: "prometheus-operator-all-crds v0.85.0",
    takes: "a few seconds",
    inputs: &[OPERATOR],
};

/// The paths of prometheus-operator and of its `prometheus-config-reloader`.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn prometheus_operator(progress: &dyn Progress) -> Result<(PathBuf, PathBuf)> {
    let directory = OPERATOR_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            for program in PROGRAMS {
                module::build_dependency(OPERATOR, program, fresh, log).await?;
            }
            Ok(())
        })
        .await?;
    let bin = directory.join("bin");
    Ok((bin.join("operator"), bin.join("prometheus-config-reloader")))
}

/// The path of `alertmanager`.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn alertmanager(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = ALERTMANAGER_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            module::install(module::unsummed(fresh), &[ALERTMANAGER], fresh, log).await
        })
        .await?;
    Ok(directory.join("bin/alertmanager"))
}

/// The directory with prometheus-operator's own CRDs `PrometheusRule` and `PodMonitor`, one file each.
///
/// # Errors
/// Go is missing, or the module could not be had.
pub async fn prometheus_operator_crds(progress: &dyn Progress) -> Result<PathBuf> {
    let ours = |name: &str| OURS.contains(&name);
    OURS_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| copy_crds(fresh, log, ours).await)
        .await
}

/// The directory with all of prometheus-operator's CRDs: it waits for each of them.
///
/// # Errors
/// Go is missing, or the module could not be had.
pub async fn prometheus_operator_all_crds(progress: &dyn Progress) -> Result<PathBuf> {
    let every = |name: &str| name.ends_with(".yaml");
    ALL_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| copy_crds(fresh, log, every).await)
        .await
}

async fn copy_crds(directory: &Path, log: &Path, wanted: impl Fn(&str) -> bool) -> Result<()> {
    let module = module::download(go::go(directory), OPERATOR, log).await?;
    let from = module.directory.join("example/prometheus-operator-crd");
    let reading = || Error::io(format!("read {}", from.display()));
    for entry in fs::read_dir(&from).map_err(reading())? {
        let path = entry.map_err(reading())?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if wanted(&name) {
            // Read and written rather than copied: files of the module cache are read-only.
            fs::read(&path)
                .and_then(|text| fs::write(directory.join(&name), text))
                .map_err(Error::io(format!("copy {name}")))?;
        }
    }
    Ok(())
}
