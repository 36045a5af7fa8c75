//! The reference document as a whole: its code in an application of three pods with two processes
//! each, its collector configuration, its dashboard and its alerts, and real backends. What was sent
//! is counted by the customers; everything else is asked of where people look.

use std::time::Duration;

use obspipe_e2e::query::Trace;
use obspipe_e2e::{Load, Namespace, Panel, Shop, Stack, Totals, WITHIN, eventually, root};

/// The windows of the document's expressions.
const WINDOW: Duration = Duration::from_secs(300);
/// Over how long the dashboard's figures are averaged: counters arrive in batches of ten seconds,
/// and a single look is off by as much.
const LOOKED_AT: Duration = Duration::from_secs(120);
/// From the first order until every batch and scrape has its steady rhythm.
const SETTLED: Duration = Duration::from_secs(45);
const RATE: f64 = 10.0;
/// What the figures may differ by from what was sent.
const TOLERANCE: f64 = 0.02;
const ALERT: &str = "HighErrorRate";
/// Seconds between two looks of a range.
const STEP: u32 = 5;

pub(crate) async fn run(stack: &Stack) {
    let namespace = stack.namespace("picture").await.expect("a namespace");
    namespace.backends().await.expect("Jaeger and Loki");
    namespace.monitoring().await.expect("Prometheus and Alertmanager");
    let sample = std::fs::read_to_string(root().join("config/samples/otel.yaml"));
    namespace.pipeline(&sample.expect("the sample")).await.expect("a pipeline that is Ready");
    namespace.shop(&Shop::default()).await.expect("the application");

    let order = namespace.order("A-17", 42.5).await.expect("an order");
    let lasts = SETTLED + WINDOW + LOOKED_AT;
    let load = Load { rate: RATE, lasts: Some(lasts), ..Load::default() };
    let customers = namespace.load(&load).await.expect("customers");

    let trace = namespace.jaeger().whole(&order.trace, order.spans).await.expect("the trace");
    check_trace(&trace);
    check_log(&namespace, &trace).await;
    check_writers(&namespace).await;
    check_exemplars(&namespace).await;
    let prometheus = namespace.prometheus();
    prometheus.alert(ALERT, "pending", WITHIN).await.expect("the alert is pending");
    prometheus.alert(ALERT, "firing", WINDOW + WITHIN).await.expect("the alert fires");
    let held = prometheus.pending_for(ALERT).await.expect("an answer").expect("it is active");
    assert!(held >= WINDOW, "the document's `for: 5m` was not kept: {held:?}");
    let told = namespace.alertmanager().alert(ALERT, WITHIN).await.expect("at Alertmanager");
    assert_eq!(told["labels"]["severity"], "critical");
    assert_eq!(told["annotations"]["summary"], "High error rate detected");

    let totals = customers.finish(lasts).await.expect("the customers end");
    check_dashboard(&namespace, &totals).await;
    check_count(&namespace, &totals).await;
    let complaints = namespace.complaints().await.expect("the application's logs");
    assert!(complaints.is_empty(), "the SDK complains: {complaints:#?}");
}

/// The order's tree over two services, with what the document's code says of it.
fn check_trace(trace: &Trace) {
    let shown = trace.tree(&["order.id", "order.total"]);
    let of = |name: &str| trace.span(name).unwrap_or_else(|| panic!("no {name}:\n{shown}"));
    let above = |name: &str| trace.parent(of(name)).map(|span| span.name.as_str());
    assert_eq!(trace.spans.len(), 4, "{shown}");
    let order = of("process-order");
    assert_eq!(order.tags["order.id"], "A-17");
    assert_eq!(order.tags["order.total"], 42.5);
    assert_eq!(order.service, "shop");
    assert_eq!(above("process-order"), Some("POST /order"), "{shown}");
    assert_eq!(above("POST"), Some("process-order"), "{shown}");
    assert_eq!(above("POST /payment"), Some("POST"), "{shown}");
    assert_eq!(above("POST /order"), None, "{shown}");
    assert_eq!(of("POST /payment").service, "payment");
    assert_ne!(
        order.process["service.instance.id"],
        of("POST /payment").process["service.instance.id"]
    );
}

