//! The real programs, each doing what it is there for: what the SDK of Python sends goes
//! through a collector of another's release into Jaeger, Loki or Prometheus and is found there.

use std::time::Duration;

use local_cluster::Spinner;
use obspipe_backends::{
    Answer, Capture, Endpoints, Jaeger, Loki, Otelcol, Prometheus, Protocol, PythonSdk, Release,
    Scrape, WITHIN,
};
use serde_json::Value;

/// The otlp receiver, a batch that hardly waits, and one pipeline with these exporters.
fn configuration(endpoints: &Endpoints, signal: &str, exporters: &[(&str, String)]) -> String {
    let Endpoints { otlp_grpc, otlp_http, .. } = endpoints;
    let names: Vec<&str> = exporters.iter().map(|(name, _)| *name).collect();
    let bodies: Vec<String> =
        exporters.iter().map(|(name, body)| format!("  {name}: {{ {body} }}\n")).collect();
    format!(
        "receivers:\n  otlp: {{ protocols: {{ grpc: {{ endpoint: '{otlp_grpc}' }}, http: {{ endpoint: '{otlp_http}' }} }} }}\n\
         processors:\n  batch: {{ timeout: 50ms }}\n\
         exporters:\n{}\
         service:\n  pipelines:\n    {signal}: {{ receivers: [otlp], processors: [batch], exporters: [{}] }}\n",
        bodies.concat(),
        names.join(", "),
    )
}

/// The value of a tag in Jaeger's JSON.
fn tag<'a>(entry: &'a Value, list: &str, key: &str) -> &'a Value {
    let tags = entry[list].as_array().unwrap();
    &tags.iter().find(|tag| tag["key"] == key).unwrap_or_else(|| panic!("no {key}: {tags:?}"))["value"]
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn spans_of_the_sdk_reach_jaeger_through_the_last_jaeger_exporter() {
    let progress = Spinner::new();
    let sdk = PythonSdk::provide(&progress).await.unwrap();
    let jaeger = Jaeger::start(&progress).await.unwrap();
    let capture = Capture::grpc(|_| Answer::grpc_ok()).await.unwrap();
    let collector = Otelcol::start(&progress, Release::Jaeger, |endpoints| {
        let to = |address| format!("endpoint: '{address}', tls: {{ insecure: true }}");
        let exporters =
            [("jaeger", to(jaeger.grpc_endpoint())), ("jaeger/capture", to(capture.address()))];
        configuration(endpoints, "traces", &exporters)
    })
    .await
    .unwrap();

    let emitted = sdk.emit(Protocol::Grpc, collector.endpoints().otlp_grpc, "shop").await.unwrap();

    let trace = jaeger.trace(&emitted.trace_id, 2).await.unwrap();
    let spans = trace["spans"].as_array().unwrap();
    let child = spans.iter().find(|span| span["operationName"] == "process-order").unwrap();
    assert_eq!(child["spanID"], *emitted.process_span_id);
    assert_eq!(child["references"][0]["spanID"], *emitted.checkout_span_id);
    assert_eq!(tag(child, "tags", "order.id"), "A-17");
    assert_eq!(tag(child, "tags", "order.total"), 42.5);
    assert_eq!(tag(child, "tags", "otel.status_code"), "OK");
    assert_eq!(tag(&child["logs"][0], "fields", "event"), "payment.accepted");
    let found = jaeger.find_traces("shop", "checkout").await.unwrap();
    assert_eq!(found[0]["traceID"], *emitted.trace_id);
    assert!(jaeger.services().await.unwrap().contains(&"shop".to_owned()));
    assert_eq!(jaeger.trace_now(&"0".repeat(31).replace('0', "1")).await.unwrap(), None);

    let received = capture.wait_for(1, WITHIN).await.unwrap();
    assert_eq!(received[0].path, "/jaeger.api_v2.CollectorService/PostSpans");
    assert!(contains(&received[0].body, "process-order"));
}

