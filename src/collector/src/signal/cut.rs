//! Cutting a request into requests of at most so many items and bytes. Items are copied as they
//! are; what stands around them (resource, scope, metric) is repeated in each piece. Knows which
//! fields lead to the items and nothing else of the messages.

use std::ops::Range;

use bytes::Bytes;

use super::Signal;
use super::wire::{BYTES, Fields, Raw, Write, varint_len};

/// A request cut from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The request.
    pub bytes: Bytes,
    /// Spans, data points or log records in it.
    pub items: usize,
}

/// Cuts a canonical request (as [`scan`](super::scan::scan) tells) into requests of at most
/// `max_items` items and `max_bytes` bytes, in order; 0 is no limit. A request without items is one
/// piece.
///
/// An item that is larger than `max_bytes` with what stands around it is a piece of its own.
/// Resources, scopes and metrics without items are left out where they do not fit. What is repeated
/// is at most eight times the request and 1 MiB: a request made so that more would be is cut no
/// further, and its last piece is larger than the limits.
#[must_use]
pub fn cut(signal: Signal, request: &Bytes, max_items: usize, max_bytes: usize) -> Vec<Piece> {
    let limit = |max| if max == 0 { usize::MAX } else { max };
    Cutter::new(signal, request, limit(max_items), limit(max_bytes)).run()
}

/// The first and the second half of a request, by items; none if it has less than two.
#[must_use]
pub fn halve(signal: Signal, request: &Bytes) -> Option<(Piece, Piece)> {
    let (first, rest) = take(signal, request, items(signal, request).div_ceil(2));
    rest.map(|rest| (first, rest))
}

/// The first `items` (at least one) of a request, and the rest if there is one.
///
/// The rest is copied each time: to take again and again, [`cut`].
#[must_use]
pub fn take(signal: Signal, request: &Bytes, items: usize) -> (Piece, Option<Piece>) {
    let mut cutter = Cutter::new(signal, request, items.max(1), usize::MAX);
    cutter.once = true;
    let mut pieces = cutter.run().into_iter();
    let whole = || Piece { bytes: request.clone(), items: 0 };
    (pieces.next().unwrap_or_else(whole), pieces.next())
}

/// How many items a canonical request has.
fn items(signal: Signal, request: &Bytes) -> usize {
    let mut cutter = Cutter::new(signal, request, usize::MAX, usize::MAX);
    cutter.node(0, 0, 0..request.len(), 0..request.len());
    cutter.items
}

/// The fields that lead from a request to its items, from outside to inside.
fn way(signal: Signal) -> &'static [&'static [u32]] {
    match signal {
        Signal::Traces | Signal::Logs => &[&[1], &[2], &[2]],
        Signal::Metrics => &[&[1], &[2], &[2], &[5, 7, 9, 10, 11], &[1]],
    }
}

/// A message around the items, being cut. All ranges are of the request.
struct Level {
    number: u32,
    written: Range<usize>,
    /// What stands before the items.
    head: Range<usize>,
    /// What stands after them.
    tail: Range<usize>,
    /// Where in the plan it begins, if anything of it is in the piece.
    open: Option<usize>,
    /// Its length in the piece.
    length: usize,
}

/// What a piece is written from.
enum Step {
    /// Tag and length of a message.
    Open { number: u32, length: usize },
    /// A part of the request.
    Copy(Range<usize>),
}

struct Cutter<'a> {
    request: &'a Bytes,
    way: &'static [&'static [u32]],
    max_items: usize,
    max_bytes: usize,
    /// Whether only the first piece is limited.
    once: bool,
    /// How many bytes may still be repeated.
    repeatable: usize,
    levels: Vec<Level>,
    /// The piece so far.
    plan: Vec<Step>,
    items: usize,
    pieces: Vec<Piece>,
}

impl<'a> Cutter<'a> {
    fn new(signal: Signal, request: &'a Bytes, max_items: usize, max_bytes: usize) -> Self {
        Self {
            request,
            way: way(signal),
            max_items,
            max_bytes,
            once: false,
            repeatable: request.len().saturating_mul(8).saturating_add(1 << 20),
            levels: Vec::with_capacity(5),
            plan: Vec::new(),
            items: 0,
            pieces: Vec::new(),
        }
    }

    fn run(mut self) -> Vec<Piece> {
        self.node(0, 0, 0..self.request.len(), 0..self.request.len());
        if self.items > 0 {
            self.finish();
        } else if self.pieces.is_empty() {
            self.pieces.push(Piece { bytes: self.request.clone(), items: 0 });
        }
        self.pieces
    }

    /// Takes in a message around items: a whole one at once if it fits, else what is in it.
    fn node(&mut self, depth: usize, number: u32, written: Range<usize>, body: Range<usize>) {
        let (inner, count) = self.inner(depth, &body);
        let last = depth + 1 == self.way.len();
        if count == 0 || (last && self.fits(written.len(), count)) {
            return self.add(written, count);
        }
        self.levels.push(Level {
            number,
            written,
            head: body.start..inner.start,
            tail: inner.end..body.end,
            open: None,
            length: 0,
        });
        let mut at = inner.start;
        for field in Fields::of(&self.request[inner]) {
            let end = at + field.written.len();
            match field.value {
                Raw::Bytes(bytes) if !last => {
                    self.node(depth + 1, field.number, at..end, end - bytes.len()..end);
                }
                _ => self.add(at..end, 1),
            }
            at = end;
        }
        if let Some(level) = self.levels.pop() {
            self.close(level);
        }
    }

