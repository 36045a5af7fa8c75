//! An attribute's value as the text of a label: what pdata's `Value.AsString` gives, so that series
//! keep the labels they have with otelcol. Knows no label.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::number::put_json_float;
use crate::signal::otlp::{AnyValue, KeyValue};
use crate::signal::scan::MAX_DEPTH;

/// The text: strings as they are, bytes in base64, arrays and maps as JSON with the keys in order,
/// nothing for a value that is not set.
#[must_use]
pub fn text(value: &AnyValue) -> String {
    if let Some(text) = value.string {
        return text.lossy().into_owned();
    }
    if let Some(number) = value.double.filter(|number| !number.is_finite()) {
        let infinite = if number > 0.0 { "Infinity" } else { "-Infinity" };
        return if number.is_nan() { "NaN" } else { infinite }.to_owned();
    }
    if let Some(bytes) = value.bytes_value {
        return STANDARD.encode(bytes);
    }
    let mut out = Vec::new();
    let set = value.bool.is_some()
        || value.int.is_some()
        || value.double.is_some()
        || value.array.is_some()
        || value.kvlist.is_some();
    if !set || put_json(&mut out, value, MAX_DEPTH).is_none() {
        return String::new();
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The text of an attribute's value.
#[must_use]
pub fn of(attribute: &KeyValue) -> String {
    attribute.value.map(|value| text(&value.view())).unwrap_or_default()
}

/// As JSON. None where there is a number that JSON has not; Go then gives nothing either.
fn put_json(out: &mut Vec<u8>, value: &AnyValue, depth: u32) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    if let Some(text) = value.string {
        put_string(out, &text.lossy());
    } else if let Some(flag) = value.bool {
        out.extend_from_slice(if flag { b"true" } else { b"false" });
    } else if let Some(number) = value.int {
        out.extend_from_slice(number.to_string().as_bytes());
    } else if let Some(number) = value.double {
        number.is_finite().then(|| put_json_float(out, number))?;
    } else if let Some(bytes) = value.bytes_value.filter(|bytes| !bytes.is_empty()) {
        put_string(out, &STANDARD.encode(bytes));
    } else if let Some(array) = value.array {
        out.push(b'[');
        for (index, item) in array.view().values.iter().enumerate() {
            out.extend_from_slice(if index > 0 { b"," } else { b"" });
            put_json(out, &item, depth)?;
        }
        out.push(b']');
    } else if let Some(list) = value.kvlist {
        put_map(out, list.view().values.iter(), depth)?;
    } else {
        // No bytes are a nil slice in Go, which encoding/json writes like a value that is not set.
        out.extend_from_slice(b"null");
    }
    Some(())
}

/// As a JSON object: keys in order, the last of equal ones.
fn put_map<'a>(
    out: &mut Vec<u8>,
    pairs: impl Iterator<Item = KeyValue<'a>>,
    depth: u32,
) -> Option<()> {
    let pairs: BTreeMap<_, _> = pairs.map(|pair| (pair.key.lossy(), pair.value)).collect();
    out.push(b'{');
    for (index, (key, value)) in pairs.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b"," } else { b"" });
        put_string(out, key);
        out.push(b':');
        match value {
            Some(value) => put_json(out, &value.view(), depth)?,
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
    Some(())
}

/// As encoding/json writes strings without escapes for HTML.
fn put_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\u{8}' => out.extend_from_slice(b"\\b"),
            '\u{c}' => out.extend_from_slice(b"\\f"),
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                out.extend_from_slice(format!("\\u{:04x}", c as u32).as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
