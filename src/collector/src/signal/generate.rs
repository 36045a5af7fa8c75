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
    metrics::v1::{ResourceMetrics, ScopeMetrics},
    resource::v1::Resource,
    trace::v1::{
        ResourceSpans, ScopeSpans, Span, Status,
        span::{Event, Link},
    },
};
use proptest::{collection::vec, option, prelude::*};
use prost::Message as _;

use super::Signal;

mod metrics;

pub(crate) use metrics::metric;

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

/// An encoded request of any signal.
pub(crate) fn any_request() -> impl Strategy<Value = (Signal, Vec<u8>)> {
    signal().prop_flat_map(|signal| (Just(signal), request(signal)))
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
