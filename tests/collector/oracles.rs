//! The same requests to our collector and to the real ones, each with a backend of its own, and
//! what arrives there compared. Differences are allowed by name: the name stands in
//! docs/compatibility.md, and a name that nothing differed by is a mistake.

mod generate;
mod jaeger;
mod loki;
mod otlp;
mod prometheus;
mod rates;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use local_cluster::Silent;
use obspipe_backends::{Otelcol, Release};

use crate::client::Client;
use crate::collector::Collector;

/// Requests of each signal.
const REQUESTS: usize = 100;

/// How long what was sent may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// A signal's ways in: the gRPC method, and the HTTP path.
const TRACES: [&str; 2] =
    ["/opentelemetry.proto.collector.trace.v1.TraceService/Export", "/v1/traces"];
const METRICS: [&str; 2] =
    ["/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", "/v1/metrics"];
const LOGS: [&str; 2] = ["/opentelemetry.proto.collector.logs.v1.LogsService/Export", "/v1/logs"];

/// Ours and theirs.
struct Pair {
    ours: Collector,
    theirs: Otelcol,
    clients: [Client; 2],
}

impl Pair {
    /// Starts both with one configuration, in which `{grpc}`, `{http}`, `{page}` and the names of
    /// backends stand for addresses: of each backend ours and theirs.
    async fn start(release: Release, text: &str, backends: &[(&str, [SocketAddr; 2])]) -> Self {
        let fill = |side: usize| {
            backends.iter().fold(text.to_owned(), |text, (name, addresses)| {
                text.replace(name, &addresses[side].to_string())
            })
        };
        let theirs = Otelcol::start(&Silent, release, |endpoints| {
            fill(1)
                .replace("{grpc}", &endpoints.otlp_grpc.to_string())
                .replace("{http}", &endpoints.otlp_http.to_string())
                .replace("{page}", &endpoints.prometheus.to_string())
        });
        let theirs = theirs.await.expect("their collector");
        let ours = Collector::start(&fill(0)).await;
        let clients =
            [Client::connect(ours.grpc).await, Client::connect(theirs.endpoints().otlp_grpc).await];
        Self { ours, theirs, clients }
    }

    /// Exports a request to each by gRPC. The status codes, ours first.
    async fn export(&mut self, signal: [&str; 2], ours: &[u8], theirs: &[u8]) -> [i32; 2] {
        let [to_ours, to_theirs] = &mut self.clients;
        let ours = to_ours.call(signal[0], ours).await.expect("our answer");
        let theirs = to_theirs.call(signal[0], theirs).await.expect("their answer");
        [ours.code, theirs.code]
    }
}

/// What ours and theirs differ by, under the names of one section of docs/compatibility.md.
struct Differences {
    section: &'static str,
    met: BTreeMap<&'static str, usize>,
}

impl Differences {
    /// By the section's heading and all the names that are used.
    fn new(section: &'static str, names: &[&'static str]) -> Self {
        let named = documented(section);
        for name in names {
            assert!(named.iter().any(|known| known == name), "{name:?} is not among {named:?}");
        }
        Self { section, met: names.iter().map(|name| (*name, 0)).collect() }
    }

    /// Whether something may differ by this name.
    fn knows(&self, name: &str) -> bool {
        self.met.contains_key(name)
    }

    /// Counts how often something differed by this name.
    fn met(&mut self, name: &str, times: usize) {
        *self.met.get_mut(name).unwrap_or_else(|| panic!("{name:?} was not announced")) += times;
    }

    /// Every name was needed.
    fn end(self) {
        let idle: Vec<_> = self.met.iter().filter(|(_, times)| **times == 0).collect();
        assert!(idle.is_empty(), "nothing differs by {idle:?} of {:?}", self.section);
    }
}

/// The names in the first column of a section's table.
fn documented(section: &str) -> Vec<String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/compatibility.md");
    let text = std::fs::read_to_string(file).expect("the documentation");
    let (_, rest) = text.split_once(&format!("\n### {section}\n")).expect("the section");
    let section = rest.split("\n##").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| "));
    cells.filter_map(|line| Some(line.split_once(" |")?.0.to_owned())).collect()
}

/// Fails with the first line in which two values differ.
fn assert_same<T: Debug>(ours: &T, theirs: &T, what: &str) {
    let (ours, theirs) = (format!("{ours:#?}"), format!("{theirs:#?}"));
    if ours == theirs {
        return;
    }
    let lines: Vec<_> = ours.lines().zip(theirs.lines()).collect();
    let at = lines.iter().position(|(ours, theirs)| ours != theirs).unwrap_or(lines.len());
    let around = |text: &str| {
        let lines: Vec<_> = text.lines().skip(at.saturating_sub(25)).take(40).collect();
        lines.join("\n")
    };
    panic!("{what}\n--- ours, line {at}\n{}\n--- theirs\n{}", around(&ours), around(&theirs));
}
