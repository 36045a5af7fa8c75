//! A list of attributes while it is edited, as Go's pcommon.Map: of a key that stands twice, the
//! first is meant. Values are encoded AnyValues; what is not edited stays where it is.

use std::borrow::Cow;

use super::patch::{Part, Patches};
use crate::signal::otlp::KeyValue;
use crate::signal::view::View;
use crate::signal::wire::{Fields, Raw, Write as _};

/// Attributes: those of the request in their order, then new ones.
#[derive(Default)]
pub(super) struct List<'a> {
    attributes: Vec<Attribute<'a>>,
}

struct Attribute<'a> {
    key: &'a [u8],
    /// None: removed.
    value: Option<Cow<'a, [u8]>>,
    /// None: new.
    written: Option<Written<'a>>,
}

/// How an attribute stands in the request.
struct Written<'a> {
    /// Offset of its field.
    from: usize,
    /// Its message.
    part: Part<'a>,
    /// Its value.
    value: &'a [u8],
}

impl<'a> List<'a> {
    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.attributes.clear();
    }

    /// Takes in an attribute of the request, whose field begins at `from`.
    pub(super) fn read(&mut self, from: usize, part: Part<'a>) {
        let KeyValue { key, value, .. } = KeyValue::parse(part.bytes);
        let value = value.map_or(&[][..], |value| value.bytes);
        let written = Some(Written { from, part, value });
        self.attributes.push(Attribute { key: key.0, value: Some(value.into()), written });
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Cow<'a, [u8]>> {
        self.attributes.iter().filter(|a| a.key == key).find_map(|a| a.value.as_ref())
    }

    /// The value of a key, to be changed.
    pub(super) fn get_mut(&mut self, key: &[u8]) -> Option<&mut Cow<'a, [u8]>> {
        self.attributes.iter_mut().filter(|a| a.key == key).find_map(|a| a.value.as_mut())
    }

    /// The values of all keys that `meant` says, to be changed.
    pub(super) fn matching(
        &mut self,
        meant: impl Fn(&[u8]) -> bool,
    ) -> impl Iterator<Item = &mut Cow<'a, [u8]>> {
        let meant = move |a: &&mut Attribute<'a>| a.value.is_some() && meant(a.key);
        self.attributes.iter_mut().filter(meant).filter_map(|a| a.value.as_mut())
    }

    /// Adds an attribute at the end.
    pub(super) fn push(&mut self, key: &'a [u8], value: Cow<'a, [u8]>) {
        self.attributes.push(Attribute { key, value: Some(value), written: None });
    }

    /// Removes the first of a key.
    pub(super) fn remove(&mut self, key: &[u8]) {
        let found = self.attributes.iter_mut().find(|a| a.value.is_some() && a.key == key);
        if let Some(attribute) = found {
            attribute.value = None;
        }
    }

    /// Removes all whose keys `meant` says.
    pub(super) fn remove_matching(&mut self, meant: impl Fn(&[u8]) -> bool) {
        for attribute in &mut self.attributes {
            if attribute.value.is_some() && meant(attribute.key) {
                attribute.value = None;
            }
        }
    }

    /// Tells what is changed. New attributes have the field `number` and stand at `end`, behind
    /// those that are there.
    pub(super) fn changes(&self, number: u32, end: usize, patches: &mut Patches) {
        for Attribute { key, value, written } in &self.attributes {
            match (value, written) {
                (None, Some(Written { from, part, .. })) => {
                    patches.replace(*from, part.end(), |_| ());
                }
                (Some(new), Some(Written { from, part, value: old })) if new != old => {
                    patches.replace(*from, part.end(), |out| {
                        out.put_message(number, |out| with_value(part.bytes, new, out));
                    });
                }
                (Some(value), None) => patches.replace(end, end, |out| {
                    out.put_message(number, |out| {
                        out.put_bytes_field(KEY, key);
                        out.put_bytes_field(VALUE, value);
                    });
                }),
                _ => {}
            }
        }
    }
}

const KEY: u32 = 1;
const VALUE: u32 = 2;

/// A `KeyValue` with another value; its other fields stay.
fn with_value(attribute: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let mut placed = false;
    for field in Fields::of(attribute) {
        match (field.number, field.value) {
            (VALUE, Raw::Bytes(_)) if placed => {}
            (VALUE, Raw::Bytes(_)) => {
                out.put_bytes_field(VALUE, value);
                placed = true;
            }
            _ => out.extend_from_slice(field.written),
        }
    }
    if !placed {
        out.put_bytes_field(VALUE, value);
    }
}
