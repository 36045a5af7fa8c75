//! OTLP's values as one enum over borrowed bytes, and as text the way pdata's `AsString` does it.
//! Knows no label and no line.

use std::borrow::Cow;
use std::fmt::Display;
use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::json;
use crate::signal::otlp::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use crate::signal::view::{Repeated, View};

/// A value; text may be no UTF-8, messages were scanned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Empty,
    Str(&'a [u8]),
    Bool(bool),
    Int(i64),
    Double(f64),
    Bytes(&'a [u8]),
    /// An `ArrayValue`.
    Array(&'a [u8]),
    /// A `KeyValueList`.
    Map(&'a [u8]),
}

/// An attribute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attribute<'a> {
    pub(super) key: &'a [u8],
    pub(super) value: Value<'a>,
}

impl<'a> Value<'a> {
    /// The value in an `AnyValue`.
    #[inline]
    pub(super) fn of(value: AnyValue<'a>) -> Self {
        match value {
            AnyValue { string: Some(text), .. } => Self::Str(text.0),
            AnyValue { int: Some(int), .. } => Self::Int(int),
            AnyValue { bool: Some(flag), .. } => Self::Bool(flag),
            AnyValue { double: Some(double), .. } => Self::Double(double),
            AnyValue { kvlist: Some(map), .. } => Self::Map(map.bytes),
            AnyValue { array: Some(array), .. } => Self::Array(array.bytes),
            AnyValue { bytes_value: Some(bytes), .. } => Self::Bytes(bytes),
            _ => Self::Empty,
        }
    }

    /// As text (pdata, `Value.AsString`): strings as they are, bytes in base64, maps and arrays in
    /// JSON, nothing as nothing.
    pub(super) fn text(self) -> Cow<'a, [u8]> {
        match self {
            Self::Empty => Cow::Borrowed(b""),
            Self::Str(text) => Cow::Borrowed(text),
            Self::Bool(true) => Cow::Borrowed(b"true"),
            Self::Bool(false) => Cow::Borrowed(b"false"),
            Self::Int(int) => Cow::Owned(int.to_string().into_bytes()),
            Self::Double(double) if !double.is_finite() => {
                Cow::Borrowed(json::not_finite(double).as_bytes())
            }
            Self::Bytes(bytes) => Cow::Owned(BASE64_STANDARD.encode(bytes).into_bytes()),
            Self::Double(_) | Self::Array(_) | Self::Map(_) => {
                let mut out = Vec::new();
                json::value(&mut out, self);
                Cow::Owned(out)
            }
        }
    }
}

/// The attributes of a message.
pub(super) fn attributes<'a>(
    list: Repeated<'a, KeyValue<'static>>,
) -> impl Iterator<Item = Attribute<'a>> {
    list.iter().map(|pair| Attribute {
        key: pair.key.0,
        value: pair.value.map_or(Value::Empty, |value| Value::of(value.view())),
    })
}

/// The pairs of a [`Value::Map`].
pub(super) fn pairs(map: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    attributes(KeyValueList::parse(map).values)
}

/// The values of a [`Value::Array`].
pub(super) fn values(array: &[u8]) -> impl Iterator<Item = Value<'_>> {
    ArrayValue::parse(array).values.iter().map(Value::of)
}

/// The first attribute of a name; of several the others are not seen (pdata, `Map.Get`).
pub(super) fn get<'a>(attributes: &[Attribute<'a>], key: &[u8]) -> Option<Value<'a>> {
    attributes.iter().find(|attribute| attribute.key == key).map(|attribute| attribute.value)
}

/// Writes what has a form as text. Into a vector nothing can fail.
pub(super) fn put(out: &mut Vec<u8>, value: impl Display) {
    let _ = write!(out, "{value}");
}

/// Writes text; what is no UTF-8 becomes U+FFFD.
pub(super) fn put_lossy(out: &mut Vec<u8>, text: &[u8]) {
    match std::str::from_utf8(text) {
        Ok(text) => out.extend_from_slice(text.as_bytes()),
        Err(_) => out.extend_from_slice(String::from_utf8_lossy(text).as_bytes()),
    }
}

/// Writes an id in hexadecimal.
pub(super) fn put_hex(out: &mut Vec<u8>, id: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in id {
        out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    }
}

/// Whether an id says anything: none and all zeros do not.
pub(super) fn is_id(id: &[u8]) -> bool {
    id.iter().any(|byte| *byte != 0)
}
