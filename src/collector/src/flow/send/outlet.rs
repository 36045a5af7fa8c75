//! The way from a load to its requests: they are made one after another as they can be sent, for
//! together they may be far larger than the load. Knows nothing of what is sent.

use std::sync::Arc;

use futures::Stream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Request;

/// Takes the requests of one load as they are made.
#[derive(Debug)]
pub struct Outlet {
    turns: Arc<Semaphore>,
    made: UnboundedSender<Made>,
}

/// A request with its turn, which ends with the backend's first answer: what is to be sent again
/// holds up no other request.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) request: Request,
    pub(super) turn: Option<OwnedSemaphorePermit>,
}

/// The right to make one more request.
#[derive(Debug)]
pub struct Turn<'a> {
    turn: Option<OwnedSemaphorePermit>,
    made: &'a UnboundedSender<Made>,
}

/// An outlet for so many requests at once, and where they come out.
pub(super) fn outlet(at_once: usize) -> (Outlet, impl Stream<Item = Made>) {
    let (sender, mut receiver) = unbounded_channel();
    let made = futures::stream::poll_fn(move |context| receiver.poll_recv(context));
    (Outlet { turns: Arc::new(Semaphore::new(at_once)), made: sender }, made)
}

impl Outlet {
    /// Waits until one more request may be made.
    pub async fn turn(&self) -> Turn<'_> {
        // Never closed.
        Turn { turn: self.turns.clone().acquire_owned().await.ok(), made: &self.made }
    }
}

impl Turn<'_> {
    /// Hands over the request that was made.
    pub fn give(self, request: Request) {
        // Who takes them is there until the last one is sent.
        let _ = self.made.send(Made { request, turn: self.turn });
    }
}
