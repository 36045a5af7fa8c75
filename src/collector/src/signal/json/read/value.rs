//! What serde hands over, by where it stands: a key of an object, a field's value, an element of its
//! array. Says what is wrong itself, as serde's own errors repeat the input.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::Reader;
use super::order::{self, is_list};
use crate::signal::json::error::{expected, shown};
use crate::signal::json::names;
use crate::signal::json::scalar::{self, Number};
use crate::signal::schema::{FieldInfo, Kind, Message};
use crate::signal::wire::{Raw, Write};

/// A key, read as the field that it names. As bytes, so that half a surrogate pair is no error.
pub(super) struct Key(pub(super) &'static Message);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static FieldInfo>;

    fn deserialize<D: Deserializer<'de>>(self, key: D) -> Result<Self::Value, D::Error> {
        key.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static FieldInfo>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_bytes<E>(self, key: &[u8]) -> Result<Self::Value, E> {
        Ok(names::field(self.0, key))
    }
}

/// Where a value stands.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// It is the whole request.
    Document(&'static Message),
    /// It is a field of a message.
    Field(&'static Message, &'static FieldInfo),
    /// It is one of many in a field of a message.
    Element(&'static FieldInfo),
}

impl Place {
    fn kind(self) -> Kind {
        match self {
            Self::Document(of) => Kind::One(of),
            Self::Field(_, field) | Self::Element(field) => field.kind,
        }
    }

    fn is_element(self) -> bool {
        matches!(self, Self::Element(..))
    }

    /// The field, if a list of it is to come.
    fn list(self) -> Option<&'static FieldInfo> {
        match self {
            Self::Field(_, field) if is_list(field.kind) => Some(field),
            _ => None,
        }
    }

    /// Whether one value, and no list of them, is to come.
    fn is_single(self) -> bool {
        self.list().is_none()
    }

    fn name(self) -> &'static str {
        match self {
            Self::Document(_) => "",
            Self::Field(_, field) | Self::Element(field) => field.json,
        }
    }
}

/// A value. Read, it is written to the reader's output; false where it is null, thus absent.
pub(super) struct Value<'r> {
    pub(super) reader: &'r mut Reader,
    pub(super) place: Place,
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        let (kind, place) = (self.place.kind(), self.place);
        self.reader.expected = expected(kind, place.name(), place.is_element());
        match kind {
            Kind::String | Kind::Strings if place.is_single() => value.deserialize_option(self),
            _ => value.deserialize_any(self),
        }
    }
}

impl Value<'_> {
    #[cold]
    fn wrong<E: Error>(self, found: String) -> E {
        let problem = self.reader.unexpected(found);
        self.reader.fail(problem)
    }

    fn number<E: Error>(self, value: Number, found: impl fmt::Display) -> Result<bool, E> {
        match scalar::number(self.place.kind(), value).filter(|_| self.place.is_single()) {
            Some(raw) => self.reader.put(self.place, raw),
            None => return Err(self.wrong(format!("the number {found}"))),
        }
        Ok(true)
    }

    /// Text other than a string's. None where it is not of the kind.
    fn text(&mut self, text: &str) -> Option<()> {
        let (place, name) = (self.place, self.place.name());
        let raw = match place.kind() {
            Kind::Hex => {
                let len = names::id_len(name);
                return self.reader.put_bytes(place, |out| scalar::hex(text, len, out));
            }
            Kind::Bytes => {
                return self.reader.put_bytes(place, |out| scalar::base64(text, out));
            }
            Kind::Enum => {
                let value = names::enumeration(name, text)?;
                scalar::number(Kind::Enum, Number::Whole(value.into()))?
            }
            kind => scalar::number(kind, Number::parse(text)?)?,
        };
        self.reader.put(place, raw);
        Some(())
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reader.expected)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        match (self.place, self.place.kind()) {
            (Place::Field(..), _) => Ok(false),
            // As otelcol: the other elements keep their places.
            (Place::Element(field), Kind::Many(_)) => {
                self.reader.out.put_bytes_field(field.number, &[]);
                Ok(true)
            }
            _ => Err(self.wrong("null".to_owned())),
        }
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        self.visit_unit()
    }

    /// A string: as bytes, since serde_json refuses half a surrogate pair in text, which JavaScript
    /// writes.
    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<bool, D::Error> {
        value.deserialize_bytes(self)
    }

    fn visit_bytes<E: Error>(self, text: &[u8]) -> Result<bool, E> {
        self.reader.put_bytes(self.place, |out| {
            scalar::text(text, out);
            Some(())
        });
        Ok(true)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<bool, E> {
        match self.place.kind() {
            Kind::Bool => self.reader.put(self.place, Raw::Varint(u64::from(value))),
            _ => return Err(self.wrong(value.to_string())),
        }
        Ok(true)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<bool, E> {
        self.number(Number::Whole(value.into()), value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<bool, E> {
        self.number(Number::Whole(value.into()), value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<bool, E> {
        self.number(Number::Double(value), format_args!("{value:e}"))
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<bool, E> {
        if self.place.is_single() && self.text(text).is_some() {
            return Ok(true);
        }
        Err(self.wrong(format!("the string {}", shown(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<bool, A::Error> {
        match self.place.list() {
            Some(field) => self.reader.list(field, seq)?,
            None => return Err(self.wrong("an array".to_owned())),
        }
        Ok(true)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<bool, A::Error> {
        match (self.place, self.place.kind()) {
            (Place::Document(of), _) => self.reader.message(of, map)?,
            (Place::Field(_, field), Kind::One(of)) | (Place::Element(field), Kind::Many(of)) => {
                let at = order::open(&mut self.reader.out, field.number);
                self.reader.message(of, map)?;
                order::close(&mut self.reader.out, at);
            }
            _ => return Err(self.wrong("an object".to_owned())),
        }
        Ok(true)
    }
}
