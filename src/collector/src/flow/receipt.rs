//! What became of a request, for a client that waits for its backend's answer (sending_queue off, or
//! wait_for_result). Told when the last chunk of the request is gone.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::chunk::Load;
use super::stage::{Route, Stage};

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Outcome {
    /// All of it was delivered.
    #[default]
    Delivered,
    /// Some of it was not; the client should send it again.
    Retry(String),
    /// Some of it was refused for ever.
    Refused(String),
}

/// A step before one that keeps telemetry for longer than a client should wait: whoever waits for
/// the outcome is answered as of now (otelcol's batch processor does the same).
pub struct Answered(pub Arc<Route>);

impl Stage for Answered {
    fn push(&self, mut load: Load) {
        load.chunks.iter_mut().for_each(|chunk| chunk.hold.receipt = None);
        self.0.push(load);
    }

    fn flush(&self) {
        self.0.flush();
    }
}

/// Held by every chunk of a request.
#[derive(Debug)]
pub struct Receipt(Mutex<(Outcome, Option<oneshot::Sender<Outcome>>)>);

impl Receipt {
    /// A receipt, and where its outcome will be told.
    #[must_use]
    pub fn new() -> (Self, oneshot::Receiver<Outcome>) {
        let (sender, receiver) = oneshot::channel();
        (Self(Mutex::new((Outcome::Delivered, Some(sender)))), receiver)
    }

    /// Notes that something was not delivered. The worst outcome is told.
    pub fn fail(&self, outcome: Outcome) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !matches!(state.0, Outcome::Refused(_)) {
            state.0 = outcome;
        }
    }
}

impl Drop for Receipt {
    fn drop(&mut self) {
        let state = self.0.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(sender) = state.1.take() {
            // Nobody may wait any more: the client has gone.
            let _ = sender.send(std::mem::take(&mut state.0));
        }
    }
}
