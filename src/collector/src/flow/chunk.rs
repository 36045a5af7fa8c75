//! Telemetry on its way: the bytes of a request, shared and never copied, with what they cost.

use std::sync::Arc;

use bytes::Bytes;
use obspipe_model::Signal;

use super::account::Permit;
use super::receipt::Receipt;
use crate::signal::cut;

/// Where a request came from, as far as components ask for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Headers by lower-case name, kept only with `include_metadata`.
    pub metadata: Vec<(String, String)>,
    /// The client's address.
    pub client: String,
}

impl Context {
    /// The values of a header.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_ascii_lowercase();
        self.metadata.iter().filter(move |(key, _)| *key == name).map(|(_, value)| value.as_str())
    }
}

/// What a request keeps until the last of it is gone.
#[derive(Debug)]
pub struct Hold {
    /// Its bytes in the account.
    pub permit: Permit,
    /// Who waits for the outcome.
    pub receipt: Option<Receipt>,
}

/// A request or a part of one: scanned, canonical OTLP.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The request.
    pub bytes: Bytes,
    /// Spans, data points or log records in it.
    pub items: usize,
    /// Where it came from.
    pub context: Option<Arc<Context>>,
    /// What it keeps.
    pub hold: Arc<Hold>,
    /// Bytes that queues count for it: as admitted, whatever it is edited to.
    pub weight: usize,
}

impl Chunk {
    /// The same telemetry, edited.
    #[must_use]
    pub fn with_bytes(self, bytes: Bytes) -> Self {
        Self { bytes, ..self }
    }

    /// The first items, and the rest if there is one.
    #[must_use]
    pub fn take(self, signal: Signal, items: usize) -> (Self, Option<Self>) {
        if items >= self.items {
            return (self, None);
        }
        match cut::take(signal, &self.bytes, items) {
            (first, Some(rest)) => {
                // The weight is a whole: what the parts weigh together does not change.
                let share = self.weight * first.items / self.items.max(1);
                let head = self.part(first, share);
                let weight = self.weight - share;
                (head, Some(self.part(rest, weight)))
            }
            (_, None) => (self, None),
        }
    }

    /// Parts of at most so many encoded bytes; an item that alone has more is a part.
    #[must_use]
    pub fn cut(self, signal: Signal, max_bytes: usize) -> Vec<Self> {
        if self.bytes.len() <= max_bytes {
            return vec![self];
        }
        let (mut left, mut weight) = (self.items, self.weight);
        let mut parts = Vec::new();
        for piece in cut::cut(signal, &self.bytes, 0, max_bytes) {
            // The last part has all that is left.
            let share = weight * piece.items / left.max(1);
            (left, weight) = (left.saturating_sub(piece.items), weight - share);
            parts.push(self.part(piece, share));
        }
        parts
    }

    fn part(&self, piece: cut::Piece, weight: usize) -> Self {
        let (context, hold) = (self.context.clone(), self.hold.clone());
        Self { bytes: piece.bytes, items: piece.items, context, hold, weight }
    }
}

/// Chunks that move together. Requests one after the other are a valid request.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// The chunks.
    pub chunks: Vec<Chunk>,
}

impl Load {
    /// Items in all.
    #[must_use]
    pub fn items(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.items).sum()
    }

    /// Bytes in all, as encoded.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.bytes.len()).sum()
    }

    /// Bytes in all, as queues count them.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.weight).sum()
    }
}

impl From<Chunk> for Load {
    fn from(chunk: Chunk) -> Self {
        Self { chunks: vec![chunk] }
    }
}

#[cfg(test)]
mod tests;
