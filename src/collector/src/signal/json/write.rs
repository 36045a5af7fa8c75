//! Protobuf to JSON, as otelcol's pdata marshals it: 64-bit numbers as strings, enumerations as
//! numbers, ids in hexadecimal, what is at its default left out, but messages that a message always
//! has written even when empty. Fields stand in the order of their numbers.

use std::io::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::names;
use crate::signal::Signal;
use crate::signal::scan::MAX_DEPTH;
use crate::signal::schema::{FieldInfo, Kind, Message, NUMBERS};
use crate::signal::wire::{Field, Fields, Raw, varint};

/// Requests of one signal as one JSON document appended to `out`: their resources one after the
/// other. Each must have been scanned and be canonical. Unknown fields are left out, as is
/// an id of zeros alone; what is no UTF-8 becomes U+FFFD.
pub fn to_json(signal: Signal, requests: &[&[u8]], out: &mut Vec<u8>) {
    let of = crate::signal::request(signal);
    out.push(b'{');
    for field in of.fields {
        let all = || requests.iter().flat_map(|request| Fields::of(request));
        let mut same = all().filter(|found| found.number == field.number).peekable();
        if same.peek().is_some() {
            list(field, same, MAX_DEPTH, out);
        }
    }
    out.push(b'}');
}

/// The body of an answer that refuses (google.rpc.Status in ProtoJSON; OTLP specification,
/// Failures): what is 0 or empty is left out.
#[must_use]
pub fn status_json(code: i32, message: &str) -> String {
    let mut out = String::from("{");
    if code != 0 {
        out.push_str(&format!("\"code\":{code}"));
    }
    if !message.is_empty() {
        out.push_str(if out.len() > 1 { ",\"message\":" } else { "\"message\":" });
        out.push_str(&serde_json::Value::from(message).to_string());
    }
    out.push('}');
    out
}

fn message(of: &'static Message, bytes: &[u8], depth: u32, out: &mut Vec<u8>) {
    out.push(b'{');
    // What was scanned is never so deep.
    let bytes = if depth == 0 { &[][..] } else { bytes };
    let found = Found::of(bytes);
    for field in of.fields {
        member(of, field, found.fields(field.number).peekable(), depth, out);
    }
    out.push(b'}');
}

/// Where in a message the fields of each number begin, which stand together in any order.
struct Found<'a>([&'a [u8]; NUMBERS]);

impl<'a> Found<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        let (mut begins, mut last, mut rest) = ([&[][..]; NUMBERS], 0, bytes);
        for Field { number, written, .. } in Fields::of(bytes) {
            if let Some(begin) = begins.get_mut(number as usize).filter(|_| number != last) {
                *begin = rest;
            }
            last = number;
            rest = &rest[written.len()..];
        }
        Self(begins)
    }

    fn fields(&self, number: u32) -> impl Iterator<Item = Field<'a>> {
        let begin = self.0.get(number as usize).copied().unwrap_or_default();
        Fields::of(begin).take_while(move |field| field.number == number)
    }
}

/// One field of a message.
fn member<'a>(
    of: &'static Message,
    field: &'static FieldInfo,
    mut same: std::iter::Peekable<impl Iterator<Item = Field<'a>>>,
    depth: u32,
    out: &mut Vec<u8>,
) {
    match field.kind {
        Kind::Many(_) | Kind::Strings | Kind::Fixed64s | Kind::Doubles | Kind::Uints => {
            if same.peek().is_some() {
                list(field, same, depth, out);
            }
        }
        Kind::One(inner) => match same.last() {
            Some(found) => {
                key(field, out);
                message(inner, body(found.value), depth - 1, out);
            }
            // otelcol's structures have no pointer here, so it always writes them.
            None if !field.oneof => {
                key(field, out);
                out.extend_from_slice(b"{}");
            }
            None => {}
        },
        kind => {
            let told = field.oneof || names::is_optional(of.name, field.json);
            if let Some(found) = same.last().filter(|found| told || !is_default(kind, found.value))
            {
                key(field, out);
                scalar(kind, found.value, out);
            }
        }
    }
}

fn list<'a>(
    field: &'static FieldInfo,
    same: impl Iterator<Item = Field<'a>>,
    depth: u32,
    out: &mut Vec<u8>,
) {
    let begin = out.len();
    key(field, out);
    out.push(b'[');
    let empty = out.len();
    for found in same {
        match (field.kind, found.value) {
            (Kind::Many(inner), raw) => {
                separate(out);
                message(inner, body(raw), depth.saturating_sub(1), out);
            }
            (Kind::Strings, raw) => {
                separate(out);
                text(body(raw), out);
            }
            (kind, Raw::Bytes(packed)) => numbers(kind, packed, out),
            (kind, raw) => {
                separate(out);
                scalar(kind, raw, out);
            }
        }
    }
    // Packed numbers may be none.
    if out.len() == empty {
        out.truncate(begin);
    } else {
        out.push(b']');
    }
}

