//! Messages as borrowed bytes: how each type of field is read into a view. Which messages there are
//! is `otlp`'s to say.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::schema::{Kind, Message};
use super::wire::{Field, Fields, Raw};

/// A message as borrowed bytes, its fields found in one pass.
pub trait View: 'static {
    /// The view over bytes that live as long as `'a`.
    type At<'a>: Copy;
    /// Its description.
    fn schema() -> &'static Message;
    /// Reads a message's bytes. What is not of the message's form is left out; scanned bytes are.
    fn parse(bytes: &[u8]) -> Self::At<'_>;
}

/// How a field is read into a view. The implementors name the type of a field in the table of
/// messages; nobody makes one.
pub trait Wire {
    /// What it is; of messages the table tells.
    const KIND: Kind = Kind::Unknown;
    /// Whether it excludes the message's other such fields.
    const ONEOF: bool = false;
    /// What a view holds of it.
    type Value<'a>: Copy;
    /// What a view holds when the message does not have it.
    fn absent<'a>(message: &'a [u8], number: u32) -> Self::Value<'a>;
    /// Takes in the field as found.
    fn read<'a>(value: &mut Self::Value<'a>, raw: Raw<'a>);
}

/// A string's bytes; mostly, but not surely, UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text<'a>(pub &'a [u8]);

impl<'a> Text<'a> {
    /// As text, with U+FFFD for what is no UTF-8.
    #[must_use]
    pub fn lossy(self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.0)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

macro_rules! scalar {
    ($($name:ident $kind:ident $type:ty, $raw:pat => $read:expr;)*) => {$(
        #[doc = stringify!($kind)]
        pub struct $name;
        impl Wire for $name {
            const KIND: Kind = Kind::$kind;
            type Value<'a> = $type;
            #[inline]
            #[allow(clippy::needless_lifetimes)]
            fn absent<'a>(_: &'a [u8], _: u32) -> $type {
                <$type>::default()
            }
            #[inline]
            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
            fn read<'a>(value: &mut Self::Value<'a>, raw: Raw<'a>) {
                if let $raw = raw {
                    *value = $read;
                }
            }
        }
    )*};
}

scalar! {
    Uint32 Uint u32, Raw::Varint(v) => v as u32;
    Uint64 Uint u64, Raw::Varint(v) => v;
    Sint32 Sint i32, Raw::Varint(v) => (v as u32 >> 1) as i32 ^ -((v & 1) as i32);
    Enum Enum i32, Raw::Varint(v) => v as i32;
    Flag Bool bool, Raw::Varint(v) => v != 0;
    Fixed64 Fixed64 u64, Raw::Fixed64(v) => v;
    Fixed32 Fixed32 u32, Raw::Fixed32(v) => v;
    Double Double f64, Raw::Fixed64(v) => f64::from_bits(v);
    Str String Text<'a>, Raw::Bytes(v) => Text(v);
    Hex Hex &'a [u8], Raw::Bytes(v) => v;
    OptionDouble Double Option<f64>, Raw::Fixed64(v) => Some(f64::from_bits(v));
}

macro_rules! oneof {
    ($($name:ident $kind:ident $type:ty, $raw:pat => $read:expr;)*) => {$(
        #[doc = stringify!($kind)]
        pub struct $name;
        impl Wire for $name {
            const KIND: Kind = Kind::$kind;
            const ONEOF: bool = true;
            type Value<'a> = Option<$type>;
            #[inline]
            #[allow(clippy::needless_lifetimes)]
            fn absent<'a>(_: &'a [u8], _: u32) -> Option<$type> {
                None
            }
            #[inline]
            #[allow(clippy::cast_possible_wrap)]
            fn read<'a>(value: &mut Self::Value<'a>, raw: Raw<'a>) {
                if let $raw = raw {
                    *value = Some($read);
                }
            }
        }
    )*};
}

oneof! {
    EitherStr String Text<'a>, Raw::Bytes(v) => Text(v);
    EitherBytes Bytes &'a [u8], Raw::Bytes(v) => v;
    EitherFlag Bool bool, Raw::Varint(v) => v != 0;
    EitherInt Int i64, Raw::Varint(v) => v as i64;
    EitherSfixed64 Sfixed64 i64, Raw::Fixed64(v) => v as i64;
    EitherDouble Double f64, Raw::Fixed64(v) => f64::from_bits(v);
}

/// At most one message.
pub struct One<M>(PhantomData<M>);
/// At most one of several messages.
pub struct Either<M>(PhantomData<M>);
/// Any number of messages.
pub struct Many<M>(PhantomData<M>);

impl<M: View> Wire for One<M> {
    type Value<'a> = Option<Sub<'a, M>>;
    #[inline]
    fn absent<'a>(_: &'a [u8], _: u32) -> Option<Sub<'a, M>> {
        None
    }
    #[inline]
    fn read<'a>(value: &mut Self::Value<'a>, raw: Raw<'a>) {
        if let Raw::Bytes(bytes) = raw {
            *value = Some(Sub { bytes, of: PhantomData });
        }
    }
}

impl<M: View> Wire for Either<M> {
    const ONEOF: bool = true;
    type Value<'a> = Option<Sub<'a, M>>;
    #[inline]
    fn absent<'a>(_: &'a [u8], _: u32) -> Option<Sub<'a, M>> {
        None
    }
    #[inline]
    fn read<'a>(value: &mut Self::Value<'a>, raw: Raw<'a>) {
        One::<M>::read(value, raw);
    }
}

/// A message not yet read.
pub struct Sub<'a, M> {
    /// Its bytes.
    pub bytes: &'a [u8],
    of: PhantomData<M>,
}

