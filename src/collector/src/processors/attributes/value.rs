//! Values as encoded AnyValues: from the settings, hashed and converted (contrib
//! internal/coreinternal/attraction v0.155, hasher.go and type_converter.go), and compared.

use obspipe_model::components::attributes::ConvertedType;
use obspipe_model::{Signal, Value};
use sha2::{Digest as _, Sha256};

use super::EditorError;
use crate::signal::as_string::as_string;
use crate::signal::otlp::{AnyValue, KeyValue, KeyValueList};
use crate::signal::scan::{MAX_DEPTH, scan};
use crate::signal::view::View;
use crate::signal::wire::{FIXED64, VARINT, Write as _};

const STRING: u32 = 1;
const BOOL: u32 = 2;
const INT: u32 = 3;
const DOUBLE: u32 = 4;
const ARRAY: u32 = 5;
const MAP: u32 = 6;

/// Text.
pub(super) fn string(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 4);
    out.put_bytes_field(STRING, text);
    out
}

fn int(value: i64) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_tag(INT, VARINT);
    out.put_varint(value.cast_unsigned());
    out
}

fn double(value: f64) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_tag(DOUBLE, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
    out
}

/// A value of the settings.
///
/// # Errors
/// It is not known, or nested so deep that a request would not be taken with it.
pub(super) fn encoded(value: &Value, path: &str) -> Result<Vec<u8>, EditorError> {
    let mut out = Vec::new();
    put(value, &mut out).ok_or_else(|| EditorError::new(path, "is not known here"))?;
    // As deep as an attribute ever stands: in a data point.
    let numbers = [1, 2, 2, 5, 1, 7, 2];
    let request = numbers.iter().rev().fold(out.clone(), |inner, number| {
        let mut outer = Vec::with_capacity(inner.len() + 8);
        outer.put_bytes_field(*number, &inner);
        outer
    });
    match scan(Signal::Metrics, &request) {
        Ok(_) => Ok(out),
        Err(_) => Err(EditorError::new(path, "is nested too deep for an attribute")),
    }
}

/// None: not known. The settings' depth is bounded.
fn put(value: &Value, out: &mut Vec<u8>) -> Option<()> {
    match value {
        Value::Null => {}
        Value::Bool(value) => {
            out.put_tag(BOOL, VARINT);
            out.put_varint(u64::from(*value));
        }
        // Of what is greater than an i64, Go takes the bits.
        #[allow(clippy::cast_possible_truncation)]
        Value::Int(value) => out.extend_from_slice(&int(*value as i64)),
        Value::Float(value) => out.extend_from_slice(&double(*value)),
        Value::String(text) => out.put_bytes_field(STRING, text.as_bytes()),
        Value::List(list) => {
            let mut known = Some(());
            out.put_message(ARRAY, |out| {
                for value in list {
                    out.put_message(1, |out| known = known.and(put(value, out)));
                }
            });
            return known;
        }
        Value::Map(entries) => {
            let mut known = Some(());
            out.put_message(MAP, |out| {
                for (key, value) in entries {
                    out.put_message(1, |out| {
                        out.put_bytes_field(1, key.as_bytes());
                        out.put_message(2, |out| known = known.and(put(value, out)));
                    });
                }
            });
            return known;
        }
        Value::Expanded { parsed, .. } => return put(parsed, out),
        Value::Deferred(_) => return None,
    }
    Some(())
}

/// Its SHA-256, in hexadecimal: of text its bytes, of a number its eight bytes, least first, of a
/// boolean one byte. Of anything else the empty text.
pub(super) fn hashed(value: &AnyValue<'_>) -> Vec<u8> {
    let sum = if let Some(text) = value.string {
        Sha256::digest(text.0)
    } else if let Some(bool) = value.bool {
        Sha256::digest([u8::from(bool)])
    } else if let Some(int) = value.int {
        Sha256::digest(int.to_le_bytes())
    } else if let Some(double) = value.double {
        Sha256::digest(double.to_le_bytes())
    } else {
        return string(&[]);
    };
    let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble & 15)];
    let text: Vec<u8> = sum.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect();
    string(&text)
}

