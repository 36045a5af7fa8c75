//! A collector of somebody else's release with a given configuration: the peer of today, and
//! the last ones with the jaeger and the loki exporter.

use std::net::SocketAddr;
use std::path::PathBuf;

use local_cluster::Progress;

use crate::error::Result;
use crate::process::{Launch, Process, Ready, write};

/// Which collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// v0.155: otlp; batch, memory_limiter, attributes, resource; otlp, otlphttp, debug, nop, prometheus; health_check.
    Peer,
    /// v0.85: otlp; batch; jaeger, logging.
    Jaeger,
    /// v0.130: otlp; batch; loki, debug.
    Loki,
}

impl Release {
    async fn program(self, progress: &dyn Progress) -> Result<PathBuf> {
        Ok(match self {
            Self::Peer => local_cluster::otelcol(progress).await?,
            Self::Jaeger => local_cluster::otelcol_jaeger(progress).await?,
            Self::Loki => local_cluster::otelcol_loki(progress).await?,
        })
    }
}

/// Free addresses for what a configuration lets listen.
#[derive(Debug, Clone, Copy)]
pub struct Endpoints {
    /// For OTLP by gRPC.
    pub otlp_grpc: SocketAddr,
    /// For OTLP by HTTP.
    pub otlp_http: SocketAddr,
    /// For the `prometheus` exporter.
    pub prometheus: SocketAddr,
    /// For `health_check`.
    pub health: SocketAddr,
    /// For the collector's own metrics.
    pub telemetry: SocketAddr,
}

impl From<[SocketAddr; 5]> for Endpoints {
    fn from(addresses: [SocketAddr; 5]) -> Self {
        let [otlp_grpc, otlp_http, prometheus, health, telemetry] = addresses;
        Self { otlp_grpc, otlp_http, prometheus, health, telemetry }
    }
}

/// Merged below the given configuration: the collector's own metrics would have a fixed port.
const QUIET: &str = "service: { telemetry: { metrics: { level: none } } }\n";

/// A running collector; dropping it kills it, with what it has not sent.
#[derive(Debug)]
pub struct Otelcol {
    process: Process,
    endpoints: Endpoints,
}

impl Otelcol {
    /// Starts one with the configuration made for the addresses, building it when that was
    /// not done yet. Its own metrics are off unless the configuration says otherwise.
    ///
    /// # Errors
    /// It cannot be built, refuses the configuration, or does not become ready.
    pub async fn start(
        progress: &dyn Progress,
        release: Release,
        configuration: impl Fn(&Endpoints) -> String,
    ) -> Result<Self> {
        let program = release.program(progress).await?;
        let (process, addresses) = Process::start("otelcol", |addresses, directory| {
            let text = configuration(&Endpoints::from(*addresses));
            let quiet = write(directory, "quiet.yaml", QUIET)?;
            let file = write(directory, "config.yaml", &text)?;
            Ok(Launch {
                program: program.clone(),
                arguments: vec![format!("--config={quiet}"), format!("--config={file}")],
                ready: Ready::Says("Everything is ready"),
            })
        })
        .await?;
        Ok(Self { process, endpoints: addresses.into() })
    }

    /// Where it listens, as far as its configuration says.
    #[must_use]
    pub fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// The process, for its log.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}
