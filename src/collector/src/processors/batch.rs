//! The batch processor (otelcol processor/batchprocessor): chunks are gathered until there are
//! enough items or the oldest has waited long enough. The gathering is pure; a task keeps the time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use obspipe_model::Signal;
use obspipe_model::components::batch::Batch;
use tokio::sync::Notify;
use tokio::time::Instant as Clock;

use crate::flow::chunk::{Chunk, Load};
use crate::flow::scope::Scope;
use crate::flow::stage::{Route, Stage};

/// The values of `metadata_keys` by which batches are kept apart.
type Key = Vec<Vec<String>>;

/// What is gathered.
#[derive(Debug, Default)]
struct Pending {
    chunks: Vec<Chunk>,
    items: usize,
    since: Option<Instant>,
}

/// Gathers chunks. Pure: time is handed in.
#[derive(Debug)]
pub struct Gathering {
    settings: Batch,
    signal: Signal,
    pending: BTreeMap<Key, Pending>,
}

impl Gathering {
    /// Nothing yet.
    #[must_use]
    pub fn new(settings: Batch, signal: Signal) -> Self {
        Self { settings, signal, pending: BTreeMap::new() }
    }

    /// Takes chunks; returns the batches that are complete.
    pub fn push(&mut self, chunks: Vec<Chunk>, now: Instant) -> Vec<Load> {
        let mut ready = Vec::new();
        for chunk in chunks {
            let key = self.key(&chunk);
            let pending = self.pending.entry(key.clone()).or_default();
            pending.since.get_or_insert(now);
            pending.items += chunk.items;
            pending.chunks.push(chunk);
            let size = match self.settings.timeout {
                Duration::ZERO => 1,
                _ => self.settings.send_batch_size.max(1) as usize,
            };
            let max = self.settings.send_batch_max_size as usize;
            while pending.items >= size {
                ready.push(pending.cut(self.signal, max, now));
            }
            if pending.chunks.is_empty() {
                self.pending.remove(&key);
            }
        }
        ready
    }

    /// The batches whose oldest chunk has waited long enough.
    pub fn due(&mut self, now: Instant) -> Vec<Load> {
        let timeout = self.settings.timeout;
        self.release(now, |since| now.saturating_duration_since(since) >= timeout)
    }

    /// All there is.
    pub fn flush(&mut self, now: Instant) -> Vec<Load> {
        self.release(now, |_| true)
    }

    /// When the next batch is due.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let oldest = self.pending.values().filter_map(|pending| pending.since).min()?;
        oldest.checked_add(self.settings.timeout)
    }

    fn release(&mut self, now: Instant, due: impl Fn(Instant) -> bool) -> Vec<Load> {
        let max = self.settings.send_batch_max_size as usize;
        let mut ready = Vec::new();
        for pending in self.pending.values_mut() {
            if pending.since.is_some_and(&due) {
                while pending.items > 0 {
                    ready.push(pending.cut(self.signal, max, now));
                }
            }
        }
        self.pending.retain(|_, pending| !pending.chunks.is_empty());
        ready
    }

    /// Combinations beyond the limit share one batch: what was admitted is never refused here.
    fn key(&self, chunk: &Chunk) -> Key {
        let Some(context) =
            chunk.context.as_ref().filter(|_| !self.settings.metadata_keys.is_empty())
        else {
            return Key::new();
        };
        let values = |key: &String| context.values(key).map(str::to_owned).collect();
        let key: Key = self.settings.metadata_keys.iter().map(values).collect();
        let limit = self.settings.metadata_cardinality_limit as usize;
        let room = limit == 0 || self.pending.len() < limit || self.pending.contains_key(&key);
        if room { key } else { Key::new() }
    }
}

impl Pending {
    /// A batch of at most `max` items; 0 is no limit. What is left has waited since now.
    fn cut(&mut self, signal: Signal, max: usize, now: Instant) -> Load {
        if max == 0 || self.items <= max {
            let chunks = std::mem::take(self).chunks;
            return Load { chunks };
        }
        let mut load = Load::default();
        let mut left = max;
        let mut rest = Vec::new();
        for chunk in std::mem::take(&mut self.chunks) {
            if left == 0 {
                rest.push(chunk);
                continue;
            }
            let (first, more) = chunk.take(signal, left);
            left = left.saturating_sub(first.items);
            load.chunks.push(first);
            rest.extend(more);
        }
        self.items = rest.iter().map(|chunk| chunk.items).sum();
        self.chunks = rest;
        self.since = (self.items > 0).then_some(now);
        load
    }
}

/// The step of a pipeline.
pub struct Batcher {
    gathering: Mutex<Gathering>,
    next: Arc<Route>,
    /// Told when something is gathered after there was nothing.
    begun: Notify,
}

impl Batcher {
    /// A step before `next`; its task keeps the time until the scope is ending.
    #[must_use]
    pub fn start(settings: Batch, signal: Signal, next: Arc<Route>, scope: &Scope) -> Arc<Self> {
        let gathering = Mutex::new(Gathering::new(settings, signal));
        let batcher = Arc::new(Self { gathering, next, begun: Notify::new() });
        let (keeper, ending) = (batcher.clone(), scope.ending.clone());
        scope.spawn(async move {
            tokio::select! {
                () = ending.cancelled() => {}
                () = keeper.keep_time() => {}
            }
        });
        batcher
    }

    async fn keep_time(&self) {
        loop {
            let deadline = self.gathering().deadline();
            match deadline {
                Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                None => {
                    self.begun.notified().await;
                    continue;
                }
            }
            let due = self.gathering().due(Clock::now().into_std());
            due.into_iter().for_each(|load| self.next.push(load));
        }
    }

    fn gathering(&self) -> MutexGuard<'_, Gathering> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stage for Batcher {
    fn push(&self, load: Load) {
        let (ready, begun) = {
            let mut gathering = self.gathering();
            let idle = gathering.pending.is_empty();
            let ready = gathering.push(load.chunks, Clock::now().into_std());
            (ready, idle && !gathering.pending.is_empty())
        };
        ready.into_iter().for_each(|load| self.next.push(load));
        if begun {
            self.begun.notify_one();
        }
    }

    fn flush(&self) {
        let ready = self.gathering().flush(Clock::now().into_std());
        ready.into_iter().for_each(|load| self.next.push(load));
        self.next.flush();
    }
}

#[cfg(test)]
mod tests;
