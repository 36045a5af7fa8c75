//! Requests changed by chance: field by field, so that they stay messages of unusual form, and byte
//! by byte, so that they mostly do not.

use crate::signal::schema::{Kind, Message};
use crate::signal::wire::{BYTES, FIXED32, FIXED64, Field, Fields, Raw, VARINT, Write};

/// Chances: a number below the given one.
pub(crate) trait Chance: FnMut(usize) -> usize {}
impl<F: FnMut(usize) -> usize> Chance for F {}

/// A message's fields, and those in them, in another order and some of them twice. Fields of one
/// number keep their order.
pub(crate) fn shuffle(of: &'static Message, bytes: &[u8], chance: &mut impl Chance) -> Vec<u8> {
    let mut parts: Vec<(u32, Vec<u8>)> = Vec::new();
    for field in Fields::of(bytes) {
        let written = match (of.kind(field.number), field.value) {
            (Kind::One(inner) | Kind::Many(inner), Raw::Bytes(body)) => {
                let mut written = Vec::new();
                written.put_bytes_field(field.number, &shuffle(inner, body, chance));
                written
            }
            _ => field.written.to_vec(),
        };
        if chance(6) == 0 && !of.kind(field.number).repeats() {
            parts.push((field.number, written.clone()));
        }
        parts.push((field.number, written));
    }
    let mut out = Vec::new();
    while !parts.is_empty() {
        let number = parts[chance(parts.len())].0;
        let first = parts.iter().position(|part| part.0 == number).unwrap_or(0);
        out.extend(parts.remove(first).1);
    }
    out
}

/// A canonical message's fields, and those in them, from the last to the first, as the Go collector
/// writes them. What may stand many times keeps its order.
pub(crate) fn reverse(of: &'static Message, bytes: &[u8]) -> Vec<u8> {
    let mut groups: Vec<(u32, Vec<u8>)> = Vec::new();
    for field in Fields::of(bytes) {
        if groups.last().is_none_or(|last| last.0 != field.number) {
            groups.push((field.number, Vec::new()));
        }
        let Some((_, out)) = groups.last_mut() else { continue };
        match (of.kind(field.number), field.value) {
            (Kind::One(inner) | Kind::Many(inner), Raw::Bytes(body)) => {
                out.put_bytes_field(field.number, &reverse(inner, body));
            }
            _ => out.extend_from_slice(field.written),
        }
    }
    groups.into_iter().rev().flat_map(|group| group.1).collect()
}

/// Changes about one field in so many: leaves it out, repeats it, gives it another number or type,
/// writes its tag and length longer than they need be, a length that lies, or some bytes less or
/// more in it.
pub(crate) fn fields(
    of: &'static Message,
    bytes: &[u8],
    one_in: usize,
    chance: &mut impl Chance,
) -> Vec<u8> {
    let mut out = Vec::new();
    for field in Fields::of(bytes) {
        let inner = match (of.kind(field.number), field.value) {
            (Kind::One(inner) | Kind::Many(inner), Raw::Bytes(body)) => {
                Some(fields(inner, body, one_in, chance))
            }
            _ => None,
        };
        let value = inner.as_deref().map_or(field.value, Raw::Bytes);
        let field = Field { value, ..field };
        match if chance(one_in) == 0 { chance(10) } else { 10 } {
            0 => {}
            1 => (0..2).for_each(|_| put(&mut out, &field, 0, 0)),
            2 => put(&mut out, &Field { number: 1 + chance(20) as u32, ..field }, 0, 0),
            3 => {
                // Some are more than a tag may have.
                let bits = [29, 32][chance(2)];
                let number = chance(1 << bits) as u32;
                put(&mut out, &Field { number, ..field }, 0, 0);
            }
            4 => put(&mut out, &Field { value: other(chance), ..field }, 0, 0),
            5 => put(&mut out, &field, chance(9), 0),
            6 => put(&mut out, &field, 0, chance(5) as i64 - 2),
            7 => out.put_tag(field.number, 3 + chance(5) as u8),
            8 => {
                let mut content = bytes_of(field.value);
                match chance(2) {
                    0 => content.truncate(content.len().saturating_sub(1 + chance(8))),
                    _ => content.push(tricky(chance)),
                }
                put(&mut out, &Field { value: Raw::Bytes(&content), ..field }, 0, 0);
            }
            9 => out.extend((0..chance(9)).map(|_| chance(256) as u8)),
            _ => put(&mut out, &field, 0, 0),
        }
    }
    out
}

fn bytes_of(value: Raw<'_>) -> Vec<u8> {
    match value {
        Raw::Bytes(bytes) => bytes.to_vec(),
        _ => Vec::new(),
    }
}

fn other(chance: &mut impl Chance) -> Raw<'static> {
    match chance(5) {
        0 => Raw::Varint(chance(300) as u64),
        1 => Raw::Varint(u64::MAX),
        2 => Raw::Fixed64(chance(300) as u64),
        3 => Raw::Fixed32(chance(300) as u32),
        _ => Raw::Bytes(&[[0u8; 8], [0xff; 8]][chance(2)][..]),
    }
}

/// Writes a field, with so many bytes more in its tag and its length, and a length off by some.
fn put(out: &mut Vec<u8>, field: &Field<'_>, longer: usize, lie: i64) {
    let (wire, length) = match field.value {
        Raw::Varint(_) => (VARINT, None),
        Raw::Fixed64(_) => (FIXED64, None),
        Raw::Fixed32(_) => (FIXED32, None),
        Raw::Bytes(bytes) => (BYTES, Some(bytes.len() as u64)),
    };
    put_longer(out, u64::from(field.number) << 3 | u64::from(wire), longer);
    if let Some(length) = length {
        put_longer(out, length.wrapping_add_signed(lie), longer);
    }
    match field.value {
        Raw::Varint(value) => put_longer(out, value, longer),
        Raw::Fixed64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Raw::Fixed32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Raw::Bytes(bytes) => out.extend_from_slice(bytes),
    }
}

fn put_longer(out: &mut Vec<u8>, value: u64, longer: usize) {
    out.put_varint(value);
    for _ in 0..longer {
        if let Some(last) = out.last_mut() {
            *last |= 0x80;
        }
        out.push(0);
    }
}

/// Changes a few bytes: flips, replaces, inserts, removes, repeats, cuts off.
pub(crate) fn bytes(bytes: &mut Vec<u8>, chance: &mut impl Chance) {
    for _ in 0..=chance(3) {
        let at = chance(bytes.len() + 1);
        let until = (at + 1 + chance(8)).min(bytes.len());
        match chance(6) {
            0 => bytes[at..].iter_mut().take(1).for_each(|byte| *byte ^= 1 << chance(8)),
            1 => bytes[at..].iter_mut().take(1).for_each(|byte| *byte = tricky(chance)),
            2 => bytes.insert(at, tricky(chance)),
            3 => drop(bytes.drain(at.min(until)..until)),
            4 => bytes.extend_from_within(at.min(until)..until),
            _ => bytes.truncate(at),
        }
    }
}

fn tricky(chance: &mut impl Chance) -> u8 {
    [0x00, 0x01, 0x0a, 0x12, 0x7f, 0x80, 0xfe, 0xff, chance(256) as u8][chance(9)]
}
