//! The line being made: as long as it may be and no longer, and what of it stays the same from
//! record to record, made once.

use std::ops::Range;

use super::labels::Labels;
use super::value::Attribute;

/// Stands at the end of a line that was cut.
pub(super) const MARK: &str = "…[truncated]";

/// A line being made.
pub(super) struct Line {
    bytes: Vec<u8>,
    /// Most bytes.
    limit: usize,
    /// Whether something was left out already.
    cut: bool,
}

impl Line {
    pub(super) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, cut: false }
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.cut = false;
    }

    /// The line so far, to add to.
    #[inline]
    pub(super) fn out(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Whether it is longer than it may be, so that what more is added will be cut. Notes that
    /// something is left out.
    pub(super) fn is_full(&mut self) -> bool {
        let full = self.bytes.len() > self.limit;
        self.cut |= full;
        full
    }

    /// Adds text, no more than needed to know that the line is too long: what is the same in every
    /// line may be much longer than a line.
    pub(super) fn push(&mut self, text: &[u8]) {
        let room = (self.limit + 1).saturating_sub(self.bytes.len());
        self.cut |= room < text.len();
        self.bytes.extend_from_slice(&text[..room.min(text.len())]);
    }

    /// The line without its first `skip` bytes, and whether it was cut: at a character, with
    /// [`MARK`] at its end where there is room for that. Text must be UTF-8 but for a cut end.
    pub(super) fn finish(&mut self, skip: usize) -> (&[u8], bool) {
        let skip = skip.min(self.bytes.len());
        if !self.cut && self.bytes.len() - skip <= self.limit {
            return (&self.bytes[skip..], false);
        }
        let mark = if MARK.len() <= self.limit { MARK } else { "" };
        let mut end = self.bytes.len().min(skip + self.limit - mark.len());
        // A byte that goes on with a character (10xxxxxx) may not be the first one left out.
        while end > skip && self.bytes.get(end).is_none_or(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
        self.bytes.truncate(end);
        self.bytes.extend_from_slice(mark.as_bytes());
        (&self.bytes[skip..], true)
    }
}

/// Attributes as text, made once for many lines, from which single ones can be left out.
pub(super) struct Rendered<'a> {
    text: Vec<u8>,
    /// Keys and where their text is, sorted by key.
    parts: Vec<(&'a [u8], Range<usize>)>,
    /// Whether something was left out.
    cut: bool,
}

impl<'a> Rendered<'a> {
    /// Text made part by part by `write`.
    pub(super) fn new(
        limit: usize,
        attributes: impl Iterator<Item = Attribute<'a>>,
        write: impl Fn(&mut Line, Attribute<'a>),
    ) -> Self {
        let mut line = Line::new(limit);
        let mut parts = Vec::new();
        for attribute in attributes {
            if line.is_full() {
                break;
            }
            let start = line.bytes.len();
            write(&mut line, attribute);
            parts.push((attribute.key, start..line.bytes.len()));
        }
        parts.sort_by(|a, b| a.0.cmp(b.0));
        Self { text: line.bytes, parts, cut: line.cut }
    }

    /// Adds the text without the attributes that are labels.
    pub(super) fn push(&self, line: &mut Line, labels: &Labels<'_>) {
        let mut left_out: Vec<Range<usize>> = Vec::new();
        for name in labels.names() {
            let from = self.parts.partition_point(|part| part.0 < name);
            let same = self.parts[from..].iter().take_while(|part| part.0 == name);
            left_out.extend(same.map(|part| part.1.clone()));
        }
        left_out.sort_by_key(|range| range.start);
        let mut at = 0;
        let end = self.text.len();
        for range in left_out.into_iter().chain(std::iter::once(end..end)) {
            line.push(&self.text[at.min(range.start)..range.start]);
            at = range.end;
        }
        line.cut |= self.cut;
    }
}
