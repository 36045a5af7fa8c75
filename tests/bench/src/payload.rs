//! The telemetry that the generator sends, encoded once before the clock starts: typical web
//! service spans, container logs and request metrics, always the same for the same arguments.
//! Knows the messages, not how they are sent.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum,
    metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span, Status, span::SpanKind,
};

/// Spans in one request.
pub const SPANS: usize = 512;
/// Log records in one request.
pub const RECORDS: usize = 1000;
/// Data points in one request.
pub const POINTS: usize = 1000;
/// Different requests that are sent in turn.
pub const VARIANTS: u64 = 16;
/// What every trace id begins with, so that ids can be found again in the encoded bytes.
const ID_MARK: [u8; 8] = *b"\xb3\x1d\x9aTRACE";
/// Where the numbers that vary begin in a trace id.
const ID_VARIES: usize = ID_MARK.len();

/// One encoded request and how many items are in it.
#[derive(Clone, Debug)]
pub struct Payload {
    /// Protobuf, neither framed nor compressed.
    pub bytes: Vec<u8>,
    /// Spans, data points or log records.
    pub items: u64,
}

/// Requests of [`SPANS`] spans, about 410 bytes each, no two with the same ids.
#[must_use]
pub fn traces(now_ns: u64) -> Vec<Payload> {
    (0..VARIANTS).map(|variant| payload(&trace_request(variant, now_ns), SPANS)).collect()
}

/// Requests of [`RECORDS`] log records, about 150 bytes each.
#[must_use]
pub fn logs(now_ns: u64) -> Vec<Payload> {
    (0..VARIANTS).map(|variant| payload(&log_request(variant, now_ns), RECORDS)).collect()
}

/// Requests that make `series` live series together, up to [`POINTS`] in each.
#[must_use]
pub fn metrics(series: usize, now_ns: u64) -> Vec<Payload> {
    (0..series.div_ceil(POINTS))
        .map(|at| {
            let points = POINTS.min(series - at * POINTS);
            payload(&metric_request(at * POINTS, points, now_ns), points)
        })
        .collect()
}

/// Where the trace ids' varying halves are in encoded spans.
#[must_use]
pub fn id_offsets(bytes: &[u8]) -> Vec<usize> {
    let at = bytes.windows(ID_MARK.len()).enumerate();
    at.filter(|(_, window)| **window == ID_MARK).map(|(at, _)| at + ID_VARIES).collect()
}

/// Gives every span of `bytes` an id of its own that depends on `number`.
pub fn patch_ids(bytes: &mut [u8], offsets: &[usize], number: u64) {
    for (n, at) in offsets.iter().enumerate() {
        let id = mix(number << 16 | n as u64).to_be_bytes();
        if let Some(place) = bytes.get_mut(*at..at + id.len()) {
            place.copy_from_slice(&id);
        }
    }
}

fn payload(message: &impl prost::Message, items: usize) -> Payload {
    Payload { bytes: message.encode_to_vec(), items: items as u64 }
}

/// A number that looks random and is always the same (splitmix64's finisher).
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.into())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn number(key: &str, value: i64) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::IntValue(value)) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn resource(instance: u64) -> Resource {
    let attributes = vec![
        text("service.name", "checkout"),
        text("service.namespace", "shop"),
        text("service.version", "2.14.3"),
        text("service.instance.id", format!("checkout-{instance}")),
        text("k8s.namespace.name", "shop"),
        text("k8s.pod.name", format!("checkout-7d9c5b8f4-{:05x}", mix(instance) & 0xf_ffff)),
        text("telemetry.sdk.language", "go"),
    ];
    Resource { attributes, ..Resource::default() }
}

fn scope(name: &str) -> InstrumentationScope {
    InstrumentationScope { name: name.to_owned(), version: "0.61.0".into(), ..Default::default() }
}

fn trace_request(variant: u64, now_ns: u64) -> ExportTraceServiceRequest {
    let spans = (0..SPANS as u64).map(|n| span(variant << 16 | n, now_ns)).collect();
    let scope = Some(scope("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"));
    let scope_spans = vec![ScopeSpans { scope, spans, ..ScopeSpans::default() }];
    let resource = Some(resource(variant));
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }
}

fn span(n: u64, now_ns: u64) -> Span {
    let random = mix(n);
    let took_ns = 200_000 + random % 90_000_000;
    let failed = random.is_multiple_of(97);
    let trace_id = [ID_MARK, random.to_be_bytes()].concat();
    Span {
        trace_id,
        span_id: mix(random).to_be_bytes().to_vec(),
        parent_span_id: mix(random ^ 1).to_be_bytes().to_vec(),
        name: "GET /api/v1/orders/{order_id}".into(),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: now_ns - took_ns,
        end_time_unix_nano: now_ns,
        attributes: vec![
            text("http.request.method", "GET"),
            text("http.route", "/api/v1/orders/{order_id}"),
            text("url.path", format!("/api/v1/orders/{:08x}", random >> 32)),
            text("server.address", "checkout.shop.svc.cluster.local"),
            number("http.response.status_code", if failed { 500 } else { 200 }),
            text("user_agent.original", "okhttp/4.12.0 (Android 14)"),
            text("client.address", format!("10.42.{}.{}", random >> 8 & 0xff, random & 0xff)),
            text("enduser.id", format!("user-{:06}", random % 1_000_000)),
        ],
        status: Some(Status { code: if failed { 2 } else { 0 }, message: String::new() }),
        flags: 0x101,
        ..Span::default()
    }
}

