//! How messages are described: what stands at which number, and what it is called in JSON. The
//! descriptions of OTLP's own, and the views that the same table makes, are in `otlp`.

use super::wire::{BYTES, FIXED32, FIXED64, VARINT};

/// Highest field number of OTLP's messages, and one.
pub(super) const NUMBERS: usize = 24;

/// A message's description.
pub struct Message {
    /// Its name in OTLP.
    pub name: &'static str,
    /// Its fields, by number.
    pub fields: &'static [FieldInfo],
    /// Whether it is an item: a span, a log record or a data point.
    pub counted: bool,
    /// What stands at each field number.
    slots: [Slot; NUMBERS],
    /// The places that may be taken once, as bits.
    once: u32,
}

/// What stands at a field number.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    /// Its place in the message as a bit, shared by fields that exclude one another; 0 for a field
    /// that is unknown.
    pub(super) place: u32,
    /// The wire types that it can have, as bits.
    pub(super) wires: u8,
}

static UNKNOWN: Slot = Slot { kind: Kind::Unknown, place: 0, wires: Kind::Unknown.wires() };

/// A field's description.
#[derive(Clone, Copy)]
pub struct FieldInfo {
    /// Its number.
    pub number: u32,
    /// Its name in JSON (lowerCamelCase).
    pub json: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Whether it excludes the message's other such fields.
    pub oneof: bool,
}

/// What a field is.
#[derive(Clone, Copy)]
pub enum Kind {
    /// No field of OTLP: kept as it is.
    Unknown,
    /// Unsigned varint.
    Uint,
    /// Signed varint, in two's complement.
    Int,
    /// Signed varint, zigzag.
    Sint,
    /// An enumeration; a number in JSON.
    Enum,
    /// true or false.
    Bool,
    /// Eight bytes, unsigned.
    Fixed64,
    /// Eight bytes, signed.
    Sfixed64,
    /// Four bytes, unsigned.
    Fixed32,
    /// A double.
    Double,
    /// UTF-8, though not checked.
    String,
    /// Any bytes; base64 in JSON.
    Bytes,
    /// A trace or span id; hexadecimal in JSON (OTLP/HTTP, JSON Protobuf Encoding).
    Hex,
    /// Many strings.
    Strings,
    /// Many of eight unsigned bytes, packed or not.
    Fixed64s,
    /// Many doubles, packed or not.
    Doubles,
    /// Many unsigned varints, packed or not.
    Uints,
    /// One message.
    One(&'static Message),
    /// Many messages.
    Many(&'static Message),
}

impl Message {
    pub(super) const fn new(
        name: &'static str,
        counted: bool,
        fields: &'static [FieldInfo],
    ) -> Self {
        let mut slots =
            [Slot { kind: Kind::Unknown, place: 0, wires: Kind::Unknown.wires() }; NUMBERS];
        // No field has the number 0, which is refused as one that can have no wire type.
        slots[0].wires = 0;
        let (mut index, mut once) = (0, 0);
        while index < fields.len() {
            let FieldInfo { number, kind, oneof, .. } = fields[index];
            // No field has the number 0: its bit is that of the fields that exclude one another.
            let place = if oneof { 1 } else { 1 << number };
            slots[number as usize] = Slot { kind, place, wires: kind.wires() };
            if !kind.repeats() {
                once |= place;
            }
            index += 1;
        }
        Self { name, fields, counted, slots, once }
    }

    /// What stands at a field number.
    #[inline]
    #[must_use]
    pub fn kind(&self, number: u32) -> Kind {
        self.slot(number).kind
    }

    /// Whether a field excludes the message's other such fields.
    #[inline]
    #[must_use]
    pub fn is_oneof(&self, number: u32) -> bool {
        self.slot(number).place == 1
    }

    #[inline]
    pub(super) fn slot(&self, number: u32) -> &Slot {
        self.slots.get(number as usize).unwrap_or(&UNKNOWN)
    }

    /// The places that may be taken once, as bits.
    #[inline]
    pub(super) fn once(&self) -> u32 {
        self.once
    }
}

impl Kind {
    /// Whether a field may stand many times in its message.
    #[must_use]
    pub const fn repeats(self) -> bool {
        matches!(
            self,
            Self::Many(_)
                | Self::Strings
                | Self::Fixed64s
                | Self::Doubles
                | Self::Uints
                | Self::Unknown
        )
    }
    /// The wire types that a field can have, as bits.
    const fn wires(self) -> u8 {
        match self {
            Self::Unknown => 1 << VARINT | 1 << FIXED64 | 1 << BYTES | 1 << FIXED32,
            Self::Uint | Self::Int | Self::Sint | Self::Enum | Self::Bool => 1 << VARINT,
            Self::Fixed64 | Self::Sfixed64 | Self::Double => 1 << FIXED64,
            Self::Fixed32 => 1 << FIXED32,
            Self::Fixed64s | Self::Doubles => 1 << FIXED64 | 1 << BYTES,
            Self::Uints => 1 << VARINT | 1 << BYTES,
            Self::String | Self::Bytes | Self::Hex | Self::Strings => 1 << BYTES,
            Self::One(_) | Self::Many(_) => 1 << BYTES,
        }
    }
}

/// A field's kind; the descriptions refer to one another in a circle, so by name.
macro_rules! kind {
    (Many $sub:ident) => {
        Kind::Many(&$sub)
    };
    ($one:ident $sub:ident) => {
        Kind::One(&$sub)
    };
    ($type:ident) => {
        <$type as Wire>::KIND
    };
}

macro_rules! messages {
    ($(
        $(#[$meta:meta])*
        $name:ident $constant:ident $counted:literal {
            $($(#[$doc:meta])* $number:literal $field:ident $json:literal $type:ident $(<$of:ident $sub:ident>)?,)*
        }
    )*) => {$(
        pub(super) static $constant: Message = Message::new(stringify!($name), $counted, &[$(FieldInfo {
            number: $number,
            json: $json,
            kind: kind!($type $($sub)?),
            oneof: <$type $(<$of<'static>>)? as Wire>::ONEOF,
        }),*]);

        $(#[$meta])*
        #[derive(Clone, Copy)]
        pub struct $name<'a> {
            /// The whole message.
            pub bytes: &'a [u8],
            $($(#[$doc])* pub $field: <$type $(<$of<'static>>)? as Wire>::Value<'a>,)*
        }

        impl View for $name<'static> {
            type At<'a> = $name<'a>;

            fn schema() -> &'static Message {
                &$constant
            }

            #[inline]
            fn parse(bytes: &[u8]) -> $name<'_> {
                $name::walk(bytes, |_, _| {})
            }
        }

        impl<'a> $name<'a> {
            /// Reads a message's bytes, and tells of each string, bytes and message in it, with its
            /// field's number, as it is come by: what is long is then walked over once.
            #[inline]
            pub fn walk(bytes: &'a [u8], mut each: impl FnMut(u32, &'a [u8])) -> Self {
                let mut view = $name {
                    bytes,
                    $($field: <$type $(<$of<'static>>)? as Wire>::absent(bytes, $number),)*
                };
                for Field { number, value, .. } in Fields::of(bytes) {
                    match number {
                        $($number => <$type $(<$of<'static>>)? as Wire>::read(&mut view.$field, value),)*
                        _ => {}
                    }
                    if let Raw::Bytes(bytes) = value {
                        each(number, bytes);
                    }
                }
                view
            }
        }
    )*};
}

pub(super) use {kind, messages};
