//! The slow path for what repeats what may stand once, or scatters what stands together: writes a
//! request anew. Allowed by protobuf, and made by joining messages; no exporter known does it.

use bytes::Bytes;

use super::Signal;
use super::scan::{Malformed, scan};
use super::schema::{Kind, Message};
use super::wire::{Field, Fields, Raw, Write};

/// Checks a request as it arrived: the request in canonical form, which mostly is as it is, and its
/// items. They are counted anew in what was rewritten: of data that exclude one another the last
/// counts, and the points of the others are gone.
///
/// # Errors
/// The bytes are no message of the signal.
pub fn accept(signal: Signal, bytes: Bytes) -> Result<(Bytes, u32), Malformed> {
    let scanned = scan(signal, &bytes)?;
    if scanned.canonical {
        return Ok((bytes, scanned.items));
    }
    let bytes = Bytes::from(canonical(signal, &bytes));
    let items = scan(signal, &bytes)?.items;
    Ok((bytes, items))
}

/// The same message in canonical form (as [`Scan`](super::scan::Scan) tells), its numbers ascending
/// and what is unknown last. Of a scalar written twice the last counts; a message written twice is
/// both, merged; of fields that exclude one another the last counts (protobuf.dev, Last One Wins).
///
/// `bytes` must have been scanned: what is no message is left out.
#[must_use]
pub fn canonical(signal: Signal, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    message(super::request(signal), &[bytes], &mut out);
    out
}

/// Writes a message whose fields stand in several parts. They are gone through once for each of its
/// numbers rather than sorted, so that a message of many small fields takes no memory.
fn message(of: &'static Message, parts: &[&[u8]], out: &mut Vec<u8>) {
    let chosen = chosen(of, parts);
    for info in of.fields {
        let number = info.number;
        let from = if info.oneof { chosen } else { 0 };
        let mut same = fields(parts).skip(from).filter(|field| field.number == number);
        match info.kind {
            Kind::One(inner) => {
                let bodies: Vec<&[u8]> = same.map(|field| body(&field)).collect();
                if !bodies.is_empty() {
                    out.put_message(number, |out| message(inner, &bodies, out));
                }
            }
            Kind::Many(inner) => {
                same.for_each(|field| {
                    out.put_message(number, |out| message(inner, &[body(&field)], out));
                });
            }
            kind if kind.repeats() => same.for_each(|field| out.extend_from_slice(field.written)),
            _ => {
                let last = same.by_ref().last();
                last.into_iter().for_each(|field| out.extend_from_slice(field.written));
            }
        }
    }
    let unknown = fields(parts).filter(|field| matches!(of.kind(field.number), Kind::Unknown));
    unknown.for_each(|field| out.extend_from_slice(field.written));
}

/// Index of the first field after which no other stands of those that exclude the last: what stands
/// there is merged, what is before is gone.
fn chosen(of: &'static Message, parts: &[&[u8]]) -> usize {
    let either = fields(parts).enumerate().filter(|(_, field)| of.is_oneof(field.number));
    let last = either.fold((0, 0), |(number, at), (index, field)| match field.number == number {
        true => (number, at),
        false => (field.number, index),
    });
    last.1
}

fn fields<'a>(parts: &[&'a [u8]]) -> impl Iterator<Item = Field<'a>> {
    parts.iter().flat_map(|part| Fields::of(part))
}

fn body<'a>(field: &Field<'a>) -> &'a [u8] {
    match field.value {
        Raw::Bytes(bytes) => bytes,
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
