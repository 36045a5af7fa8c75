//! Values in JSON as Go's encoding/json writes them: sorted keys, HTML's characters escaped, numbers
//! as ECMAScript has them. Where that has no form for a number (NaN, infinity), protobuf's.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::number;
use super::value::{Attribute, Value, pairs, put, values};

/// A value.
pub(super) fn value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Empty => out.extend_from_slice(b"null"),
        Value::Str(text) => string(out, text),
        Value::Bool(flag) => put(out, flag),
        Value::Int(int) => put(out, int),
        Value::Double(number) => double(out, number),
        // Go's copy of no bytes is nil, and nil is null.
        Value::Bytes([]) => out.extend_from_slice(b"null"),
        Value::Bytes(bytes) => {
            out.push(b'"');
            out.extend_from_slice(BASE64_STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
        Value::Array(array) => {
            out.push(b'[');
            for item in values(array) {
                self::value(out, item);
                out.push(b',');
            }
            close(out, b'[', b']');
        }
        Value::Map(map) => {
            let mut list: Vec<_> = pairs(map).collect();
            out.push(b'{');
            members(out, &mut list, |_| true);
            close(out, b'{', b'}');
        }
    }
}

/// The members of an object, each followed by a comma, sorted by key; of several with one key the
/// last. `keep` says by key which.
pub(super) fn members(
    out: &mut Vec<u8>,
    attributes: &mut [Attribute<'_>],
    keep: impl Fn(&[u8]) -> bool,
) {
    attributes.sort_by(|a, b| a.key.cmp(b.key));
    for same in attributes.chunk_by(|a, b| a.key == b.key) {
        if let Some(last) = same.last().filter(|attribute| keep(attribute.key)) {
            member(out, last);
        }
    }
}

/// A member of an object, followed by a comma.
pub(super) fn member(out: &mut Vec<u8>, attribute: &Attribute<'_>) {
    string(out, attribute.key);
    out.push(b':');
    value(out, attribute.value);
    out.push(b',');
}

/// Ends a list of things that were each followed by a comma.
fn close(out: &mut Vec<u8>, open: u8, close: u8) {
    match out.last_mut() {
        Some(last) if *last != open => *last = close,
        _ => out.push(close),
    }
}

/// A number; what is none in protobuf's JSON form, a string.
fn double(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        number::double(out, number, -6..21, 1);
    } else {
        string(out, not_finite(number).as_bytes());
    }
}

/// What protobuf's JSON form calls a double that is no number.
pub(super) fn not_finite(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

/// A string in quotes. Each byte that is no UTF-8 becomes `\ufffd`.
pub(super) fn string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    if std::str::from_utf8(text).is_ok() {
        escape(out, text);
    } else {
        for chunk in text.utf8_chunks() {
            escape(out, chunk.valid().as_bytes());
            chunk.invalid().iter().for_each(|_| out.extend_from_slice(b"\\ufffd"));
        }
    }
    out.push(b'"');
}

/// Bytes that may not stand in a string as they are; 0xe2 begins U+2028 and U+2029, among others.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        special[byte] = true;
        byte += 1;
    }
    special[b'"' as usize] = true;
    special[b'\\' as usize] = true;
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'&' as usize] = true;
    special[0xe2] = true;
    special
};

fn escape(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| SPECIAL[usize::from(*byte)]) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain);
        let length = match from {
            [0xe2, 0x80, last @ (0xa8 | 0xa9), ..] => {
                put(out, format_args!("\\u20{:02x}", last - 0x80));
                3
            }
            [0xe2, ..] => {
                out.push(0xe2);
                1
            }
            [byte, ..] => {
                escape_byte(out, *byte);
                1
            }
            [] => return,
        };
        rest = &from[length..];
    }
    out.extend_from_slice(rest);
}

fn escape_byte(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        8 => b'b',
        12 => b'f',
        _ => return put(out, format_args!("\\u{byte:04x}")),
    };
    out.extend_from_slice(&[b'\\', short]);
}
