//! Telemetry to send: requests of spans, numbered, so that what arrives can be told apart.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

/// An attribute of text.
pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.into(), value, ..Default::default() }
}

/// A request of spans named `<service>-<number>`, each with so many bytes of filling.
pub(crate) fn spans(service: &str, numbers: std::ops::Range<usize>, filling: usize) -> Vec<u8> {
    spans_of(service, service, numbers, filling)
}

/// The same of a service with another name than its spans.
pub(crate) fn spans_of(
    service: &str,
    name: &str,
    numbers: std::ops::Range<usize>,
    filling: usize,
) -> Vec<u8> {
    let filling = text("filling", &"x".repeat(filling));
    let span = |number: usize| Span {
        trace_id: vec![7; 16],
        span_id: (number as u64 + 1).to_be_bytes().to_vec(),
        name: format!("{name}-{number}"),
        kind: 2,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_100_000_000,
        attributes: vec![filling.clone()],
        ..Default::default()
    };
    let resource =
        Resource { attributes: vec![text("service.name", service)], ..Default::default() };
    let scope_spans = ScopeSpans { spans: numbers.map(span).collect(), ..Default::default() };
    let resource_spans = ResourceSpans {
        resource: Some(resource),
        scope_spans: vec![scope_spans],
        ..Default::default()
    };
    ExportTraceServiceRequest { resource_spans: vec![resource_spans] }.encode_to_vec()
}

/// A request of log records that say `<service>-<number>`.
pub(crate) fn logs(service: &str, numbers: std::ops::Range<usize>) -> Vec<u8> {
    let record = |number: usize| LogRecord {
        time_unix_nano: 1_700_000_000_000_000_000 + number as u64,
        body: text("", &format!("{service}-{number}")).value,
        ..Default::default()
    };
    let resource =
        Resource { attributes: vec![text("service.name", service)], ..Default::default() };
    let scope_logs = ScopeLogs { log_records: numbers.map(record).collect(), ..Default::default() };
    let resource_logs = ResourceLogs {
        resource: Some(resource),
        scope_logs: vec![scope_logs],
        ..Default::default()
    };
    ExportLogsServiceRequest { resource_logs: vec![resource_logs] }.encode_to_vec()
}

/// A request of a gauge with a series for each number.
pub(crate) fn gauge(name: &str, numbers: std::ops::Range<usize>) -> Vec<u8> {
    let point = |number: usize| NumberDataPoint {
        attributes: vec![text("number", &number.to_string())],
        time_unix_nano: 1_700_000_000_000_000_000,
        ..Default::default()
    };
    let data = Some(Data::Gauge(Gauge { data_points: numbers.map(point).collect() }));
    let metric = Metric { name: name.to_owned(), data, ..Default::default() };
    let resource_metrics = ResourceMetrics {
        scope_metrics: vec![ScopeMetrics { metrics: vec![metric], ..Default::default() }],
        ..Default::default()
    };
    ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }.encode_to_vec()
}

/// The names of all spans of a request, in order.
pub(crate) fn names(request: &[u8]) -> Vec<String> {
    let request = ExportTraceServiceRequest::decode(request).expect("a request of spans");
    let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).map(|span| span.name).collect()
}

/// What all log records of a request say, in order.
pub(crate) fn log_names(request: &[u8]) -> Vec<String> {
    let request = ExportLogsServiceRequest::decode(request).expect("a request of log records");
    let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
    let said = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        other => panic!("no text: {other:?}"),
    };
    scopes.flat_map(|scope| scope.log_records).map(|record| said(record.body)).collect()
}
