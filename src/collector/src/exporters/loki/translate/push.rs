//! Streams while they fill, and finished `logproto.PushRequest`s (Loki, pkg/push/push.proto).
//! Knows no OTLP.

use std::collections::HashMap;

use crate::signal::wire::{BYTES, Field, Fields, Raw, Write, varint_len};

/// Field of a `PushRequest`: its streams.
const STREAMS: u32 = 1;
/// Field of a stream: its labels.
const LABELS: u32 = 1;
/// Field of a stream: its entries.
const ENTRIES: u32 = 2;

/// What is sent in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// The tenant by hint, a valid header value; None: whatever `headers` say.
    pub tenant: Option<String>,
    /// An encoded `logproto.PushRequest`, not compressed.
    pub bytes: Vec<u8>,
    /// Log records in it.
    pub records: usize,
}

/// A push being filled.
pub(super) struct Open {
    pub(super) tenant: Vec<u8>,
    streams: Vec<Stream>,
    /// Where a stream of these labels is.
    by_labels: HashMap<Box<[u8]>, usize>,
    /// Bytes of the push so far, but for a few per stream.
    pub(super) size: usize,
    records: usize,
}

#[derive(Default)]
struct Stream {
    /// Its labels, encoded.
    head: Vec<u8>,
    /// Its entries, encoded.
    entries: Vec<u8>,
}

/// Bytes of a stream's own tag and length, and of its labels'.
const STREAM_OVERHEAD: usize = 12;

/// Most bytes that an entry takes besides its line: tags, lengths and the time.
const ENTRY_OVERHEAD: usize = 32;

impl Open {
    pub(super) fn new(tenant: &[u8]) -> Self {
        Self {
            tenant: tenant.to_vec(),
            streams: Vec::new(),
            by_labels: HashMap::new(),
            size: 0,
            records: 0,
        }
    }

    /// Whether an entry goes in without making the push longer than `most` bytes; into an empty one
    /// everything goes.
    pub(super) fn takes(&self, labels: &[u8], line: &[u8], most: usize) -> bool {
        let entry = line.len() + ENTRY_OVERHEAD;
        self.records == 0
            || self.size + entry + labels.len() + STREAM_OVERHEAD <= most
            || (self.size + entry <= most && self.by_labels.contains_key(labels))
    }

    /// Adds an entry to the stream of these labels.
    pub(super) fn add(&mut self, labels: &[u8], nanos: u64, line: &[u8]) {
        let at = match self.by_labels.get(labels) {
            Some(at) => *at,
            None => self.new_stream(labels),
        };
        if let Some(stream) = self.streams.get_mut(at) {
            let before = stream.entries.len();
            put_entry(&mut stream.entries, nanos, line);
            self.size += stream.entries.len() - before;
            self.records += 1;
        }
    }

    fn new_stream(&mut self, labels: &[u8]) -> usize {
        let mut stream = Stream::default();
        stream.head.put_bytes_field(LABELS, labels);
        self.size += labels.len() + STREAM_OVERHEAD;
        self.streams.push(stream);
        self.by_labels.insert(labels.into(), self.streams.len() - 1);
        self.streams.len() - 1
    }

    /// The push, finished. None if there is nothing in it.
    pub(super) fn finish(self) -> Option<Push> {
        let mut bytes = Vec::with_capacity(self.size);
        for stream in &self.streams {
            put_parts(&mut bytes, &stream.head, &stream.entries);
        }
        let tenant = String::from_utf8_lossy(&self.tenant).into_owned();
        let tenant = Some(tenant).filter(|tenant| !tenant.is_empty());
        (self.records > 0).then_some(Push { tenant, bytes, records: self.records })
    }
}

/// A stream, of its encoded labels and entries.
fn put_parts(out: &mut Vec<u8>, head: &[u8], entries: &[u8]) {
    out.put_tag(STREAMS, BYTES);
    out.put_varint((head.len() + entries.len()) as u64);
    out.extend_from_slice(head);
    out.extend_from_slice(entries);
}

/// An entry: its time and its line.
fn put_entry(out: &mut Vec<u8>, nanos: u64, line: &[u8]) {
    const SECOND: u64 = 1_000_000_000;
    let (seconds, nanos) = (nanos / SECOND, nanos % SECOND);
    // A field that is 0 is not written.
    let field = |value: u64| if value == 0 { 0 } else { 1 + varint_len(value) };
    let time = field(seconds) + field(nanos);
    let text = if line.is_empty() { 0 } else { 1 + varint_len(line.len() as u64) + line.len() };
    out.put_tag(ENTRIES, BYTES);
    out.put_varint((2 + time + text) as u64);
    out.put_tag(1, BYTES);
    out.put_varint(time as u64);
    out.put_varint_field(1, seconds);
    out.put_varint_field(2, nanos);
    if !line.is_empty() {
        out.put_bytes_field(2, line);
    }
}

/// Cuts a push into two of half as many records each, in the same order, as each may be sent alone
/// after both were refused together. None if there is but one record.
#[must_use]
pub fn halve(push: &Push) -> Option<(Push, Push)> {
    let first = push.records / 2;
    if first == 0 {
        return None;
    }
    let mut halves = (Vec::new(), Vec::new());
    let mut room = first;
    for stream in messages(&push.bytes, STREAMS) {
        let labels = Fields::of(stream).find(|field| field.number == LABELS);
        let head = labels.map_or(&[][..], |field| field.written);
        let entries: Vec<_> = Fields::of(stream).filter(|f| f.number == ENTRIES).collect();
        let (before, after) = entries.split_at(room.min(entries.len()));
        room -= before.len();
        for (entries, out) in [(before, &mut halves.0), (after, &mut halves.1)] {
            if !entries.is_empty() {
                put_parts(out, head, &written(entries));
            }
        }
    }
    let half = |bytes, records| Push { tenant: push.tenant.clone(), bytes, records };
    Some((half(halves.0, first), half(halves.1, push.records - first)))
}

fn written(fields: &[Field<'_>]) -> Vec<u8> {
    fields.iter().flat_map(|field| field.written).copied().collect()
}

fn messages(bytes: &[u8], number: u32) -> impl Iterator<Item = &[u8]> {
    Fields::of(bytes).filter(move |field| field.number == number).filter_map(|field| {
        match field.value {
            Raw::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    })
}
