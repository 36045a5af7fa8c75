//! The generator: sends requests that were encoded before, as fast as they are accepted (closed
//! loop) or at a fixed rate (open loop), and tells what became of them. It spends as little as it
//! can, because it shares its core with the sink.

mod client;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bytes::Bytes;
use hdrhistogram::Histogram;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::payload::{self, Payload};
use crate::wire::{self, Compression, Signal, Transport};
use client::Client;
pub use client::{LocalExecutor, http_get};

/// Latencies are kept from one microsecond to a minute, with three digits.
const LONGEST_US: u64 = 60_000_000;
/// How long a sender that was refused waits, so that it does not measure its own refusals.
const AFTER_REFUSAL: Duration = Duration::from_millis(10);

/// Requests ready to be sent.
#[derive(Debug)]
pub struct Requests {
    signal: Signal,
    transport: Transport,
    compression: Compression,
    patch_ids: bool,
    bodies: Vec<Body>,
}

#[derive(Debug)]
struct Body {
    bytes: Bytes,
    items: u64,
    ids: Vec<usize>,
}

impl Requests {
    /// Frames and compresses `payloads`. With `patch_ids` every request gets trace ids of its own
    /// when it is sent; that needs a copy, and bodies that are not compressed.
    ///
    /// # Errors
    /// A payload is too long for a frame.
    pub fn new(
        signal: Signal,
        transport: Transport,
        compression: Compression,
        payloads: &[Payload],
        patch_ids: bool,
    ) -> Result<Self> {
        let patch_ids = patch_ids && compression == Compression::None;
        let bodies = payloads.iter().map(|payload| {
            let packed = match compression {
                Compression::None => payload.bytes.clone(),
                Compression::Gzip => wire::gzip(&payload.bytes)?,
            };
            let bytes = match transport {
                Transport::Grpc => wire::frame(compression == Compression::Gzip, &packed)?,
                Transport::Http => packed.into(),
            };
            let ids = if patch_ids { payload::id_offsets(&bytes) } else { Vec::new() };
            Ok(Body { bytes, items: payload.items, ids })
        });
        let bodies = bodies.collect::<Result<Vec<_>>>()?;
        Ok(Self { signal, transport, compression, patch_ids, bodies })
    }

    /// How many different ones there are.
    #[must_use]
    pub fn variants(&self) -> u64 {
        self.bodies.len() as u64
    }

    /// Bytes of a request's body divided by its items, over all of them.
    #[must_use]
    pub fn bytes_per_item(&self) -> f64 {
        let bytes: usize = self.bodies.iter().map(|body| body.bytes.len()).sum();
        let items: u64 = self.bodies.iter().map(|body| body.items).sum();
        bytes as f64 / items as f64
    }

    fn take(&self, number: u64) -> Option<(Bytes, u64)> {
        let at = usize::try_from(number % self.variants().max(1)).ok()?;
        let body = self.bodies.get(at)?;
        if !self.patch_ids {
            return Some((body.bytes.clone(), body.items));
        }
        let mut bytes = body.bytes.to_vec();
        payload::patch_ids(&mut bytes, &body.ids, number);
        Some((bytes.into(), body.items))
    }
}

/// How they are sent.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The collector's port on the loopback interface.
    pub port: u16,
    /// Connections.
    pub connections: usize,
    /// Requests that are under way on each at the same time; HTTP/1.1 has a connection for each.
    pub concurrency: usize,
    /// When to stop.
    pub until: Until,
    /// Requests per second of an open loop; none is the closed loop.
    pub rate: Option<f64>,
}

/// When to stop sending.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After this time.
    Time(Duration),
    /// After this many requests.
    Requests(u64),
}

/// What became of the requests.
#[derive(Debug)]
pub struct Tally {
    /// Items that the collector accepted.
    pub items: u64,
    /// Requests that it accepted.
    pub accepted: u64,
    /// Requests that it did not accept, by the code it gave (`grpc 14`, `http 503`, `broken`).
    pub refused: BTreeMap<String, u64>,
    /// Microseconds from when an accepted request was due until its answer.
    pub latencies: Histogram<u64>,
    /// How long all of it took.
    pub elapsed: Duration,
}

impl Tally {
    fn new() -> Result<Self> {
        Ok(Self {
            items: 0,
            accepted: 0,
            refused: BTreeMap::new(),
            latencies: Histogram::new_with_bounds(1, LONGEST_US, 3)?,
            elapsed: Duration::ZERO,
        })
    }

    /// The latency in milliseconds that `quantile` of the accepted requests kept below.
    #[must_use]
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn accept(&mut self, items: u64, latency: Duration) {
        self.items += items;
        self.accepted += 1;
        let us = u64::try_from(latency.as_micros()).unwrap_or(LONGEST_US);
        self.latencies.saturating_record(us);
    }

    /// All refused requests.
    #[must_use]
    pub fn refusals(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// The order in which senders take requests, shared by all of them.
struct Schedule {
    next: u64,
    start: Instant,
    until: Until,
    rate: Option<f64>,
}

impl Schedule {
    /// The next request's number and when it is due; none when the run is over.
    fn take(&mut self) -> Option<(u64, Instant)> {
        let number = self.next;
        let now = Instant::now();
        // Due times do not move when answers are late: waiting for a free sender counts as
        // latency, or a slow collector would be asked less and look fast.
        let due = match self.rate {
            Some(rate) => self.start + Duration::from_secs_f64(number as f64 / rate),
            None => now,
        };
        let over = match self.until {
            Until::Time(time) => due.max(now) >= self.start + time,
            Until::Requests(requests) => number >= requests,
        };
        self.next += 1;
        (!over).then_some((number, due))
    }
}

/// Sends `requests` as planned. Needs a `LocalSet`.
///
/// # Errors
/// The collector cannot be reached at all.
pub async fn run(requests: &Rc<Requests>, plan: Plan) -> Result<Tally> {
    let start = Instant::now();
    let schedule = Schedule { next: 0, start, until: plan.until, rate: plan.rate };
    let schedule = Rc::new(RefCell::new(schedule));
    let tally = Rc::new(RefCell::new(Tally::new()?));
    let mut senders = JoinSet::new();
    for _ in 0..plan.connections {
        let shared = Client::connect(requests.transport, plan.port).await?;
        for _ in 0..plan.concurrency {
            let client = match requests.transport {
                Transport::Grpc => shared.clone(),
                Transport::Http => Client::connect(requests.transport, plan.port).await?,
            };
            let (requests, schedule, tally) = (requests.clone(), schedule.clone(), tally.clone());
            senders.spawn_local(sender(client, requests, schedule, tally));
        }
    }
    schedule.borrow_mut().start = Instant::now();
    while let Some(ended) = senders.join_next().await {
        ended?;
    }
    let elapsed = schedule.borrow().start.elapsed();
    let mut tally = Rc::into_inner(tally).context("a sender still runs")?.into_inner();
    tally.elapsed = elapsed;
    Ok(tally)
}

async fn sender(
    mut client: Client,
    requests: Rc<Requests>,
    schedule: Rc<RefCell<Schedule>>,
    tally: Rc<RefCell<Tally>>,
) {
    loop {
        let Some((number, due)) = schedule.borrow_mut().take() else { return };
        let Some((body, items)) = requests.take(number) else { return };
        tokio::time::sleep_until(due).await;
        match client.send(requests.signal, requests.compression, body).await {
            Ok(()) => tally.borrow_mut().accept(items, due.elapsed()),
            Err(code) => {
                *tally.borrow_mut().refused.entry(code).or_default() += 1;
                tokio::time::sleep(AFTER_REFUSAL).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
