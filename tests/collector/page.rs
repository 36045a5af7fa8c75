//! The page of a prometheus exporter, as far as no test with a real Prometheus shows it.

use std::net::SocketAddr;

use obspipe_backends::http;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::collector::Collector;
use crate::telemetry::gauge;

const CONFIGURATION: &str = "receivers: {otlp: {protocols: {http: {endpoint: '{http}'}}}}\n\
    exporters: {prometheus: {endpoint: '{page}'}}\n\
    service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}}\n";

/// What series_limit is unless configured.
const SERIES: usize = 100_000;
const READERS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_series_is_a_page() {
    let collector = Collector::start(CONFIGURATION).await;
    http::get(collector.page, "/metrics").await.expect("a page");
}

/// Asks for the page, and reads no further than its beginning.
async fn stalled(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("sent");
    let mut begun = [0; 15];
    stream.read_exact(&mut begun).await.expect("an answer");
    assert_eq!(&begun, b"HTTP/1.1 200 OK");
    stream
}

/// Each has a page before them that is longer than all that they may cost together.
#[tokio::test(flavor = "multi_thread")]
async fn those_who_do_not_read_on_cost_little() {
    let collector = Collector::start(CONFIGURATION).await;
    let offer = async |name: &str, numbers| {
        let headers = [("content-type", "application/x-protobuf")];
        let response =
            http::post(collector.http, "/v1/metrics", &headers, gauge(name, numbers)).await;
        assert_eq!(response.expect("an answer").status, 200);
    };
    for first in (1..SERIES).step_by(5000) {
        offer("g", first..(first + 5000).min(SERIES)).await;
    }
    let (before, _) = collector.resident();
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(stalled(collector.page).await);
    }
    // Others are served meanwhile, and what comes is taken.
    offer("late", 0..1).await;
    let page = http::get(collector.page, "/metrics").await.expect("a page");
    let page = String::from_utf8(page.into()).expect("UTF-8");
    let of = |name: &str| page.lines().filter(|line| line.starts_with(name)).count();
    assert_eq!((of("g{"), of("late{")), (SERIES - 1, 1));
    let more = collector.resident().0.saturating_sub(before) >> 20;
    println!("{READERS} readers of a page of {} MiB: {more} MiB", page.len() >> 20);
    assert!(more < 32, "{more} MiB for a page of {} MiB", page.len() >> 20);
    drop(readers);
}
