//! Two-phase admission: room in every queue that a request will reach, then all of it or nothing,
//! so that a client's retry duplicates nothing (design, Admission).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::ArcSwap;
use obspipe_model::{ComponentId, PipelineId, Signal};
use tokio::time::{Instant, timeout_at};

use super::chunk::Chunk;
use super::leg::{FanOut, Leg, To};
use super::queue::{Queue, Room, Size};
use super::stage::Route;

/// A pipeline, as receivers see it.
pub struct Entry {
    /// Its name.
    pub id: PipelineId,
    /// Its first step.
    pub first: Arc<Route>,
    /// Its last.
    pub exit: Arc<FanOut>,
}

/// Why a request is not taken now.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A queue is full.
    #[error("the queue of exporter {0} is full")]
    QueueFull(ComponentId),
    /// The collector takes nothing more.
    #[error("the collector is ending")]
    Ending,
}

/// Where one receiver's telemetry of one signal goes.
pub struct Inlet {
    /// The signal.
    pub signal: Signal,
    /// The pipelines.
    pub entries: ArcSwap<Vec<Arc<Entry>>>,
    closed: AtomicBool,
}

impl Inlet {
    /// To these pipelines.
    #[must_use]
    pub fn new(signal: Signal, entries: Vec<Arc<Entry>>) -> Arc<Self> {
        Arc::new(Self { signal, entries: ArcSwap::from_pointee(entries), closed: false.into() })
    }

    /// Whether any pipeline takes this signal.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.entries.load().is_empty()
    }

    /// Whether a request's client waits for a backend's answer.
    #[must_use]
    pub fn waits(&self) -> bool {
        let waits = |leg: &Leg| matches!(&leg.to, To::Queue(queue) if queue.waits());
        self.entries.load().iter().any(|entry| entry.exit.legs.load().iter().any(waits))
    }

    /// [Admits](Self::admit); where a queue that is full is to be waited for (block_on_overflow),
    /// waits for room, but not for longer than `patience`.
    ///
    /// # Errors
    /// As [`admit`](Self::admit).
    pub async fn admit_in_time(&self, chunk: Chunk, patience: Duration) -> Result<(), Refused> {
        let deadline = Instant::now() + patience;
        loop {
            let Err(refused) = self.admit(chunk.clone()) else {
                return Ok(());
            };
            let Refused::QueueFull(id) = &refused else {
                return Err(refused);
            };
            let Some(queue) = self.blocking(id) else {
                return Err(refused);
            };
            // Looked at again after a moment too: room may have come before this waited for it.
            let moment = Instant::now() + Duration::from_millis(50);
            let _ = timeout_at(deadline.min(moment), queue.left.notified()).await;
            if Instant::now() >= deadline {
                return Err(refused);
            }
        }
    }

    fn blocking(&self, id: &ComponentId) -> Option<Arc<Queue>> {
        let entries = self.entries.load();
        let legs = entries.iter().flat_map(|entry| entry.exit.legs.load().as_ref().clone());
        legs.into_iter().find_map(|leg| match leg.to {
            To::Queue(queue) if queue.id == *id && queue.blocks() => Some(queue),
            _ => None,
        })
    }

    /// Takes nothing from now on: what comes too late is refused, not lost.
    pub fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    /// Hands a request to all pipelines, or to none.
    ///
    /// # Errors
    /// A queue on its way is full, or every exporter it would reach is down and full. Where only
    /// some are, the others get it.
    pub fn admit(&self, mut chunk: Chunk) -> Result<(), Refused> {
        if self.closed.load(Relaxed) {
            return Err(Refused::Ending);
        }
        let entries = self.entries.load();
        let lost_to = reserve(&entries, Size { items: chunk.items, weight: chunk.weight })?;
        chunk.lost_to = (!lost_to.is_empty()).then(|| lost_to.into());
        for entry in entries.iter() {
            for leg in entry.exit.legs.load().iter() {
                leg.ledger.enter(chunk.items);
            }
        }
        let Some((last, others)) = entries.split_last() else {
            return Ok(());
        };
        for entry in others {
            entry.first.push(chunk.clone().into());
        }
        last.first.push(chunk.into());
        Ok(())
    }
}

/// Keeps room in every queue. Returns the exporters that have none and whose backends are down.
fn reserve(entries: &[Arc<Entry>], request: Size) -> Result<Vec<ComponentId>, Refused> {
    let mut reserved: Vec<(Arc<Queue>, Room)> = Vec::new();
    let mut direct = false;
    let mut full = None;
    'all: for entry in entries {
        for leg in entry.exit.legs.load().iter() {
            let To::Queue(queue) = &leg.to else {
                direct = true;
                continue;
            };
            let Ok(room) = queue.reserve(request) else {
                full = Some(queue.id.clone());
                break 'all;
            };
            reserved.push((queue.clone(), room));
        }
    }
    let with = |room| reserved.iter().filter(move |(_, had)| *had == room).map(|(queue, _)| queue);
    // Reached by two pipelines, the last room goes to one and the other's promise is kept.
    let free: Vec<&ComponentId> = with(Room::Free).map(|queue| &queue.id).collect();
    let lost = with(Room::Lost).map(|queue| &queue.id).filter(|id| !free.contains(id));
    let lost: Vec<ComponentId> = lost.cloned().collect();
    if full.is_none() && !direct && free.is_empty() {
        full = lost.first().cloned();
    }
    match full {
        Some(id) => {
            reserved.iter().for_each(|(queue, _)| queue.cancel(request));
            Err(Refused::QueueFull(id))
        }
        None => Ok(lost),
    }
}

#[cfg(test)]
mod tests;