#[tokio::test]
async fn records_of_the_sdk_reach_loki_by_otlp() {
    let progress = Spinner::new();
    let sdk = PythonSdk::provide(&progress).await.unwrap();
    let loki = Loki::start(&progress).await.unwrap();
    let collector = Otelcol::start(&progress, Release::Peer, |endpoints| {
        let to_loki = format!("endpoint: '{}'", loki.otlp_url());
        configuration(endpoints, "logs", &[("otlphttp", to_loki)])
    })
    .await
    .unwrap();

    let emitted = sdk.emit(Protocol::Http, collector.endpoints().otlp_http, "shop").await.unwrap();

    let streams = loki.streams(r#"{service_name="shop"}"#, 1).await.unwrap();
    assert_eq!(streams[0]["values"][0][1], "order A-17 processed");
    assert_eq!(streams[0]["stream"]["trace_id"], *emitted.trace_id);
    assert_eq!(streams[0]["stream"]["severity_text"], "INFO");
}

#[tokio::test]
async fn records_of_the_sdk_reach_loki_through_the_last_loki_exporter() {
    let progress = Spinner::new();
    let sdk = PythonSdk::provide(&progress).await.unwrap();
    let loki = Loki::start(&progress).await.unwrap();
    let capture = Capture::http(|_| Answer::status(204)).await.unwrap();
    let collector = Otelcol::start(&progress, Release::Loki, |endpoints| {
        let exporters = [
            ("loki", format!("endpoint: '{}'", loki.push_url())),
            ("loki/capture", format!("endpoint: 'http://{}/push'", capture.address())),
        ];
        configuration(endpoints, "logs", &exporters)
    })
    .await
    .unwrap();

    let emitted = sdk.emit(Protocol::Grpc, collector.endpoints().otlp_grpc, "shop").await.unwrap();

    let streams = loki.streams(r#"{job="shop", level="INFO"}"#, 1).await.unwrap();
    assert_eq!(streams[0]["stream"]["exporter"], "OTLP");
    let line: Value = serde_json::from_str(streams[0]["values"][0][1].as_str().unwrap()).unwrap();
    assert_eq!(line["body"], "order A-17 processed");
    assert_eq!(line["traceid"], *emitted.trace_id);
    let received = capture.wait_for(1, WITHIN).await.unwrap();
    assert_eq!(received[0].path, "/push");
    assert_eq!(received[0].headers["content-type"], "application/x-protobuf");
}

#[tokio::test]
async fn metrics_of_the_sdk_are_scraped_by_prometheus_with_exemplars() {
    let progress = Spinner::new();
    let sdk = PythonSdk::provide(&progress).await.unwrap();
    let collector = Otelcol::start(&progress, Release::Peer, |endpoints| {
        let page = format!("endpoint: '{}', enable_open_metrics: true", endpoints.prometheus);
        configuration(endpoints, "metrics", &[("prometheus", page)])
    })
    .await
    .unwrap();
    let scrape = Scrape::of([collector.endpoints().prometheus]);
    let prometheus = Prometheus::start(&progress, &scrape).await.unwrap();

    let emitted = sdk.emit(Protocol::Grpc, collector.endpoints().otlp_grpc, "shop").await.unwrap();

    let samples = prometheus.samples(r#"http_requests_total{job="shop"}"#).await.unwrap();
    assert_eq!(samples[0]["metric"]["http_route"], "/checkout");
    assert_eq!(samples[0]["value"][1], "1");
    for name in ["http_requests_total", "http_request_duration_seconds_bucket"] {
        let exemplars = prometheus.query_exemplars(name).await.unwrap();
        let labels = &exemplars[0]["exemplars"][0]["labels"];
        assert_eq!(labels["trace_id"], *emitted.trace_id, "{name}");
        assert_eq!(labels["span_id"], *emitted.process_span_id, "{name}");
    }
    let series = prometheus.series(r#"{job="shop"}"#).await.unwrap();
    assert!(series.iter().any(|labels| labels["__name__"] == "target_info"), "{series:?}");
    prometheus.query("rate(").await.unwrap_err();
}

#[tokio::test]
async fn the_sdk_and_the_peer_are_captured() {
    let progress = Spinner::new();
    let sdk = PythonSdk::provide(&progress).await.unwrap();
    let http = Capture::http(|_| Answer::http_ok()).await.unwrap();
    let emitted = sdk.emit(Protocol::Http, http.address(), "shop").await.unwrap();
    assert_eq!(emitted.complaints, "");
    let mut paths: Vec<String> = http.received().into_iter().map(|it| it.path).collect();
    paths.sort();
    paths.dedup();
    assert_eq!(paths, ["/v1/logs", "/v1/metrics", "/v1/traces"]);

    // The peer compresses, and repeats what it was told to.
    let grpc = Capture::grpc(|number| match number {
        0 => Answer::status(14),
        _ => Answer::grpc_ok(),
    })
    .await
    .unwrap();
    let collector = Otelcol::start(&progress, Release::Peer, |endpoints| {
        let exporter = format!(
            "endpoint: '{}', tls: {{ insecure: true }}, retry_on_failure: {{ initial_interval: 100ms }}",
            grpc.address()
        );
        configuration(endpoints, "traces", &[("otlp", exporter)])
    })
    .await
    .unwrap();
    sdk.emit(Protocol::Grpc, collector.endpoints().otlp_grpc, "shop").await.unwrap();
    let received = grpc.wait_for(2, WITHIN).await.unwrap();
    assert_eq!(received[0].headers["grpc-encoding"], "gzip");
    assert_eq!(received[0].path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    assert_eq!(received[0].body, received[1].body);
    assert!(contains(&received[0].body, "process-order"));
    assert!(received[1].at - received[0].at >= Duration::from_millis(50));
}

#[tokio::test]
async fn a_collector_that_refuses_its_configuration_says_why() {
    let error = Otelcol::start(&Spinner::new(), Release::Peer, |_| {
        "exporters: { carrier_pigeon: {} }\n".to_owned()
    })
    .await
    .unwrap_err();
    assert!(error.to_string().contains("carrier_pigeon"), "{error}");
}

#[tokio::test]
async fn promtool_checks_rules() {
    let promtool = local_cluster::promtool(&Spinner::new()).await.unwrap();
    let rules = tempfile::NamedTempFile::new().unwrap();
    for (expression, good) in [("sum(rate(http_requests_total[5m]))", true), ("sum(", false)] {
        let text =
            format!("groups: [{{ name: shop, rules: [{{ record: a:b, expr: '{expression}' }}] }}]");
        std::fs::write(rules.path(), text).unwrap();
        let mut command = tokio::process::Command::new(&promtool);
        let output = command.args(["check", "rules"]).arg(rules.path()).output().await.unwrap();
        assert_eq!(output.status.success(), good, "{output:?}");
    }
}
