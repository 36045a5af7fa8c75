//! What all network exporters have in common (exporterhelper): consumers take loads from the queue,
//! encode once, send, try again what may pass later, halve what is refused for its content, and say
//! in the ledger what became of every item.

mod outlet;
mod search;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::join;
use obspipe_model::Signal;
use obspipe_model::components::network::Retry;
use tokio::time::Instant;

pub use outlet::{Outlet, Turn};

use outlet::{Made, outlet};
use search::Search;

use super::chunk::{Chunk, Hold, Load};
use super::ledger::{Ledger, Reason};
use super::queue::{Queue, Waiting};
use super::receipt::Outcome;
use super::retry::Backoff;
use super::scope::Scope;

/// Requests of one load that are under way at once, those that wait to be sent again too.
const IN_FLIGHT: usize = 4;

/// Why items are not sent at the end.
const ENDED: &str = "the collector ended first";

/// An encoded request.
#[derive(Debug)]
pub struct Request {
    /// What it carries.
    pub signal: Signal,
    /// Its body, in pieces; as it goes out.
    pub body: Vec<Bytes>,
    /// Items in it.
    pub items: usize,
    /// What it was made of.
    pub source: Source,
}

/// What a request was made of; what halving starts from.
#[derive(Debug)]
pub enum Source {
    /// OTLP as it came.
    Chunks(Vec<Chunk>),
    /// Something translated.
    Translated {
        /// Before compression.
        bytes: Bytes,
        /// After how many items another client's begin, where that is known.
        joints: Vec<usize>,
        /// Whose it is, where the backend has tenants.
        tenant: Option<String>,
        /// Kept as long as the request.
        holds: Arc<Vec<Hold>>,
    },
}

impl Source {
    /// Tells whoever waits that something was not delivered.
    fn fail(&self, outcome: &Outcome) {
        let fail = |hold: &Hold| {
            if let Some(receipt) = &hold.receipt {
                receipt.fail(outcome.clone());
            }
        };
        match self {
            Self::Chunks(chunks) => chunks.iter().for_each(|chunk| fail(&chunk.hold)),
            Self::Translated { holds, .. } => holds.iter().for_each(fail),
        }
    }
}

/// What a backend answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took the request, but for so many items.
    Taken {
        /// Items refused (partial_success).
        rejected: usize,
        /// What it said of them, or besides.
        message: String,
    },
    /// It may take it later.
    Later {
        /// Not before.
        after: Option<Duration>,
        /// Why.
        why: String,
    },
    /// It does not take this content; a part of it may do.
    Content(String),
    /// It will never take it.
    Never(String),
}

/// A future that an exporter returns.
pub type Sending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What differs between exporters.
pub trait Transport: Send + Sync + 'static {
    /// Makes requests of a load, each when it is its turn. Returns how many items could not be said.
    fn encode(&self, signal: Signal, load: Load, out: Outlet) -> Sending<'_, usize>;
    /// Requests of one load that are made and not answered at once.
    fn at_once(&self) -> usize {
        IN_FLIGHT
    }
    /// Sends one.
    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a, Answer>;
    /// Two halves of a request; None where it is one item.
    fn halve<'a>(&'a self, request: &'a Request) -> Sending<'a, Option<(Request, Request)>>;
}

/// Sends what comes through a queue.
pub struct Sender {
    /// The exporter.
    pub transport: Arc<dyn Transport>,
    /// Where loads come from.
    pub queue: Arc<Queue>,
    /// When to try again.
    pub retry: Retry,
    /// Counters and log of failures.
    pub report: Arc<dyn Report>,
}

/// Who is told of what happens to requests; for metrics, logs and status.
pub trait Report: Send + Sync {
    /// Items were delivered.
    fn sent(&self, signal: Signal, items: usize);
    /// Items were not.
    fn dropped(&self, signal: Signal, reason: Reason, items: usize, why: &str);
    /// A request failed and will be tried again after this time.
    fn retrying(&self, signal: Signal, items: usize, wait: Duration, why: &str);
    /// The backend took a request and said something.
    fn warned(&self, signal: Signal, message: &str);
}

impl Sender {
    /// Starts so many consumers. They end when the queue is closed and empty; what they still have
    /// under way when the scope is ending is dropped for shutdown. When it is retired, they finish what
    /// is under way and put back what waits to be tried again.
    pub fn start(self: &Arc<Self>, consumers: u32, scope: &Scope) {
        for _ in 0..consumers.max(1) {
            let (sender, scope_of) = (self.clone(), scope.clone());
            scope.spawn(async move {
                loop {
                    let popped = tokio::select! {
                        biased;
                        () = scope_of.retired.cancelled() => return,
                        popped = sender.queue.pop() => popped,
                    };
                    let Some(waiting) = popped else {
                        return;
                    };
                    sender.load(waiting, &scope_of).await;
                }
            });
        }
    }

