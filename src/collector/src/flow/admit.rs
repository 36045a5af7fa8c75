//! Two-phase admission: room in every queue that a request will reach, then all of it or nothing,
//! so that a client's retry duplicates nothing (design, Admission).

use std::sync::Arc;

use arc_swap::ArcSwap;
use obspipe_model::{ComponentId, PipelineId, Signal};

use super::chunk::Chunk;
use super::leg::{FanOut, To};
use super::queue::{Queue, Room};
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
}

/// Where one receiver's telemetry of one signal goes.
pub struct Inlet {
    /// The signal.
    pub signal: Signal,
    /// The pipelines.
    pub entries: ArcSwap<Vec<Arc<Entry>>>,
}

impl Inlet {
    /// To these pipelines.
    #[must_use]
    pub fn new(signal: Signal, entries: Vec<Arc<Entry>>) -> Arc<Self> {
        Arc::new(Self { signal, entries: ArcSwap::from_pointee(entries) })
    }

    /// Whether any pipeline takes this signal.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.entries.load().is_empty()
    }

    /// Hands a request to all pipelines, or to none.
    ///
    /// # Errors
    /// A queue on its way is full, or every exporter it would reach is down and full. Where only
    /// some are, the others get it.
    pub fn admit(&self, chunk: Chunk) -> Result<(), Refused> {
        let entries = self.entries.load();
        reserve(&entries, chunk.weight)?;
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

fn reserve(entries: &[Arc<Entry>], weight: usize) -> Result<(), Refused> {
    let mut reserved: Vec<Arc<Queue>> = Vec::new();
    let (mut free, mut lost) = (false, None);
    for entry in entries {
        for leg in entry.exit.legs.load().iter() {
            let To::Queue(queue) = &leg.to else {
                free = true;
                continue;
            };
            match queue.reserve(weight) {
                Ok(Room::Free) => free = true,
                Ok(Room::Lost) => lost = Some(queue.id.clone()),
                Err(()) => {
                    reserved.iter().for_each(|queue| queue.cancel(weight));
                    return Err(Refused::QueueFull(queue.id.clone()));
                }
            }
            reserved.push(queue.clone());
        }
    }
    match lost {
        Some(id) if !free => {
            reserved.iter().for_each(|queue| queue.cancel(weight));
            Err(Refused::QueueFull(id))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
