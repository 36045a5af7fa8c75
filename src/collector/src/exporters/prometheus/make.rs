//! Requests for the tests: metrics as opentelemetry-proto has them, encoded.

use obspipe_model::components::prometheus::Prometheus;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, InstrumentationScope, KeyValue, any_value::Value,
};
use opentelemetry_proto::tonic::metrics::v1::{
    Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics,
    Sum, metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::format::{Format, Negotiated};
use super::page::Page;
use super::store::{Store, Written};

/// Seconds in nanoseconds.
pub(super) const SECOND: u64 = 1_000_000_000;

pub(super) fn settings() -> Prometheus {
    Prometheus::default()
}

pub(super) fn store(settings: &Prometheus) -> Store {
    Store::new(settings)
}

pub(super) fn any(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

pub(super) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: any(value), ..Default::default() }
}

pub(super) fn attributes(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    pairs.iter().map(|(k, v)| attribute(k, Value::StringValue((*v).to_owned()))).collect()
}

pub(super) fn resource(pairs: &[(&str, &str)], metrics: Vec<Metric>) -> ResourceMetrics {
    ResourceMetrics {
        resource: Some(Resource { attributes: attributes(pairs), ..Default::default() }),
        scope_metrics: vec![ScopeMetrics {
            scope: Some(InstrumentationScope { name: "lib".to_owned(), ..Default::default() }),
            metrics,
            schema_url: String::new(),
        }],
        schema_url: String::new(),
    }
}

pub(super) fn encode(resource_metrics: Vec<ResourceMetrics>) -> Vec<u8> {
    ExportMetricsServiceRequest { resource_metrics }.encode_to_vec()
}

/// A request of one resource `app` and these metrics.
pub(super) fn request(metrics: Vec<Metric>) -> Vec<u8> {
    encode(vec![resource(&[("service.name", "app")], metrics)])
}

pub(super) fn metric(name: &str, data: Data) -> Metric {
    Metric { name: name.to_owned(), data: Some(data), ..Default::default() }
}

/// A number at a time, counted since a start, both in seconds.
pub(super) fn point(start: u64, time: u64, value: f64) -> NumberDataPoint {
    NumberDataPoint {
        start_time_unix_nano: start * SECOND,
        time_unix_nano: time * SECOND,
        value: Some(number_data_point::Value::AsDouble(value)),
        ..Default::default()
    }
}

pub(super) fn ended(mut point: NumberDataPoint) -> NumberDataPoint {
    point.flags = 1;
    point
}

pub(super) fn gauge(name: &str, data_points: Vec<NumberDataPoint>) -> Metric {
    metric(name, Data::Gauge(Gauge { data_points }))
}

/// A sum; temporality 1 is delta, 2 cumulative.
pub(super) fn sum(
    name: &str,
    aggregation_temporality: i32,
    is_monotonic: bool,
    data_points: Vec<NumberDataPoint>,
) -> Metric {
    metric(name, Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic }))
}

pub(super) fn counter(name: &str, data_points: Vec<NumberDataPoint>) -> Metric {
    sum(name, 2, true, data_points)
}

pub(super) fn delta(name: &str, data_points: Vec<NumberDataPoint>) -> Metric {
    sum(name, 1, true, data_points)
}

pub(super) fn buckets(start: u64, time: u64, bounds: &[f64], counts: &[u64]) -> HistogramDataPoint {
    HistogramDataPoint {
        start_time_unix_nano: start * SECOND,
        time_unix_nano: time * SECOND,
        count: counts.iter().sum(),
        sum: Some(counts.iter().sum::<u64>() as f64),
        bucket_counts: counts.to_vec(),
        explicit_bounds: bounds.to_vec(),
        ..Default::default()
    }
}

pub(super) fn histogram(
    name: &str,
    aggregation_temporality: i32,
    data_points: Vec<HistogramDataPoint>,
) -> Metric {
    metric(name, Data::Histogram(Histogram { data_points, aggregation_temporality }))
}

/// A page, checked to be well-formed.
pub(super) fn page(store: &Store, format: Format, now: u64) -> String {
    page_as(store, Negotiated::new(format, true), now)
}

pub(super) fn page_as(store: &Store, how: Negotiated, now: u64) -> String {
    let mut page = Page::new(store, how, now);
    let parts: Vec<Vec<u8>> = std::iter::from_fn(|| page.part(store)).collect();
    let page = String::from_utf8(parts.concat()).unwrap();
    super::checker::check(&page, how.format);
    page
}

/// The lines of a text page that are no comments, without the scope's labels.
pub(super) fn lines(store: &Store, now: u64) -> Vec<String> {
    let scope = "otel_scope_name=\"lib\",otel_scope_schema_url=\"\",otel_scope_version=\"\"";
    let page = page(store, Format::Text, now).replace(scope, "");
    let page = page.replace(",}", "}").replace("{,", "{").replace(",,", ",").replace("{}", "");
    page.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Writes a request and expects every point to be taken.
pub(super) fn write(store: &mut Store, request: &[u8], now: u64) {
    let Written { dropped, .. } = store.write(request, now);
    assert!(dropped.is_empty(), "{dropped:?}");
}
