//! What is measured, as one list: append a scenario to [`SCENARIOS`] and it is run, printed and
//! documented.

use crate::peers::Id;
use crate::wire::{Compression, Signal, Transport};
use Compression::{Gzip, None as Plain};
use Output::{Jaeger, Loki, Otlp, Prometheus};
use Signal::{Logs, Metrics, Traces};
use Transport::{Grpc, Http};

/// Where a collector sends what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// The sink, over OTLP.
    Otlp(Transport, Compression),
    /// The sink, as Jaeger's collector.
    Jaeger,
    /// The sink, as Loki.
    Loki,
    /// A page that Prometheus would scrape.
    Prometheus,
}

/// What is done with a collector.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// As much as it accepts, then a fixed rate for latencies.
    Load {
        /// How telemetry comes in.
        input: (Transport, Compression),
        /// Series that metrics have; nothing to other signals.
        series: usize,
        /// Requests per second of the fixed rate.
        rate: f64,
    },
    /// A page of so many series, asked for once it is complete.
    Page {
        /// Series on the page.
        series: usize,
    },
    /// Nothing at all.
    Idle,
}

/// A scenario: all peers get the same pipeline and the same telemetry.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The name for `--only`.
    pub name: &'static str,
    /// The heading of its table.
    pub title: &'static str,
    /// What travels.
    pub signal: Signal,
    /// What is done.
    pub kind: Kind,
    /// Where it goes.
    pub output: Output,
    /// With whom; ours comes first.
    pub peers: &'static [Id],
}

const CURRENT: &[Id] = &[Id::Ours, Id::Otelcol, Id::Rotel];

const fn load(transport: Transport, compression: Compression) -> Kind {
    Kind::Load { input: (transport, compression), series: 0, rate: 40.0 }
}

/// All of them, in the order in which they run.
pub const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "spans-grpc",
        title: "Spans, OTLP/gRPC to OTLP/gRPC, uncompressed",
        signal: Traces,
        kind: load(Grpc, Plain),
        output: Otlp(Grpc, Plain),
        peers: CURRENT,
    },
    Scenario {
        name: "spans-gzip",
        title: "Spans, OTLP/gRPC to OTLP/gRPC, gzip in and out",
        signal: Traces,
        kind: load(Grpc, Gzip),
        output: Otlp(Grpc, Gzip),
        peers: CURRENT,
    },
    Scenario {
        name: "spans-http",
        title: "Spans, OTLP/HTTP to OTLP/HTTP, uncompressed",
        signal: Traces,
        kind: load(Http, Plain),
        output: Otlp(Http, Plain),
        peers: CURRENT,
    },
    Scenario {
        name: "logs-grpc",
        title: "Log records, OTLP/gRPC to OTLP/gRPC, uncompressed",
        signal: Logs,
        kind: load(Grpc, Plain),
        output: Otlp(Grpc, Plain),
        peers: CURRENT,
    },
    Scenario {
        name: "spans-jaeger",
        title: "Spans, OTLP/gRPC to Jaeger's PostSpans",
        signal: Traces,
        kind: load(Grpc, Plain),
        output: Jaeger,
        peers: &[Id::Ours, Id::OtelcolJaeger],
    },
    Scenario {
        name: "logs-loki",
        title: "Log records, OTLP/gRPC to Loki's push",
        signal: Logs,
        kind: load(Grpc, Plain),
        output: Loki,
        peers: &[Id::Ours, Id::OtelcolLoki],
    },
    Scenario {
        name: "metrics-prometheus",
        title: "Data points, OTLP/gRPC to a Prometheus page of 10 000 live series",
        signal: Metrics,
        kind: Kind::Load { input: (Grpc, Plain), series: 10_000, rate: 40.0 },
        output: Prometheus,
        peers: &[Id::Ours, Id::Otelcol],
    },
    Scenario {
        name: "page",
        title: "A Prometheus page of 100 000 series",
        signal: Metrics,
        kind: Kind::Page { series: 100_000 },
        output: Prometheus,
        peers: &[Id::Ours, Id::Otelcol],
    },
    Scenario {
        name: "idle",
        title: "Idle, with a pipeline of spans over OTLP/gRPC",
        signal: Traces,
        kind: Kind::Idle,
        output: Otlp(Grpc, Plain),
        peers: CURRENT,
    },
];

/// Those of [`SCENARIOS`] whose name is in `only`, or all.
///
/// # Errors
/// A name that is in the list of none.
pub fn choose(only: &[String]) -> anyhow::Result<Vec<&'static Scenario>> {
    let known = |name: &String| SCENARIOS.iter().any(|scenario| scenario.name == name);
    if let Some(name) = only.iter().find(|name| !known(name)) {
        let names: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        anyhow::bail!("there is no scenario {name}; there are {}", names.join(", "));
    }
    let chosen = |name: &str| only.is_empty() || only.iter().any(|only| only == name);
    Ok(SCENARIOS.iter().filter(|scenario| chosen(scenario.name)).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_ours_is_in_all() {
        let names: HashSet<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        assert!(SCENARIOS.iter().all(|scenario| scenario.peers.first() == Some(&Id::Ours)));
    }

    #[test]
    fn only_what_is_asked_for() {
        let names = |only: &[&str]| {
            let only: Vec<_> = only.iter().map(ToString::to_string).collect();
            choose(&only).map(|all| all.iter().map(|one| one.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["idle", "page"]).unwrap(), ["page", "idle"]);
        assert_eq!(names(&[]).unwrap().len(), SCENARIOS.len());
        assert!(names(&["pages"]).unwrap_err().to_string().contains("metrics-prometheus"));
    }
}
