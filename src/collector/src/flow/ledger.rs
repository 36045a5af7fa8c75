//! What became of every item, for each pipeline and exporter (design, Conservation):
//! in = sent + dropped + queued + in flight, whenever nothing is moving.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use obspipe_model::{ComponentId, PipelineId, Signal};

/// Why items are not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The backend refused them for good.
    RejectedByBackend,
    /// The backend took the request without them.
    PartialSuccess,
    /// They were tried for as long as allowed.
    RetriesExhausted,
    /// The backend is down and its queue was full.
    QueueFull,
    /// The collector ended before they could be sent.
    Shutdown,
    /// The backend's format cannot say them.
    Untranslatable,
}

impl Reason {
    /// All, in order.
    pub const ALL: [Self; 6] = [
        Self::RejectedByBackend,
        Self::PartialSuccess,
        Self::RetriesExhausted,
        Self::QueueFull,
        Self::Shutdown,
        Self::Untranslatable,
    ];

    /// Its name in metrics and status.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RejectedByBackend => "rejected_by_backend",
            Self::PartialSuccess => "partial_success",
            Self::RetriesExhausted => "retries_exhausted",
            Self::QueueFull => "queue_full",
            Self::Shutdown => "shutdown",
            Self::Untranslatable => "untranslatable",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The items that one pipeline gave to one exporter.
#[derive(Debug)]
pub struct Ledger {
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The exporter.
    pub exporter: ComponentId,
    entered: AtomicU64,
    sent: AtomicU64,
    dropped: [AtomicU64; 6],
    in_flight: AtomicU64,
    queued: AtomicU64,
}

/// A ledger at one moment, in items.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Balance {
    /// Taken in.
    #[serde(rename = "in")]
    pub entered: u64,
    /// Delivered.
    pub sent: u64,
    /// Not delivered, by reason; only those that happened.
    pub dropped: std::collections::BTreeMap<&'static str, u64>,
    /// Waiting, in batches and queues.
    pub queued: u64,
    /// Being sent or tried again.
    pub in_flight: u64,
}

impl Balance {
    /// Whether every item is accounted for.
    #[must_use]
    pub fn holds(&self) -> bool {
        let dropped: u64 = self.dropped.values().sum();
        self.entered == self.sent + dropped + self.queued + self.in_flight
    }
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new(pipeline: PipelineId, exporter: ComponentId) -> Arc<Self> {
        Arc::new(Self {
            pipeline,
            exporter,
            entered: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            dropped: std::array::from_fn(|_| AtomicU64::new(0)),
            in_flight: AtomicU64::new(0),
            queued: AtomicU64::new(0),
        })
    }

    /// The signal carried.
    #[must_use]
    pub fn signal(&self) -> Signal {
        self.pipeline.signal
    }

    /// Items were admitted and wait.
    pub fn enter(&self, items: usize) {
        self.queued.fetch_add(items as u64, Relaxed);
        self.entered.fetch_add(items as u64, Relaxed);
    }

    /// Waiting items are being sent now.
    pub fn begin(&self, items: usize) {
        self.queued.fetch_sub(items as u64, Relaxed);
        self.in_flight.fetch_add(items as u64, Relaxed);
    }

    /// Items that were being sent wait again.
    pub fn put_back(&self, items: usize) {
        self.in_flight.fetch_sub(items as u64, Relaxed);
        self.queued.fetch_add(items as u64, Relaxed);
    }

    /// Items that were being sent are delivered.
    pub fn sent(&self, items: usize) {
        self.sent.fetch_add(items as u64, Relaxed);
        self.in_flight.fetch_sub(items as u64, Relaxed);
    }

    /// Items that were being sent will not be delivered.
    pub fn dropped(&self, reason: Reason, items: usize) {
        self.dropped[reason as usize].fetch_add(items as u64, Relaxed);
        self.in_flight.fetch_sub(items as u64, Relaxed);
    }

    /// What it says now.
    #[must_use]
    pub fn balance(&self) -> Balance {
        let dropped = Reason::ALL.iter().filter_map(|reason| {
            let items = self.dropped[*reason as usize].load(Relaxed);
            (items > 0).then_some((reason.as_str(), items))
        });
        Balance {
            entered: self.entered.load(Relaxed),
            sent: self.sent.load(Relaxed),
            dropped: dropped.collect(),
            queued: self.queued.load(Relaxed),
            in_flight: self.in_flight.load(Relaxed),
        }
    }
}

#[cfg(test)]
mod tests;
