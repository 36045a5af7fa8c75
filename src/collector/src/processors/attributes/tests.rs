//! Helpers of the tests: settings in few words, requests with one item.

mod bytes;
mod filters;
pub(crate) mod property;
mod rules;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use super::*;
use obspipe_model::Value as Setting;
use obspipe_model::components::attributes::{Action, ActionKind};

/// A client that said nothing.
struct Silent;

impl Metadata for Silent {
    fn get(&self, _: &str) -> Option<String> {
        None
    }
}

fn action(kind: ActionKind, key: &str) -> Action {
    Action { key: key.to_owned(), action: Some(kind), ..Action::default() }
}

/// Puts a text.
fn put(kind: ActionKind, key: &str, text: &str) -> Action {
    Action { value: Some(Setting::String(text.to_owned())), ..action(kind, key) }
}

fn editor(actions: Vec<Action>) -> Editor {
    Editor::attributes(&Attributes { actions, ..Attributes::default() }).unwrap()
}

fn resource_editor(attributes: Vec<Action>) -> Editor {
    Editor::resource(&Resource { attributes }).unwrap()
}

fn text(text: &str) -> Option<Value> {
    Some(Value::StringValue(text.to_owned()))
}

fn list(values: Vec<Option<Value>>) -> Option<Value> {
    let values = values.into_iter().map(|value| AnyValue { value }).collect();
    Some(Value::ArrayValue(ArrayValue { values }))
}

fn map(pairs: &[(&str, Option<Value>)]) -> Option<Value> {
    Some(Value::KvlistValue(KeyValueList { values: attributes(pairs) }))
}

fn attributes(pairs: &[(&str, Option<Value>)]) -> Vec<KeyValue> {
    let pair = |(key, value): &(&str, Option<Value>)| KeyValue {
        key: (*key).to_owned(),
        value: Some(AnyValue { value: value.clone() }),
        ..KeyValue::default()
    };
    pairs.iter().map(pair).collect()
}

/// A request of one span.
fn one_span(span: Span) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }],
    }
}

/// What becomes of a span's attributes.
fn edited(
    actions: Vec<Action>,
    before: &[(&str, Option<Value>)],
    metadata: &dyn Metadata,
) -> Vec<KeyValue> {
    let request = one_span(Span { attributes: attributes(before), ..Span::default() });
    let request = request.encode_to_vec();
    let after = editor(actions).apply(Signal::Traces, &request, metadata);
    assert_ne!(after.as_ref(), Some(&request), "a change that changes nothing");
    let after = ExportTraceServiceRequest::decode(&after.unwrap_or(request)[..]).unwrap();
    after.resource_spans[0].scope_spans[0].spans[0].attributes.clone()
}
