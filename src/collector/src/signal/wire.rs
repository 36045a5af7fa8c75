//! Protobuf's wire format (encoding, protobuf.dev/programming-guides/encoding): varints, tags, and
//! the fields of one message. Knows no message by name.

/// Wire type of a varint.
pub(crate) const VARINT: u8 = 0;
/// Wire type of eight bytes.
pub(crate) const FIXED64: u8 = 1;
/// Wire type of a length and so many bytes.
pub(crate) const BYTES: u8 = 2;
/// Wire type of four bytes.
pub(crate) const FIXED32: u8 = 5;

/// The value of a field as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw<'a> {
    /// A varint.
    Varint(u64),
    /// Eight bytes, little-endian.
    Fixed64(u64),
    /// A string, bytes, a message or packed numbers.
    Bytes(&'a [u8]),
    /// Four bytes, little-endian.
    Fixed32(u32),
}

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field<'a> {
    /// Its number.
    pub number: u32,
    /// Its value.
    pub value: Raw<'a>,
    /// Tag and value as written.
    pub written: &'a [u8],
}

/// The fields of a message, in the order written. Ends early where the bytes are no message, which
/// those that were scanned are not.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of a message's bytes.
    #[must_use]
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    #[inline(always)]
    fn next(&mut self) -> Option<Field<'a>> {
        let start = self.rest;
        let (tag, rest) = varint(start)?;
        let (value, rest) = match (tag & 7) as u8 {
            VARINT => varint(rest).map(|(value, rest)| (Raw::Varint(value), rest))?,
            BYTES => {
                let (length, rest) = varint(rest)?;
                let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
                (Raw::Bytes(bytes), rest)
            }
            FIXED64 => {
                let (bytes, rest) = rest.split_first_chunk::<8>()?;
                (Raw::Fixed64(u64::from_le_bytes(*bytes)), rest)
            }
            FIXED32 => {
                let (bytes, rest) = rest.split_first_chunk::<4>()?;
                (Raw::Fixed32(u32::from_le_bytes(*bytes)), rest)
            }
            _ => return None,
        };
        self.rest = rest;
        let number = u32::try_from(tag >> 3).ok()?;
        Some(Field { number, value, written: &start[..start.len() - rest.len()] })
    }
}

/// A varint at the beginning, and what follows it. None where it does not end, or has more than 64
/// bits (ten bytes, of the last only the lowest bit).
#[inline]
#[must_use]
pub(crate) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes {
        [first, rest @ ..] if *first < 0x80 => Some((u64::from(*first), rest)),
        [first, second, rest @ ..] if *second < 0x80 => {
            Some((u64::from(*first & 0x7f) | u64::from(*second) << 7, rest))
        }
        _ => long_varint(bytes),
    }
}

fn long_varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        if index == 9 && *byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * index);
        if *byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

/// Bytes that a varint takes.
#[inline]
#[must_use]
pub(crate) fn varint_len(value: u64) -> usize {
    // Seven bits a byte: (bits + 6) / 7, with 0 taking one.
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Writes messages.
pub trait Write {
    /// A varint.
    fn put_varint(&mut self, value: u64);
    /// A tag.
    fn put_tag(&mut self, number: u32, wire: u8);
    /// A field of bytes: a string or a finished message.
    fn put_bytes_field(&mut self, number: u32, value: &[u8]);
    /// A field of a varint, unless it is 0.
    fn put_varint_field(&mut self, number: u32, value: u64);
    /// A field of eight bytes, unless it is 0.
    fn put_fixed64_field(&mut self, number: u32, value: u64);
    /// A message whose fields `content` writes. The length is put before it afterwards.
    fn put_message(&mut self, number: u32, content: impl FnOnce(&mut Self));
    /// The same; quicker where the message is mostly of 128 bytes and more, slower otherwise.
    fn put_long_message(&mut self, number: u32, content: impl FnOnce(&mut Self));
}

impl Write for Vec<u8> {
    #[inline]
    fn put_varint(&mut self, value: u64) {
        if value < 0x80 {
            self.push(value as u8);
        } else {
            put_long_varint(self, value);
        }
    }

    #[inline]
    fn put_tag(&mut self, number: u32, wire: u8) {
        self.put_varint(u64::from(number) << 3 | u64::from(wire));
    }

    #[inline]
    fn put_bytes_field(&mut self, number: u32, value: &[u8]) {
        self.put_tag(number, BYTES);
        self.put_varint(value.len() as u64);
        self.extend_from_slice(value);
    }

    #[inline]
    fn put_varint_field(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.put_tag(number, VARINT);
            self.put_varint(value);
        }
    }

    #[inline]
    fn put_fixed64_field(&mut self, number: u32, value: u64) {
        if value != 0 {
            self.put_tag(number, FIXED64);
            self.extend_from_slice(&value.to_le_bytes());
        }
    }

    #[inline]
    fn put_message(&mut self, number: u32, content: impl FnOnce(&mut Self)) {
        put_message(self, number, 1, content);
    }

    #[inline]
    fn put_long_message(&mut self, number: u32, content: impl FnOnce(&mut Self)) {
        put_message(self, number, 2, content);
    }
}

/// A varint of two bytes or more.
fn put_long_varint(out: &mut Vec<u8>, mut value: u64) {
    let mut bytes = [0; 10];
    let length = varint_len(value);
    for byte in &mut bytes[..length] {
        *byte = (value as u8) | 0x80;
        value >>= 7;
    }
    bytes[length - 1] &= 0x7f;
    out.extend_from_slice(&bytes[..length]);
}

/// A message for whose length `kept` bytes are kept. It is moved where its length takes others.
#[inline]
fn put_message(out: &mut Vec<u8>, number: u32, kept: usize, content: impl FnOnce(&mut Vec<u8>)) {
    out.put_tag(number, BYTES);
    let at = out.len();
    out.extend_from_slice(&[0; 10][..kept]);
    content(out);
    let end = out.len();
    let length = end - at - kept;
    let needed = varint_len(length as u64);
    if needed != kept {
        out.resize(end.max(at + needed + length), 0);
        out.copy_within(at + kept..end, at + needed);
        out.truncate(at + needed + length);
    }
    let mut value = length;
    for byte in &mut out[at..at + needed] {
        *byte = (value as u8 & 0x7f) | 0x80;
        value >>= 7;
    }
    out[at + needed - 1] &= 0x7f;
}

#[cfg(test)]
mod tests;
