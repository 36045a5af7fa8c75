//! Clients that wait: for their backend's answer (sending_queue off, wait_for_result), or for room
//! (block_on_overflow).

use std::time::Duration;

use obspipe_backends::{Answer, Capture, eventually};
use serde_json::{Value, json};

use super::backend::{INVALID_ARGUMENT, Kind, UNAVAILABLE};
use super::run::{Run, configuration, quick};
use crate::client::Client;
use crate::collector::{Collector, PATIENCE};
use crate::telemetry::{names, spans};

/// Both ways to be answered by the backend.
fn ways() -> [Value; 2] {
    [json!({"enabled": false}), json!({"wait_for_result": true})]
}

fn refusal(kind: Kind) -> Answer {
    match kind.is_grpc() {
        true => Answer::status(INVALID_ARGUMENT).header("grpc-message", "nobody wants this"),
        false => Answer::status(400).body("nobody wants this"),
    }
}

fn busy(kind: Kind) -> Answer {
    match kind.is_grpc() {
        true => Answer::status(UNAVAILABLE).header("grpc-message", "not this minute"),
        false => Answer::status(503).body("not this minute"),
    }
}

#[tokio::test]
async fn the_answer_is_the_backends() {
    for kind in [Kind::Otlp, Kind::OtlpHttp, Kind::Jaeger] {
        for queue in ways() {
            let what = format!("{kind:?}, {queue}");
            let settings = json!({"retry_on_failure": {"enabled": false}, "sending_queue": queue});
            let mut run = Run::start(kind, settings).await;
            let mut client = Client::connect(run.collector.grpc).await;

            // Taken: it is there when the client is told.
            let request = spans("taken", 0..20, 100);
            let status = client.export(&request).await.expect("an answer");
            assert_eq!(status.code, 0, "{what}: {status:?}");
            assert_eq!(run.capture.received().len(), 1, "{what}");
            run.acknowledged.extend(names(&request));
            run.send("taken", 20..40).await;
            assert_eq!(run.capture.received().len(), 2, "{what}");
            run.phase(&what).await.complete();

            // Refused for good: not to be sent again.
            run.fail(usize::MAX, refusal(kind));
            let status = client.export(&spans("refused", 0..1, 100)).await.expect("an answer");
            assert!(![0, UNAVAILABLE.into()].contains(&status.code), "{what}: {status:?}");
            assert!(
                !status.retry_info && status.message.contains("nobody wants this"),
                "{status:?}"
            );
            let response = run.offer("refused", 1..2).await;
            assert_eq!(response.status, 500, "{what}: {response:?}");

            // Not now: to be sent again, and then taken.
            run.fail(2, busy(kind));
            let status = client.export(&spans("busy", 0..1, 100)).await.expect("an answer");
            assert_eq!((status.code, status.retry_info), (14, true), "{what}: {status:?}");
            assert!(status.message.contains("not this minute"), "{status:?}");
            let response = run.offer("busy", 0..1).await;
            assert_eq!(response.status, 503, "{what}: {response:?}");
            assert_eq!(response.headers["retry-after"], "1", "{what}: {response:?}");
            let status = client.export(&spans("busy", 0..1, 100)).await.expect("an answer");
            assert_eq!(status.code, 0, "{what}: {status:?}");

            let flow = run.collector.settled("traces", kind.id(), 45).await;
            assert_eq!((flow.entered, flow.sent), (45, 41), "{what}: {flow:?}");
            assert_eq!(flow.reasons, json!({"rejected_by_backend": 2, "retries_exhausted": 2}));
        }
    }
}

/// A failure that passes while the client waits is none for the client.
#[tokio::test]
async fn what_passes_meanwhile_is_not_told() {
    for queue in ways() {
        let settings = json!({"retry_on_failure": quick(), "sending_queue": queue});
        let mut run = Run::start(Kind::Otlp, settings).await;
        run.fail(3, busy(Kind::Otlp));
        run.send("patient", 0..20).await;
        let phase = run.phase(&format!("{queue}")).await;
        phase.complete();
        assert_eq!(phase.requests, 4);
    }
}

/// Clients' requests that went out in one batch of the exporter's own are each told.
#[tokio::test]
async fn all_clients_of_a_batch_are_told() {
    let batch = json!({"min_size": 40, "flush_timeout": "3600s"});
    for kind in [Kind::Otlp, Kind::OtlpHttp] {
        let queue = json!({"wait_for_result": true, "batch": batch});
        let settings = json!({"retry_on_failure": quick(), "sending_queue": queue});
        let run = Run::start(kind, settings).await;
        let answer = refusal(kind);
        run.capture.judge(move |received| {
            let names = kind.names(&received.body);
            names.iter().any(|name| name.starts_with("client2-")).then(|| answer.clone())
        });
        let clients = (0..4).map(|number| async move {
            let mut client = Client::connect(run.collector.grpc).await;
            let request = spans(&format!("client{number}"), 0..10, 100);
            client.export(&request).await.expect("an answer").code
        });
        let codes = futures::future::join_all(clients).await;
        assert_eq!(codes, [0, 0, 13, 0], "{kind:?}");
    }
}

/// The batch may be sent long after the client has given up.
#[tokio::test]
async fn behind_a_batch_processor_nobody_waits() {
    let batch = json!({"batch": {"send_batch_size": 1000, "timeout": "3600s"}});
    for queue in ways() {
        let settings = json!({"retry_on_failure": quick(), "sending_queue": queue});
        let mut run = Run::start_with(Kind::Otlp, settings, &batch, &[]).await;
        run.send("early", 0..10).await;
        let status = run.collector.flow("traces", "otlp").await;
        assert_eq!((status.entered, status.sent), (10, 0), "{queue}");
        assert!(run.capture.received().is_empty(), "{queue}: answered before it was sent");
        // A full batch is sent, and the rest at the end.
        run.send("more", 0..990).await;
        run.phase(&format!("{queue}")).await.complete();
        run.send("late", 0..10).await;
        assert_eq!(run.collector.terminate().await, Some(0), "{}", run.collector.log());
        assert_eq!(run.capture.received().len(), 1, "{queue}");
    }
}

