//! What a running collector says of itself at one moment: for `/status` (JSON, for the operator)
//! and, rendered by `telemetry`, for `/metrics`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;

use obspipe_model::Signal;
use serde::Serialize;

use super::Service;
use crate::flow::ledger::Balance;
use crate::flow::leg::To;

/// The whole collector.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// Its version.
    pub version: &'static str,
    /// Whether telemetry is taken.
    pub ready: bool,
    /// Seconds since it started.
    pub uptime_seconds: f64,
    /// Bytes of telemetry held, and how many may be.
    pub memory: Memory,
    /// Its receivers.
    pub receivers: Vec<Receiver>,
    /// Its exporters.
    pub exporters: Vec<Exporter>,
    /// What became of every item, for each pipeline and exporter.
    pub flows: Vec<Flow>,
}

/// The account.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// Bytes of telemetry held.
    pub used_bytes: usize,
    /// Most bytes, by signal: traces, metrics, logs.
    pub limit_bytes: [usize; 3],
    /// Times that there was no room.
    pub refused: u64,
}

/// A receiver's protocol.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receiver {
    /// Its id.
    pub id: String,
    /// `grpc` or `http`.
    pub transport: &'static str,
    /// Items taken, by signal.
    pub accepted: [u64; 3],
    /// Items refused for want of room, by signal.
    pub refused: [u64; 3],
    /// Requests refused for want of room, read or not.
    pub refused_requests: u64,
    /// Requests that were no good.
    pub bad_requests: u64,
}

/// An exporter.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exporter {
    /// Its id.
    pub id: String,
    /// Whether its backend does not take anything now.
    pub failing: bool,
    /// Why, or why items were dropped last; gone when something is delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What waits, and how much may, as configured; none where it has no queue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub queue: Option<(usize, usize)>,
    /// Bytes that wait.
    pub queue_bytes: usize,
    /// Items delivered, by signal.
    pub sent: [u64; 3],
    /// Items given up, by signal.
    pub failed: [u64; 3],
    /// Requests sent again.
    pub retries: u64,
    /// What it counts besides.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, u64>,
}

/// A ledger.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Flow {
    /// The pipeline.
    pub pipeline: String,
    /// The exporter.
    pub exporter: String,
    /// Its items.
    #[serde(flatten)]
    pub balance: Balance,
}

impl Service {
    /// What it says of itself now.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let ledgers = self.pipelines.iter().flat_map(|pipeline| &pipeline.ledgers);
        Snapshot {
            version: env!("CARGO_PKG_VERSION"),
            ready: self.is_ready(),
            uptime_seconds: self.started.elapsed().as_secs_f64(),
            memory: Memory {
                used_bytes: self.account.used(),
                limit_bytes: Signal::ALL.map(|signal| self.account.limit_of(signal)),
                refused: self.account.refused(),
            },
            receivers: self.receivers.iter().flat_map(receivers).collect(),
            exporters: self.exporters().iter().map(|(id, running)| exporter(id, running)).collect(),
            flows: ledgers
                .map(|ledger| Flow {
                    pipeline: ledger.pipeline.to_string(),
                    exporter: ledger.exporter.to_string(),
                    balance: ledger.balance(),
                })
                .collect(),
        }
    }
}

fn receivers(running: &super::RunningReceiver) -> [Receiver; 2] {
    let counters = &running.inlets.counters;
    [("grpc", &counters.grpc), ("http", &counters.http)].map(|(transport, protocol)| Receiver {
        id: running.id.to_string(),
        transport,
        accepted: std::array::from_fn(|i| protocol.accepted[i].load(Relaxed)),
        refused: std::array::from_fn(|i| protocol.refused[i].load(Relaxed)),
        refused_requests: protocol.refused_requests.load(Relaxed),
        bad_requests: protocol.bad_requests.load(Relaxed),
    })
}

fn exporter(id: &obspipe_model::ComponentId, running: &super::RunningExporter) -> Exporter {
    let queue = match &running.to {
        To::Queue(queue) => Some(queue),
        To::Direct(_) => None,
    };
    Exporter {
        id: id.to_string(),
        failing: queue.is_some_and(|queue| queue.is_failing()),
        failure: running.sent.failure(),
        queue: queue.map(|queue| queue.size()),
        queue_bytes: queue.map_or(0, |queue| queue.bytes()),
        sent: std::array::from_fn(|i| running.sent.sent[i].load(Relaxed)),
        failed: std::array::from_fn(|i| running.sent.failed[i].load(Relaxed)),
        retries: running.sent.retries.load(Relaxed),
        figures: match &running.to {
            To::Direct(consumer) => consumer.figures(),
            To::Queue(_) => BTreeMap::new(),
        },
    }
}
