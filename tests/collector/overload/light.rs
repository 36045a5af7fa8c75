//! A client that sends little, by the rules of the SDKs: what is refused for now is sent again when
//! the collector says, else after 1 s, 2 s, 4 s …, and given up ten seconds after it was first sent.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};

use crate::client::{Client, Status};
use crate::telemetry::spans;

/// Between two requests.
const PAUSE: Duration = Duration::from_millis(40);
/// Spans in a request.
const ITEMS: usize = 10;
/// When a request is given up.
const GIVE_UP: Duration = Duration::from_secs(10);

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
    pub(super) fn start(address: SocketAddr) -> Self {
        let ending = Arc::new(AtomicBool::new(false));
        let end = ending.clone();
        let task = tokio::spawn(async move {
            let client = Client::connect(address).await;
            let message = Arc::new(spans("light", 0..ITEMS, 20));
            let mut requests = JoinSet::new();
            while !end.load(Relaxed) {
                requests.spawn(deliver(client.clone(), message.clone()));
                sleep(PAUSE).await;
            }
            let mut all = Delivered::default();
            while let Some(ended) = requests.join_next().await {
                let (delivered, retries) = ended.expect("a request");
                all.sent += ITEMS as u64;
                all.delivered += if delivered { ITEMS as u64 } else { 0 };
                all.retries += retries;
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
async fn deliver(mut client: Client, message: Arc<Vec<u8>>) -> (bool, u64) {
    let deadline = Instant::now() + GIVE_UP;
    let (mut backoff, mut retries) = (Duration::from_secs(1), 0);
    loop {
        let wait = match timeout_at(deadline, client.export(&message)).await {
            Ok(Ok(Status { code: 0, .. })) => return (true, retries),
            Ok(Ok(Status { code: 14, retry_after, .. })) => retry_after.unwrap_or(backoff),
            // A connection that breaks would be made anew; it has no reason to break.
            Ok(Err(error)) => panic!("the light client was let down: {error:?}"),
            Ok(Ok(status)) => panic!("refused for good: {status:?}"),
            Err(_) => return (false, retries),
        };
        if Instant::now() + wait >= deadline {
            return (false, retries);
        }
        sleep(wait).await;
        retries += 1;
        backoff *= 2;
    }
}