impl<M> Clone for Sub<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M> Copy for Sub<'_, M> {}

impl<'a, M: View> Sub<'a, M> {
    /// Reads it.
    #[must_use]
    pub fn view(self) -> M::At<'a> {
        M::parse(self.bytes)
    }
}

impl<M: View> Wire for Many<M> {
    type Value<'a> = Repeated<'a, M>;
    #[inline]
    fn absent<'a>(message: &'a [u8], number: u32) -> Repeated<'a, M> {
        Repeated { message, number, first: None, len: 0, of: PhantomData }
    }
    #[inline]
    fn read<'a>(value: &mut Self::Value<'a>, raw: Raw<'a>) {
        if let Raw::Bytes(bytes) = raw {
            value.first.get_or_insert(bytes);
            value.len += 1;
        }
    }
}

/// The messages in one field of another, in order.
pub struct Repeated<'a, M> {
    message: &'a [u8],
    number: u32,
    first: Option<&'a [u8]>,
    len: usize,
    of: PhantomData<M>,
}

impl<M> Clone for Repeated<'_, M> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<M> Copy for Repeated<'_, M> {}

impl<'a, M: View> Repeated<'a, M> {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// How many there are.
    #[must_use]
    pub fn len(self) -> usize {
        self.len
    }

    /// Each, read.
    pub fn iter(self) -> impl Iterator<Item = M::At<'a>> {
        self.bytes().map(M::parse)
    }

    /// Each, as bytes.
    pub fn bytes(self) -> impl Iterator<Item = &'a [u8]> {
        let of_number = move |field: Field<'a>| match field.value {
            Raw::Bytes(bytes) if field.number == self.number => Some(bytes),
            _ => None,
        };
        let others = Fields::of(self.after_first()).filter_map(of_number);
        self.first.into_iter().chain(others.take(self.len.saturating_sub(1)))
    }

    /// What follows the first in the message around: the fields before it need no second look, nor
    /// do those after the last.
    fn after_first(self) -> &'a [u8] {
        let first = self.first.unwrap_or_default().as_ptr_range().end as usize;
        let offset = first.checked_sub(self.message.as_ptr() as usize);
        offset.and_then(|offset| self.message.get(offset..)).unwrap_or_default()
    }
}

macro_rules! numbers {
    ($($marker:ident $kind:ident $type:ty, $($raw:pat => $read:expr),+; $packed:expr;)*) => {$(
        #[doc = stringify!($kind)]
        pub struct $marker;
        impl Wire for $marker {
            const KIND: Kind = Kind::$kind;
            type Value<'a> = Numbers<'a, $type>;
            #[inline]
            fn absent<'a>(message: &'a [u8], number: u32) -> Numbers<'a, $type> {
                Numbers { message, number, any: false, of: PhantomData }
            }
            #[inline]
            fn read<'a>(value: &mut Self::Value<'a>, _: Raw<'a>) {
                value.any = true;
            }
        }
        impl<'a> Numbers<'a, $type> {
            /// Each, in order, whether packed or not.
            pub fn iter(self) -> impl Iterator<Item = $type> + 'a {
                let bytes = if self.any { self.message } else { &[] };
                let mut fields = Fields::of(bytes).filter(move |f| f.number == self.number);
                let mut rest: &'a [u8] = &[];
                std::iter::from_fn(move || loop {
                    if !rest.is_empty() {
                        let (value, after) = $packed(rest)?;
                        rest = after;
                        return Some(value);
                    }
                    match fields.next()?.value {
                        Raw::Bytes(packed) => rest = packed,
                        $($raw => return Some($read),)+
                        _ => {}
                    }
                })
            }
        }
    )*};
}

/// The numbers in one field of a message.
pub struct Numbers<'a, T> {
    message: &'a [u8],
    number: u32,
    any: bool,
    of: PhantomData<T>,
}

impl<T> Clone for Numbers<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Numbers<'_, T> {}

fn eight(bytes: &[u8]) -> Option<(u64, &[u8])> {
    bytes.split_first_chunk::<8>().map(|(value, rest)| (u64::from_le_bytes(*value), rest))
}

numbers! {
    Fixed64s Fixed64s u64, Raw::Fixed64(v) => v; eight;
    Doubles Doubles f64, Raw::Fixed64(v) => f64::from_bits(v); |bytes| eight(bytes).map(|(v, rest)| (f64::from_bits(v), rest));
    Uints Uints Uint, Raw::Varint(v) => Uint(v); |bytes| super::wire::varint(bytes).map(|(v, rest)| (Uint(v), rest));
}

/// A varint of many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uint(pub u64);

/// Many strings.
pub struct Strs;
impl Wire for Strs {
    const KIND: Kind = Kind::Strings;
    type Value<'a> = Strings<'a>;
    fn absent<'a>(message: &'a [u8], number: u32) -> Strings<'a> {
        Strings { message, number }
    }
    fn read<'a>(_: &mut Strings<'a>, _: Raw<'a>) {}
}

/// The strings in one field of a message.
#[derive(Clone, Copy)]
pub struct Strings<'a> {
    message: &'a [u8],
    number: u32,
}

impl<'a> Strings<'a> {
    /// Each, in order.
    pub fn iter(self) -> impl Iterator<Item = Text<'a>> {
        Fields::of(self.message).filter(move |f| f.number == self.number).filter_map(|field| {
            match field.value {
                Raw::Bytes(bytes) => Some(Text(bytes)),
                _ => None,
            }
        })
    }
}

#[cfg(test)]
mod tests;
