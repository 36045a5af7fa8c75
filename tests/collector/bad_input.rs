//! Input that is wrong, hostile or slow, on real sockets: each is refused with the code that says
//! so, memory stays within its limit, the process lives, and a client that does nothing wrong is
//! served all the while, on its old connection and on new ones.

mod bombs;
mod frames;
mod json;
mod messages;
mod slow;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use obspipe_backends::{Answer, Capture, eventually};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::client::{Client, Status};
use crate::collector::{Collector, PATIENCE};
use crate::telemetry::spans;
use crate::web::{Version, Web};

/// What `limit_mib` says.
const LIMIT_MIB: u64 = 200;
const OK: i32 = 0;
const INVALID_ARGUMENT: i32 = 3;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
/// Requests that the healthy client has to get through while something bad is under way.
const SEVERAL: usize = 5;

const CONFIGURATION: &str = r#"
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "{grpc}", max_recv_msg_size_mib: 20}
      http: {endpoint: "{http}", read_header_timeout: 3s, read_timeout: 15s}
processors:
  memory_limiter: {check_interval: 1s, limit_mib: 200}
exporters:
  otlp: {endpoint: "{backend}", tls: {insecure: true}, compression: none}
service:
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp]}
    metrics: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp]}
    logs: {receivers: [otlp], processors: [memory_limiter], exporters: [otlp]}
"#;

/// A collector that is treated badly, and somebody who needs it.
struct Victim {
    collector: Collector,
    healthy: Healthy,
    _backend: Capture,
}

impl Victim {
    async fn start() -> Self {
        let backend = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
        let text = CONFIGURATION.replace("{backend}", &backend.address().to_string());
        let collector = Collector::start(&text).await;
        let healthy = Healthy::start(collector.grpc);
        Self { collector, healthy, _backend: backend }
    }

    /// A client of OTLP over gRPC.
    async fn grpc(&self) -> Client {
        Client::connect(self.collector.grpc).await
    }

    /// A client of OTLP over HTTP.
    fn web(&self, version: Version) -> Web {
        Web::new(self.collector.http, version)
    }

    /// The healthy client is served now, and memory is within its limit.
    async fn is_well(&self) {
        self.healthy.served_more(SEVERAL).await;
        let (_, most) = self.collector.resident();
        eprintln!("RSS {} MiB", most >> 20);
        assert!(most <= LIMIT_MIB << 20, "{} MiB, limit {LIMIT_MIB}", most >> 20);
    }

    /// The same, and what the healthy client sent has all arrived; then the collector ends as it
    /// should.
    async fn was_well(mut self) {
        self.is_well().await;
        let sent = self.healthy.end().await;
        let flow = self.collector.settled("traces", "otlp", sent).await;
        assert_eq!(flow.dropped, 0, "{flow:?}");
        assert_eq!(self.collector.terminate().await, Some(0), "{}", self.collector.log());
    }
}

/// A client that sends small requests, one after the other: most on one connection, each fifth on a
/// new one.
struct Healthy {
    served: Arc<AtomicUsize>,
    ending: Arc<AtomicBool>,
    task: JoinHandle<u64>,
}

impl Healthy {
    fn start(address: SocketAddr) -> Self {
        let (served, ending) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, end) = (served.clone(), ending.clone());
        let task = tokio::spawn(async move {
            let message = spans("healthy", 0..3, 100);
            let mut usual = Client::connect(address).await;
            let mut items = 0;
            while !end.load(Relaxed) {
                let number = counter.load(Relaxed);
                let delivery = async {
                    match number % 5 {
                        0 => Client::connect(address).await.deliver(&message).await,
                        _ => usual.deliver(&message).await,
                    }
                };
                timeout(PATIENCE, delivery).await.expect("served in time");
                items += 3;
                counter.store(number + 1, Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            items
        });
        Self { served, ending, task }
    }

    /// Waits until so many more requests were taken.
    async fn served_more(&self, more: usize) {
        let goal = self.served.load(Relaxed) + more;
        let served = eventually("the healthy client is served", PATIENCE, async || {
            assert!(!self.task.is_finished(), "the healthy client was let down");
            let served = self.served.load(Relaxed);
            if served >= goal { Ok(()) } else { Err(format!("{served} requests")) }
        });
        served.await.expect("served");
    }

    /// Ends it. Returns the items that it sent.
    async fn end(self) -> u64 {
        self.ending.store(true, Relaxed);
        self.task.await.expect("the healthy client was not let down")
    }
}

/// A gRPC message with its prefix.
fn framed(flag: u8, announced: usize, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(announced).expect("a length").to_be_bytes();
    [&[flag], length.as_slice(), message].concat()
}

/// Refused for good: with this code, and not asked to try again.
fn assert_refused(status: &Status, code: i32, what: &str) {
    assert_eq!(status.code, code, "{what}: {status:?}");
    assert!(!status.retry_info, "{what}: {status:?}");
    assert!(!status.message.is_empty(), "{what}: {status:?}");
}

/// As many open files as the machine lets. Returns how many.
fn raise_open_files() -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("raised");
    limit.maximum.unwrap_or(u64::MAX)
}
