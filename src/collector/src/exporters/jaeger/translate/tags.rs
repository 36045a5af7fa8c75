//! OTLP's attributes as Jaeger's tags (jaeger.api_v2 KeyValue), and a resource as a Process. Knows
//! no span.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::json;
use crate::signal::attribute::{Simple, Value};
use crate::signal::otlp::{AnyValue, KeyValue, Resource};
use crate::signal::view::{Repeated, Text, View as _};
use crate::signal::wire::{BYTES, Write};

/// The service of a resource without attributes.
const NO_SERVICE_NAME: &[u8] = b"OTLPResourceNoServiceName";
const SERVICE_NAME: &[u8] = b"service.name";

/// Fields of KeyValue.
const KEY: u32 = 1;
const TYPE: u32 = 2;
const STRING: u32 = 3;
const BOOL: u32 = 4;
const INT64: u32 = 5;
const FLOAT64: u32 = 6;

/// Tags of the two that hold text.
const TAG_KEY: u8 = (KEY << 3) as u8 | BYTES;
const TAG_STRING: u8 = (STRING << 3) as u8 | BYTES;

/// Values of ValueType; STRING is 0 and so not written.
const TYPE_BOOL: u64 = 1;
const TYPE_INT64: u64 = 2;
const TYPE_FLOAT64: u64 = 3;

/// The fields of a Process: service_name and tags. A `service.name` that is no string leaves the
/// name empty, as in contrib.
pub(super) fn process(resource: &Resource<'_>, out: &mut Vec<u8>) {
    let attributes = resource.attributes;
    let name = match find(attributes, SERVICE_NAME) {
        _ if attributes.is_empty() => Text(NO_SERVICE_NAME),
        Some(name) => string(name),
        None => Text::default(),
    };
    put_text(1, name, out);
    for attribute in attributes.iter().filter(|attribute| attribute.key.0 != SERVICE_NAME) {
        put(2, attribute.bytes, out);
    }
}

/// An attribute, the bytes of a KeyValue, as field `number` of the message around.
pub(super) fn put(number: u32, attribute: &[u8], out: &mut Vec<u8>) {
    let simple = Simple::of(attribute);
    if let Some(Simple { key, value: Value::String(text) }) = simple
        && !text.is_empty()
        && attribute.is_ascii()
    {
        return put_ascii(number, key, text, out);
    }
    out.put_message(number, |out| {
        if let Some(Simple { key, value }) = simple {
            put_text(KEY, Text(key), out);
            return put_simple(value, out);
        }
        let attribute = KeyValue::parse(attribute);
        put_text(KEY, attribute.key, out);
        if let Some(value) = attribute.value {
            put_value(&value.view(), out);
        }
    });
}

/// A tag of text, unless it is empty, as field `number` of the message around.
pub(super) fn put_string(number: u32, key: &str, value: Text<'_>, out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    out.put_message(number, |out| {
        out.put_bytes_field(KEY, key.as_bytes());
        put_text(STRING, value, out);
    });
}

/// A tag of a few words known here, unless there are none, as field `number` of the message around.
pub(super) fn put_known(number: u32, key: &'static str, value: &'static str, out: &mut Vec<u8>) {
    if !value.is_empty() {
        put_ascii(number, key.as_bytes(), value.as_bytes(), out);
    }
}

/// A tag that is true, as field `number` of the message around.
pub(super) fn put_true(number: u32, key: &str, out: &mut Vec<u8>) {
    out.put_message(number, |out| {
        out.put_bytes_field(KEY, key.as_bytes());
        out.put_varint_field(TYPE, TYPE_BOOL);
        out.put_varint_field(BOOL, 1);
    });
}

/// A tag of short texts, which nearly all are. Lengths below 128 take one byte each.
#[inline]
fn put_ascii(number: u32, key: &[u8], text: &[u8], out: &mut Vec<u8>) {
    out.put_tag(number, BYTES);
    out.put_varint((4 + key.len() + text.len()) as u64);
    out.extend_from_slice(&[TAG_KEY, key.len() as u8]);
    out.extend_from_slice(key);
    out.extend_from_slice(&[TAG_STRING, text.len() as u8]);
    out.extend_from_slice(text);
}

/// Type and value.
#[inline]
fn put_simple(value: Value<'_>, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => put_text(STRING, Text(text), out),
        Value::Int(int) => {
            out.put_varint_field(TYPE, TYPE_INT64);
            out.put_varint_field(INT64, int.cast_unsigned());
        }
        Value::Bool(bool) => {
            out.put_varint_field(TYPE, TYPE_BOOL);
            out.put_varint_field(BOOL, u64::from(bool));
        }
        Value::Double(double) => {
            out.put_varint_field(TYPE, TYPE_FLOAT64);
            out.put_fixed64_field(FLOAT64, double.to_bits());
        }
    }
}

/// Type and value; Jaeger has no lists and maps, and contrib sends no BINARY.
fn put_value(value: &AnyValue<'_>, out: &mut Vec<u8>) {
    if let Some(Text(text)) = value.string {
        put_simple(Value::String(text), out);
    } else if let Some(int) = value.int {
        put_simple(Value::Int(int), out);
    } else if let Some(bool) = value.bool {
        put_simple(Value::Bool(bool), out);
    } else if let Some(double) = value.double {
        put_simple(Value::Double(double), out);
    } else if let Some(bytes) = value.bytes_value {
        put_text(STRING, Text(STANDARD.encode(bytes).as_bytes()), out);
    } else if value.array.is_some() || value.kvlist.is_some() {
        let before = out.len();
        let mut done = false;
        out.put_message(STRING, |out| done = json::put(value, out));
        if !done {
            out.truncate(before);
        }
    }
}

/// A string, unless it is empty. Protobuf's strings are UTF-8 and strict readers refuse the whole
/// request otherwise, so what is none is replaced by U+FFFD.
pub(super) fn put_text(number: u32, text: Text<'_>, out: &mut Vec<u8>) {
    if text.is_empty() {
        return;
    }
    match std::str::from_utf8(text.0) {
        Ok(text) => out.put_bytes_field(number, text.as_bytes()),
        Err(_) => out.put_bytes_field(number, text.lossy().as_bytes()),
    }
}

/// The first attribute of a key.
pub(super) fn find<'a>(
    attributes: Repeated<'a, KeyValue<'static>>,
    key: &[u8],
) -> Option<KeyValue<'a>> {
    attributes.iter().find(|attribute| attribute.key.0 == key)
}

/// An attribute's text; empty if it is no string.
pub(super) fn string(attribute: KeyValue<'_>) -> Text<'_> {
    attribute.value.and_then(|value| value.view().string).unwrap_or_default()
}
