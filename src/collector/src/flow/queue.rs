//! What waits for one exporter: bounded in bytes always, and in requests or items as configured
//! (exporterhelper, sending_queue). It outlives a change of the exporter's settings.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

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
    /// A request waits for room instead of being refused (`block_on_overflow`, or no queue).
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
    state: Mutex<State>,
    /// One permit a load.
    ready: Semaphore,
    /// Told when a load leaves.
    pub left: Notify,
    failing: AtomicBool,
}

#[derive(Debug)]
struct State {
    bounds: Bounds,
    loads: VecDeque<Waiting>,
    /// What waits.
    here: Size,
    /// What was admitted and is still on its way here (in batches).
    coming: Size,
}

/// How much telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Spans, data points or log records.
    pub items: usize,
    /// Bytes as admitted.
    pub weight: usize,
}

impl Size {
    fn of(load: &Load) -> Self {
        Self { items: load.items(), weight: load.weight() }
    }

    fn and(self, more: Self) -> Self {
        Self {
            items: self.items.saturating_add(more.items),
            weight: self.weight.saturating_add(more.weight),
        }
    }

    fn without(self, less: Self) -> Self {
        Self {
            items: self.items.saturating_sub(less.items),
            weight: self.weight.saturating_sub(less.weight),
        }
    }
}

impl State {
    /// Whether so much would be too much. The bound of bytes is a share of the account, which let
    /// the request in: where nothing else waits it passes, or a large one never would.
    fn is_full(&self, size: Size) -> bool {
        let full = match self.bounds.sizer {
            Sizer::Requests => self.loads.len() >= self.bounds.size,
            Sizer::Items => size.items > self.bounds.size,
            Sizer::Bytes => size.weight > self.bounds.size,
        };
        let alone = self.loads.is_empty() && self.coming == Size::default();
        full || (size.weight > self.bounds.bytes && !alone)
    }
}

impl Queue {
    /// An empty queue.
    #[must_use]
    pub fn new(id: ComponentId, bounds: Bounds) -> Arc<Self> {
        let state = State {
            bounds,
            loads: VecDeque::new(),
            here: Size::default(),
            coming: Size::default(),
        };
        Arc::new(Self {
            id,
            state: Mutex::new(state),
            ready: Semaphore::new(0),
            left: Notify::new(),
            failing: AtomicBool::new(false),
        })
    }

    /// From now on this much may wait; what waits already stays.
    pub fn set_bounds(&self, bounds: Bounds) {
        self.state().bounds = bounds;
    }

    /// Keeps room for a request, which will come or be [cancelled](Self::cancel).
    ///
    /// # Errors
    /// The queue is full and its backend alive: the client should try again.
    #[expect(clippy::result_unit_err, reason = "who refuses, the caller knows")]
    pub fn reserve(&self, request: Size) -> Result<Room, ()> {
        let mut state = self.state();
        let room =
            match (state.is_full(state.here.and(state.coming).and(request)), self.is_failing()) {
                (false, _) => Room::Free,
                (true, true) => Room::Lost,
                (true, false) => return Err(()),
            };
        state.coming = state.coming.and(request);
        Ok(room)
    }

    /// Gives back what was reserved.
    pub fn cancel(&self, request: Size) {
        let mut state = self.state();
        state.coming = state.coming.without(request);
    }

    /// Takes a load for which room was reserved. While the backend is down and the queue full, what
    /// was admitted without room here is dropped. What was promised room stays, though a batch may
    /// bring more than there is.
    pub fn push(&self, load: Load, ledger: &Arc<Ledger>) {
        let size = Size::of(&load);
        let mut state = self.state();
        state.coming = state.coming.without(size);
        let full = self.is_failing() && state.is_full(state.here.and(size));
        let (lost, kept): (Vec<_>, Vec<_>) =
            load.chunks.into_iter().partition(|chunk| full && chunk.is_lost_to(&self.id));
        let (lost, load) = (Load { chunks: lost }.items(), Load { chunks: kept });
        if lost > 0 {
            ledger.begin(lost);
            ledger.dropped(Reason::QueueFull, lost);
        }
        if load.chunks.is_empty() {
            return;
        }
        state.here = state.here.and(Size::of(&load));
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
        let size = Size::of(&waiting.load);
        state.here = state.here.without(size);
        drop(state);
        waiting.ledger.begin(size.items);
        self.left.notify_waiters();
        Some(waiting)
    }

    /// Puts back, before all others, what could not be sent yet. Where nothing is taken from here any
    /// more, it is given back.
    #[must_use]
    pub fn put_back(&self, load: Load, ledger: &Arc<Ledger>) -> Option<Load> {
        let mut state = self.state();
        if self.ready.is_closed() {
            return Some(load);
        }
        let size = Size::of(&load);
        ledger.put_back(size.items);
        state.here = state.here.and(size);
        state.loads.push_front(Waiting { load, ledger: ledger.clone() });
        drop(state);
        self.ready.add_permits(1);
        None
    }

    /// Whether requests wait for room.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.state().bounds.block
    }

    /// Whether requests wait for the backend's answer.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.state().bounds.wait
    }

    /// Nothing comes any more.
    pub fn close(&self) {
        // Whoever puts something back does so before, or finds it closed.
        let _state = self.state();
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
        let size = match state.bounds.sizer {
            Sizer::Requests => state.loads.len(),
            Sizer::Items => state.here.items,
            Sizer::Bytes => state.here.weight,
        };
        (size, state.bounds.size)
    }

    /// Bytes that wait, as admitted.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state().here.weight
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
