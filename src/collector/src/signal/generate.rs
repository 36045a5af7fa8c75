//! Requests made by chance, for tests: all types of values and metrics, fields present, empty and
//! missing. No NaN, so that what is made equals itself.

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
use proptest::{collection::vec, option, prelude::*};
use prost::Message as _;

use super::Signal;

/// An encoded request of a signal.
pub(crate) fn request(signal: Signal) -> BoxedStrategy<Vec<u8>> {
    match signal {
        Signal::Traces => traces().prop_map(|request| request.encode_to_vec()).boxed(),
        Signal::Metrics => metrics().prop_map(|request| request.encode_to_vec()).boxed(),
        Signal::Logs => logs().prop_map(|request| request.encode_to_vec()).boxed(),
    }
}

/// Any signal.
pub(crate) fn signal() -> impl Strategy<Value = Signal> + Clone {
    prop_oneof![Just(Signal::Traces), Just(Signal::Metrics), Just(Signal::Logs)]
}

/// A request of spans.
pub(crate) fn traces() -> BoxedStrategy<ExportTraceServiceRequest> {
    let scopes = (option::of(scope()), few(span()), text())
        .prop_map(|(scope, spans, schema_url)| ScopeSpans { scope, spans, schema_url });
    (option::of(resource()), few(scopes), text())
        .prop_map(|(resource, scope_spans, schema_url)| ResourceSpans {
            resource,
            scope_spans,
            schema_url,
        })
        .prop_few(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

/// A request of metrics.
pub(crate) fn metrics() -> BoxedStrategy<ExportMetricsServiceRequest> {
    let scopes = (option::of(scope()), few(metric()), text())
        .prop_map(|(scope, metrics, schema_url)| ScopeMetrics { scope, metrics, schema_url });
    (option::of(resource()), few(scopes), text())
        .prop_map(|(resource, scope_metrics, schema_url)| ResourceMetrics {
            resource,
            scope_metrics,
            schema_url,
        })
        .prop_few(|resource_metrics| ExportMetricsServiceRequest { resource_metrics })
}

/// A request of log records.
pub(crate) fn logs() -> BoxedStrategy<ExportLogsServiceRequest> {
    let scopes = (option::of(scope()), few(log_record()), text())
        .prop_map(|(scope, log_records, schema_url)| ScopeLogs { scope, log_records, schema_url });
    (option::of(resource()), few(scopes), text())
        .prop_map(|(resource, scope_logs, schema_url)| ResourceLogs {
            resource,
            scope_logs,
            schema_url,
        })
        .prop_few(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

/// A resource.
pub(crate) fn resource() -> BoxedStrategy<Resource> {
    let refs = (text(), text(), few(text()), few(text()));
    let refs = refs.prop_map(|(schema_url, r#type, id_keys, description_keys)| EntityRef {
        schema_url,
        r#type,
        id_keys,
        description_keys,
    });
    (attributes(), small(), vec(refs, 0..2))
        .prop_map(|(attributes, dropped_attributes_count, entity_refs)| Resource {
            attributes,
            dropped_attributes_count,
            entity_refs,
        })
        .boxed()
}

/// A scope.
pub(crate) fn scope() -> BoxedStrategy<InstrumentationScope> {
    (text(), text(), attributes(), small())
        .prop_map(|(name, version, attributes, dropped_attributes_count)| InstrumentationScope {
            name,
            version,
            attributes,
            dropped_attributes_count,
        })
        .boxed()
}

/// Attributes; a key may be empty or occur twice.
pub(crate) fn attributes() -> BoxedStrategy<Vec<KeyValue>> {
    few(key_value(any_value())).boxed()
}

/// A value of any type, up to three within one another.
pub(crate) fn any_value() -> BoxedStrategy<AnyValue> {
    let simple = prop_oneof![
        2 => text().prop_map(Value::StringValue),
        1 => any::<bool>().prop_map(Value::BoolValue),
        1 => whole().prop_map(Value::IntValue),
        1 => number().prop_map(Value::DoubleValue),
        1 => vec(any::<u8>(), 0..6).prop_map(Value::BytesValue),
    ];
    let simple = option::weighted(0.9, simple).prop_map(|value| AnyValue { value });
    let any = simple.prop_recursive(3, 8, 3, |inner| {
        let array =
            vec(inner.clone(), 0..3).prop_map(|values| Value::ArrayValue(ArrayValue { values }));
        let kvlist = vec(key_value(inner), 0..3)
            .prop_map(|values| Value::KvlistValue(KeyValueList { values }));
        prop_oneof![array, kvlist].prop_map(|value| AnyValue { value: Some(value) })
    });
    any.boxed()
}

fn key_value(value: impl Strategy<Value = AnyValue> + 'static) -> impl Strategy<Value = KeyValue> {
    (text(), option::weighted(0.9, value)).prop_map(|(key, value)| KeyValue {
        key,
        value,
        ..Default::default()
    })
}

/// A span.
pub(crate) fn span() -> BoxedStrategy<Span> {
    let event = (time(), text(), attributes(), small()).prop_map(
        |(time_unix_nano, name, attributes, dropped_attributes_count)| Event {
            time_unix_nano,
            name,
            attributes,
            dropped_attributes_count,
        },
    );
    let link = (id(16), id(8), text(), attributes(), small(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, dropped_attributes_count, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count,
            flags,
        },
    );
    let status = (text(), 0..4i32).prop_map(|(message, code)| Status { message, code });
    let names = (id(16), id(8), text(), id(8), text(), -1..7i32, small());
    let rest = (time(), time(), attributes(), few(event), few(link), option::of(status), small());
    (names, rest)
        .prop_map(|(names, rest)| Span {
            trace_id: names.0,
            span_id: names.1,
            trace_state: names.2,
            parent_span_id: names.3,
            name: names.4,
            kind: names.5,
            flags: names.6,
            start_time_unix_nano: rest.0,
            end_time_unix_nano: rest.1,
            attributes: rest.2,
            dropped_attributes_count: rest.6,
            dropped_events_count: rest.6 / 2,
            dropped_links_count: rest.6 / 3,
            events: rest.3,
            links: rest.4,
            status: rest.5,
        })
        .boxed()
}

/// A log record.
pub(crate) fn log_record() -> BoxedStrategy<LogRecord> {
    let names = (text(), id(16), id(8), text(), 0..26i32, small(), small());
    (time(), time(), option::of(any_value()), attributes(), names)
        .prop_map(|(time_unix_nano, observed_time_unix_nano, body, attributes, names)| LogRecord {
            time_unix_nano,
            observed_time_unix_nano,
            body,
            attributes,
            severity_text: names.0,
            trace_id: names.1,
            span_id: names.2,
            event_name: names.3,
            severity_number: names.4,
            flags: names.5,
            dropped_attributes_count: names.6,
        })
        .boxed()
}

/// A metric of any type, or of none.
pub(crate) fn metric() -> BoxedStrategy<Metric> {
    let data = prop_oneof![
        few(number_point()).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (few(number_point()), 0..3i32, any::<bool>()).prop_map(
            |(data_points, aggregation_temporality, is_monotonic)| Data::Sum(Sum {
                data_points,
                aggregation_temporality,
                is_monotonic
            })
        ),
        (few(histogram_point()), 0..3i32).prop_map(|(data_points, aggregation_temporality)| {
            Data::Histogram(Histogram { data_points, aggregation_temporality })
        }),
        (few(exponential_point()), 0..3i32).prop_map(|(data_points, aggregation_temporality)| {
            Data::ExponentialHistogram(ExponentialHistogram {
                data_points,
                aggregation_temporality,
            })
        }),
        few(summary_point()).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ];
    (text(), text(), text(), attributes(), option::weighted(0.95, data))
        .prop_map(|(name, description, unit, metadata, data)| Metric {
            name,
            description,
            unit,
            metadata,
            data,
        })
        .boxed()
}

fn number_point() -> BoxedStrategy<NumberDataPoint> {
    use number_data_point::Value;
    let value = prop_oneof![number().prop_map(Value::AsDouble), whole().prop_map(Value::AsInt)];
    (attributes(), time(), time(), exemplars(), small(), option::weighted(0.9, value))
        .prop_map(|(attributes, start_time_unix_nano, time_unix_nano, exemplars, flags, value)| {
            NumberDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                exemplars,
                flags,
                value,
            }
        })
        .boxed()
}

fn histogram_point() -> BoxedStrategy<HistogramDataPoint> {
    let some = || option::of(number());
    let buckets = (vec(time(), 0..5), vec(number(), 0..5));
    (
        attributes(),
        (time(), time()),
        time(),
        buckets,
        (some(), some(), some()),
        exemplars(),
        small(),
    )
        .prop_map(|(attributes, times, count, buckets, numbers, exemplars, flags)| {
            HistogramDataPoint {
                attributes,
                start_time_unix_nano: times.0,
                time_unix_nano: times.1,
                count,
                sum: numbers.0,
                bucket_counts: buckets.0,
                explicit_bounds: buckets.1,
                exemplars,
                flags,
                min: numbers.1,
                max: numbers.2,
            }
        })
        .boxed()
}

fn exponential_point() -> BoxedStrategy<ExponentialHistogramDataPoint> {
    let some = || option::of(number());
    let buckets = || {
        let buckets = (any::<i32>(), vec(any::<u64>(), 0..5));
        option::of(buckets.prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }))
    };
    let scale = (prop_oneof![-10..21i32, any::<i32>()], time(), number());
    let times = (time(), time(), time());
    let numbers = (some(), some(), some());
    (attributes(), times, scale, (buckets(), buckets()), numbers, exemplars(), small())
        .prop_map(|(attributes, times, scale, buckets, numbers, exemplars, flags)| {
            ExponentialHistogramDataPoint {
                attributes,
                start_time_unix_nano: times.0,
                time_unix_nano: times.1,
                count: times.2,
                sum: numbers.0,
                scale: scale.0,
                zero_count: scale.1,
                positive: buckets.0,
                negative: buckets.1,
                flags,
                exemplars,
                min: numbers.1,
                max: numbers.2,
                zero_threshold: scale.2,
            }
        })
        .boxed()
}

fn summary_point() -> BoxedStrategy<SummaryDataPoint> {
    let quantile =
        (number(), number()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    (attributes(), time(), time(), time(), number(), few(quantile), small())
        .prop_map(|(attributes, start, end, count, sum, quantile_values, flags)| SummaryDataPoint {
            attributes,
            start_time_unix_nano: start,
            time_unix_nano: end,
            count,
            sum,
            quantile_values,
            flags,
        })
        .boxed()
}

fn exemplars() -> BoxedStrategy<Vec<Exemplar>> {
    use exemplar::Value;
    let value = prop_oneof![number().prop_map(Value::AsDouble), whole().prop_map(Value::AsInt)];
    let exemplar = (attributes(), time(), id(8), id(16), option::of(value)).prop_map(
        |(filtered_attributes, time_unix_nano, span_id, trace_id, value)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            span_id,
            trace_id,
            value,
        },
    );
    vec(exemplar, 0..2).boxed()
}

/// None to three.
fn few<S: Strategy>(of: S) -> impl Strategy<Value = Vec<S::Value>> {
    vec(of, 0..4)
}

/// Empty, short, of any letters, or longer than what one byte can tell.
fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        1 => Just(String::new()),
        4 => "[a-z.]{1,9}",
        1 => "\\PC{1,6}",
        1 => (128..300usize).prop_map(|length| "x".repeat(length)),
    ]
}