/// Each service's line of that trace, written in the span that Jaeger has.
async fn check_log(namespace: &Namespace, trace: &Trace) {
    let query = format!("{{job=~\"shop|payment\"}} |= \"{}\"", trace.id);
    let lines = namespace.loki().wait(&query, 2).await.expect("the lines");
    for (service, span) in [("shop", "process-order"), ("payment", "POST /payment")] {
        let line = lines.iter().find(|line| line.labels["job"] == service);
        let line = line.unwrap_or_else(|| panic!("no line of {service}: {lines:?}")).json();
        assert_eq!(line["traceid"], trace.id.as_str());
        assert_eq!(line["spanid"], trace.span(span).expect("the span").id.as_str());
        assert_eq!(line["attributes"]["order.id"], "A-17");
    }
}

/// Three pods of two processes are six writers, none in another's place.
async fn check_writers(namespace: &Namespace) {
    let query = "count(count by (instance) (http_requests_total{job=\"shop\",route=\"/order\"}))";
    let writers = namespace.prometheus().wait(query, WITHIN, |count| count >= 6.0).await;
    assert_eq!(writers.expect("six writers"), 6.0);
}

/// From a bar of the histogram to the trace of a request in it.
async fn check_exemplars(namespace: &Namespace) {
    let (prometheus, jaeger) = (namespace.prometheus(), namespace.jaeger());
    let look = async || {
        let ids = prometheus.exemplars("http_request_duration_seconds_bucket").await;
        for id in ids.map_err(|error| error.to_string())? {
            if let Ok(Some(trace)) = jaeger.trace(&id).await {
                return Ok(trace);
            }
        }
        Err("no exemplar leads to a trace".to_owned())
    };
    let trace = eventually("an exemplar's trace in Jaeger", WITHIN, look).await.expect("a trace");
    assert!(trace.span("POST /order").is_some(), "{}", trace.tree(&[]));
}

/// What the dashboard's own expressions show, against what the customers counted.
async fn check_dashboard(namespace: &Namespace, totals: &Totals) {
    assert_eq!(totals.failed, 0, "orders without an answer: {totals:?}");
    let panels = namespace.dashboard("otel-dashboard-service-overview").await.expect("it");
    let rate = series(namespace, &panels, "Request Rate").await;
    // One series for each writer and status; together they are what came in.
    close("the request rate", rate.iter().sum(), totals.rate());
    let errors = series(namespace, &panels, "Error Rate").await;
    let sent = 100.0 * totals.errors() as f64 / totals.answered as f64;
    assert!(sent > 4.0, "the application did not fail as it should: {totals:?}");
    close("the error rate", errors[0], sent);
    let p99 = series(namespace, &panels, "P99 Latency").await;
    // Two of a hundred orders take 0.4 s or more, which is in the bar from 0.25 s on.
    assert!(p99.iter().any(|seconds| *seconds > 0.25), "{p99:?}");
}

/// The mean of each series of a panel, while the customers were steady.
async fn series(namespace: &Namespace, panels: &[Panel], title: &str) -> Vec<f64> {
    let panel = panels.iter().find(|panel| panel.title == title);
    let expression = &panel.unwrap_or_else(|| panic!("no panel {title}: {panels:?}")).expression;
    let last = LOOKED_AT - Duration::from_secs(20);
    let found = namespace.prometheus().range(expression, last, STEP).await.expect("a range");
    assert!(!found.is_empty(), "{title} shows nothing");
    found.iter().map(|series| series.mean()).collect()
}

/// Every order that was answered is counted, once.
async fn check_count(namespace: &Namespace, totals: &Totals) {
    // The first order was not the customers'.
    let answered = (totals.answered + 1) as f64;
    let prometheus = namespace.prometheus();
    let query = "sum(http_requests_total)";
    let count = prometheus.wait(query, WITHIN, |count| count >= answered).await;
    assert_eq!(count.expect("all of them"), answered);
}

fn close(what: &str, seen: f64, sent: f64) {
    let off = (seen - sent).abs() / sent;
    assert!(off <= TOLERANCE, "{what}: {seen} was seen, {sent} was sent: {:.1} % off", off * 100.0);
    println!("{what}: {seen:.4} was seen, {sent:.4} was sent: {:.2} % off", off * 100.0);
}
