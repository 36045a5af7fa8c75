//! Requests that have everything.

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{
        AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
        any_value::Value,
    },
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{
        Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
        HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
        SummaryDataPoint, exemplar, exponential_histogram_data_point::Buckets, metric::Data,
        number_data_point, summary_data_point::ValueAtQuantile,
    },
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Event, Link},
    },
};

const TIME: u64 = 1_700_000_000_123_456_000;
const URL: &str = "https://opentelemetry.io/schemas/1.25.0";

fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn pair(key: &str, value: Option<Value>) -> KeyValue {
    let value = Some(AnyValue { value });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn text(text: &str) -> Option<Value> {
    Some(Value::StringValue(text.to_owned()))
}

/// One of each type.
fn types() -> Vec<KeyValue> {
    let list = vec![any(Value::IntValue(1)), AnyValue { value: text("<a>") }];
    let map = vec![pair("z", Some(Value::DoubleValue(1e21))), pair("a", None)];
    vec![
        pair("string", text("two\nlines")),
        pair("bool", Some(Value::BoolValue(true))),
        pair("int", Some(Value::IntValue(-7))),
        pair("double", Some(Value::DoubleValue(0.1))),
        pair("array", Some(Value::ArrayValue(ArrayValue { values: list }))),
        pair("map", Some(Value::KvlistValue(KeyValueList { values: map }))),
        pair("bytes", Some(Value::BytesValue(vec![0, 255]))),
        pair("empty", None),
    ]
}

fn resource() -> Option<Resource> {
    let service = EntityRef {
        schema_url: URL.to_owned(),
        r#type: "service".to_owned(),
        id_keys: vec!["service.name".to_owned(), "service.namespace".to_owned()],
        description_keys: vec!["service.version".to_owned()],
    };
    let host = EntityRef { r#type: "host".to_owned(), ..EntityRef::default() };
    Some(Resource {
        attributes: vec![pair("service.name", text("shop")), pair("n", Some(Value::IntValue(1)))],
        dropped_attributes_count: 3,
        entity_refs: vec![service, host],
    })
}

fn scope() -> Option<InstrumentationScope> {
    Some(InstrumentationScope {
        name: "lib".to_owned(),
        version: "1.2".to_owned(),
        attributes: vec![pair("k", text("v"))],
        dropped_attributes_count: 0,
    })
}

fn span() -> Span {
    let event = Event {
        time_unix_nano: TIME,
        name: "event".to_owned(),
        attributes: vec![pair("e", text("1"))],
        dropped_attributes_count: 4,
    };
    let link = Link {
        trace_id: vec![2; 16],
        span_id: vec![3; 8],
        trace_state: "a=b".to_owned(),
        attributes: vec![pair("l", text("1"))],
        dropped_attributes_count: 5,
        flags: 1,
    };
    Span {
        trace_id: (0..16).collect(),
        span_id: vec![0xab; 8],
        trace_state: "ot=th:0".to_owned(),
        parent_span_id: vec![1; 8],
        name: "GET /".to_owned(),
        kind: 2,
        start_time_unix_nano: TIME,
        end_time_unix_nano: TIME + 1_000,
        attributes: types(),
        dropped_attributes_count: 1,
        events: vec![event, Event::default()],
        dropped_events_count: 2,
        links: vec![link, Link::default()],
        dropped_links_count: 3,
        status: Some(Status { message: "bad".to_owned(), code: 2 }),
        flags: 1,
    }
}

pub(super) fn traces() -> ExportTraceServiceRequest {
    let scope_spans = vec![
        ScopeSpans { scope: scope(), spans: vec![span()], schema_url: URL.to_owned() },
        ScopeSpans { spans: vec![Span { kind: 9, ..Span::default() }], ..ScopeSpans::default() },
    ];
    let first = ResourceSpans { resource: resource(), scope_spans, schema_url: URL.to_owned() };
    ExportTraceServiceRequest { resource_spans: vec![first, ResourceSpans::default()] }
}

/// A span with a name.
pub(super) fn named(name: &str) -> ExportTraceServiceRequest {
    let mut request = traces();
    request.resource_spans[0].scope_spans[0].spans[0].name = name.to_owned();
    request
}

pub(super) fn logs() -> ExportLogsServiceRequest {
    let record = LogRecord {
        time_unix_nano: TIME,
        observed_time_unix_nano: TIME + 1,
        severity_number: 18,
        severity_text: "err".to_owned(),
        body: Some(AnyValue { value: text("it\nfailed") }),
        attributes: types(),
        dropped_attributes_count: 1,
        flags: 1,
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        event_name: "failure".to_owned(),
    };
    let number = LogRecord {
        severity_number: 25,
        body: Some(any(Value::IntValue(5))),
        ..LogRecord::default()
    };
    let log_records = vec![record, number, LogRecord::default()];
    let version_only = InstrumentationScope { name: String::new(), ..scope().unwrap_or_default() };
    let scope_logs = vec![
        ScopeLogs { scope: scope(), log_records, schema_url: String::new() },
        ScopeLogs { scope: Some(version_only), ..ScopeLogs::default() },
        ScopeLogs { schema_url: URL.to_owned(), ..ScopeLogs::default() },
    ];
    let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
    ExportLogsServiceRequest { resource_logs }
}

fn exemplars() -> Vec<Exemplar> {
    let first = Exemplar {
        filtered_attributes: vec![pair("f", text("1"))],
        time_unix_nano: TIME,
        span_id: vec![2; 8],
        trace_id: vec![1; 16],
        value: Some(exemplar::Value::AsDouble(1.5)),
    };
    let second = Exemplar { value: Some(exemplar::Value::AsInt(-3)), ..Exemplar::default() };
    vec![first, second, Exemplar::default()]
}

fn numbers() -> Vec<NumberDataPoint> {
    let double = NumberDataPoint {
        attributes: vec![pair("a", text("1")), pair("b", Some(Value::BoolValue(false)))],
        start_time_unix_nano: TIME,
        time_unix_nano: TIME + 1,
        exemplars: exemplars(),
        flags: 1,
        value: Some(number_data_point::Value::AsDouble(1.25e6)),
    };
    let int = NumberDataPoint {
        value: Some(number_data_point::Value::AsInt(-9)),
        ..NumberDataPoint::default()
    };
    vec![double, int, NumberDataPoint::default()]
}

fn histogram() -> Data {
    let full = HistogramDataPoint {
        attributes: vec![pair("a", text("1"))],
        start_time_unix_nano: TIME,
        time_unix_nano: TIME + 1,
        count: 6,
        sum: Some(12.5),
        bucket_counts: vec![1, 2, 3],
        explicit_bounds: vec![0.005, 10.0],
        exemplars: exemplars(),
        flags: 0,
        min: Some(-1.0),
        max: Some(20.0),
    };
    let data_points = vec![full, HistogramDataPoint::default()];
    Data::Histogram(Histogram { data_points, aggregation_temporality: 1 })
}

fn exponential() -> Data {
    let full = ExponentialHistogramDataPoint {
        attributes: vec![pair("a", text("1"))],
        start_time_unix_nano: TIME,
        time_unix_nano: TIME + 1,
        count: 9,
        sum: Some(1.0),
        scale: -1,
        zero_count: 2,
        positive: Some(Buckets { offset: 1, bucket_counts: vec![1, 0, 3] }),
        negative: Some(Buckets { offset: -1, bucket_counts: vec![4, 5] }),
        flags: 0,
        exemplars: exemplars(),
        min: Some(-3.0),
        max: Some(64.0),
        zero_threshold: 0.1,
    };
    let data_points = vec![full];
    Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality: 2 })
}

