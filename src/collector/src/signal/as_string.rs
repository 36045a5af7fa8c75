//! Values as text, as pdata's Value.AsString makes it: scalars as they are, bytes as base64, lists
//! and maps as the JSON of Go's encoding/json without HTML's escapes (pdata v1.61
//! pcommon/value.go). Knows no component.

use std::borrow::Cow;
use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::otlp::{AnyValue, ArrayValue, KeyValueList};
use super::scan::MAX_DEPTH;
use super::view::{Sub, Text};

/// A value as text. Empty of a value without a type, and of a list or map that holds a number that
/// is not finite: JSON has none.
#[must_use]
pub fn as_string<'a>(value: &AnyValue<'a>) -> Cow<'a, str> {
    if let Some(text) = value.string {
        text.lossy()
    } else if let Some(bool) = value.bool {
        Cow::Borrowed(if bool { "true" } else { "false" })
    } else if let Some(int) = value.int {
        Cow::Owned(int.to_string())
    } else if let Some(double) = value.double {
        Cow::Owned(double_as_string(double))
    } else if let Some(bytes) = value.bytes_value {
        Cow::Owned(STANDARD.encode(bytes))
    } else {
        let mut out = String::new();
        let nested = value.array.is_some() || value.kvlist.is_some();
        match nested.then(|| any(Some(value), MAX_DEPTH, &mut out)) {
            Some(Some(())) => Cow::Owned(out),
            _ => Cow::Borrowed(""),
        }
    }
}

/// A number as in ECMAScript: the fewest digits that tell it, with an exponent below 1e-6 and from
/// 1e21; `NaN`, `Infinity`, `-Infinity`.
#[must_use]
pub fn double_as_string(value: f64) -> String {
    let size = value.abs();
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
    } else if size >= 1e21 {
        format!("{value:e}").replace('e', "e+")
    } else if size != 0.0 && size < 1e-6 {
        format!("{value:e}")
    } else {
        value.to_string()
    }
}

/// None: no JSON. Scanned bytes never reach depth 0.
fn any(value: Option<&AnyValue<'_>>, depth: u32, out: &mut String) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let Some(value) = value else {
        out.push_str("null");
        return Some(());
    };
    if let Some(text) = value.string {
        string(text, out);
    } else if let Some(double) = value.double {
        out.push_str(&double.is_finite().then(|| double_as_string(double))?);
    } else if let Some(values) = value.array {
        array(&values.view(), depth, out)?;
    } else if let Some(pairs) = value.kvlist {
        object(&pairs.view(), depth, out)?;
    } else if let Some(bytes) = value.bytes_value.filter(|bytes| !bytes.is_empty()) {
        out.push('"');
        STANDARD.encode_string(bytes, out);
        out.push('"');
    } else if value.int.is_some() || value.bool.is_some() {
        out.push_str(&as_string(value));
    } else {
        // No bytes are null too: to Go they are a nil slice.
        out.push_str("null");
    }
    Some(())
}

fn array(list: &ArrayValue<'_>, depth: u32, out: &mut String) -> Option<()> {
    out.push('[');
    for (index, value) in list.values.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        any(Some(&value), depth, out)?;
    }
    out.push(']');
    Some(())
}

/// Sorted by key; of a key that stands twice the last counts, as in a Go map.
fn object(list: &KeyValueList<'_>, depth: u32, out: &mut String) -> Option<()> {
    let mut pairs: Vec<(Text<'_>, Option<Sub<'_, AnyValue<'static>>>)> =
        list.values.iter().map(|pair| (pair.key, pair.value)).collect();
    pairs.sort_by_key(|(key, _)| *key);
    out.push('{');
    let last = pairs.chunk_by(|a, b| a.0 == b.0).filter_map(|same| same.last());
    for (index, (key, value)) in last.enumerate() {
        if index > 0 {
            out.push(',');
        }
        string(*key, out);
        out.push(':');
        any(value.map(Sub::view).as_ref(), depth, out)?;
    }
    out.push('}');
    Some(())
}

/// Escapes also U+2028 and U+2029, which end lines in JavaScript.
fn string(text: Text<'_>, out: &mut String) {
    out.push('"');
    for chunk in text.0.utf8_chunks() {
        chunk.valid().chars().for_each(|character| escaped(character, out));
        for _ in chunk.invalid() {
            out.push_str(r"\ufffd");
        }
    }
    out.push('"');
}

fn escaped(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str(r"\\"),
        '\n' => out.push_str(r"\n"),
        '\r' => out.push_str(r"\r"),
        '\t' => out.push_str(r"\t"),
        '\u{8}' => out.push_str(r"\b"),
        '\u{c}' => out.push_str(r"\f"),
        '\0'..'\u{20}' | '\u{2028}' | '\u{2029}' => {
            // A String takes whatever is written.
            let _ = write!(out, "\\u{:04x}", u32::from(character));
        }
        _ => out.push(character),
    }
}

#[cfg(test)]
mod tests;
