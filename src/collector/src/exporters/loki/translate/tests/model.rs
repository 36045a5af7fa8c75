//! logproto as prost reads it, labels as Loki reads them, and requests in short.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct PushRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) streams: Vec<Stream>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Stream {
    #[prost(string, tag = "1")]
    pub(super) labels: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Entry {
    #[prost(message, optional, tag = "1")]
    pub(super) timestamp: Option<Timestamp>,
    #[prost(string, tag = "2")]
    pub(super) line: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

impl Entry {
    pub(super) fn nanos(&self) -> i128 {
        let time = self.timestamp.unwrap();
        i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos)
    }
}

/// Labels as Loki reads them: Go's string literals.
pub(super) fn labels(text: &str) -> BTreeMap<String, String> {
    let mut rest = text.strip_prefix('{').unwrap();
    let mut found = BTreeMap::new();
    while rest != "}" {
        let (name, after) = rest.split_once("=\"").unwrap();
        let (value, after) = literal(after);
        found.insert(name.to_owned(), value);
        rest = after.strip_prefix(", ").unwrap_or(after);
    }
    found
}

fn literal(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.char_indices());
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return (value, &text[at + 1..]),
            '\\' => {
                let (at, escape) = chars.next().unwrap();
                let digits = match escape {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    _ => 0,
                };
                value.push(if digits > 0 {
                    let code = &text[at + 1..at + 1 + digits];
                    chars.nth(digits - 1);
                    char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap()
                } else {
                    let escapes = "a\x07b\x08f\x0cn\nr\rt\tv\x0b\"\"\\\\".as_bytes();
                    let pair = escapes.chunks(2).find(|pair| char::from(pair[0]) == escape);
                    pair.unwrap()[1].into()
                });
            }
            _ => value.push(char),
        }
    }
    panic!("a value that does not end: {text}");
}

pub(super) fn any(value: Value) -> AnyValue {
    AnyValue { value: Some(value) }
}

pub(super) fn text(text: &str) -> AnyValue {
    any(Value::StringValue(text.into()))
}

pub(super) fn list(values: Vec<AnyValue>) -> AnyValue {
    any(Value::ArrayValue(ArrayValue { values }))
}

pub(super) fn map(pairs: &[(&str, AnyValue)]) -> AnyValue {
    any(Value::KvlistValue(KeyValueList { values: attributes(pairs) }))
}

pub(super) fn attributes(pairs: &[(&str, AnyValue)]) -> Vec<KeyValue> {
    pairs
        .iter()
        .map(|(key, value)| KeyValue {
            key: (*key).into(),
            value: Some(value.clone()),
            ..KeyValue::default()
        })
        .collect()
}

/// A record with a body of text.
pub(super) fn record(body: &str, pairs: &[(&str, AnyValue)]) -> LogRecord {
    LogRecord {
        time_unix_nano: 1_700_000_000_000_000_001,
        body: Some(text(body)),
        attributes: attributes(pairs),
        ..LogRecord::default()
    }
}

/// Records of one resource and scope.
pub(super) fn logs(resource: &[(&str, AnyValue)], log_records: Vec<LogRecord>) -> LogsData {
    let scope = Some(InstrumentationScope::default());
    LogsData {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource { attributes: attributes(resource), ..Resource::default() }),
            scope_logs: vec![ScopeLogs { scope, log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }],
    }
}
