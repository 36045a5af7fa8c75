use std::time::Duration;

use futures::FutureExt as _;
use http_body_util::BodyExt as _;
use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use tokio::time::advance;

use super::super::checker;
use super::super::format::Format;
use super::super::make::{attributes, gauge, point, request, settings};
use super::*;
use crate::flow::chunk::Chunk;
use crate::testing::spans;

const SERIES: usize = 20_000;

fn exporter() -> (Arc<Account>, Prometheus) {
    let account = Account::new(usize::MAX);
    let exporter = Prometheus::new(&settings(), &account);
    (account, exporter)
}

/// A gauge of so many series.
fn load(name: &str, series: usize) -> Load {
    let numbered = |n: usize| NumberDataPoint {
        attributes: attributes(&[("n", &n.to_string())]),
        ..point(1, 2, 1.0)
    };
    let bytes = request(vec![gauge(name, (0..series).map(numbered).collect())]).into();
    Chunk { bytes, items: series, ..spans("metrics", 1) }.into()
}

async fn page(exporter: &Prometheus) -> String {
    let shown = exporter.page("/metrics", None).await.unwrap();
    let body = shown.body.collect().await.unwrap();
    String::from_utf8(body.to_bytes().into()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_forgotten_when_a_page_is_made() {
    let (account, exporter) = exporter();
    assert!(exporter.consume(Signal::Metrics, &load("g", SERIES)).is_empty());
    assert!(account.used() > 0);
    advance(Duration::from_secs(299)).await;
    assert_eq!(page(&exporter).await.lines().filter(|line| line.starts_with("g{")).count(), SERIES);
    advance(Duration::from_secs(11)).await;
    assert!(!page(&exporter).await.contains("g{"));
    assert_eq!((exporter.figures()["series"], account.used()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_forgotten_when_others_write() {
    let (_, exporter) = exporter();
    exporter.consume(Signal::Metrics, &load("g", SERIES));
    advance(Duration::from_secs(301)).await;
    let mut left = vec![exporter.figures()["series"]];
    while left.last() != Some(&1) {
        exporter.consume(Signal::Metrics, &load("other", 1));
        left.push(exporter.figures()["series"]);
        assert!(left.len() < 10, "{left:?}");
    }
    assert!(left.len() > 3, "not all at once: {left:?}");
}

/// A page of many series holds up neither who writes nor who runs on the same thread.
#[tokio::test]
async fn between_the_parts_of_a_page_others_write() {
    let (_, exporter) = exporter();
    exporter.consume(Signal::Metrics, &load("g", SERIES));
    let mut body = exporter.page("/metrics", None).await.unwrap().body;
    let (mut parts, mut text) = (0, Vec::new());
    loop {
        match body.frame().now_or_never() {
            Some(Some(part)) => {
                let part = part.unwrap().into_data().unwrap();
                assert!(part.len() <= super::super::page::PART, "{}", part.len());
                text.extend_from_slice(&part);
                continue;
            }
            Some(None) => break,
            None => parts += 1,
        }
        // It would wait for ever if the page held the store.
        exporter.consume(Signal::Metrics, &load(&format!("new{parts}"), 3));
    }
    assert!(parts > 20, "{parts}");
    let text = String::from_utf8(text).unwrap();
    checker::check(&text, Format::Text);
    assert_eq!(text.lines().filter(|line| line.starts_with("g{")).count(), SERIES);
    assert_eq!(exporter.figures()["series"], (SERIES + 3 * parts) as u64);
}
