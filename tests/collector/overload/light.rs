//! A client that sends little, by the rules of the SDKs: what is refused for now is sent again when
//! the collector says, and given up ten seconds after it was first sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use super::load::{Any, Said};
use crate::collector::Collector;
use crate::telemetry::spans;

/// Spans in a request.
const ITEMS: usize = 2;
/// When a request is given up.
const GIVE_UP: Duration = Duration::from_secs(10);
/// Idle connections that are kept.
const KEPT: usize = 4;

/// What became of its items.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Delivered {
    pub(super) sent: u64,
    pub(super) delivered: u64,
    /// Answers that asked it to come again.
    pub(super) retries: u64,
}

/// A client.
pub(super) struct Light {
    ending: Arc<AtomicBool>,
    task: JoinHandle<Delivered>,
}

impl Light {
    /// One that sends so many items a second.
    pub(super) fn start(collector: &Collector, http: bool, rate: f64) -> Self {
        let pause = Duration::from_secs_f64(ITEMS as f64 / rate);
        let ending = Arc::new(AtomicBool::new(false));
        let end = ending.clone();
        let (grpc, address) = (collector.grpc, collector.http);
        let task = tokio::spawn(async move {
            let message = Bytes::from(spans("light", 0..ITEMS, 20));
            let (mut requests, mut idle) = (JoinSet::new(), Vec::<Any>::new());
            let (mut all, mut next) = (Delivered::default(), Instant::now());
            while !end.load(Relaxed) || !requests.is_empty() {
                tokio::select! {
                    () = sleep_until(next), if !end.load(Relaxed) => {
                        next += pause;
                        let client = idle.pop().unwrap_or_else(|| Any::at(grpc, address, http));
                        requests.spawn(deliver(client, message.clone()));
                    }
                    Some(ended) = requests.join_next() => {
                        let (client, delivered, retries) = ended.expect("a request");
                        all.sent += ITEMS as u64;
                        all.delivered += if delivered { ITEMS as u64 } else { 0 };
                        all.retries += retries;
                        // One that was given up may be in the middle of a request.
                        idle.extend(delivered.then_some(client));
                        idle.truncate(KEPT);
                    }
                }
            }
            all
        });
        Self { ending, task }
    }

    /// Sends nothing more; what is under way is finished.
    pub(super) async fn end(self) -> Delivered {
        self.ending.store(true, Relaxed);
        self.task.await.expect("a client")
    }
}

/// Whether a request was taken, and how often it had to come again.
async fn deliver(mut client: Any, message: Bytes) -> (Any, bool, u64) {
    let deadline = Instant::now() + GIVE_UP;
    for retries in 0.. {
        let wait = match timeout_at(deadline, client.send(&message)).await {
            Ok(Said::Taken) => return (client, true, retries),
            Ok(Said::Later(_, wait)) => wait,
            Ok(Said::Wrong(why)) => panic!("the light client was let down: {why}"),
            Err(_) => return (client, false, retries),
        };
        if Instant::now() + wait >= deadline {
            return (client, false, retries);
        }
        sleep(wait).await;
    }
    unreachable!("the deadline comes first")
}
