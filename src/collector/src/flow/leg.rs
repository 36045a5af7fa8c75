//! The last step of a pipeline: to each of its exporters, either into a queue or at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use obspipe_model::Signal;

use super::chunk::Load;
use super::ledger::{Ledger, Reason};
use super::queue::Queue;
use super::stage::Stage;

/// An exporter that is done with what it gets at once.
pub trait Consume: Send + Sync {
    /// Takes a load; returns what it could not take.
    fn consume(&self, signal: Signal, load: &Load) -> Vec<(Reason, usize)>;

    /// What it counts besides, by name, for metrics and status.
    fn figures(&self) -> BTreeMap<String, u64> {
        BTreeMap::new()
    }
}

/// The way to one exporter.
#[derive(Clone)]
pub struct Leg {
    /// Where items are counted.
    pub ledger: Arc<Ledger>,
    /// Where they go.
    pub to: To,
    /// What gathers them before (`sending_queue.batch`); leads to the same queue.
    pub gather: Option<Arc<dyn Stage>>,
}

/// The end of what gathers: into the queue.
pub struct IntoQueue {
    /// The queue.
    pub queue: Arc<Queue>,
    /// Where items are counted.
    pub ledger: Arc<Ledger>,
}

impl Stage for IntoQueue {
    fn push(&self, load: Load) {
        self.queue.push(load, &self.ledger);
    }
}

/// Where a leg ends.
#[derive(Clone)]
pub enum To {
    /// Sent later, by the exporter's own tasks.
    Queue(Arc<Queue>),
    /// Done at once.
    Direct(Arc<dyn Consume>),
}

impl Leg {
    fn push(&self, load: Load) {
        if let Some(gather) = &self.gather {
            return gather.push(load);
        }
        match &self.to {
            To::Queue(queue) => queue.push(load, &self.ledger),
            To::Direct(consumer) => {
                let mut items = load.items();
                self.ledger.begin(items);
                for (reason, lost) in consumer.consume(self.ledger.signal(), &load) {
                    self.ledger.dropped(reason, lost);
                    items = items.saturating_sub(lost);
                }
                self.ledger.sent(items);
            }
        }
    }
}

/// All legs of a pipeline; may be exchanged while it runs.
pub struct FanOut {
    /// The legs.
    pub legs: ArcSwap<Vec<Leg>>,
}

impl FanOut {
    /// To these.
    #[must_use]
    pub fn new(legs: Vec<Leg>) -> Arc<Self> {
        Arc::new(Self { legs: ArcSwap::from_pointee(legs) })
    }
}

impl Stage for FanOut {
    fn push(&self, load: Load) {
        let legs = self.legs.load();
        let Some((last, others)) = legs.split_last() else {
            return;
        };
        // Chunks are shared: a clone copies no telemetry.
        for leg in others {
            leg.push(load.clone());
        }
        last.push(load);
    }

    fn flush(&self) {
        for gather in self.legs.load().iter().filter_map(|leg| leg.gather.as_ref()) {
            gather.flush();
        }
    }
}
