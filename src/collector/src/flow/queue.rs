//! What waits for one exporter: bounded in bytes always, and in requests or items as configured
//! (exporterhelper, sending_queue). It outlives a change of the exporter's settings.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use obspipe_model::ComponentId;
use obspipe_model::components::network::Sizer;
use tokio::sync::{Notify, Semaphore};

use super::chunk::Load;
use super::ledger::{Ledger, Reason};

/// How much waits at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What `size` counts.
    pub sizer: Sizer,
    /// As configured (`queue_size`).
    pub size: usize,
    /// Bytes as admitted, besides.
    pub bytes: usize,
    /// A request waits for room instead of being refused (`block_on_overflow`).
    pub block: bool,
    /// A request is answered when the backend has answered (`wait_for_result`, or no queue).
    pub wait: bool,
}

/// A load with the ledger it is in.
#[derive(Debug)]
pub struct Waiting {
    /// The telemetry.
    pub load: Load,
    /// Where it is counted.
    pub ledger: Arc<Ledger>,
}

/// Whether there is room for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is.
    Free,
    /// There is none, and the backend does not take anything: what comes is dropped and counted,
    /// so that it does not hold up the other exporters.
    Lost,
}

/// Loads that wait, first in, first out.
#[derive(Debug)]
pub struct Queue {
    /// The exporter.
    pub id: ComponentId,
    bounds: Bounds,
    state: Mutex<State>,
    /// One permit a load.
    ready: Semaphore,
    /// Told when a load leaves.
    pub left: Notify,
    /// Bytes admitted that are still on their way here (in batches).
    coming: AtomicUsize,
    failing: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    loads: VecDeque<Waiting>,
    items: usize,
    weight: usize,
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(id: ComponentId, bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            id,
            bounds,
            state: Mutex::default(),
            ready: Semaphore::new(0),
            left: Notify::new(),
            coming: AtomicUsize::new(0),
            failing: AtomicBool::new(false),
        })
    }

    /// Keeps room for a request of so many bytes, which will come or be [cancelled](Self::cancel).
    ///
    /// # Errors
    /// The queue is full and its backend alive: the client should try again.
    pub fn reserve(&self, weight: usize) -> Result<Room, ()> {
        let coming = self.coming.load(Relaxed);
        let room = match (self.is_full(&self.state(), coming + weight), self.is_failing()) {
            (false, _) => Room::Free,
            (true, true) => Room::Lost,
            (true, false) => return Err(()),
        };
        self.coming.fetch_add(weight, Relaxed);
        Ok(room)
    }

    /// Gives back what was reserved.
    pub fn cancel(&self, weight: usize) {
        self.coming.fetch_sub(weight, Relaxed);
    }

    /// Takes a load for which room was reserved.
    pub fn push(&self, load: Load, ledger: &Arc<Ledger>) {
        let (weight, items) = (load.weight(), load.items());
        let mut state = self.state();
        self.coming.fetch_sub(weight, Relaxed);
        if self.is_failing() && self.is_full(&state, 0) {
            drop(state);
            ledger.begin(items);
            ledger.dropped(Reason::QueueFull, items);
            return;
        }
        state.items += items;
        state.weight += weight;
        state.loads.push_back(Waiting { load, ledger: ledger.clone() });
        drop(state);
        self.ready.add_permits(1);
    }

    /// The next load; waits for one. None when the queue is closed and empty. What it holds counts
    /// as in flight from now on.
    pub async fn pop(&self) -> Option<Waiting> {
        // Closed: what is still there is handed out without a permit.
        if let Ok(permit) = self.ready.acquire().await {
            permit.forget();
        }
        let mut state = self.state();
        let waiting = state.loads.pop_front()?;
        let items = waiting.load.items();
        state.items -= items;
        state.weight -= waiting.load.weight();
        drop(state);
        waiting.ledger.begin(items);
        self.left.notify_waiters();
        Some(waiting)
    }

    /// Whether requests wait for room.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.bounds.block
    }

    /// Whether requests wait for the backend's answer.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.bounds.wait
    }

    /// Nothing comes any more.
    pub fn close(&self) {
        self.ready.close();
    }

    /// Notes whether the backend takes anything.
    pub fn set_failing(&self, failing: bool) {
        self.failing.store(failing, Relaxed);
    }

    /// Whether the last thing that the backend did was to fail.
    #[must_use]
    pub fn is_failing(&self) -> bool {
        self.failing.load(Relaxed)
    }

    /// How much waits, counted as configured, and how much may.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let state = self.state();
        let size = match self.bounds.sizer {
            Sizer::Requests => state.loads.len(),
            Sizer::Items => state.items,
            Sizer::Bytes => state.weight,
        };
        (size, self.bounds.size)
    }

    /// Bytes that wait, as admitted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state().weight
    }

    fn is_full(&self, state: &State, more: usize) -> bool {
        let full = match self.bounds.sizer {
            Sizer::Requests => state.loads.len() >= self.bounds.size,
            Sizer::Items => state.items >= self.bounds.size,
            Sizer::Bytes => state.weight + more > self.bounds.size,
        };
        full || state.weight + more > self.bounds.bytes
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
