//! The slow path for what arrived in an unusual order: writes a request anew so that numbers ascend
//! and what may stand once stands once. Allowed by protobuf, made by no exporter known.

use super::Signal;
use super::schema::{Kind, Message};
use super::wire::{Field, Fields, Raw, Write};

/// The same message in canonical order. Of a scalar written twice the last counts; a message
/// written twice is both, merged; of fields that exclude one another the last counts
/// (protobuf.dev, Last One Wins). Unknown fields are kept.
///
/// `bytes` must have been scanned: what is no message is left out.
#[must_use]
pub fn canonical(signal: Signal, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    message(super::request(signal), bytes, &mut out);
    out
}

fn message(of: &'static Message, bytes: &[u8], out: &mut Vec<u8>) {
    let mut fields: Vec<Field<'_>> = Fields::of(bytes).collect();
    let chosen = fields.iter().rev().find(|field| of.is_oneof(field.number)).map(|f| f.number);
    fields.retain(|field| !of.is_oneof(field.number) || Some(field.number) == chosen);
    fields.sort_by_key(|field| field.number);
    for same in fields.chunk_by(|a, b| a.number == b.number) {
        let number = same[0].number;
        match of.kind(number) {
            Kind::One(inner) => {
                // Messages one after the other are one message, merged.
                let merged: Vec<u8> = same.iter().flat_map(|field| body(field)).copied().collect();
                out.put_message(number, |out| message(inner, &merged, out));
            }
            Kind::Many(inner) => {
                for field in same {
                    out.put_message(number, |out| message(inner, body(field), out));
                }
            }
            Kind::Strings | Kind::Fixed64s | Kind::Doubles | Kind::Uints | Kind::Unknown => {
                same.iter().for_each(|field| out.extend_from_slice(field.written));
            }
            _ => same.last().into_iter().for_each(|field| out.extend_from_slice(field.written)),
        }
    }
}

fn body<'a>(field: &Field<'a>) -> &'a [u8] {
    match field.value {
        Raw::Bytes(bytes) => bytes,
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
