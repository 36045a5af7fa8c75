//! The page of a prometheus exporter, as far as no test with a real Prometheus shows it.

use obspipe_backends::http;

use crate::collector::Collector;

const CONFIGURATION: &str = "receivers: {otlp: {protocols: {grpc: {endpoint: '{grpc}'}}}}\n\
    exporters: {prometheus: {endpoint: '{page}'}}\n\
    service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}}\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_series_is_a_page() {
    let collector = Collector::start(CONFIGURATION).await;
    http::get(collector.page, "/metrics").await.expect("a page");
}
