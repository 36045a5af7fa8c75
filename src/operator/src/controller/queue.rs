//! Which pipelines are due, and when. A pure core with the time handed in: a pipeline is never
//! worked on twice at once, what comes while it is worked on leads to one more run, and a failing
//! one waits longer and longer without holding up the others.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

/// First wait after a failure.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
/// Longest wait after a failure: what somebody repaired by hand is noticed within it.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);
/// Part of a wait that is left to chance, so that what failed together is not retried together.
const JITTER: f64 = 0.2;

/// A pipeline's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipelineRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl std::fmt::Display for PipelineRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What a run ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing to do until something changes.
    Settled,
    /// Look again after this time, though nothing failed.
    After(Duration),
    /// Something failed: try again after this pipeline's backoff.
    Retry,
}

/// The queue.
#[derive(Debug, Default)]
pub struct Queue {
    ready: VecDeque<PipelineRef>,
    waiting: HashSet<PipelineRef>,
    running: HashSet<PipelineRef>,
    again: HashSet<PipelineRef>,
    later: BTreeMap<(Instant, u64), PipelineRef>,
    due_at: HashMap<PipelineRef, (Instant, u64)>,
    failures: HashMap<PipelineRef, u32>,
    serial: u64,
}

impl Queue {
    /// A pipeline is due now.
    pub fn add(&mut self, at: PipelineRef) {
        self.cancel(&at);
        if self.running.contains(&at) {
            self.again.insert(at);
        } else if self.waiting.insert(at.clone()) {
            self.ready.push_back(at);
        }
    }

    /// The next pipeline to work on, which counts as running until [`Queue::done`].
    pub fn take(&mut self, now: Instant) -> Option<PipelineRef> {
        while let Some(entry) = self.later.first_entry() {
            if entry.key().0 > now {
                break;
            }
            let at = entry.remove();
            self.due_at.remove(&at);
            self.add(at);
        }
        let at = self.ready.pop_front()?;
        self.waiting.remove(&at);
        self.running.insert(at.clone());
        Some(at)
    }

    /// A run ended. `chance` is between 0 and 1.
    pub fn done(&mut self, at: &PipelineRef, next: Next, now: Instant, chance: f64) {
        self.running.remove(at);
        let wait = match next {
            Next::Settled => None,
            Next::After(wait) => Some(wait),
            Next::Retry => {
                let failures = self.failures.entry(at.clone()).or_default();
                *failures = failures.saturating_add(1);
                Some(backoff(*failures, chance))
            }
        };
        if next != Next::Retry {
            self.failures.remove(at);
        }
        if self.again.remove(at) {
            self.add(at.clone());
        } else if let Some(wait) = wait {
            self.serial += 1;
            let key = (now + wait, self.serial);
            self.later.insert(key, at.clone());
            self.due_at.insert(at.clone(), key);
        }
    }

    /// How often in a row a pipeline's runs ended with [`Next::Retry`].
    #[must_use]
    pub fn failures(&self, at: &PipelineRef) -> u32 {
        self.failures.get(at).copied().unwrap_or(0)
    }

    /// When the earliest waiting pipeline is due, if none is ready before.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.later.first_key_value().map(|((at, _), _)| *at)
    }

    /// How many are due now.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.ready.len()
    }

    fn cancel(&mut self, at: &PipelineRef) {
        if let Some(key) = self.due_at.remove(at) {
            self.later.remove(&key);
        }
    }
}

/// Doubles with each failure up to the longest; up to a fifth of it is left to chance.
#[must_use]
pub fn backoff(failures: u32, chance: f64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let full = FIRST_BACKOFF.saturating_mul(1 << doublings).min(LONGEST_BACKOFF);
    full.mul_f64(1.0 - JITTER * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests;
