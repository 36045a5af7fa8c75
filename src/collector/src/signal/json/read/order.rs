//! Bytes in place: lengths before what they are of, and the fields of a message in ascending order,
//! though JSON's keys come in any. Knows nothing of JSON.

use crate::signal::schema::{Kind, Message};
use crate::signal::wire::{BYTES, Write, varint_len};

/// A field as written: its number, and where in the output its tags and values stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Begins a field of a length yet to come; one byte is kept for it. Where its content begins.
pub(super) fn open(out: &mut Vec<u8>, number: u32) -> usize {
    out.put_tag(number, BYTES);
    out.push(0);
    out.len()
}

/// Ends the field whose content began at `at`: puts the length before it. A content of more than 127
/// bytes is moved up by what the length takes more.
pub(super) fn close(out: &mut Vec<u8>, at: usize) {
    let length = out.len() - at;
    let more = varint_len(length as u64) - 1;
    if more > 0 {
        out.extend_from_slice(&[0; 9][..more]);
        out.copy_within(at..at + length, at + more);
    }
    let mut value = length;
    for byte in &mut out[at - 1..at + more] {
        *byte = (value as u8 & 0x7f) | 0x80;
        value >>= 7;
    }
    out[at + more - 1] &= 0x7f;
}

/// Puts the fields of the message that begins at `begin` in canonical order: numbers ascend, of what
/// may stand once the last is kept, of fields that exclude one another the last (protobuf.dev, Last
/// One Wins).
pub(super) fn canonical(
    of: &'static Message,
    out: &mut Vec<u8>,
    begin: usize,
    segments: &[Segment],
    scratch: &mut Vec<u8>,
) {
    let either = segments.iter().filter(|segment| of.is_oneof(segment.number)).count();
    if either < 2 && segments.windows(2).all(|pair| pair[0].number < pair[1].number) {
        return;
    }
    let chosen = segments.iter().rev().find(|s| of.is_oneof(s.number)).map(|s| s.number);
    let mut kept: Vec<Segment> = segments.to_vec();
    kept.retain(|segment| !of.is_oneof(segment.number) || Some(segment.number) == chosen);
    kept.sort_by_key(|segment| segment.number);
    scratch.clear();
    for same in kept.chunk_by(|a, b| a.number == b.number) {
        let counted = if is_list(of.kind(same[0].number)) { same } else { &same[same.len() - 1..] };
        counted
            .iter()
            .for_each(|segment| scratch.extend_from_slice(&out[segment.start..segment.end]));
    }
    out.truncate(begin);
    out.extend_from_slice(scratch);
}

/// Whether a kind may stand many times.
pub(super) fn is_list(kind: Kind) -> bool {
    matches!(kind, Kind::Many(_) | Kind::Strings | Kind::Fixed64s | Kind::Doubles | Kind::Uints)
}
