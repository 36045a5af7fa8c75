//! SIGTERM: what was acknowledged is sent first; what cannot be is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use obspipe_backends::{Capture, eventually};
use serde_json::json;
use tokio::task::JoinHandle;

use super::backend::{Kind, NEVER};
use super::run::{Run, quick, same};
use crate::client::Client;
use crate::collector::{Collector, PATIENCE};
use crate::telemetry::{names, spans};

/// Clients that export all the time until they are told that the collector takes nothing more.
struct Load {
    clients: Vec<JoinHandle<Vec<String>>>,
    acknowledged: Arc<AtomicUsize>,
}

impl Load {
    async fn start(collector: &Collector) -> Self {
        let acknowledged = Arc::new(AtomicUsize::new(0));
        let mut clients = Vec::new();
        for number in 0..4 {
            let mut client = Client::connect(collector.grpc).await;
            let counter = acknowledged.clone();
            clients.push(tokio::spawn(async move {
                let mut taken = Vec::new();
                for request in 0.. {
                    let request = spans(&format!("client{number}-{request}"), 0..20, 100);
                    match client.export(&request).await {
                        Ok(status) if status.code == 0 => taken.extend(names(&request)),
                        // Refused for the moment: it goes on.
                        Ok(status) if status.code == 14 => {}
                        _ => break,
                    }
                    counter.store(taken.len(), Relaxed);
                }
                taken
            }));
        }
        Self { clients, acknowledged }
    }

    async fn runs(&self) {
        let runs = eventually("load", PATIENCE, async || {
            let acknowledged = self.acknowledged.load(Relaxed);
            if acknowledged > 500 { Ok(()) } else { Err(format!("{acknowledged} items")) }
        });
        runs.await.expect("load");
    }

    /// Everything that clients were told is taken.
    async fn end(self) -> Vec<String> {
        let mut taken = Vec::new();
        for client in self.clients {
            let ended = tokio::time::timeout(PATIENCE, client).await;
            taken.extend(ended.expect("told that it ended").expect("a client"));
        }
        taken
    }
}

fn taken(kind: Kind, capture: &Capture) -> Vec<String> {
    let received = capture.received().into_iter().filter(|it| kind.takes(&it.answer));
    received.flat_map(|received| kind.names(&received.body)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn under_load_nothing_acknowledged_is_lost() {
    for kind in [Kind::Otlp, Kind::OtlpHttp, Kind::Jaeger] {
        // Nothing is sent before the end, but for full batches.
        let batch = json!({"batch": {"timeout": "3600s", "send_batch_size": 1000}});
        let settings = json!({"retry_on_failure": quick()});
        let mut run = Run::start_with(kind, settings, &batch, &[]).await;
        let load = Load::start(&run.collector).await;
        load.runs().await;
        assert_eq!(run.collector.terminate().await, Some(0), "{}", run.collector.log());
        let acknowledged = load.end().await;
        same(&format!("{kind:?} at the end"), &taken(kind, &run.capture), &acknowledged);
        let log = run.collector.log();
        assert!(log.contains("everything taken was delivered"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_fails_for_a_while_at_the_end_gets_everything() {
    let kind = Kind::Otlp;
    let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
    run.capture.stop().await;
    let load = Load::start(&run.collector).await;
    load.runs().await;
    let Run { mut collector, mut capture, .. } = run;
    let ended = tokio::spawn(async move {
        let code = collector.terminate().await;
        (code, collector)
    });
    let acknowledged = load.end().await;
    capture.resume().await.expect("the same port");
    let (code, collector) = ended.await.expect("it ends");
    assert_eq!(code, Some(0), "{}", collector.log());
    same("down at the end", &taken(kind, &capture), &acknowledged);
}

/// What the log says was left.
fn left(log: &str) -> usize {
    let lines = log.lines().filter(|line| line.contains("left undelivered"));
    let items = lines.map(|line| {
        let (_, after) = line.split_once("items=").unwrap_or_else(|| panic!("{line}"));
        after.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().parse::<usize>()
    });
    items.map(|items| items.expect("a number")).sum()
}

/// The deadline is short, and what waits would take far longer.
#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_down_holds_up_the_end_until_the_deadline() {
    let deadline = &["--drain-seconds=1"];
    let batch = json!({"batch": {"timeout": "3600s", "send_batch_size": 200}});
    for kind in [Kind::Otlp, Kind::OtlpHttp, Kind::Jaeger] {
        // Refuses connections, or takes requests and never answers.
        for down in [true, false] {
            let what = format!("{kind:?}, down: {down}");
            let long = json!({"initial_interval": "600s", "max_interval": "600s", "max_elapsed_time": "0s"});
            let retry = if down { long } else { quick() };
            let settings = json!({"retry_on_failure": retry, "timeout": "600s"});
            let mut run = Run::start_with(kind, settings, &batch, deadline).await;
            run.fail(usize::MAX, kind.ok().after(NEVER));
            if down {
                run.capture.stop().await;
            }
            let load = Load::start(&run.collector).await;
            load.runs().await;
            assert_eq!(run.collector.terminate().await, Some(0), "{what}: {}", run.collector.log());
            let acknowledged = load.end().await;
            let log = run.collector.log();
            assert_eq!(left(&log), acknowledged.len(), "{what}: {log}");
        }
    }
}

/// With a client that never ends its request, and one that never says anything.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_do_not_finish_do_not_hold_it_up() {
    use tokio::io::AsyncWriteExt as _;
    let kind = Kind::Otlp;
    let batch = json!({"batch": {"timeout": "3600s"}});
    let mut run = Run::start_with(kind, json!({}), &batch, &["--drain-seconds=4"]).await;
    let mut half = tokio::net::TcpStream::connect(run.collector.http).await.expect("a connection");
    let head = "POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n\
                content-length: 1000\r\n\r\nhalf";
    half.write_all(head.as_bytes()).await.expect("sent");
    let silent = tokio::net::TcpStream::connect(run.collector.grpc).await.expect("a connection");
    run.send("before", 0..100).await;
    assert_eq!(run.collector.terminate().await, Some(0), "{}", run.collector.log());
    same("at the end", &taken(kind, &run.capture), &run.acknowledged);
    drop((half, silent));
}

/// Endpoints lag behind a pod that ends: it is unready at once, and still takes what comes, over
/// connections old and new, until it is told again or the time is over.
#[tokio::test(flavor = "multi_thread")]
async fn an_ending_collector_is_unready_and_lingers() {
    let kind = Kind::Otlp;
    let lingers = &["--linger-seconds=600"];
    let mut run = Run::start_with(kind, json!({}), &json!({}), lingers).await;
    let mut old = Client::connect(run.collector.grpc).await;
    assert_eq!(old.export(&spans("before", 0..5, 10)).await.expect("an answer").code, 0);
    assert!(run.collector.is_ready().await);
    run.collector.begin_to_end();
    let unready = eventually("it to be unready", PATIENCE, async || {
        if run.collector.is_ready().await { Err("it is ready".to_owned()) } else { Ok(()) }
    });
    unready.await.expect("unready");
    assert_eq!(old.export(&spans("old", 0..5, 10)).await.expect("an answer").code, 0);
    let mut new = Client::connect(run.collector.grpc).await;
    assert_eq!(new.export(&spans("new", 0..5, 10)).await.expect("an answer").code, 0);
    assert_eq!(run.collector.terminate().await, Some(0), "{}", run.collector.log());
    assert_eq!(taken(kind, &run.capture).len(), 15);
}
