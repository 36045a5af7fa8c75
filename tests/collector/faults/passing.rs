//! Failures that pass: everything acknowledged arrives, once, without a restart.

use std::time::Duration;

use obspipe_backends::{Answer, Reset};
use serde_json::json;

use super::backend::{
    ABORTED, CANCELLED, DATA_LOSS, DEADLINE_EXCEEDED, INTERNAL, Kind, NEVER, OUT_OF_RANGE,
    RESOURCE_EXHAUSTED, UNAVAILABLE, UNKNOWN, retry_info,
};
use super::run::{ASKED, Run, quick};

/// Requests that fail in each phase.
const FAILING: usize = 4;
/// Requests that clients send in each phase, and items in one.
const REQUESTS: usize = 6;
const ITEMS: usize = 20;

/// What a backend answers for a while.
fn answers(kind: Kind) -> Vec<(&'static str, Answer)> {
    let soon = Duration::from_millis(1);
    let code = Answer::status;
    if kind.is_grpc() {
        let mut answers = vec![
            ("CANCELLED", code(CANCELLED)),
            ("DEADLINE_EXCEEDED", code(DEADLINE_EXCEEDED)),
            ("RESOURCE_EXHAUSTED with RetryInfo", retry_info(RESOURCE_EXHAUSTED, soon)),
            ("ABORTED", code(ABORTED)),
            ("OUT_OF_RANGE", code(OUT_OF_RANGE)),
            ("UNAVAILABLE", code(UNAVAILABLE)),
            ("UNAVAILABLE with RetryInfo", retry_info(UNAVAILABLE, soon)),
            ("DATA_LOSS", code(DATA_LOSS)),
        ];
        if kind == Kind::Jaeger {
            let busy = code(RESOURCE_EXHAUSTED).header("grpc-message", "server busy");
            answers.push(("server busy", busy));
            answers.push(("UNKNOWN", code(UNKNOWN)));
            answers.push(("INTERNAL", code(INTERNAL)));
        }
        return answers;
    }
    let past = "Wed, 21 Oct 2015 07:28:00 GMT";
    let mut answers = vec![
        ("429 with Retry-After", code(429).header("retry-after", "0")),
        ("429", code(429)),
        ("502", code(502).body("<html>Bad Gateway</html>")),
        ("503 with Retry-After", code(503).header("retry-after", "0")),
        ("503 with a date", code(503).header("retry-after", past)),
        ("503", code(503)),
        ("504", code(504)),
    ];
    if kind == Kind::Loki {
        answers.push(("500", code(500).body("ingester is not ready")));
    }
    answers
}

fn resets(kind: Kind) -> Vec<(&'static str, Answer)> {
    vec![
        ("reset in the request", kind.ok().reset(Reset::InRequest)),
        ("reset before the answer", kind.ok().reset(Reset::BeforeAnswer)),
        ("reset in the answer", kind.half()),
        ("slow", kind.ok().after(Duration::from_millis(300))),
    ]
}

/// One collector lives through them all.
async fn pass(kind: Kind) {
    let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
    for (what, fault) in answers(kind).into_iter().chain(resets(kind)) {
        let again = if kind.takes(&fault) { 0 } else { FAILING };
        run.fail(FAILING, fault);
        for request in 0..REQUESTS {
            run.send(what, request * ITEMS..(request + 1) * ITEMS).await;
        }
        let phase = run.phase(&format!("{kind:?}, {what}")).await;
        phase.complete();
        assert_eq!(phase.requests, REQUESTS + again, "{kind:?}, {what}: nothing in vain");
    }
    assert_eq!(run.collector.terminate().await, Some(0));
}

#[tokio::test]
async fn otlp_lives_through_what_passes() {
    pass(Kind::Otlp).await;
}

#[tokio::test]
async fn otlphttp_lives_through_what_passes() {
    pass(Kind::OtlpHttp).await;
}

#[tokio::test]
async fn jaeger_lives_through_what_passes() {
    pass(Kind::Jaeger).await;
}

#[tokio::test]
async fn loki_lives_through_what_passes() {
    pass(Kind::Loki).await;
}

#[tokio::test]
async fn a_backend_that_is_down_at_first_and_again_later() {
    for kind in Kind::ALL {
        let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
        for what in ["at first", "again"] {
            run.capture.stop().await;
            for request in 0..REQUESTS {
                run.send(what, request * ITEMS..(request + 1) * ITEMS).await;
            }
            run.is_failing().await;
            run.capture.resume().await.expect("the same port");
            run.phase(&format!("{kind:?} down {what}")).await.complete();
        }
    }
}

#[tokio::test]
async fn answers_that_do_not_come() {
    for kind in Kind::ALL {
        let settings = json!({"retry_on_failure": quick(), "timeout": "700ms"});
        let mut run = Run::start(kind, settings).await;
        run.fail(FAILING, kind.ok().after(NEVER));
        for request in 0..REQUESTS {
            run.send("late", request * ITEMS..(request + 1) * ITEMS).await;
        }
        let mut phase = run.phase(&format!("{kind:?}, no answer")).await;
        assert!(phase.requests >= REQUESTS + FAILING, "{kind:?}: {}", phase.requests);
        // On a slow machine an answer may be late that should not be.
        phase.taken.sort();
        phase.taken.dedup();
        phase.complete();
    }
}

#[tokio::test]
async fn no_sooner_than_the_backend_asks() {
    for kind in Kind::ALL {
        let faults = match kind.is_grpc() {
            true => [UNAVAILABLE, RESOURCE_EXHAUSTED].map(|code| retry_info(code, ASKED)),
            false => [429, 503].map(|code| {
                Answer::status(code).header("retry-after", &ASKED.as_secs().to_string())
            }),
        };
        let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
        for fault in faults {
            let what = format!("{kind:?}, {fault:?}");
            run.fail(1, fault);
            run.send("asked", 0..ITEMS).await;
            let phase = run.phase(&what).await;
            phase.complete();
            // Not a matter of how fast the machine is.
            let [first, second] = phase.at[..] else {
                panic!("{what}: {} requests", phase.requests)
            };
            assert!(second - first >= ASKED, "{what}: {:?}", second - first);
        }
    }
}