fn log_request(variant: u64, now_ns: u64) -> ExportLogsServiceRequest {
    let log_records = (0..RECORDS as u64).map(|n| record(variant << 16 | n, now_ns)).collect();
    let scope = Some(scope("checkout"));
    let scope_logs = vec![ScopeLogs { scope, log_records, ..ScopeLogs::default() }];
    let resource = Some(resource(variant));
    let resource_logs = vec![ResourceLogs { resource, scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }
}

fn record(n: u64, now_ns: u64) -> LogRecord {
    let random = mix(n);
    let body = format!(
        "order {:08x} of user-{:06} accepted in {} ms",
        random >> 32,
        random % 1_000_000,
        random % 90
    );
    LogRecord {
        // Backends want a stream's lines in order.
        time_unix_nano: now_ns + n,
        observed_time_unix_nano: now_ns + n,
        severity_number: 9,
        severity_text: "INFO".into(),
        body: Some(AnyValue { value: Some(Value::StringValue(body)) }),
        attributes: vec![text("log.iostream", "stdout"), text("code.function.name", "AcceptOrder")],
        ..LogRecord::default()
    }
}

fn metric_request(first: usize, points: usize, now_ns: u64) -> ExportMetricsServiceRequest {
    const PER_METRIC: usize = 100;
    let metrics = (0..points.div_ceil(PER_METRIC))
        .map(|at| {
            let begin = at * PER_METRIC;
            let series = (first + begin)..(first + points.min(begin + PER_METRIC));
            metric(at, series.map(|series| point(series as u64, now_ns)).collect())
        })
        .collect();
    let scope = Some(scope("go.opentelemetry.io/otel/metric"));
    let scope_metrics = vec![ScopeMetrics { scope, metrics, ..ScopeMetrics::default() }];
    let resource = Some(resource((first / POINTS) as u64));
    let resource_metrics = ResourceMetrics { resource, scope_metrics, ..Default::default() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource_metrics] }
}

/// Even ones are counters, odd ones gauges.
fn metric(at: usize, data_points: Vec<NumberDataPoint>) -> Metric {
    let aggregation_temporality = AggregationTemporality::Cumulative.into();
    let (name, unit, data) = if at.is_multiple_of(2) {
        let sum = Sum { data_points, aggregation_temporality, is_monotonic: true };
        ("shop.orders.accepted", "{order}", metric::Data::Sum(sum))
    } else {
        ("shop.queue.waiting", "{order}", metric::Data::Gauge(Gauge { data_points }))
    };
    Metric {
        name: format!("{name}.{at}"),
        description: "Orders, by route and shard".into(),
        unit: unit.into(),
        data: Some(data),
        ..Metric::default()
    }
}

fn point(series: u64, now_ns: u64) -> NumberDataPoint {
    NumberDataPoint {
        attributes: vec![
            text("http.route", "/api/v1/orders/{order_id}"),
            text("http.request.method", "GET"),
            text("shard", format!("{series:06}")),
        ],
        start_time_unix_nano: now_ns - 60_000_000_000,
        time_unix_nano: now_ns,
        value: Some(number_data_point::Value::AsInt((mix(series) % 100_000) as i64)),
        ..NumberDataPoint::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use prost::Message as _;

    use super::*;

    const NOW: u64 = 1_700_000_000_000_000_000;

    fn per_item(payloads: &[Payload]) -> u64 {
        payloads[0].bytes.len() as u64 / payloads[0].items
    }

    #[test]
    fn sizes_are_as_documented() {
        let spans = per_item(&traces(NOW));
        assert!((390..=430).contains(&spans), "{spans} bytes per span");
        let records = per_item(&logs(NOW));
        assert!((140..=160).contains(&records), "{records} bytes per log record");
        assert_eq!(traces(NOW)[3].bytes, traces(NOW)[3].bytes, "always the same");
    }

    #[test]
    fn ids_are_found_and_patched_in_place() {
        let before = traces(NOW).remove(1).bytes;
        let offsets = id_offsets(&before);
        assert_eq!(offsets.len(), SPANS);
        let mut after = before.clone();
        patch_ids(&mut after, &offsets, 12_345);
        let decode = |bytes: &[u8]| ExportTraceServiceRequest::decode(bytes).unwrap();
        let spans = |bytes: &[u8]| decode(bytes).resource_spans[0].scope_spans[0].spans.clone();
        let ids: HashSet<_> = [spans(&before), spans(&after)]
            .concat()
            .into_iter()
            .map(|span| span.trace_id)
            .collect();
        assert_eq!(ids.len(), 2 * SPANS);
        let mut same = decode(&after);
        for (span, old) in
            same.resource_spans[0].scope_spans[0].spans.iter_mut().zip(spans(&before))
        {
            span.trace_id = old.trace_id;
        }
        assert_eq!(same, decode(&before), "nothing but the ids has changed");
    }

    #[test]
    fn live_series_are_as_many_as_asked_for() {
        let payloads = metrics(2_350, NOW);
        assert_eq!(payloads.iter().map(|p| p.items).collect::<Vec<_>>(), [1000, 1000, 350]);
        let mut series = HashSet::new();
        for payload in &payloads {
            let request = ExportMetricsServiceRequest::decode(&payload.bytes[..]).unwrap();
            for metric in &request.resource_metrics[0].scope_metrics[0].metrics {
                let points = match metric.data.as_ref().unwrap() {
                    metric::Data::Sum(sum) => &sum.data_points,
                    metric::Data::Gauge(gauge) => &gauge.data_points,
                    other => panic!("{other:?}"),
                };
                for point in points {
                    series.insert(format!("{} {:?}", metric.name, point.attributes));
                }
            }
        }
        assert_eq!(series.len(), 2_350);
    }
}
