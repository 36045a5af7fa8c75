//! What a backend refuses for good: dropped with its reason, never in the way of anything else.

use std::time::Duration;

use obspipe_backends::Answer;
use prost::Message;
use serde_json::json;

use super::backend::{
    INTERNAL, INVALID_ARGUMENT, Kind, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAUTHENTICATED,
    UNAVAILABLE, UNIMPLEMENTED, retry_info,
};
use super::run::{Run, quick};

const ITEMS: usize = 20;

/// Answers after which nothing is sent again.
fn never(kind: Kind) -> Vec<Answer> {
    match kind {
        Kind::Otlp => {
            [UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED, INTERNAL].map(Answer::status).into()
        }
        // Jaeger's own may be anything.
        Kind::Jaeger => {
            [UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED].map(Answer::status).into()
        }
        // Not for Loki: there 500 passes.
        Kind::OtlpHttp => [401, 403, 404, 500, 301].map(Answer::status).into(),
        Kind::Loki => [401, 403, 404].map(Answer::status).into(),
    }
}

/// Answers that refuse the content.
fn content(kind: Kind) -> Vec<Answer> {
    match kind {
        Kind::Otlp | Kind::Jaeger => vec![Answer::status(INVALID_ARGUMENT), too_large()],
        Kind::OtlpHttp => [400, 413].map(Answer::status).into(),
        Kind::Loki => [413].map(Answer::status).into(),
    }
}

/// As gRPC servers in Go say it.
fn too_large() -> Answer {
    let message = "grpc: received message larger than max (5 vs. 4)";
    Answer::status(RESOURCE_EXHAUSTED).header("grpc-message", message)
}

#[tokio::test]
async fn what_is_refused_for_good_is_sent_once() {
    for kind in Kind::ALL {
        let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
        let mut refused = 0;
        for answer in never(kind) {
            let what = format!("{kind:?}, {}", answer.status);
            run.fail(1, answer.body("no, thank you"));
            run.send("refused", 0..ITEMS).await;
            let phase = run.phase(&what).await;
            assert_eq!((phase.requests, phase.sent), (1, 0), "{what}");
            refused += ITEMS;
            assert_eq!(phase.reasons, json!({"rejected_by_backend": refused}), "{what}");
            run.send("after", 0..ITEMS).await;
            run.phase(&what).await.complete();
        }
    }
}

#[tokio::test]
async fn content_that_is_refused_is_looked_through_and_then_dropped() {
    for kind in Kind::ALL {
        let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
        let mut refused = 0;
        for answer in content(kind) {
            let what = format!("{kind:?}, {}", answer.status);
            run.fail(usize::MAX, answer);
            run.send("refused", 0..ITEMS).await;
            let phase = run.phase(&what).await;
            assert_eq!(phase.sent, 0, "{what}");
            assert!(phase.requests < 2 * ITEMS, "{what}: {} requests", phase.requests);
            refused += ITEMS;
            assert_eq!(phase.reasons, json!({"rejected_by_backend": refused}), "{what}");
            run.heal();
            run.send("after", 0..ITEMS).await;
            run.phase(&what).await.complete();
        }
    }
}

/// A backend that takes requests up to a size, and its answer to larger ones.
#[tokio::test]
async fn what_is_too_large_arrives_in_parts() {
    for kind in Kind::ALL {
        let answer = match kind.is_grpc() {
            true => too_large(),
            false => Answer::status(413),
        };
        let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
        let whole = kind.request("large", 0..200).len();
        // Loki's is compressed.
        let limit = if kind == Kind::Loki { 500 } else { whole / 5 };
        run.capture.judge(move |received| (received.body.len() > limit).then(|| answer.clone()));
        run.send("large", 0..200).await;
        let phase = run.phase(&format!("{kind:?}, too large")).await;
        phase.complete();
        assert!((6..=40).contains(&phase.requests), "{kind:?}: {} requests", phase.requests);
    }
}

/// opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse.
fn partial(rejected: i64, message: &str) -> Vec<u8> {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    let partial =
        ExportTracePartialSuccess { rejected_spans: rejected, error_message: message.into() };
    ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
}

#[tokio::test]
async fn partial_success_is_counted_and_not_sent_again() {
    let protobuf = ("content-type", "application/x-protobuf");
    let json = ("content-type", "application/json");
    let text = r#"{"partialSuccess":{"rejectedSpans":"3","errorMessage":"three are too old"}}"#;
    let some = partial(3, "three are too old");
    let loki = "entry with timestamp 1970 ignored, reason: 'too old',\ntotal ignored: 3 out of 20 for \
                stream {job=\"refused\"}";
    let answers = [
        (Kind::Otlp, Answer::grpc_ok().body(some.clone())),
        (Kind::OtlpHttp, Answer::http_ok().header(protobuf.0, protobuf.1).body(some)),
        (Kind::OtlpHttp, Answer::http_ok().header(json.0, json.1).body(text)),
        (Kind::Loki, Answer::status(400).body(loki)),
    ];
    for (kind, answer) in answers {
        let what = format!("{kind:?}, {answer:?}");
        let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
        run.fail(1, answer);
        run.send("refused", 0..ITEMS).await;
        let phase = run.phase(&what).await;
        assert_eq!((phase.requests, phase.sent), (1, ITEMS as u64 - 3), "{what}");
        assert_eq!(phase.reasons, json!({"partial_success": 3}), "{what}");
        assert!(run.collector.log().contains("too old"), "{what}: {}", run.collector.log());
        run.send("after", 0..ITEMS).await;
        run.phase(&what).await.complete();
    }
}

#[tokio::test]
async fn a_message_alone_is_logged() {
    let body = partial(0, "spans without a service name are not found");
    let kind = ("content-type", "application/x-protobuf");
    let answers = [
        (Kind::Otlp, Answer::grpc_ok().body(body.clone())),
        (Kind::OtlpHttp, Answer::http_ok().header(kind.0, kind.1).body(body)),
    ];
    for (kind, answer) in answers {
        let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
        run.fail(1, answer);
        run.send("warned", 0..ITEMS).await;
        let phase = run.phase(&format!("{kind:?}, a message")).await;
        phase.complete();
        assert_eq!(phase.requests, 1);
        let log = run.collector.log();
        assert!(log.contains("spans without a service name are not found"), "{log}");
    }
}

#[tokio::test]
async fn what_is_tried_for_long_enough_is_given_up() {
    let long = Duration::from_secs(600);
    for kind in Kind::ALL {
        let failing = match kind.is_grpc() {
            true => [Answer::status(UNAVAILABLE), retry_info(UNAVAILABLE, long)],
            false => [Answer::status(503), Answer::status(503).header("retry-after", "600")],
        };
        let limited = json!({
            "initial_interval": "20ms", "max_interval": "50ms", "max_elapsed_time": "400ms"
        });
        for (retry, fault, fewest) in [
            (limited.clone(), &failing[0], 2),
            // The backend asks for more time than there is.
            (limited, &failing[1], 1),
            (json!({"enabled": false}), &failing[0], 1),
        ] {
            let what = format!("{kind:?}, {retry}, {fault:?}");
            let mut run = Run::start(kind, json!({"retry_on_failure": retry})).await;
            run.fail(usize::MAX, fault.clone());
            run.send("given up", 0..ITEMS).await;
            let phase = run.phase(&what).await;
            assert_eq!(phase.reasons, json!({"retries_exhausted": ITEMS}), "{what}");
            if fewest == 1 {
                assert_eq!(phase.requests, 1, "{what}");
            }
            run.heal();
            run.send("after", 0..ITEMS).await;
            run.phase(&what).await.complete();
        }
    }
}
