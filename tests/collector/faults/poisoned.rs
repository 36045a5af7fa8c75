//! One client among ten whose items the backend refuses, and with them every request they are in.

use obspipe_backends::Answer;
use serde_json::json;

use super::backend::{INVALID_ARGUMENT, Kind};
use super::run::{Run, quick, same};
use crate::telemetry;

const CLIENTS: usize = 10;

/// Ten clients' requests of so many items, all in one batch; one client is poisoned.
async fn nine_lose_nothing(kind: Kind, items: usize, one_service: bool) {
    nine_of_many_lose_nothing(kind, 1, items, one_service).await;
}

/// The same with so many requests of each client, by turns.
async fn nine_of_many_lose_nothing(kind: Kind, requests: usize, each: usize, one_service: bool) {
    let items = requests * each;
    let batch = json!({"batch": {"send_batch_size": CLIENTS * items, "timeout": "3600s"}});
    let settings = json!({"retry_on_failure": quick()});
    let mut run = Run::start_with(kind, settings, &batch, &[]).await;
    let mut lost = 0;
    for bad in [0, 4, 9] {
        let what = format!("{kind:?}, {items} items, one service: {one_service}, client {bad}");
        let poison = format!("client{bad}-");
        let answer = Answer::status(if kind.is_grpc() { INVALID_ARGUMENT } else { 400 });
        let bad_name = poison.clone();
        run.capture.judge(move |received| {
            let names = kind.names(&received.body);
            names.iter().any(|name| name.starts_with(&bad_name)).then(|| answer.clone())
        });
        for number in 0..requests * CLIENTS {
            let (turn, name) = (number / CLIENTS, format!("client{}", number % CLIENTS));
            let service = if one_service { "shop" } else { &name };
            let numbers = turn * each..(turn + 1) * each;
            run.offer_body(telemetry::spans_of(service, &name, numbers, 50)).await;
        }
        let phase = run.phase(&what).await;
        let good: Vec<String> = phase.acknowledged.clone();
        let good: Vec<String> =
            good.into_iter().filter(|name| !name.starts_with(&poison)).collect();
        assert_eq!(good.len(), (CLIENTS - 1) * items, "{what}: all were acknowledged");
        same(&what, &phase.taken, &good);
        lost += items;
        assert_eq!(phase.reasons, json!({"rejected_by_backend": lost}), "{what}");
        // A handful of bad items is found one by one, and more are not looked for: of each request,
        // and four times that of all.
        let found = (8 * requests).min(32) * ((CLIENTS * items).ilog2() as usize + 1);
        let bound = 2 * requests * CLIENTS + 2 * found;
        println!("{what}: {} requests of {bound}", phase.requests);
        assert!(phase.requests <= bound, "{what}: {} requests", phase.requests);
    }
}

#[tokio::test]
async fn otlp() {
    nine_lose_nothing(Kind::Otlp, 20, false).await;
    nine_lose_nothing(Kind::Otlp, 500, true).await;
}

#[tokio::test]
async fn otlphttp() {
    nine_lose_nothing(Kind::OtlpHttp, 20, false).await;
    nine_lose_nothing(Kind::OtlpHttp, 500, true).await;
}

#[tokio::test]
async fn jaeger_of_ten_services() {
    nine_lose_nothing(Kind::Jaeger, 20, false).await;
    nine_lose_nothing(Kind::Jaeger, 500, false).await;
}

#[tokio::test]
async fn jaeger_of_one_service() {
    nine_lose_nothing(Kind::Jaeger, 20, true).await;
    nine_lose_nothing(Kind::Jaeger, 500, true).await;
}

/// To find them all takes more refusals than a single client's request is looked through for.
#[tokio::test]
async fn five_hundred_poisoned_spans_in_fifty_requests() {
    for kind in [Kind::Otlp, Kind::OtlpHttp, Kind::Jaeger] {
        nine_of_many_lose_nothing(kind, 50, 10, true).await;
    }
}

#[tokio::test]
async fn one_bad_span_among_a_thousand_is_found() {
    for kind in [Kind::Otlp, Kind::OtlpHttp, Kind::Jaeger] {
        let mut run = Run::start(kind, json!({"retry_on_failure": quick()})).await;
        let answer = Answer::status(if kind.is_grpc() { INVALID_ARGUMENT } else { 400 });
        run.capture.judge(move |received| {
            let names = kind.names(&received.body);
            names.iter().any(|name| name == "span-777").then(|| answer.clone())
        });
        run.send("span", 0..1024).await;
        let mut phase = run.phase(&format!("{kind:?}")).await;
        phase.acknowledged.retain(|name| name != "span-777");
        same(&format!("{kind:?}"), &phase.taken, &phase.acknowledged);
        assert_eq!(phase.reasons, json!({"rejected_by_backend": 1}));
        // The whole and two halves for each time that it is halved.
        assert_eq!(phase.requests, 1 + 2 * 10, "{kind:?}");
    }
}

/// A backend that is told to refuse everything, as by a wrong path: not two requests an item.
#[tokio::test]
async fn where_everything_is_refused_the_search_ends() {
    const CLIENTS: usize = 100;
    const ITEMS: usize = 50;
    let batch = json!({"batch": {"send_batch_size": CLIENTS * ITEMS, "timeout": "3600s"}});
    for kind in [Kind::Otlp, Kind::OtlpHttp, Kind::Jaeger] {
        let settings = json!({"retry_on_failure": quick()});
        let mut run = Run::start_with(kind, settings, &batch, &[]).await;
        run.fail(usize::MAX, Answer::status(if kind.is_grpc() { INVALID_ARGUMENT } else { 400 }));
        for client in 0..CLIENTS {
            run.offer_body(telemetry::spans_of("shop", &format!("client{client}"), 0..ITEMS, 50))
                .await;
        }
        let phase = run.phase(&format!("{kind:?}")).await;
        assert_eq!(phase.reasons, json!({"rejected_by_backend": CLIENTS * ITEMS}));
        println!("{kind:?}: {} requests", phase.requests);
        assert!(phase.requests < 1200, "{kind:?}: {} requests", phase.requests);
    }
}
