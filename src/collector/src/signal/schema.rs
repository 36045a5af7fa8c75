//! How messages are described: what stands at which number, and what it is called in JSON. The
//! descriptions of OTLP's own are in `otlp`.

/// Highest field number of OTLP's messages, and one.
const NUMBERS: usize = 24;

/// A message's description.
pub struct Message {
    /// Its name in OTLP.
    pub name: &'static str,
    /// Its fields, by number.
    pub fields: &'static [FieldInfo],
    /// Whether it is an item: a span, a log record or a data point.
    pub counted: bool,
    /// What stands at each field number.
    kinds: [Kind; NUMBERS],
    /// Numbers that exclude one another, as bits.
    oneof: u32,
}

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
        let mut kinds = [Kind::Unknown; NUMBERS];
        let (mut index, mut oneof) = (0, 0);
        while index < fields.len() {
            kinds[fields[index].number as usize] = fields[index].kind;
            if fields[index].oneof {
                oneof |= 1 << fields[index].number;
            }
            index += 1;
        }
        Self { name, fields, counted, kinds, oneof }
    }

    /// What stands at a field number.
    #[inline]
    #[must_use]
    pub fn kind(&self, number: u32) -> Kind {
        self.kinds.get(number as usize).copied().unwrap_or(Kind::Unknown)
    }

    /// Whether a field excludes the message's other such fields.
    #[inline]
    #[must_use]
    pub fn is_oneof(&self, number: u32) -> bool {
        number < 32 && self.oneof >> number & 1 == 1
    }

    /// Whether any of its fields exclude one another.
    #[inline]
    #[must_use]
    pub fn has_oneof(&self) -> bool {
        self.oneof != 0
    }
}
