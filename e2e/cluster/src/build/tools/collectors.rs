//! OpenTelemetry Collectors to compare with: the peer of today, and the last releases that
//! had the jaeger and the loki exporter. Each is a manifest for the builder of its version.

use std::path::{Path, PathBuf};

use super::module;
use crate::build::Recipe;
use crate::error::Result;
use crate::progress::Progress;

/// A release: its builder and what to build, both texts of the recipe's key.
struct Release {
    builder: &'static str,
    manifest: &'static str,
    recipe: Recipe,
}

const PEER_BUILDER: &str = "go.opentelemetry.io/collector/cmd/builder@v0.155.0";
const PEER_MANIFEST: &str = "\
dist: { name: otelcol, output_path: src }
receivers:
- gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v0.155.0
processors:
- gomod: go.opentelemetry.io/collector/processor/batchprocessor v0.155.0
- gomod: go.opentelemetry.io/collector/processor/memorylimiterprocessor v0.155.0
- gomod: github.com/open-telemetry/opentelemetry-collector-contrib/processor/attributesprocessor v0.155.0
- gomod: github.com/open-telemetry/opentelemetry-collector-contrib/processor/resourceprocessor v0.155.0
exporters:
- gomod: go.opentelemetry.io/collector/exporter/debugexporter v0.155.0
- gomod: go.opentelemetry.io/collector/exporter/nopexporter v0.155.0
- gomod: go.opentelemetry.io/collector/exporter/otlpexporter v0.155.0
- gomod: go.opentelemetry.io/collector/exporter/otlphttpexporter v0.155.0
- gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/prometheusexporter v0.155.0
extensions:
- gomod: github.com/open-telemetry/opentelemetry-collector-contrib/extension/healthcheckextension v0.155.0
";
const PEER: Release = Release {
    builder: PEER_BUILDER,
    manifest: PEER_MANIFEST,
    recipe: Recipe {
        what: "otelcol v0.155.0",
        takes: "about a minute on two cores",
        inputs: &[PEER_BUILDER, PEER_MANIFEST],
    },
};

const JAEGER_BUILDER: &str = "go.opentelemetry.io/collector/cmd/builder@v0.85.0";
/// This builder takes the core's version from the manifest.
const JAEGER_MANIFEST: &str = "\
dist: { name: otelcol, output_path: src, otelcol_version: 0.85.0 }
receivers:
- gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v0.85.0
processors:
- gomod: go.opentelemetry.io/collector/processor/batchprocessor v0.85.0
exporters:
- gomod: go.opentelemetry.io/collector/exporter/loggingexporter v0.85.0
- gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/jaegerexporter v0.85.0
";
const JAEGER: Release = Release {
    builder: JAEGER_BUILDER,
    manifest: JAEGER_MANIFEST,
    recipe: Recipe {
        what: "otelcol-jaeger v0.85.0",
        takes: "about a minute on two cores",
        inputs: &[JAEGER_BUILDER, JAEGER_MANIFEST],
    },
};

const LOKI_BUILDER: &str = "go.opentelemetry.io/collector/cmd/builder@v0.130.0";
const LOKI_MANIFEST: &str = "\
dist: { name: otelcol, output_path: src }
receivers:
- gomod: go.opentelemetry.io/collector/receiver/otlpreceiver v0.130.0
processors:
- gomod: go.opentelemetry.io/collector/processor/batchprocessor v0.130.0
exporters:
- gomod: go.opentelemetry.io/collector/exporter/debugexporter v0.130.0
- gomod: github.com/open-telemetry/opentelemetry-collector-contrib/exporter/lokiexporter v0.130.0
";
const LOKI: Release = Release {
    builder: LOKI_BUILDER,
    manifest: LOKI_MANIFEST,
    recipe: Recipe {
        what: "otelcol-loki v0.130.0",
        takes: "about a minute on two cores",
        inputs: &[LOKI_BUILDER, LOKI_MANIFEST],
    },
};

/// The path of the collector that ours is compared with: otlp receiver; `batch`, `memory_limiter`,
/// `resource` and `attributes` processors; `otlp`, `otlphttp`, `debug`, `nop` and `prometheus`
/// exporters; `health_check`.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn otelcol(progress: &dyn Progress) -> Result<PathBuf> {
    provide(&PEER, progress).await
}

/// The path of the last collector with the `jaeger` exporter: otlp receiver, `batch`, `jaeger`, `logging`.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn otelcol_jaeger(progress: &dyn Progress) -> Result<PathBuf> {
    provide(&JAEGER, progress).await
}

/// The path of the last collector with the `loki` exporter: otlp receiver, `batch`, `loki`, `debug`.
///
/// # Errors
/// Go is missing, or the build failed.
pub async fn otelcol_loki(progress: &dyn Progress) -> Result<PathBuf> {
    provide(&LOKI, progress).await
}

async fn provide(release: &Release, progress: &dyn Progress) -> Result<PathBuf> {
    let directory = release
        .recipe
        .provide(progress, async |fresh: &Path, log: &Path| {
            module::build_collector(release.builder, release.manifest, fresh, log).await
        })
        .await?;
    Ok(directory.join("src/otelcol"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_is_of_the_release_that_is_named() {
        for release in [PEER, JAEGER, LOKI] {
            let version = release.recipe.what.rsplit(' ').next().unwrap();
            assert!(release.builder.ends_with(&format!("@{version}")), "{}", release.builder);
            for line in release.manifest.lines().filter(|line| line.starts_with("- gomod")) {
                assert!(line.ends_with(&format!(" {version}")), "{line}");
            }
        }
    }
}
