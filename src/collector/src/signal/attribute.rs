//! An attribute of the form that nearly all have: a key and a value of one simple type, both short,
//! each once. A few comparisons find it where a walk would read four messages' fields; what is of
//! another form is not wrong, but takes the walk.

use super::wire::varint;

/// Tags of KeyValue (common.proto): key, value.
const KEY: u8 = 1 << 3 | 2;
const VALUE: u8 = 2 << 3 | 2;
/// Tags of AnyValue: string_value, bool_value, int_value, double_value.
const STRING: u8 = 1 << 3 | 2;
const BOOL: u8 = 2 << 3;
const INT: u8 = 3 << 3;
const DOUBLE: u8 = 4 << 3 | 1;

/// A simple attribute's key and value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Simple<'a> {
    /// The key's bytes.
    pub key: &'a [u8],
    /// Its value.
    pub value: Value<'a>,
}

/// A value of a simple type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    /// Text, at most 125 bytes.
    String(&'a [u8]),
    /// true or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Double(f64),
}

impl<'a> Simple<'a> {
    /// Reads the bytes of a KeyValue; None where it is of another form.
    #[inline(always)]
    pub(crate) fn of(bytes: &'a [u8]) -> Option<Self> {
        let (key, rest) = short(KEY, bytes)?;
        let (value, rest) = short(VALUE, rest)?;
        let (true, [tag, content @ ..]) = (rest.is_empty(), value) else {
            return None;
        };
        let value = match *tag {
            STRING => match short(STRING, value)? {
                (text, []) => Value::String(text),
                _ => return None,
            },
            BOOL => Value::Bool(whole(content)? != 0),
            INT => Value::Int(whole(content)?.cast_signed()),
            DOUBLE => Value::Double(f64::from_le_bytes(content.try_into().ok()?)),
            _ => return None,
        };
        Some(Self { key, value })
    }
}

/// A field of this tag whose length is one byte, and what follows it.
#[inline]
fn short(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        [first, length @ ..0x80, rest @ ..] if *first == tag => {
            rest.split_at_checked(usize::from(*length))
        }
        _ => None,
    }
}

/// A varint and nothing behind it.
#[inline]
fn whole(bytes: &[u8]) -> Option<u64> {
    varint(bytes).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
}

#[cfg(test)]
mod tests;