fn summary() -> Data {
    let quantile_values = vec![
        ValueAtQuantile { quantile: 0.5, value: 1e-5 },
        ValueAtQuantile { quantile: 0.99, value: 2e7 },
    ];
    let point = SummaryDataPoint {
        attributes: vec![pair("a", text("1"))],
        start_time_unix_nano: TIME,
        time_unix_nano: TIME + 1,
        count: 2,
        sum: 0.125,
        quantile_values,
        flags: 0,
    };
    Data::Summary(Summary { data_points: vec![point] })
}

fn metric(name: &str, data: Option<Data>) -> Metric {
    Metric {
        name: name.to_owned(),
        description: "what it is".to_owned(),
        unit: "s".to_owned(),
        metadata: vec![pair("m", text("1"))],
        data,
    }
}

pub(super) fn metrics() -> ExportMetricsServiceRequest {
    let mut points = numbers();
    let sum =
        Sum { data_points: points.split_off(2), aggregation_temporality: 2, is_monotonic: true };
    let metrics = vec![
        metric("gauge", Some(Data::Gauge(Gauge { data_points: points }))),
        metric("sum", Some(Data::Sum(sum))),
        metric("histogram", Some(histogram())),
        metric("exponential", Some(exponential())),
        metric("summary", Some(summary())),
        Metric { name: "none".to_owned(), ..Metric::default() },
    ];
    let scope_metrics = vec![ScopeMetrics { scope: scope(), metrics, schema_url: String::new() }];
    let resource_metrics =
        vec![ResourceMetrics { resource: resource(), scope_metrics, schema_url: URL.to_owned() }];
    ExportMetricsServiceRequest { resource_metrics }
}

/// An exponential histogram with so many buckets below 0, of which the last has 9.
pub(super) fn buckets(count: usize) -> ExportMetricsServiceRequest {
    let bucket_counts = (1..=count).map(|place| if place == count { 9 } else { 1 }).collect();
    let negative = Some(Buckets { offset: 0, bucket_counts });
    let point = ExponentialHistogramDataPoint { scale: 20, negative, ..Default::default() };
    let data = ExponentialHistogram { data_points: vec![point], aggregation_temporality: 2 };
    let metrics = vec![Metric {
        name: "h".to_owned(),
        data: Some(Data::ExponentialHistogram(data)),
        ..Metric::default()
    }];
    let scope_metrics = vec![ScopeMetrics { metrics, ..ScopeMetrics::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..ResourceMetrics::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}