/// Missing, as it should be, or of a wrong length.
fn id(length: usize) -> impl Strategy<Value = Vec<u8>> + Clone {
    prop_oneof![
        1 => Just(Vec::new()),
        6 => vec(any::<u8>(), length),
        1 => vec(any::<u8>(), 0..20),
    ]
}

fn small() -> impl Strategy<Value = u32> + Clone {
    prop_oneof![2 => Just(0), 2 => 1..300u32, 1 => any::<u32>()]
}

fn time() -> impl Strategy<Value = u64> + Clone {
    prop_oneof![1 => Just(0), 3 => 1_700_000_000_000_000_000..1_800_000_000_000_000_000u64, 1 => any::<u64>()]
}

fn whole() -> impl Strategy<Value = i64> + Clone {
    prop_oneof![Just(0), -200..200i64, any::<i64>()]
}

fn number() -> impl Strategy<Value = f64> + Clone {
    prop_oneof![
        Just(0.0),
        -100.0..100.0f64,
        proptest::num::f64::ANY.prop_filter("no NaN", |number| !number.is_nan()),
        Just(f64::INFINITY),
    ]
}

/// A few of something, made into something else.
trait Few: Strategy + Sized + 'static {
    fn prop_few<T: std::fmt::Debug + 'static>(
        self,
        into: impl Fn(Vec<Self::Value>) -> T + 'static,
    ) -> BoxedStrategy<T> {
        few(self).prop_map(into).boxed()
    }
}
impl<S: Strategy + 'static> Few for S {}
