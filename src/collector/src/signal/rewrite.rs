//! The slow path for what repeats what may stand once, or scatters what stands together: writes a
//! request anew. Allowed by protobuf, and made by joining messages; no exporter known does it.

use super::Signal;
use super::schema::{Kind, Message};
use super::wire::{Field, Fields, Raw, Write};

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
        let from = match info.oneof {
            true if number != chosen.0 => continue,
            true => chosen.1,
            false => 0,
        };
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

/// Of the fields that exclude one another the number of the last, and the index of the first field
/// that is not before one of another number: what stands there is merged, what is before is gone.
fn chosen(of: &'static Message, parts: &[&[u8]]) -> (u32, usize) {
    let either = fields(parts).enumerate().filter(|(_, field)| of.is_oneof(field.number));
    either.fold((0, 0), |chosen, (index, field)| match field.number == chosen.0 {
        true => chosen,
        false => (field.number, index),
    })
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