/// The value as another type; None where it is of that type or cannot be.
pub(super) fn converted(value: &AnyValue<'_>, to: ConvertedType) -> Option<Vec<u8>> {
    match to {
        ConvertedType::String => {
            value.string.is_none().then(|| string(as_string(value).as_bytes()))
        }
        ConvertedType::Int => {
            let number = value.string.map(|text| integer(&text.lossy()));
            // What is out of range becomes the nearest; to Go that is open.
            #[allow(clippy::cast_possible_truncation)]
            number
                .unwrap_or_else(|| value.double.map(|double| double as i64))
                .or_else(|| value.bool.map(i64::from))
                .map(int)
        }
        ConvertedType::Double => {
            let number = value.string.map(|text| floating(&text.lossy()));
            #[allow(clippy::cast_precision_loss)]
            number
                .unwrap_or_else(|| value.int.map(|int| int as f64))
                .or_else(|| value.bool.map(|bool| f64::from(u8::from(bool))))
                .map(double)
        }
    }
}

/// As strconv.ParseInt with base 10.
fn integer(text: &str) -> Option<i64> {
    text.parse().ok()
}

/// As strconv.ParseFloat, but for hexadecimal: what is too great is no number, and NaN has no sign.
fn floating(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    let named = text.bytes().any(|byte| matches!(byte, b'n' | b'N'));
    let signed_nan = number.is_nan() && text.len() > 3;
    ((number.is_finite() || named) && !signed_nan).then_some(number)
}

/// Whether two encoded values are the same: of the same type, and equal (contrib filtermatcher and
/// pdatautil.ValueHash). The order of a map's keys does not count.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    match (AnyValue::parse(a).double, AnyValue::parse(b).double) {
        // As numbers, not as bits: 0 is -0, and NaN is nothing.
        (Some(a), Some(b)) => a == b,
        _ => equal(a, b, MAX_DEPTH),
    }
}

fn equal(a: &[u8], b: &[u8], depth: u32) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return false };
    let (a, b) = (AnyValue::parse(a), AnyValue::parse(b));
    let lists = match (a.array, b.array) {
        (Some(a), Some(b)) => {
            let (a, b) = (a.view().values, b.view().values);
            a.bytes().count() == b.bytes().count()
                && a.bytes().zip(b.bytes()).all(|(a, b)| equal(a, b, depth))
        }
        (a, b) => a.is_none() && b.is_none(),
    };
    let maps = match (a.kvlist, b.kvlist) {
        (Some(a), Some(b)) => {
            let (a, b) = (pairs(&a.view()), pairs(&b.view()));
            let mut both = a.iter().zip(&b);
            a.len() == b.len() && both.all(|(a, b)| a.0 == b.0 && equal(a.1, b.1, depth))
        }
        (a, b) => a.is_none() && b.is_none(),
    };
    a.string.map(|text| text.0) == b.string.map(|text| text.0)
        && (a.bool, a.int, a.bytes_value) == (b.bool, b.int, b.bytes_value)
        && a.double.map(f64::to_bits) == b.double.map(f64::to_bits)
        && lists
        && maps
}

/// Keys and encoded values, sorted by key. Of a key that stands twice both count: the settings'
/// maps have none, so that such a map is like none of them.
fn pairs<'a>(list: &KeyValueList<'a>) -> Vec<(&'a [u8], &'a [u8])> {
    let pair = |pair: KeyValue<'a>| (pair.key.0, pair.value.map_or(&[][..], |value| value.bytes));
    let mut pairs: Vec<_> = list.values.iter().map(pair).collect();
    pairs.sort_by_key(|(key, _)| *key);
    pairs
}
