//! JSON to protobuf in one pass: no tree of values between, and the bytes come out in canonical
//! order. Depth is bounded by `MAX_DEPTH`, output by the caller, and what is kept besides by both.
//! The values of unknown keys are skipped by serde_json, which does so without recursion.

use std::fmt::Write as _;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess};

use super::error::JsonError;
use super::names;
use crate::signal::Signal;
use crate::signal::scan::MAX_DEPTH;
use crate::signal::schema::{FieldInfo, Kind, Message};
use crate::signal::wire::{FIXED32, FIXED64, Raw, VARINT, Write};

use order::Segment;
use value::{Key, Place, Value};

mod order;
mod value;

/// Keys of fields in one object, at most. A key given twice is legal, but has to be remembered;
/// OTLP's largest message has 16.
const MAX_KEYS: usize = 256;

/// A request in JSON as protobuf, in canonical order. Unknown keys are ignored; null is absent; of a
/// key given twice the last counts, but lists are appended; of fields that exclude one another the
/// last counts.
///
/// # Errors
/// No JSON; a value of the wrong form; nested too deep; more than `max_bytes` bytes of protobuf.
pub fn from_json(signal: Signal, text: &[u8], max_bytes: usize) -> Result<Vec<u8>, JsonError> {
    let mut reader = Reader {
        out: Vec::with_capacity((text.len() / 2).min(max_bytes)),
        max_bytes,
        depth: 0,
        path: Vec::new(),
        segments: Vec::new(),
        scratch: Vec::new(),
        expected: "an object",
        problem: None,
    };
    let mut json = serde_json::Deserializer::from_slice(text);
    let place = Place::Document(crate::signal::request(signal));
    let read = Value { reader: &mut reader, place }.deserialize(&mut json);
    match read.and_then(|_| json.end()) {
        Ok(()) => Ok(reader.out),
        Err(error) => Err(reader.error(&error)),
    }
}

struct Reader {
    out: Vec<u8>,
    max_bytes: usize,
    depth: u32,
    /// Where it is: a field, and which of its elements. On an error it stays as it is.
    path: Vec<(&'static str, Option<usize>)>,
    /// Of each message begun, the fields written so far.
    segments: Vec<Segment>,
    /// For putting in order; kept to be used again.
    scratch: Vec<u8>,
    /// What would be right where it is.
    expected: &'static str,
    /// The error, if it is none of serde_json's.
    problem: Option<JsonError>,
}

impl Reader {
    #[cold]
    fn path(&self) -> String {
        let mut path = String::new();
        for (index, (name, element)) in self.path.iter().enumerate() {
            path.push_str(if index == 0 { "" } else { "." });
            path.push_str(name);
            if let Some(element) = element {
                let _ = write!(path, "[{element}]");
            }
        }
        path
    }

    #[cold]
    fn error(&mut self, error: &serde_json::Error) -> JsonError {
        match self.problem.take() {
            Some(problem) => problem,
            None if error.is_data() => self.unexpected("a value of another type".to_owned()),
            None => JsonError::Syntax { path: self.path(), problem: error.to_string() },
        }
    }

    #[cold]
    fn unexpected(&self, found: String) -> JsonError {
        JsonError::Value { path: self.path(), expected: self.expected, found }
    }

    /// Keeps the error, and hands serde one that says nothing.
    #[cold]
    fn fail<E: Error>(&mut self, problem: JsonError) -> E {
        self.problem = Some(problem);
        E::custom("")
    }

    fn bounded<E: Error>(&mut self) -> Result<(), E> {
        if self.out.len() <= self.max_bytes {
            return Ok(());
        }
        Err(self.fail(JsonError::TooLarge { max_bytes: self.max_bytes }))
    }

    /// The fields of an object, in canonical order.
    fn message<'de, A: MapAccess<'de>>(
        &mut self,
        of: &'static Message,
        mut map: A,
    ) -> Result<(), A::Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fail(JsonError::TooDeep { path: self.path() }));
        }
        let (begin, first) = (self.out.len(), self.segments.len());
        while let Some(known) = map.next_key_seed(Key(of))? {
            let Some(field) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.path.push((field.json, None));
            let start = self.out.len();
            let place = Place::Field(of, field);
            if map.next_value_seed(Value { reader: self, place })? {
                self.segments.push(Segment { number: field.number, start, end: self.out.len() });
            }
            self.bounded()?;
            self.path.pop();
            if self.segments.len() - first > MAX_KEYS {
                return Err(self.fail(JsonError::TooManyKeys { path: self.path() }));
            }
        }
        order::canonical(of, &mut self.out, begin, &self.segments[first..], &mut self.scratch);
        self.segments.truncate(first);
        self.depth -= 1;
        Ok(())
    }

    /// The elements of an array.
    fn list<'de, A: SeqAccess<'de>>(
        &mut self,
        field: &'static FieldInfo,
        mut seq: A,
    ) -> Result<(), A::Error> {
        let packed = matches!(field.kind, Kind::Fixed64s | Kind::Doubles | Kind::Uints);
        let start = self.out.len();
        let opened = packed.then(|| order::open(&mut self.out, field.number));
        let place = Place::Element(field);
        let mut count = 0;
        self.element(Some(count));
        while seq.next_element_seed(Value { reader: self, place })?.is_some() {
            self.bounded()?;
            count += 1;
            self.element(Some(count));
        }
        self.element(None);
        match opened {
            Some(_) if count == 0 => self.out.truncate(start),
            Some(at) => order::close(&mut self.out, at),
            None => {}
        }
        Ok(())
    }

    fn element(&mut self, element: Option<usize>) {
        if let Some(last) = self.path.last_mut() {
            last.1 = element;
        }
    }

    /// A number, true or false: with a tag, unless it is one of many; left out where it is what
    /// absent means, too.
    fn put(&mut self, place: Place, value: Raw<'_>) {
        if let Place::Field(of, field) = place {
            let default = matches!(value, Raw::Varint(0) | Raw::Fixed64(0) | Raw::Fixed32(0));
            if default && !field.oneof && !names::is_optional(of.name, field.json) {
                return;
            }
            let wire = match value {
                Raw::Fixed64(_) => FIXED64,
                Raw::Fixed32(_) => FIXED32,
                _ => VARINT,
            };
            self.out.put_tag(field.number, wire);
        }
        match value {
            Raw::Varint(value) => self.out.put_varint(value),
            Raw::Fixed64(value) => self.out.extend_from_slice(&value.to_le_bytes()),
            Raw::Fixed32(value) => self.out.extend_from_slice(&value.to_le_bytes()),
            Raw::Bytes(_) => {}
        }
    }

    /// What `content` appends, as a string, bytes or an id; left out where it is empty and that is
    /// what absent means, too. None where `content` gives none.
    fn put_bytes(
        &mut self,
        place: Place,
        content: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<()> {
        let (field, keep) = match place {
            Place::Document(_) => return None,
            Place::Field(_, field) => (field, field.oneof),
            Place::Element(field) => (field, true),
        };
        let start = self.out.len();
        let at = order::open(&mut self.out, field.number);
        content(&mut self.out)?;
        if self.out.len() == at && !keep {
            self.out.truncate(start);
        } else {
            order::close(&mut self.out, at);
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
