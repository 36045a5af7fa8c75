//! What is remembered of one exporter's sending: counters for metrics, the last failure for status,
//! and log lines, at most one of a kind every ten seconds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use obspipe_model::{ComponentId, Signal};

use crate::flow::ledger::Reason;
use crate::flow::send::Report;

/// How often the same is logged, at most.
const QUIET: Duration = Duration::from_secs(10);

/// An exporter's counters.
#[derive(Debug)]
pub struct Sent {
    id: ComponentId,
    /// Items delivered, by signal.
    pub sent: [AtomicU64; 3],
    /// Items given up after they were tried, by signal.
    pub failed: [AtomicU64; 3],
    /// Requests tried again.
    pub retries: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When each kind of line was logged last, and the items it did not tell of since.
    said: BTreeMap<&'static str, (Instant, u64)>,
    /// The last failure, until something is delivered.
    failure: Option<String>,
}

impl Sent {
    /// Nothing yet.
    #[must_use]
    pub fn new(id: ComponentId) -> Self {
        Self {
            id,
            sent: Default::default(),
            failed: Default::default(),
            retries: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// The last failure, unless something was delivered since.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many items to tell of now; None where it was told a moment ago.
    fn say(&self, kind: &'static str, items: usize) -> Option<u64> {
        let mut state = self.state();
        let now = Instant::now();
        let (last, untold) = state.said.entry(kind).or_insert((now, 0));
        let first = *untold == 0 && *last == now;
        *untold += items as u64;
        if !first && now.saturating_duration_since(*last) < QUIET {
            return None;
        }
        *last = now;
        Some(std::mem::take(untold))
    }
}

impl Report for Sent {
    fn sent(&self, signal: Signal, items: usize) {
        self.sent[signal as usize].fetch_add(items as u64, Relaxed);
        let mut state = self.state();
        if state.failure.take().is_some() {
            drop(state);
            tracing::info!(exporter = %self.id, "the backend takes telemetry again");
        }
    }

    fn dropped(&self, signal: Signal, reason: Reason, items: usize, why: &str) {
        self.failed[signal as usize].fetch_add(items as u64, Relaxed);
        if let Some(items) = self.say(reason.as_str(), items) {
            let (signal, reason) = (signal.as_str(), reason.as_str());
            tracing::error!(exporter = %self.id, signal, reason, items, why, "dropped");
        }
        if reason != Reason::Shutdown {
            self.state().failure = Some(why.to_owned());
        }
    }

    fn retrying(&self, signal: Signal, items: usize, wait: Duration, why: &str) {
        self.retries.fetch_add(1, Relaxed);
        if let Some(items) = self.say("retry", items) {
            let (signal, wait) = (signal.as_str(), format!("{wait:.1?}"));
            tracing::warn!(exporter = %self.id, signal, items, wait, why, "will be sent again");
        }
        self.state().failure = Some(why.to_owned());
    }

    fn warned(&self, signal: Signal, message: &str) {
        if self.say("warning", 1).is_some() {
            let signal = signal.as_str();
            tracing::warn!(exporter = %self.id, signal, message, "the backend took it and says");
        }
    }
}
