//! The programs a pipeline sends to: Jaeger, Loki, Prometheus. One recipe and one
//! function for each; how they are run is not known here.

use std::path::{Path, PathBuf};

use super::module;
use crate::build::Recipe;
use crate::error::Result;
use crate::progress::Progress;

const JAEGER: &str = "github.com/jaegertracing/jaeger@v1.76.0";
const JAEGER_RECIPE: Recipe =
    Recipe { what: "jaeger v1.76.0", takes: "about 2 minutes on two cores", inputs: &[JAEGER] };

const LOKI: &str = "github.com/grafana/loki/v3@v3.7.8";
const LOKI_RECIPE: Recipe =
    Recipe { what: "loki v3.7.8", takes: "about 5 minutes on two cores", inputs: &[LOKI] };

const PROMETHEUS: [&str; 2] = [
    "github.com/prometheus/prometheus/cmd/prometheus@v0.316.0",
    "github.com/prometheus/prometheus/cmd/promtool@v0.316.0",
];
/// All service discovery but Kubernetes' and the built-in kinds: one dependency of the rest
/// is not served by the module proxy.
const PROMETHEUS_TAGS: &str = "remove_all_sd,enable_kubernetes_sd";
const PROMETHEUS_RECIPE: Recipe = Recipe {
    what: "prometheus v3.16.0",
    takes: "about 2 minutes on two cores",
    inputs: &[PROMETHEUS[0], PROMETHEUS[1], PROMETHEUS_TAGS],
};

/// The path of Jaeger's all-in-one: collector, memory store and query API in one process.
/// Of the 1.x line, the last that takes `api_v2` spans by gRPC.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn jaeger(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = JAEGER_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            module::build_dependency(JAEGER, "cmd/all-in-one", fresh, log).await
        })
        .await?;
    Ok(directory.join("bin/all-in-one"))
}

/// The path of `loki`.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn loki(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = LOKI_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            module::build_dependency(LOKI, "cmd/loki", fresh, log).await
        })
        .await?;
    Ok(directory.join("bin/loki"))
}

/// The path of `prometheus`; its web page is a stub, its API is whole.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn prometheus(progress: &dyn Progress) -> Result<PathBuf> {
    Ok(prometheus_programs(progress).await?.join("prometheus"))
}

/// The path of `promtool`, of the same build as [`prometheus`].
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn promtool(progress: &dyn Progress) -> Result<PathBuf> {
    Ok(prometheus_programs(progress).await?.join("promtool"))
}

async fn prometheus_programs(progress: &dyn Progress) -> Result<PathBuf> {
    let directory = PROMETHEUS_RECIPE
        .provide(progress, async |fresh: &Path, log: &Path| {
            let mut go = module::unsummed(fresh);
            go.env("GOFLAGS", format!("-buildvcs=false -tags={PROMETHEUS_TAGS}"));
            module::install(go, &PROMETHEUS, fresh, log).await
        })
        .await?;
    Ok(directory.join("bin"))
}
