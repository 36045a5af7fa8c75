//! What the tests share: OTLP as it is written down shortly, and Jaeger's side read back.

mod batches;
mod generate;
mod model;
mod oracle;
mod rules;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

use super::{Request, Translated, translate};
use crate::signal::{Signal, scan::scan};

/// A request as it comes out of the receiver.
fn encode(resource_spans: Vec<ResourceSpans>) -> Vec<u8> {
    let bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    assert!(scan(Signal::Traces, &bytes).expect("OTLP").canonical, "prost writes in order");
    bytes
}

fn any_value(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: Some(any_value(value)), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    pair(key, Value::StringValue(value.into()))
}

fn list(values: Vec<Value>) -> Value {
    Value::ArrayValue(ArrayValue { values: values.into_iter().map(any_value).collect() })
}

fn map(values: Vec<KeyValue>) -> Value {
    Value::KvlistValue(KeyValueList { values })
}

/// A span that has only what it must have.
fn bare() -> Span {
    Span { trace_id: vec![7; 16], span_id: vec![8; 8], ..Span::default() }
}

fn of(attributes: Vec<KeyValue>, spans: Vec<Span>) -> ResourceSpans {
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

/// Translates with no limit.
fn translated(resource_spans: Vec<ResourceSpans>) -> Translated {
    translate([encode(resource_spans).as_slice()], usize::MAX)
}

/// The batch of a request, which says rightly how many spans it has and is not without any.
fn batch(request: &Request) -> model::Batch {
    let decoded = model::PostSpansRequest::decode(&request.bytes[..]).expect("a request");
    let batch = decoded.batch.expect("a batch");
    assert_eq!(batch.spans.len(), request.spans);
    assert!(!batch.spans.is_empty());
    batch
}

fn batches(translated: &Translated) -> Vec<model::Batch> {
    translated.requests.iter().map(batch).collect()
}

/// The only batch there is.
fn single(resource_spans: ResourceSpans) -> model::Batch {
    let mut batches = batches(&translated(vec![resource_spans]));
    assert_eq!(batches.len(), 1);
    batches.remove(0)
}

/// The only span there is.
fn span(span: Span) -> model::Span {
    single(of(vec![], vec![span])).spans.remove(0)
}

fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("UTF-8")
}

/// Tags as `key type value`; a value of another type than the tag's fails.
fn tags(tags: &[model::KeyValue]) -> Vec<String> {
    let show = |tag: &model::KeyValue| {
        let (name, value) = match tag.v_type {
            0 => ("STRING", utf8(&tag.v_str).to_owned()),
            1 => ("BOOL", tag.v_bool.to_string()),
            2 => ("INT64", tag.v_int64.to_string()),
            3 => ("FLOAT64", f64::from_bits(tag.v_float64).to_string()),
            other => panic!("{other} is no type in use"),
        };
        let mut rest = model::KeyValue { key: vec![], v_type: 0, ..tag.clone() };
        match tag.v_type {
            0 => rest.v_str.clear(),
            1 => rest.v_bool = false,
            2 => rest.v_int64 = 0,
            _ => rest.v_float64 = 0,
        }
        assert_eq!(rest, model::KeyValue::default(), "one value at most");
        format!("{} {name} {value}", utf8(&tag.key))
    };
    tags.iter().map(show).collect()
}

/// What an attribute becomes.
fn tag(value: Value) -> String {
    tags(&span(Span { attributes: vec![pair("a", value)], ..bare() }).tags).join("|")
}
