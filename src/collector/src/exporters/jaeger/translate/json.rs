//! Lists and maps as text: the JSON that Go's encoding/json makes of them, as pdata's
//! Value.AsString does. Knows no tag.

use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::signal::otlp::{AnyValue, ArrayValue, KeyValueList};
use crate::signal::scan::MAX_DEPTH;
use crate::signal::view::{Sub, Text};

/// Appends a value as JSON. False where there is none, of a number that is not finite: Go then has
/// no text for the whole value. What was appended until then is of no use.
pub(super) fn put(value: &AnyValue<'_>, out: &mut Vec<u8>) -> bool {
    any(Some(value), MAX_DEPTH, out).is_some()
}

/// None: no JSON. Scanned bytes never reach depth 0.
fn any(value: Option<&AnyValue<'_>>, depth: u32, out: &mut Vec<u8>) -> Option<()> {
    let depth = depth.checked_sub(1)?;
    let Some(value) = value else {
        out.extend_from_slice(b"null");
        return Some(());
    };
    if let Some(text) = value.string {
        string(text, out);
    } else if let Some(int) = value.int {
        number(format_args!("{int}"), out);
    } else if let Some(bool) = value.bool {
        number(format_args!("{bool}"), out);
    } else if let Some(double) = value.double {
        float(double, out)?;
    } else if let Some(values) = value.array {
        array(&values.view(), depth, out)?;
    } else if let Some(pairs) = value.kvlist {
        object(&pairs.view(), depth, out)?;
    } else {
        bytes(value.bytes_value.unwrap_or_default(), out);
    }
    Some(())
}

fn array(list: &ArrayValue<'_>, depth: u32, out: &mut Vec<u8>) -> Option<()> {
    out.push(b'[');
    for (index, value) in list.values.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        any(Some(&value), depth, out)?;
    }
    out.push(b']');
    Some(())
}

/// Sorted by key; of a key that stands twice the last counts, as in a Go map.
fn object(list: &KeyValueList<'_>, depth: u32, out: &mut Vec<u8>) -> Option<()> {
    let mut pairs: Vec<(Text<'_>, Option<Sub<'_, AnyValue<'static>>>)> =
        list.values.iter().map(|pair| (pair.key, pair.value)).collect();
    pairs.sort_by_key(|(key, _)| *key);
    out.push(b'{');
    let last = pairs.chunk_by(|a, b| a.0 == b.0).filter_map(|same| same.last());
    for (index, (key, value)) in last.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        string(*key, out);
        out.push(b':');
        any(value.map(Sub::view).as_ref(), depth, out)?;
    }
    out.push(b'}');
    Some(())
}

/// base64; null for no bytes, which to Go are a nil slice. A value without a type is null too.
fn bytes(bytes: &[u8], out: &mut Vec<u8>) {
    if bytes.is_empty() {
        out.extend_from_slice(b"null");
    } else {
        out.push(b'"');
        out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
        out.push(b'"');
    }
}

/// As in ECMAScript: the fewest digits that tell it, with an exponent below 1e-6 and from 1e21.
fn float(value: f64, out: &mut Vec<u8>) -> Option<()> {
    let size = value.abs();
    if !value.is_finite() {
        return None;
    }
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let sign = if size < 1.0 { "" } else { "+" };
        number(format_args!("{}", format!("{value:e}").replace('e', &format!("e{sign}"))), out);
    } else {
        number(format_args!("{value}"), out);
    }
    Some(())
}

fn number(text: std::fmt::Arguments<'_>, out: &mut Vec<u8>) {
    // A Vec takes whatever is written.
    let _ = out.write_fmt(text);
}

/// Escapes also what HTML gives a meaning, and U+2028 and U+2029, which end lines in JavaScript.
fn string(text: Text<'_>, out: &mut Vec<u8>) {
    out.push(b'"');
    for chunk in text.0.utf8_chunks() {
        for character in chunk.valid().chars() {
            escaped(character, out);
        }
        for _ in chunk.invalid() {
            out.extend_from_slice(br"\ufffd");
        }
    }
    out.push(b'"');
}

fn escaped(character: char, out: &mut Vec<u8>) {
    match character {
        '"' | '\\' => out.extend_from_slice(&[b'\\', character as u8]),
        '\n' => out.extend_from_slice(br"\n"),
        '\r' => out.extend_from_slice(br"\r"),
        '\t' => out.extend_from_slice(br"\t"),
        '\u{8}' => out.extend_from_slice(br"\b"),
        '\u{c}' => out.extend_from_slice(br"\f"),
        '\0'..'\u{20}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
            number(format_args!("\\u{:04x}", u32::from(character)), out);
        }
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}
