//! The document's own configuration, byte for byte, between OpenTelemetry's SDK and the real Jaeger,
//! Loki and Prometheus.

use std::net::SocketAddr;
use std::path::Path;

use local_cluster::Silent;
use obspipe_backends::{
    Emitted, Jaeger, Launch, Loki, Process, Prometheus, Protocol, PythonSdk, Ready, Scrape,
};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::collector::binary;

/// The address that the document's names of backends lead to: nobody else listens there.
const BACKENDS: &str = "127.0.77.1";

/// Leads connections on.
async fn lead(port: u16, to: SocketAddr) {
    let listener = TcpListener::bind((BACKENDS, port)).await.expect("the document's port");
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut to) = TcpStream::connect(to).await {
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                }
            });
        }
    });
}

/// Starts the collector as the document does, `--config=` and nothing else, where `jaeger` and
/// `loki` are names of [`BACKENDS`]: in a mount namespace with an /etc/hosts of its own.
async fn start() -> Process {
    let started = Process::start("collector", |[admin], directory| {
        let hosts = directory.join("hosts");
        std::fs::write(&hosts, format!("127.0.0.1 localhost\n{BACKENDS} jaeger loki\n"))
            .expect("writable");
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("collector/document.yaml");
        let script = format!(
            "mount --bind '{}' /etc/hosts && exec '{}' --config='{}'",
            hosts.display(),
            binary().display(),
            config.display()
        );
        let arguments = vec![
            "--mount".to_owned(),
            "env".to_owned(),
            format!("OBSPIPE_ADMIN_LISTEN={admin}"),
            "sh".to_owned(),
            "-c".to_owned(),
            script,
        ];
        let ready = Ready::Answers(*admin, "/readyz");
        Ok(Launch { program: "unshare".into(), arguments, ready })
    });
    started.await.expect("a collector").0
}

fn tag<'a>(span: &'a Value, key: &str) -> &'a Value {
    let tags = span["tags"].as_array().expect("tags");
    let found = tags.iter().find(|tag| tag["key"] == key);
    &found.unwrap_or_else(|| panic!("no tag {key}: {span:#}"))["value"]
}

async fn check_trace(jaeger: &Jaeger, emitted: &Emitted, service: &str) {
    let trace = jaeger.trace(&emitted.trace_id, 2).await.expect("the trace");
    let spans = trace["spans"].as_array().expect("spans");
    let span =
        spans.iter().find(|span| span["operationName"] == "process-order").expect("the span");
    assert_eq!(span["spanID"], emitted.process_span_id.as_str());
    assert_eq!(tag(span, "order.id"), "A-17");
    assert_eq!(tag(span, "order.total"), 42.5);
    assert_eq!(tag(span, "span.kind"), "internal");
    assert_eq!(tag(span, "otel.status_code"), "OK");
    let parent = &span["references"][0];
    assert_eq!(parent["refType"], "CHILD_OF");
    assert_eq!(parent["spanID"], emitted.checkout_span_id.as_str());
    assert_eq!(span["logs"][0]["fields"][0]["value"], "payment.accepted", "{span:#}");
    let process = span["processID"].as_str().expect("a process");
    assert_eq!(trace["processes"][process]["serviceName"], service);
}

async fn check_log(loki: &Loki, emitted: &Emitted, service: &str) {
    let query = format!("{{job=\"{service}\"}}");
    let streams = loki.streams(&query, 1).await.expect("the stream");
    let labels = &streams[0]["stream"];
    assert_eq!(labels["exporter"], "OTLP");
    assert_eq!(labels["instance"], format!("{service}-1"));
    assert_eq!(labels["level"], "INFO");
    let line = streams[0]["values"][0][1].as_str().expect("a line");
    let line: Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["body"], "order A-17 processed");
    assert_eq!(line["traceid"], emitted.trace_id.as_str());
    assert_eq!(line["spanid"], emitted.process_span_id.as_str());
    assert_eq!(line["severity"], "INFO");
    assert_eq!(line["attributes"]["order.id"], "A-17");
}

async fn check_metrics(prometheus: &Prometheus, emitted: &Emitted, service: &str) {
    let labels = format!("{{job=\"{service}\",instance=\"{service}-1\",http_route=\"/checkout\"}}");
    let value = |samples: &[Value]| samples[0]["value"][1].as_str().map(str::to_owned);
    let counter = prometheus.samples(&format!("http_requests_total{labels}")).await.expect("it");
    assert_eq!(value(&counter).as_deref(), Some("1"));
    let query = format!("http_request_duration_seconds_count{labels}");
    let count = prometheus.samples(&query).await.expect("the histogram");
    assert_eq!(value(&count).as_deref(), Some("1"));
    let query = format!("http_request_duration_seconds_bucket{labels}");
    let exemplars = prometheus.query_exemplars(&query).await.expect("an exemplar");
    let exemplar = &exemplars[0]["exemplars"][0];
    assert_eq!(exemplar["labels"]["trace_id"], emitted.trace_id.as_str(), "{exemplars:#?}");
    assert_eq!(exemplar["labels"]["span_id"], emitted.process_span_id.as_str());
    assert_eq!(exemplar["value"], "0.123");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documents_configuration_as_it_is() {
    let jaeger = Jaeger::start(&Silent).await.expect("Jaeger");
    let loki = Loki::start(&Silent).await.expect("Loki");
    let page: SocketAddr = "127.0.0.1:8889".parse().expect("an address");
    let scrape = Scrape { honor_labels: true, ..Scrape::of([page]) };
    let prometheus = Prometheus::start(&Silent, &scrape).await.expect("Prometheus");
    lead(14250, jaeger.grpc_endpoint()).await;
    lead(3100, loki.address()).await;
    let collector = start().await;
    let sdk = PythonSdk::provide(&Silent).await.expect("the SDK");
    let ways = [(Protocol::Grpc, 4317, "shop-grpc"), (Protocol::Http, 4318, "shop-http")];
    let mut sent = Vec::new();
    for (protocol, port, service) in ways {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let emitted = sdk.emit(protocol, address, service).await.expect("sent");
        assert_eq!(emitted.complaints, "", "{}", collector.log());
        sent.push((emitted, service));
    }
    for (emitted, service) in &sent {
        check_trace(&jaeger, emitted, service).await;
        check_log(&loki, emitted, service).await;
        check_metrics(&prometheus, emitted, service).await;
    }
}
