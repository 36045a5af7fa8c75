//! The same edits the plain way: on decoded requests, attribute by attribute. It shares with the
//! processors only how values are shown as text, which has tests of its own.

// A model may fail loudly, and is no part of the program.
#![allow(clippy::unwrap_used)]

use obspipe_model::components::attributes::{Action, ActionKind, ConvertedType};
use obspipe_model::{Signal, Value as Setting};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::resource::v1::Resource as OtlpResource;
use prost::Message as _;
use regex::Regex;
use sha2::{Digest as _, Sha256};

use crate::signal::as_string::as_string;
use crate::signal::view::View as _;

/// Does the actions on the attributes of items or of resources; gives what becomes of the request.
pub(super) fn apply(signal: Signal, request: &[u8], actions: &[Action], items: bool) -> Vec<u8> {
    lists(signal, request, |attributes, of_item| {
        if of_item == items {
            actions.iter().for_each(|action| run(action, attributes));
        }
    })
}

/// Changes every list of attributes of items and resources.
#[cfg(test)]
pub(super) fn each_list(
    signal: Signal,
    request: &[u8],
    edit: impl Fn(&mut Vec<KeyValue>),
) -> Vec<u8> {
    lists(signal, request, |attributes, _| edit(attributes))
}

/// A request in words, to be compared: NaN does not equal itself. No value is an empty one.
pub(super) fn decoded(signal: Signal, request: &[u8]) -> String {
    let request = lists(signal, request, |attributes, _| {
        attributes.iter_mut().for_each(|attribute| {
            attribute.value.get_or_insert_default();
        });
    });
    let bytes = request.as_slice();
    match signal {
        Signal::Traces => format!("{:#?}", ExportTraceServiceRequest::decode(bytes).unwrap()),
        Signal::Logs => format!("{:#?}", ExportLogsServiceRequest::decode(bytes).unwrap()),
        Signal::Metrics => format!("{:#?}", ExportMetricsServiceRequest::decode(bytes).unwrap()),
    }
}

/// Changes every list of attributes by `edit`, which is told whether the list is an item's.
fn lists(signal: Signal, request: &[u8], edit: impl Fn(&mut Vec<KeyValue>, bool)) -> Vec<u8> {
    let item = |attributes: &mut Vec<KeyValue>| edit(attributes, true);
    match signal {
        Signal::Traces => {
            let mut request = ExportTraceServiceRequest::decode(request).unwrap();
            for one in &mut request.resource_spans {
                resource(&mut one.resource, &edit);
                let spans = one.scope_spans.iter_mut().flat_map(|scope| &mut scope.spans);
                spans.for_each(|span| item(&mut span.attributes));
            }
            request.encode_to_vec()
        }
        Signal::Logs => {
            let mut request = ExportLogsServiceRequest::decode(request).unwrap();
            for one in &mut request.resource_logs {
                resource(&mut one.resource, &edit);
                let records = one.scope_logs.iter_mut().flat_map(|scope| &mut scope.log_records);
                records.for_each(|record| item(&mut record.attributes));
            }
            request.encode_to_vec()
        }
        Signal::Metrics => {
            let mut request = ExportMetricsServiceRequest::decode(request).unwrap();
            for one in &mut request.resource_metrics {
                resource(&mut one.resource, &edit);
                let metrics = one.scope_metrics.iter_mut().flat_map(|scope| &mut scope.metrics);
                metrics.for_each(|metric| points(metric.data.as_mut(), item));
            }
            request.encode_to_vec()
        }
    }
}

/// A resource that is missing is there once it has attributes.
fn resource(resource: &mut Option<OtlpResource>, edit: impl Fn(&mut Vec<KeyValue>, bool)) {
    let mut new = resource.clone().unwrap_or_default();
    edit(&mut new.attributes, false);
    if resource.is_some() || !new.attributes.is_empty() {
        *resource = Some(new);
    }
}

fn points(data: Option<&mut Data>, edit: impl Fn(&mut Vec<KeyValue>)) {
    match data {
        Some(Data::Gauge(gauge)) => {
            gauge.data_points.iter_mut().for_each(|point| edit(&mut point.attributes));
        }
        Some(Data::Sum(sum)) => {
            sum.data_points.iter_mut().for_each(|point| edit(&mut point.attributes));
        }
        Some(Data::Histogram(histogram)) => {
            histogram.data_points.iter_mut().for_each(|point| edit(&mut point.attributes));
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            histogram.data_points.iter_mut().for_each(|point| edit(&mut point.attributes));
        }
        Some(Data::Summary(summary)) => {
            summary.data_points.iter_mut().for_each(|point| edit(&mut point.attributes));
        }
        None => {}
    }
}

