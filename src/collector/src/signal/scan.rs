//! One pass over a request as it arrived: whether it is OTLP at all, how many items it has, and
//! whether it stands in the usual order. Nothing is copied. What passes here, views and exporters
//! need not doubt again.

use thiserror::Error;

use super::Signal;
use super::schema::{Kind, Message, Slot};
use super::wire::{BYTES, FIXED32, FIXED64, VARINT, varint};

/// Messages within one another, at most: OTLP itself needs 8; the rest is for nested values.
/// prost stops at 100, Go's decoder at 10 000.
pub const MAX_DEPTH: u32 = 64;

/// What a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Spans, data points or log records.
    pub items: u32,
    /// Whether in every message what may stand once stands once, and what may stand many times
    /// stands together. If not, [`canonical`](super::rewrite::canonical) makes it so. The order of
    /// the numbers does not matter: the Go collector writes them descending, and protobuf for Go
    /// writes fields that exclude one another last.
    pub canonical: bool,
}

/// What is no OTLP request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// A length says more than there is, or a varint does not end.
    #[error("{message} is cut short at byte {at}")]
    Truncated {
        /// The innermost message.
        message: &'static str,
        /// Bytes from the beginning of the request.
        at: usize,
    },
    /// A field is of a wire type that it cannot have.
    #[error("field {number} of {message} at byte {at} is of the wrong wire type")]
    WireType {
        /// The message.
        message: &'static str,
        /// The field's number.
        number: u32,
        /// Bytes from the beginning of the request.
        at: usize,
    },
    /// More messages within one another than [`MAX_DEPTH`].
    #[error("{message} at byte {at} is nested deeper than {MAX_DEPTH} messages")]
    TooDeep {
        /// The message.
        message: &'static str,
        /// Bytes from the beginning of the request.
        at: usize,
    },
}

/// Checks a whole request and counts its items.
///
/// # Errors
/// The bytes are no message of the signal. Strings that are no UTF-8 are let through.
pub fn scan(signal: Signal, bytes: &[u8]) -> Result<Scan, Malformed> {
    let mut scanner = Scanner { base: bytes.as_ptr() as usize, items: 0, again: 0 };
    scanner.message(super::request(signal), bytes, MAX_DEPTH)?;
    Ok(Scan { items: scanner.items, canonical: scanner.again == 0 })
}

struct Scanner {
    /// Where the request begins in memory, to tell offsets.
    base: usize,
    items: u32,
    /// Not 0 once a place was taken again that may not be.
    again: u32,
}

impl Scanner {
    fn message(
        &mut self,
        message: &'static Message,
        bytes: &[u8],
        depth: u32,
    ) -> Result<(), Malformed> {
        if depth == 0 {
            return Err(Malformed::TooDeep { message: message.name, at: self.at(bytes) });
        }
        self.items = self.items.saturating_add(u32::from(message.counted));
        let (mut rest, mut last, mut seen) = (bytes, 0u32, 0u32);
        while !rest.is_empty() {
            let Some((tag, after)) = varint(rest) else {
                return Err(self.truncated(message, rest));
            };
            let number = number(tag).ok_or_else(|| self.wire_type(message, tag, rest))?;
            let Slot { kind, place } = message.slot(number);
            let taken = if number == last { message.once() } else { seen };
            self.again |= taken & place;
            seen |= place;
            last = number;
            let (value, after) = match (tag & 7) as u8 {
                BYTES => match payload(after) {
                    Some(split) => split,
                    None => return Err(self.truncated(message, rest)),
                },
                wire => match fixed(wire, after) {
                    Some(Some(after)) => (&[][..], after),
                    Some(None) => return Err(self.truncated(message, rest)),
                    None => return Err(self.wire_type(message, tag, rest)),
                },
            };
            match (kind, (tag & 7) as u8) {
                (Kind::One(inner) | Kind::Many(inner), BYTES) => {
                    self.message(inner, value, depth - 1)?;
                }
                (kind, wire) => {
                    if !fits(kind, wire, value) {
                        return Err(self.wire_type(message, tag, rest));
                    }
                }
            }
            rest = after;
        }
        Ok(())
    }

    fn at(&self, rest: &[u8]) -> usize {
        (rest.as_ptr() as usize).saturating_sub(self.base)
    }

    #[cold]
    fn truncated(&self, message: &'static Message, rest: &[u8]) -> Malformed {
        Malformed::Truncated { message: message.name, at: self.at(rest) }
    }

    #[cold]
    fn wire_type(&self, message: &'static Message, tag: u64, rest: &[u8]) -> Malformed {
        let number = u32::try_from(tag >> 3).unwrap_or(u32::MAX);
        Malformed::WireType { message: message.name, number, at: self.at(rest) }
    }
}

/// A field's number: from 1 to 2^29 - 1.
#[inline]
fn number(tag: u64) -> Option<u32> {
    let number = u32::try_from(tag).ok()? >> 3;
    (number > 0).then_some(number)
}

#[inline]
fn payload(after: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = varint(after)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// What follows a value of a fixed size or a varint; outside None where the wire type is none of
/// these, inside where the value is cut short. (Groups are from before proto3: OTLP has none.)
#[inline]
fn fixed(wire: u8, after: &[u8]) -> Option<Option<&[u8]>> {
    match wire {
        VARINT => Some(varint(after).map(|(_, rest)| rest)),
        FIXED64 => Some(after.get(8..)),
        FIXED32 => Some(after.get(4..)),
        _ => None,
    }
}

/// Whether a kind can have a wire type; packed numbers are looked at to their end.
#[inline]
fn fits(kind: Kind, wire: u8, value: &[u8]) -> bool {
    match kind {
        Kind::Unknown => true,
        Kind::String | Kind::Bytes | Kind::Hex | Kind::Strings => wire == BYTES,
        Kind::Uint | Kind::Int | Kind::Sint | Kind::Enum | Kind::Bool => wire == VARINT,
        Kind::Fixed64 | Kind::Sfixed64 | Kind::Double => wire == FIXED64,
        Kind::Fixed32 => wire == FIXED32,
        Kind::Fixed64s | Kind::Doubles => {
            wire == FIXED64 || (wire == BYTES && value.len().is_multiple_of(8))
        }
        Kind::Uints => wire == VARINT || (wire == BYTES && varints(value)),
        Kind::One(_) | Kind::Many(_) => false,
    }
}

fn varints(mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match varint(bytes) {
            Some((_, rest)) => bytes = rest,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests;
