//! Backends that fail: nothing acknowledged is lost, every item is accounted for, and recovery
//! needs nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use obspipe_backends::{Answer, Capture};

use crate::client::Client;
use crate::collector::{Collector, PATIENCE};
use crate::telemetry::{names, spans};

/// One pipeline of spans to a gRPC backend, with quick retries and small batches.
fn to_grpc(backend: &Capture) -> String {
    format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{{grpc}}'}}}}}}}}\n\
         processors: {{batch: {{timeout: 100ms}}}}\n\
         exporters:\n  otlp: {{endpoint: '{}', tls: {{insecure: true}}, compression: none, \
         retry_on_failure: {{initial_interval: 100ms, max_interval: 300ms}}}}\n\
         service: {{pipelines: {{traces: {{receivers: [otlp], processors: [batch], exporters: [otlp]}}}}}}\n",
        backend.address()
    )
}

/// The names of the spans that a backend took.
fn arrived(backend: &Capture) -> Vec<String> {
    backend.received().iter().flat_map(|request| names(&request.body)).collect()
}

fn expected(service: &str, count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("{service}-{number}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_comes_up_late_gets_everything() {
    let mut backend = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    backend.stop().await;
    let collector = Collector::start(&to_grpc(&backend)).await;
    let mut client = Client::connect(collector.grpc).await;
    for first in (0..1000).step_by(50) {
        assert_eq!(client.export(&spans("late", first..first + 50, 10)).await.expect("it").code, 0);
    }
    backend.resume().await.expect("the same port");
    let flow = collector.settled("traces", "otlp", 1000).await;
    assert_eq!((flow.entered, flow.sent, flow.dropped), (1000, 1000, 0), "{flow:?}");
    let names: BTreeSet<String> = arrived(&backend).into_iter().collect();
    assert_eq!(names, expected("late", 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_span_that_the_backend_refuses_is_dropped_alone() {
    let backend = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    // INVALID_ARGUMENT for whatever has span 77 in it.
    backend.judge(|request| {
        let bad = names(&request.body).iter().any(|name| name == "bad-77");
        bad.then(|| Answer::status(3))
    });
    let collector = Collector::start(&to_grpc(&backend)).await;
    let mut client = Client::connect(collector.grpc).await;
    client.deliver(&spans("bad", 0..100, 10)).await;
    client.deliver(&spans("good", 0..100, 10)).await;
    let flow = collector.settled("traces", "otlp", 200).await;
    assert_eq!((flow.sent, flow.dropped), (199, 1), "{flow:?}");
    assert_eq!(flow.reasons["rejected_by_backend"], 1, "{flow:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_busy_backend_refuses_is_sent_again() {
    let backend = Capture::grpc(|number| match number {
        0..3 => Answer::status(14),
        _ => Answer::grpc_ok(),
    });
    let backend = backend.await.expect("a backend");
    let collector = Collector::start(&to_grpc(&backend)).await;
    let mut client = Client::connect(collector.grpc).await;
    client.deliver(&spans("busy", 0..100, 10)).await;
    let flow = collector.settled("traces", "otlp", 100).await;
    assert_eq!((flow.sent, flow.dropped), (100, 0), "{flow:?}");
    assert_eq!(backend.received().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn ending_under_load_loses_nothing_acknowledged() {
    let backend = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    let mut collector = Collector::start(&to_grpc(&backend)).await;
    let mut clients = Vec::new();
    for service in ["one", "two", "three"] {
        let mut client = Client::connect(collector.grpc).await;
        clients.push(tokio::spawn(async move {
            let mut taken = BTreeSet::new();
            for first in (0..1_000_000).step_by(20) {
                // Refused or cut off at the end: not acknowledged.
                match client.export(&spans(service, first..first + 20, 10)).await {
                    Ok(status) if status.code == 0 => {
                        taken.extend((first..first + 20).map(|n| format!("{service}-{n}")));
                    }
                    _ => break,
                }
            }
            taken
        }));
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(collector.terminate().await, Some(0), "{}", collector.log());
    let mut taken = BTreeSet::new();
    for client in clients {
        taken.extend(tokio::time::timeout(PATIENCE, client).await.expect("it ends").expect("it"));
    }
    assert!(taken.len() > 100, "there was load: {}", taken.len());
    let names: BTreeSet<String> = arrived(&backend).into_iter().collect();
    let lost: Vec<&String> = taken.difference(&names).collect();
    assert!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), taken.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_backend_does_not_hold_up_the_others() {
    let one = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    let two = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    let mut dead = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    dead.stop().await;
    let exporter = |name: &str, backend: &Capture| {
        format!(
            "  otlp/{name}: {{endpoint: '{}', tls: {{insecure: true}}, compression: none, \
             sending_queue: {{queue_size: 5, num_consumers: 2}}}}\n",
            backend.address()
        )
    };
    let collector = Collector::start(&format!(
        "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{{grpc}}'}}}}}}}}\nexporters:\n{}{}{}\
         service: {{pipelines: {{traces: {{receivers: [otlp], \
         exporters: [otlp/one, otlp/two, otlp/dead]}}}}}}\n",
        exporter("one", &one),
        exporter("two", &two),
        exporter("dead", &dead)
    ))
    .await;
    let mut client = Client::connect(collector.grpc).await;
    for first in (0..2000).step_by(10) {
        client.deliver(&spans("all", first..first + 10, 10)).await;
    }
    for (name, backend) in [("otlp/one", &one), ("otlp/two", &two)] {
        let flow = collector.settled("traces", name, 2000).await;
        assert_eq!((flow.entered, flow.sent, flow.dropped), (2000, 2000, 0), "{name}: {flow:?}");
        let names: BTreeSet<String> = arrived(backend).into_iter().collect();
        assert_eq!(names, expected("all", 2000), "{name}");
    }
    let flow = collector.flow("traces", "otlp/dead").await;
    assert_eq!(flow.sent, 0, "{flow:?}");
    assert_eq!(flow.entered, flow.dropped + flow.queued + flow.in_flight, "{flow:?}");
    let full = flow.reasons["queue_full"].as_u64().expect("some found the queue full");
    assert!(full >= 1900, "seven requests may wait or be under way: {flow:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_clients_poison_costs_the_others_nothing() {
    let backend = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    backend.judge(|request| {
        let bad = names(&request.body).iter().any(|name| name.starts_with("poison"));
        bad.then(|| Answer::status(3))
    });
    let collector = Collector::start(&to_grpc(&backend)).await;
    let mut clients = Vec::new();
    for number in 0..10 {
        let mut client = Client::connect(collector.grpc).await;
        let service = if number == 4 { "poison".to_owned() } else { format!("client{number}") };
        clients.push(tokio::spawn(async move {
            for first in (0..200).step_by(20) {
                client.deliver(&spans(&service, first..first + 20, 10)).await;
            }
        }));
    }
    for client in clients {
        client.await.expect("it delivered");
    }
    let flow = collector.settled("traces", "otlp", 2000).await;
    assert_eq!((flow.sent, flow.dropped), (1800, 200), "{flow:?}");
    let taken = backend.received().into_iter();
    let taken = taken.flat_map(|request| names(&request.body));
    let others: BTreeSet<String> = taken.filter(|name| name.starts_with("client")).collect();
    assert_eq!(others.len(), 1800);
}