fn run(action: &Action, attributes: &mut Vec<KeyValue>) {
    let at = |attributes: &[KeyValue], key: &str| attributes.iter().position(|a| a.key == key);
    let pattern = action.pattern.as_deref().map(|pattern| Regex::new(pattern).unwrap());
    let found = at(attributes, &action.key);
    let kind = action.action.unwrap();
    match kind {
        ActionKind::Insert | ActionKind::Update | ActionKind::Upsert => {
            let from = action.from_attribute.as_deref().and_then(|key| at(attributes, key));
            let new = match (&action.value, from) {
                (Some(Setting::String(text)), _) => Some(AnyValue { value: string(text) }),
                (_, Some(from)) => Some(attributes[from].value.clone().unwrap_or_default()),
                _ => None,
            };
            match (new, found) {
                (Some(new), Some(at)) if kind != ActionKind::Insert => {
                    set(&mut attributes[at], new)
                }
                (Some(new), None) if kind != ActionKind::Update => {
                    add(attributes, &action.key, new)
                }
                _ => {}
            }
        }
        ActionKind::Delete => {
            found.into_iter().for_each(|at| drop(attributes.remove(at)));
            attributes.retain(|a| !pattern.as_ref().is_some_and(|p| p.is_match(&a.key)));
        }
        ActionKind::Hash => {
            found.into_iter().for_each(|at| hash(&mut attributes[at]));
            let matching = |a: &&mut KeyValue| pattern.as_ref().is_some_and(|p| p.is_match(&a.key));
            attributes.iter_mut().filter(matching).for_each(hash);
        }
        ActionKind::Extract => {
            let Some(Value::StringValue(text)) = found.and_then(|at| value(&attributes[at])) else {
                return;
            };
            let pattern = pattern.unwrap();
            let Some(captures) = pattern.captures(&text) else { return };
            for name in pattern.capture_names().flatten() {
                let text = captures.name(name).map_or("", |group| group.as_str());
                let new = AnyValue { value: string(text) };
                match at(attributes, name) {
                    Some(at) => set(&mut attributes[at], new),
                    None => add(attributes, name, new),
                }
            }
        }
        ActionKind::Convert => {
            if let Some(at) = found {
                convert(&mut attributes[at], action.converted_type.unwrap());
            }
        }
    }
}

fn string(text: &str) -> Option<Value> {
    Some(Value::StringValue(text.to_owned()))
}

fn add(attributes: &mut Vec<KeyValue>, key: &str, value: AnyValue) {
    let (key, value) = (key.to_owned(), Some(value));
    attributes.push(KeyValue { key, value, ..KeyValue::default() });
}

/// What is the same stays as it was written: without a value, or with an empty one.
fn set(attribute: &mut KeyValue, new: AnyValue) {
    if attribute.value.clone().unwrap_or_default() != new {
        attribute.value = Some(new);
    }
}

fn value(attribute: &KeyValue) -> Option<Value> {
    attribute.value.as_ref()?.value.clone()
}

fn hash(attribute: &mut KeyValue) {
    let bytes = match value(attribute) {
        Some(Value::StringValue(text)) => text.into_bytes(),
        Some(Value::BoolValue(bool)) => vec![u8::from(bool)],
        Some(Value::IntValue(int)) => int.to_le_bytes().to_vec(),
        Some(Value::DoubleValue(double)) => double.to_le_bytes().to_vec(),
        _ => return set(attribute, AnyValue { value: string("") }),
    };
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    set(attribute, AnyValue { value: string(&hex) });
}

#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
fn convert(attribute: &mut KeyValue, to: ConvertedType) {
    let encoded = attribute.value.clone().unwrap_or_default().encode_to_vec();
    let shown = as_string(&crate::signal::otlp::AnyValue::parse(&encoded)).into_owned();
    let new = match (to, value(attribute)) {
        (ConvertedType::String, _) => string(&shown),
        (ConvertedType::Int, Some(Value::DoubleValue(double))) => {
            Some(Value::IntValue(double as i64))
        }
        (ConvertedType::Int, Some(Value::BoolValue(bool))) => Some(Value::IntValue(bool.into())),
        (ConvertedType::Int, Some(Value::StringValue(text))) => {
            text.parse().ok().map(Value::IntValue)
        }
        (ConvertedType::Double, Some(Value::IntValue(int))) => Some(Value::DoubleValue(int as f64)),
        (ConvertedType::Double, Some(Value::BoolValue(bool))) => {
            Some(Value::DoubleValue(f64::from(u8::from(bool))))
        }
        (ConvertedType::Double, Some(Value::StringValue(text))) => {
            text.parse().ok().filter(|double: &f64| double.is_finite()).map(Value::DoubleValue)
        }
        _ => None,
    };
    if let Some(new) = new {
        set(attribute, AnyValue { value: Some(new) });
    }
}