/// Of two pipelines, the one without a batch processor is waited for.
#[tokio::test]
async fn beside_a_batch_processor_the_other_pipeline_is_waited_for() {
    let (direct, batched) = (Kind::Otlp.capture().await, Kind::Otlp.capture().await);
    let exporter = |capture: &Capture| {
        let never = json!({"enabled": false});
        let settings = json!({"sending_queue": never, "retry_on_failure": never});
        Kind::Otlp.exporter(capture.address(), &settings)
    };
    let exporters = json!({"otlp/direct": exporter(&direct), "otlp/batched": exporter(&batched)});
    let batch = json!({"batch": {"timeout": "3600s"}});
    let pipelines: [(&str, &[&str]); 2] =
        [("traces/direct", &["otlp/direct"]), ("traces/batched", &["otlp/batched"])];
    let text = configuration(&exporters, &batch, &pipelines);
    let mut text: Value = serde_json::from_str(&text).expect("JSON");
    text["service"]["pipelines"]["traces/direct"]["processors"] = json!([]);
    let collector = Collector::start(&text.to_string()).await;
    let mut client = Client::connect(collector.grpc).await;
    let status = client.export(&spans("good", 0..10, 100)).await.expect("an answer");
    assert_eq!((status.code, direct.received().len()), (0, 1), "{status:?}");
    direct.answer(move |_| refusal(Kind::Otlp));
    let status = client.export(&spans("bad", 0..10, 100)).await.expect("an answer");
    assert!(status.message.contains("nobody wants this"), "{status:?}");
    assert!(batched.received().is_empty());
}

/// Without a queue there are a few dozen requests under way, and who comes then waits.
#[tokio::test]
async fn without_a_queue_room_is_waited_for() {
    let settings = json!({"sending_queue": {"enabled": false}, "retry_on_failure": quick()});
    let mut run = Run::start(Kind::Otlp, settings).await;
    run.fail(usize::MAX, Kind::Otlp.ok().after(Duration::from_millis(200)));
    let clients = (0..200).map(|number| {
        let address = run.collector.grpc;
        async move {
            let mut client = Client::connect(address).await;
            let request = spans(&format!("client{number}"), 0..1, 100);
            let status = client.export(&request).await.expect("an answer");
            assert_eq!(status.code, 0, "{status:?}");
            names(&request)
        }
    });
    let taken = futures::future::join_all(clients).await;
    run.acknowledged.extend(taken.into_iter().flatten());
    run.phase("no queue").await.complete();
}

#[tokio::test]
async fn a_full_queue_is_waited_for() {
    for kind in [Kind::Otlp, Kind::OtlpHttp, Kind::Jaeger] {
        let queue = json!({"queue_size": 1, "num_consumers": 1, "block_on_overflow": true});
        let settings = json!({"retry_on_failure": quick(), "sending_queue": queue});
        let mut run = Run::start(kind, settings).await;
        run.fail(usize::MAX, kind.ok().after(Duration::from_millis(200)));
        let clients = (0..10).map(|number| {
            let address = run.collector.grpc;
            async move {
                let mut client = Client::connect(address).await;
                let request = spans(&format!("client{number}"), 0..10, 100);
                let status = client.export(&request).await.expect("an answer");
                assert_eq!(status.code, 0, "{status:?}");
                names(&request)
            }
        });
        let taken = futures::future::join_all(clients).await;
        run.acknowledged.extend(taken.into_iter().flatten());
        run.phase(&format!("{kind:?} blocks")).await.complete();
    }
}

/// Who waits for the queue of a backend that is down is answered when it is back.
#[tokio::test]
async fn the_queue_of_a_backend_that_is_down_is_waited_for() {
    let queue = json!({"queue_size": 1, "num_consumers": 1, "block_on_overflow": true});
    let settings = json!({"retry_on_failure": quick(), "sending_queue": queue});
    let mut run = Run::start(Kind::Otlp, settings).await;
    run.capture.stop().await;
    // One under way, one waits.
    run.send("first", 0..10).await;
    run.is_failing().await;
    run.send("second", 0..10).await;
    let address = run.collector.grpc;
    let mut blocked = tokio::spawn(async move {
        let mut client = Client::connect(address).await;
        let request = spans("third", 0..10, 100);
        (client.export(&request).await.expect("an answer"), request)
    });
    let waits = tokio::time::timeout(Duration::from_millis(500), &mut blocked).await;
    assert!(waits.is_err(), "it waits: {waits:?}");
    run.capture.resume().await.expect("the same port");
    let (status, request) = blocked.await.expect("a client");
    assert_eq!(status.code, 0, "{status:?}");
    run.acknowledged.extend(names(&request));
    run.phase("blocks while down").await.complete();
}

/// For ever nobody waits: SDKs give up after ten seconds and would send it twice.
#[tokio::test]
async fn whoever_waits_too_long_is_told_to_try_again() {
    let mut run = Run::start(Kind::Otlp, json!({"sending_queue": {"enabled": false}})).await;
    run.capture.stop().await;
    let response = run.offer("waits", 0..10).await;
    assert_eq!(response.status, 503, "{response:?}");
    let told = eventually("it is told", PATIENCE, async || {
        let log = run.collector.log();
        if log.contains("will be sent again") { Ok(()) } else { Err(log) }
    });
    told.await.expect("a log");
}
