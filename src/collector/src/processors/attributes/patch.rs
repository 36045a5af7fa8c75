//! Changes to a request as a list of pieces to replace, in the order of the bytes, so that the
//! request is copied once, at the end. Lengths around a change are pieces too.

use crate::signal::wire::{Field, Fields, Raw, Write as _, varint, varint_len};

/// Bytes of a request and where they stand in it.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    /// Offset in the request.
    pub(super) at: usize,
    /// The bytes.
    pub(super) bytes: &'a [u8],
}

/// A message within another.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    /// Its field's number.
    pub(super) number: u32,
    /// Offset of its length in the request.
    length: usize,
    /// Its content.
    pub(super) content: Part<'a>,
}

impl<'a> Part<'a> {
    /// The fields, each with its offset in the request.
    pub(super) fn fields(self) -> impl Iterator<Item = (usize, Field<'a>)> {
        Fields::of(self.bytes).scan(self.at, |at, field| {
            let start = *at;
            *at += field.written.len();
            Some((start, field))
        })
    }

    /// What stands in fields that may be messages.
    pub(super) fn messages(self) -> impl Iterator<Item = Message<'a>> {
        self.fields().filter_map(|(start, field)| {
            let Raw::Bytes(bytes) = field.value else { return None };
            let (_, after_tag) = varint(field.written)?;
            let length = start + field.written.len() - after_tag.len();
            let content = Part { at: start + field.written.len() - bytes.len(), bytes };
            Some(Message { number: field.number, length, content })
        })
    }

    /// Offset of what follows.
    pub(super) fn end(self) -> usize {
        self.at + self.bytes.len()
    }
}

/// Pieces to replace.
#[derive(Default)]
pub(super) struct Patches {
    list: Vec<Patch>,
    /// What they are replaced by.
    bytes: Vec<u8>,
    /// Bytes that the request grows by so far.
    grown: isize,
}

/// Bytes `from` to `to` of the request become the bytes `start` to `end` of the new ones.
struct Patch {
    from: usize,
    to: usize,
    start: usize,
    end: usize,
}

/// A message whose changes have begun.
pub(super) struct Open {
    /// Where in the list the patch of its length is.
    place: usize,
    /// What the request had grown by before.
    grown: isize,
    /// Offsets of its length and its content in the request.
    from: usize,
    to: usize,
    /// Bytes of its content.
    length: usize,
}

impl Patches {
    /// Replaces the bytes `from` to `to` of the request by what `write` writes. Pieces must come in
    /// the order of the request.
    pub(super) fn replace(&mut self, from: usize, to: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let end = self.bytes.len();
        self.grown += difference(to - from, end - start);
        self.list.push(Patch { from, to, start, end });
    }

    /// Begins changes within a message.
    pub(super) fn open(&mut self, message: &Message<'_>) -> Open {
        let Message { length: from, content, .. } = *message;
        let place = self.list.len();
        // Room for the length, which comes first.
        self.list.push(Patch { from, to: from, start: 0, end: 0 });
        Open { place, grown: self.grown, from, to: content.at, length: content.bytes.len() }
    }

    /// Ends changes within a message: its length is made to fit.
    pub(super) fn close(&mut self, open: Open) {
        let Open { place, grown, from, to, length } = open;
        let by = self.grown - grown;
        if self.list.len() == place + 1 {
            self.list.truncate(place);
        } else if by != 0 {
            let length = length.saturating_add_signed(by) as u64;
            let start = self.bytes.len();
            self.bytes.put_varint(length);
            self.grown += difference(to - from, varint_len(length));
            if let Some(patch) = self.list.get_mut(place) {
                *patch = Patch { from, to, start, end: self.bytes.len() };
            }
        }
    }

    /// The request with the pieces replaced; None where there are none.
    pub(super) fn apply(self, request: &[u8]) -> Option<Vec<u8>> {
        if self.list.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(request.len().saturating_add_signed(self.grown));
        let mut at = 0;
        for Patch { from, to, start, end } in self.list {
            out.extend_from_slice(request.get(at..from).unwrap_or_default());
            out.extend_from_slice(self.bytes.get(start..end).unwrap_or_default());
            at = to;
        }
        out.extend_from_slice(request.get(at..).unwrap_or_default());
        Some(out)
    }
}

/// How much more is than was. Slices are never longer than `isize` can tell.
fn difference(was: usize, is: usize) -> isize {
    is.cast_signed().wrapping_sub(was.cast_signed())
}