fn numbers(kind: Kind, mut packed: &[u8], out: &mut Vec<u8>) {
    while !packed.is_empty() {
        let next = match kind {
            Kind::Uints => varint(packed).map(|(value, rest)| (Raw::Varint(value), rest)),
            _ => packed
                .split_first_chunk::<8>()
                .map(|(value, rest)| (Raw::Fixed64(u64::from_le_bytes(*value)), rest)),
        };
        let Some((value, rest)) = next else { return };
        separate(out);
        scalar(kind, value, out);
        packed = rest;
    }
}

/// Whether absent means the same. As otelcol, an id of zeros is none.
fn is_default(kind: Kind, value: Raw<'_>) -> bool {
    match (kind, value) {
        (Kind::Hex, Raw::Bytes(id)) => id.iter().all(|byte| *byte == 0),
        (_, Raw::Bytes(bytes)) => bytes.is_empty(),
        // A varint of 32 bits is its lower half (protobuf.dev, Updating A Message Type).
        (Kind::Uint | Kind::Sint | Kind::Enum, Raw::Varint(value)) => value as u32 == 0,
        (_, Raw::Varint(value) | Raw::Fixed64(value)) => value == 0,
        (_, Raw::Fixed32(value)) => value == 0,
    }
}

/// One value. What does not fit its kind cannot be, once scanned; it becomes null.
fn scalar(kind: Kind, value: Raw<'_>, out: &mut Vec<u8>) {
    let _ = match (kind, value) {
        (Kind::String, Raw::Bytes(value)) => {
            text(value, out);
            Ok(())
        }
        (Kind::Bytes, Raw::Bytes(value)) => write!(out, "\"{}\"", STANDARD.encode(value)),
        (Kind::Hex, Raw::Bytes(value)) => {
            out.push(b'"');
            value.iter().for_each(|byte| out.extend(digits(*byte)));
            out.push(b'"');
            Ok(())
        }
        (Kind::Bool, Raw::Varint(value)) => write!(out, "{}", value != 0),
        (Kind::Uint, Raw::Varint(value)) => write!(out, "{}", value as u32),
        (Kind::Enum, Raw::Varint(value)) => write!(out, "{}", value as i32),
        (Kind::Sint, Raw::Varint(value)) => {
            write!(out, "{}", (value as u32 >> 1).cast_signed() ^ -((value & 1) as i32))
        }
        (Kind::Fixed32, Raw::Fixed32(value)) => write!(out, "{value}"),
        (Kind::Fixed64 | Kind::Fixed64s, Raw::Fixed64(value))
        | (Kind::Uints, Raw::Varint(value)) => write!(out, "\"{value}\""),
        (Kind::Sfixed64, Raw::Fixed64(value)) | (Kind::Int, Raw::Varint(value)) => {
            write!(out, "\"{}\"", value.cast_signed())
        }
        (Kind::Double | Kind::Doubles, Raw::Fixed64(value)) => double(f64::from_bits(value), out),
        _ => write!(out, "null"),
    };
}

/// As Go writes a double: the shortest that reads the same, with an exponent where it is long.
fn double(value: f64, out: &mut Vec<u8>) -> std::io::Result<()> {
    let size = value.abs();
    if value.is_nan() {
        write!(out, "\"NaN\"")
    } else if size.is_infinite() {
        write!(out, "\"{}Infinity\"", if value < 0.0 { "-" } else { "" })
    } else if size != 0.0 && !(1e-6..1e21).contains(&size) {
        write!(out, "{value:e}")
    } else {
        write!(out, "{value}")
    }
}

fn text(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let text = String::from_utf8_lossy(bytes);
    let mut rest = text.as_bytes();
    let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
    while let Some(at) = rest.iter().position(special) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte @ (b'"' | b'\\') => out.extend([b'\\', byte]),
            byte => {
                out.extend_from_slice(b"\\u00");
                out.extend(digits(byte));
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn digits(byte: u8) -> [u8; 2] {
    let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 15)];
    [digit(byte >> 4), digit(byte)]
}

fn key(field: &'static FieldInfo, out: &mut Vec<u8>) {
    separate(out);
    out.push(b'"');
    out.extend_from_slice(field.json.as_bytes());
    out.extend_from_slice(b"\":");
}

/// A comma, unless this is the first in its object or array.
fn separate(out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'{' | b'[')) {
        out.push(b',');
    }
}

fn body(value: Raw<'_>) -> &[u8] {
    match value {
        Raw::Bytes(bytes) => bytes,
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