    async fn load(&self, waiting: Waiting, scope: &Scope) {
        let Waiting { load, ledger } = waiting;
        if scope.ending.is_cancelled() {
            // To make requests of all that waits would take longer than there is.
            self.drop_items(&ledger, Reason::Shutdown, load.items(), ENDED);
            Source::Chunks(load.chunks).fail(&Outcome::Retry(ENDED.to_owned()));
            return;
        }
        let (out, made) = outlet(self.transport.at_once());
        let encoding = self.transport.encode(ledger.signal(), load, out);
        let sending = made
            .map(|made| self.request(made, &ledger, scope))
            .buffer_unordered(IN_FLIGHT)
            .for_each(|()| std::future::ready(()));
        let (untranslatable, ()) = join(encoding, sending).await;
        if untranslatable > 0 {
            let why = "the exporter's format cannot say them";
            self.drop_items(&ledger, Reason::Untranslatable, untranslatable, why);
        }
    }

    /// Sends a request until something became of all its items.
    async fn request(&self, made: Made, ledger: &Arc<Ledger>, scope: &Scope) {
        let Made { request, mut turn } = made;
        let mut backoff = Backoff::new(&self.retry, Instant::now().into_std());
        let mut left = vec![(request, Search::default())];
        while let Some((request, search)) = left.pop() {
            let answer = tokio::select! {
                biased;
                () = scope.ending.cancelled() => {
                    self.give_up(&request, ledger, Reason::Shutdown, ENDED);
                    continue;
                }
                answer = self.transport.send(&request) => answer,
            };
            turn.take();
            match answer {
                Answer::Taken { rejected, message } => {
                    self.queue.set_failing(false);
                    self.taken(&request, ledger, rejected, &message);
                }
                Answer::Never(why) => {
                    self.queue.set_failing(false);
                    self.give_up(&request, ledger, Reason::RejectedByBackend, &why);
                }
                Answer::Content(why) => {
                    self.queue.set_failing(false);
                    match self.halve(&request, search).await {
                        Some(halves) => left.extend(halves),
                        None => self.give_up(&request, ledger, Reason::RejectedByBackend, &why),
                    }
                }
                Answer::Later { after, why } => {
                    // Who is retired knows nothing of the backend that there is now.
                    if !scope.retired.is_cancelled() {
                        self.queue.set_failing(true);
                    }
                    match backoff.next(Instant::now().into_std(), after, rand::random()) {
                        Some(wait) => {
                            self.report.retrying(request.signal, request.items, wait, &why);
                            let again = self.wait(request, ledger, scope, wait).await;
                            left.extend(again.map(|request| (request, search)));
                        }
                        None => {
                            self.give_up(&request, ledger, Reason::RetriesExhausted, &why);
                        }
                    }
                }
            }
        }
    }

    /// The halves of a request that was refused, the first one last, if they are to be tried.
    async fn halve(&self, request: &Request, search: Search) -> Option<[(Request, Search); 2]> {
        let search = search.within(request)?;
        let (first, second) = self.transport.halve(request).await?;
        Some([(second, search.clone()), (first, search)])
    }

    /// Waits until a request is to be sent again. Who is retired meanwhile leaves it to others.
    async fn wait(
        &self,
        request: Request,
        ledger: &Arc<Ledger>,
        scope: &Scope,
        wait: Duration,
    ) -> Option<Request> {
        let until = Instant::now() + wait;
        tokio::select! {
            () = tokio::time::sleep_until(until) => return Some(request),
            () = scope.ending.cancelled() => return Some(request),
            () = scope.retired.cancelled() => {}
        }
        let request = self.put_back(request, ledger)?;
        tokio::select! {
            () = tokio::time::sleep_until(until) => {}
            () = scope.ending.cancelled() => {}
        }
        Some(request)
    }

    /// Puts a request back into the queue; gives it back where that cannot be.
    fn put_back(&self, request: Request, ledger: &Arc<Ledger>) -> Option<Request> {
        let Request { signal, body, items, source } = request;
        let source = match source {
            Source::Chunks(chunks) => {
                Source::Chunks(self.queue.put_back(Load { chunks }, ledger)?.chunks)
            }
            translated => translated,
        };
        Some(Request { signal, body, items, source })
    }

    fn taken(&self, request: &Request, ledger: &Ledger, rejected: usize, message: &str) {
        let rejected = rejected.min(request.items);
        ledger.sent(request.items - rejected);
        self.report.sent(request.signal, request.items - rejected);
        if rejected > 0 {
            self.drop_items(ledger, Reason::PartialSuccess, rejected, message);
            request.source.fail(&Outcome::Refused(message.to_owned()));
        } else if !message.is_empty() {
            self.report.warned(request.signal, message);
        }
    }

    fn give_up(&self, request: &Request, ledger: &Ledger, reason: Reason, why: &str) {
        self.drop_items(ledger, reason, request.items, why);
        request.source.fail(&match reason {
            Reason::RejectedByBackend => Outcome::Refused(why.to_owned()),
            _ => Outcome::Retry(why.to_owned()),
        });
    }

    fn drop_items(&self, ledger: &Ledger, reason: Reason, items: usize, why: &str) {
        ledger.dropped(reason, items);
        self.report.dropped(ledger.signal(), reason, items, why);
    }
}

#[cfg(test)]
mod tests;