    /// Where in a message the fields stand that lead to the items, and how many they are.
    fn inner(&self, depth: usize, body: &Range<usize>) -> (Range<usize>, usize) {
        let (mut inner, mut count, mut at) = (body.end..body.end, 0, body.start);
        for field in Fields::of(&self.request[body.clone()]) {
            let end = at + field.written.len();
            if self.way[depth].contains(&field.number) {
                inner = if count == 0 { at..end } else { inner.start..end };
                count += 1;
            } else if count > 0 {
                break;
            }
            at = end;
        }
        (inner, count)
    }

    /// Adds an item, or a message with so many items, to the piece or the next.
    fn add(&mut self, written: Range<usize>, items: usize) {
        if !self.fits(written.len(), items) {
            if items == 0 {
                return;
            }
            if self.items == 0 {
                self.discard();
            } else if self.may_repeat() {
                self.finish();
            }
        }
        self.grow(written.len());
        for level in &mut self.levels {
            if level.open.is_none() {
                level.open = Some(self.plan.len());
                if level.number > 0 {
                    self.plan.push(Step::Open { number: level.number, length: 0 });
                }
                copy(&mut self.plan, level.head.clone());
            }
        }
        copy(&mut self.plan, written);
        self.items += items;
    }

    /// Whether so many bytes and items more are within the limits.
    fn fits(&self, mut bytes: usize, items: usize) -> bool {
        for level in self.levels.iter().rev() {
            let (before, length) = (level.taken(), level.length_with(bytes));
            bytes = field_len(level.number, length) - before;
        }
        let taken = self.levels.first().map_or(0, Level::taken);
        self.items.saturating_add(items) <= self.max_items
            && taken.saturating_add(bytes) <= self.max_bytes
    }

    /// Makes each message around the items longer by what so many bytes in the innermost make it.
    fn grow(&mut self, mut bytes: usize) {
        for level in self.levels.iter_mut().rev() {
            let before = level.taken();
            level.length = level.length_with(bytes);
            bytes = field_len(level.number, level.length) - before;
        }
    }

    /// Whether what stands around the items may be repeated once more; counts it if so.
    fn may_repeat(&mut self) -> bool {
        let open = self.levels.iter().filter(|level| level.open.is_some());
        let again: usize = open.map(|level| level.head.len() + level.tail.len()).sum();
        let left = self.repeatable.checked_sub(again);
        self.repeatable = left.unwrap_or(self.repeatable);
        left.is_some()
    }

    /// Ends a message all of which was seen. If it is as long as it was, nothing of it is in another
    /// piece or left out, and it is copied as it is.
    fn close(&mut self, level: Level) {
        let Some(open) = level.open else { return };
        if level.taken() == level.written.len() {
            self.plan.truncate(open);
            copy(&mut self.plan, level.written);
        } else {
            end(&mut self.plan, &level, open);
        }
    }

    /// Ends the piece, in the middle of messages or not.
    fn finish(&mut self) {
        for level in self.levels.iter_mut().rev() {
            if let Some(open) = level.open.take() {
                end(&mut self.plan, level, open);
            }
        }
        let bytes = self.write();
        self.pieces.push(Piece { bytes, items: self.items });
        self.plan.clear();
        self.items = 0;
        if self.once {
            (self.max_items, self.max_bytes) = (usize::MAX, usize::MAX);
        }
    }

    /// Forgets a piece that has no items.
    fn discard(&mut self) {
        self.plan.clear();
        self.levels.iter_mut().for_each(|level| level.open = None);
    }

    fn write(&self) -> Bytes {
        if let [Step::Copy(range)] = &self.plan[..]
            && range.len() >= self.request.len() / 2
        {
            // Shared, as what is held in memory is at most twice what is used.
            return self.request.slice(range.clone());
        }
        let length = self.plan.iter().map(|step| match step {
            Step::Open { number, .. } => field_len(*number, 0) + 4,
            Step::Copy(range) => range.len(),
        });
        let mut out = Vec::with_capacity(length.sum());
        for step in &self.plan {
            match step {
                Step::Open { number, length } => {
                    out.put_tag(*number, BYTES);
                    out.put_varint(*length as u64);
                }
                Step::Copy(range) => out.extend_from_slice(&self.request[range.clone()]),
            }
        }
        out.into()
    }
}

impl Level {
    /// Bytes that it takes in the piece.
    fn taken(&self) -> usize {
        if self.open.is_some() { field_len(self.number, self.length) } else { 0 }
    }

    /// Its length with so many bytes more in it.
    fn length_with(&self, bytes: usize) -> usize {
        let before =
            if self.open.is_some() { self.length } else { self.head.len() + self.tail.len() };
        before + bytes
    }
}

/// Ends a message in a plan.
fn end(plan: &mut Vec<Step>, level: &Level, open: usize) {
    copy(plan, level.tail.clone());
    if let (Some(Step::Open { length, .. }), true) = (plan.get_mut(open), level.number > 0) {
        *length = level.length;
    }
}

/// Copies a part of the request, together with the part before if it is the next.
fn copy(plan: &mut Vec<Step>, part: Range<usize>) {
    match plan.last_mut() {
        Some(Step::Copy(before)) if before.end == part.start => before.end = part.end,
        _ if part.is_empty() => {}
        _ => plan.push(Step::Copy(part)),
    }
}

/// Bytes of a message's field; number 0 is the request itself, which has no tag.
fn field_len(number: u32, length: usize) -> usize {
    match number {
        0 => length,
        _ => varint_len(u64::from(number) << 3) + varint_len(length as u64) + length,
    }
}

#[cfg(test)]
mod tests;
