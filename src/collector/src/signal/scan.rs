//! One pass over a request as it arrived: whether it is OTLP at all, how many items it has, and
//! whether it stands in the usual order. Nothing is copied. What passes here, views and exporters
//! need not doubt again.

use thiserror::Error;

use super::Signal;
use super::attribute::Simple;
use super::otlp::KEY_VALUE;
use super::schema::{Kind, Message};
use super::wire::{BYTES, FIXED64, VARINT, varint};

/// Messages within one another, at most: OTLP itself needs 8; the rest is for nested values.
/// prost stops at 100, Go's decoder at 10 000.
pub const MAX_DEPTH: u32 = 64;

/// What a scan found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Spans, data points or log records, as written: of a request that is not canonical maybe more
    /// than it means.
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
            // A number is from 1 to 2^29 - 1; nothing fits the number 0.
            let number = (tag >> 3) as u32;
            let slot = message.slot(number);
            let taken = if number == last { message.once() } else { seen };
            self.again |= taken & slot.place;
            seen |= slot.place;
            last = number;
            let wire = (tag & 7) as u8;
            if slot.wires >> wire & 1 == 0 || tag > u64::from(u32::MAX) {
                return Err(self.wire_type(message, tag, rest));
            }
            let after = match wire {
                BYTES => payload(after).map(|(value, after)| (Some(value), after)),
                VARINT => varint(after).map(|(_, after)| (None, after)),
                FIXED64 => after.get(8..).map(|after| (None, after)),
                _ => after.get(4..).map(|after| (None, after)),
            };
            let Some((value, after)) = after else {
                return Err(self.truncated(message, rest));
            };
            if let Some(value) = value {
                match slot.kind {
                    // Most messages are attributes, two messages each.
                    Kind::Many(inner)
                        if std::ptr::eq(inner, &raw const KEY_VALUE)
                            && depth > 2
                            && Simple::of(value).is_some() => {}
                    Kind::One(inner) | Kind::Many(inner) => {
                        self.message(inner, value, depth - 1)?;
                    }
                    kind if !packed(kind, value) => {
                        return Err(self.wire_type(message, tag, rest));
                    }
                    _ => {}
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

#[inline]
fn payload(after: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = varint(after)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// Whether packed numbers are whole; what is none is let through.
#[inline]
fn packed(kind: Kind, value: &[u8]) -> bool {
    match kind {
        Kind::Fixed64s | Kind::Doubles => value.len().is_multiple_of(8),
        Kind::Uints => varints(value),
        _ => true,
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
