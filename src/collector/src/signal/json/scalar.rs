//! Single values: what JSON's numbers and strings are on protobuf's wire. Pure; knows no message.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::signal::schema::Kind;
use crate::signal::wire::Raw;

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// A number as JSON has it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Digits alone.
    Whole(i128),
    /// With a point or an exponent, or too large for 64 bits.
    Double(f64),
}

impl Number {
    /// A number within a string: whole where it can be, as a double has but 53 bits.
    /// "NaN", "Infinity" and "-Infinity" are numbers of a double (ProtoJSON).
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Ok(whole) = text.parse() {
            return Some(Self::Whole(whole));
        }
        let value: f64 = text.parse().ok()?;
        // What is out of range becomes infinite; only the word may.
        let word = !text.bytes().any(|byte| byte.is_ascii_digit());
        (value.is_finite() || word).then_some(Self::Double(value))
    }

    fn whole(self) -> Option<i128> {
        match self {
            Self::Whole(value) => Some(value),
            // 2^64 is out of every range. So is -2^63 here: serde_json makes it of whole numbers
            // that are less, too. NaN and the infinite have no fract of 0.
            Self::Double(value)
                if value.fract() == 0.0 && value > -TWO_TO_63 && value < 2.0 * TWO_TO_63 =>
            {
                Some(value as i128)
            }
            Self::Double(_) => None,
        }
    }

    fn double(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Double(value) => value,
        }
    }
}

/// A number as the kind has it on the wire. None where it is out of the kind's range or not whole,
/// or the kind is no number.
pub(super) fn number(kind: Kind, value: Number) -> Option<Raw<'static>> {
    Some(match kind {
        Kind::Uint => Raw::Varint(u64::from(u32::try_from(value.whole()?).ok()?)),
        Kind::Uints => Raw::Varint(u64::try_from(value.whole()?).ok()?),
        Kind::Int => Raw::Varint(i64::try_from(value.whole()?).ok()?.cast_unsigned()),
        Kind::Enum => Raw::Varint(i64::from(i32::try_from(value.whole()?).ok()?).cast_unsigned()),
        Kind::Sint => {
            let value = i32::try_from(value.whole()?).ok()?;
            Raw::Varint(u64::from((value << 1 ^ value >> 31).cast_unsigned()))
        }
        Kind::Fixed64 | Kind::Fixed64s => Raw::Fixed64(u64::try_from(value.whole()?).ok()?),
        Kind::Sfixed64 => Raw::Fixed64(i64::try_from(value.whole()?).ok()?.cast_unsigned()),
        Kind::Fixed32 => Raw::Fixed32(u32::try_from(value.whole()?).ok()?),
        Kind::Double | Kind::Doubles => Raw::Fixed64(value.double().to_bits()),
        _ => return None,
    })
}

/// Appends the bytes of hexadecimal text in either case; `len` of them or none (as otelcol's
/// pdata). None, with nothing appended, for all else.
pub(super) fn hex(text: &str, len: usize, out: &mut Vec<u8>) -> Option<()> {
    if text.len() != 2 * len && !text.is_empty() {
        return None;
    }
    let begin = out.len();
    for pair in text.as_bytes().chunks_exact(2) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        let Some(byte) = digit(0).zip(digit(1)).map(|(high, low)| high << 4 | low) else {
            out.truncate(begin);
            return None;
        };
        out.push(byte as u8);
    }
    Some(())
}

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// Appends the bytes of base64 text: of the standard or the URL alphabet, with padding or without
/// (ProtoJSON). None, with nothing appended, for all else.
pub(super) fn base64(text: &str, out: &mut Vec<u8>) -> Option<()> {
    let url = text.bytes().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if url { &URL_SAFE } else { &STANDARD };
    let begin = out.len();
    let decoded = GeneralPurpose::new(alphabet, LENIENT).decode_vec(text, out);
    if decoded.is_err() {
        out.truncate(begin);
    }
    decoded.ok()
}

/// Appends a JSON string's bytes as UTF-8. serde_json hands half a surrogate pair over in its three
/// bytes, and bytes that are no UTF-8 as they are; both become U+FFFD, as in otelcol.
pub(super) fn text(bytes: &[u8], out: &mut Vec<u8>) {
    if std::str::from_utf8(bytes).is_ok() {
        out.extend_from_slice(bytes);
        return;
    }
    let mut fixed = bytes.to_vec();
    for at in 0..fixed.len().saturating_sub(2) {
        if matches!(fixed[at..at + 3], [0xED, 0xA0..=0xBF, 0x80..=0xBF]) {
            fixed[at..at + 3].copy_from_slice("\u{FFFD}".as_bytes());
        }
    }
    out.extend_from_slice(String::from_utf8_lossy(&fixed).as_bytes());
}

#[cfg(test)]
mod tests;
