//! Values as text, as pdata's Value.AsString makes it: scalars as they are, bytes as base64, lists
//! and maps as the JSON of Go's encoding/json without HTML's escapes (pdata v1.61
//! pcommon/value.go). Knows no component.

use std::borrow::Cow;
use std::fmt::{self, Display, Formatter, Write};

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;

use super::otlp::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use super::scan::MAX_DEPTH;
use super::view::{Sub, Text, View};

/// A value as text. Empty of a value without a type, and of a list or map that holds a number that
/// is not finite: JSON has none.
#[must_use]
pub fn as_string<'a>(value: &AnyValue<'a>) -> Cow<'a, str> {
    match (value.string, value.bool) {
        (Some(text), _) => text.lossy(),
        (None, Some(bool)) => Cow::Borrowed(if bool { "true" } else { "false" }),
        (None, None) => Cow::Owned(Shown(value).to_string()),
    }
}

/// A value that is shown as [`as_string`] makes it, without being made as a whole.
pub struct Shown<'a, 'b>(pub &'b AnyValue<'a>);

impl Display for Shown<'_, '_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(value) = *self;
        if let Some(text) = value.string {
            f.write_str(&text.lossy())
        } else if let Some(bool) = value.bool {
            write!(f, "{bool}")
        } else if let Some(int) = value.int {
            write!(f, "{int}")
        } else if let Some(double) = value.double {
            f.write_str(&double_as_string(double))
        } else if let Some(bytes) = value.bytes_value {
            write!(f, "{}", Base64Display::new(bytes, &STANDARD))
        } else if value.array.is_none() && value.kvlist.is_none() {
            Ok(())
        } else if any(value, MAX_DEPTH, &mut Nowhere).is_ok() {
            any(value, MAX_DEPTH, f)
        } else {
            Ok(())
        }
    }
}

/// Takes whatever is written, to see whether there is JSON at all.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
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

/// An error where there is no JSON, or `out` takes no more. Scanned bytes never reach depth 0.
fn any(value: &AnyValue<'_>, depth: u32, out: &mut dyn Write) -> fmt::Result {
    let depth = depth.checked_sub(1).ok_or(fmt::Error)?;
    if let Some(text) = value.string {
        string(text, out)
    } else if let Some(double) = value.double {
        out.write_str(&double.is_finite().then(|| double_as_string(double)).ok_or(fmt::Error)?)
    } else if let Some(values) = value.array {
        array(&values.view(), depth, out)
    } else if let Some(pairs) = value.kvlist {
        object(&pairs.view(), depth, out)
    } else if let Some(bytes) = value.bytes_value.filter(|bytes| !bytes.is_empty()) {
        write!(out, "\"{}\"", Base64Display::new(bytes, &STANDARD))
    } else if value.int.is_some() || value.bool.is_some() {
        write!(out, "{}", Shown(value))
    } else {
        // No bytes are null too: to Go they are a nil slice.
        out.write_str("null")
    }
}

fn array(list: &ArrayValue<'_>, depth: u32, out: &mut dyn Write) -> fmt::Result {
    out.write_char('[')?;
    for (index, value) in list.values.iter().enumerate() {
        out.write_str(if index > 0 { "," } else { "" })?;
        any(&value, depth, out)?;
    }
    out.write_char(']')
}

/// Sorted by key; of a key that stands twice the last counts, as in a Go map.
fn object(list: &KeyValueList<'_>, depth: u32, out: &mut dyn Write) -> fmt::Result {
    // As bytes, which are less than views: a pair may be no more than two.
    let mut pairs: Vec<&[u8]> = list.values.bytes().collect();
    pairs.sort_by(|a, b| key(a).cmp(key(b)));
    out.write_char('{')?;
    let last = pairs.chunk_by(|a, b| key(a) == key(b)).filter_map(|same| same.last());
    for (index, pair) in last.enumerate() {
        let KeyValue { key, value, .. } = KeyValue::parse(pair);
        out.write_str(if index > 0 { "," } else { "" })?;
        string(key, out)?;
        out.write_char(':')?;
        any(&value.map_or(AnyValue::parse(&[]), Sub::view), depth, out)?;
    }
    out.write_char('}')
}

fn key(pair: &[u8]) -> &[u8] {
    KeyValue::parse(pair).key.0
}

/// Escapes also U+2028 and U+2029, which end lines in JavaScript.
fn string(text: Text<'_>, out: &mut dyn Write) -> fmt::Result {
    out.write_char('"')?;
    for chunk in text.0.utf8_chunks() {
        chunk.valid().chars().try_for_each(|character| escaped(character, out))?;
        for _ in chunk.invalid() {
            out.write_str(r"\ufffd")?;
        }
    }
    out.write_char('"')
}

fn escaped(character: char, out: &mut dyn Write) -> fmt::Result {
    match character {
        '"' => out.write_str("\\\""),
        '\\' => out.write_str(r"\\"),
        '\n' => out.write_str(r"\n"),
        '\r' => out.write_str(r"\r"),
        '\t' => out.write_str(r"\t"),
        '\u{8}' => out.write_str(r"\b"),
        '\u{c}' => out.write_str(r"\f"),
        '\0'..'\u{20}' | '\u{2028}' | '\u{2029}' => {
            write!(out, "\\u{:04x}", u32::from(character))
        }
        _ => out.write_char(character),
    }
}

#[cfg(test)]
mod tests;
