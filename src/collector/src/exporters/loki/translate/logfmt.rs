//! Values as logfmt, as go-logfmt v0.6 writes it below contrib's translator: maps and arrays become
//! pairs whose keys are joined with `_`. Reads a body that is logfmt already. Every pair is written
//! with a space before it.

use super::line::Line;
use super::number;
use super::value::{Value, pairs, put, values};

/// A body that begins a longer first line is not looked into (Go's bufio.MaxScanTokenSize).
const MAX_PARSED: usize = 65_536;

/// Pairs that stand in the place of those that a body has by the same key.
pub(super) struct Instead<'a>(pub(super) Vec<(&'static str, Value<'a>)>);

impl<'a> Instead<'a> {
    /// The value in place of the first by this key.
    fn take(&mut self, key: &[u8]) -> Option<Value<'a>> {
        let at = self.0.iter().position(|(name, _)| name.as_bytes() == key)?;
        Some(self.0.remove(at).1)
    }
}

/// A body, and the pairs that it may not have otherwise.
pub(super) fn body(line: &mut Line, body: Value<'_>, mut instead: Instead<'_>) {
    let mut none = Instead(Vec::new());
    match body {
        Value::Empty => {}
        Value::Str(text) => {
            if !parsed(line, text) {
                pair(line, b"msg", body);
            }
        }
        Value::Map(_) => tree(line, &mut Vec::new(), body, &mut instead),
        Value::Array(_) => tree(line, &mut b"body".to_vec(), body, &mut none),
        _ => pair(line, b"msg", body),
    }
    for (key, value) in instead.0 {
        pair(line, key.as_bytes(), value);
    }
}

/// An attribute, its key after a prefix.
pub(super) fn attribute(line: &mut Line, prefix: &str, key: &[u8], value: Value<'_>) {
    let mut key = [prefix.as_bytes(), key].concat();
    tree(line, &mut key, value, &mut Instead(Vec::new()));
}

/// A value and what is in it. Stops where the line is long enough: keys repeat what is above them,
/// so that a small map can make a very long line.
fn tree(line: &mut Line, key: &mut Vec<u8>, value: Value<'_>, instead: &mut Instead<'_>) {
    if line.is_full() {
        return;
    }
    let length = key.len();
    match value {
        Value::Empty => {}
        Value::Map(map) => {
            for inner in pairs(map) {
                separate(key);
                key.extend_from_slice(inner.key);
                tree(line, key, inner.value, instead);
                key.truncate(length);
            }
        }
        Value::Array(array) => {
            for (index, inner) in values(array).enumerate() {
                separate(key);
                put(key, index);
                tree(line, key, inner, instead);
                key.truncate(length);
            }
        }
        _ => pair(line, key, instead.take(key).unwrap_or(value)),
    }
}

fn separate(key: &mut Vec<u8>) {
    if !key.is_empty() {
        key.push(b'_');
    }
}

/// A pair.
fn pair(line: &mut Line, key: &[u8], value: Value<'_>) {
    let out = line.out();
    out.push(b' ');
    if is_plain(key) {
        out.extend_from_slice(key);
    } else {
        put_key(out, key);
    }
    out.push(b'=');
    match value {
        Value::Empty | Value::Array(_) | Value::Map(_) => {}
        Value::Str(b"null") => out.extend_from_slice(b"\"null\""),
        Value::Str(text) | Value::Bytes(text) => quoted(out, text),
        Value::Bool(flag) => put(out, flag),
        Value::Int(int) => put(out, int),
        Value::Double(number) => double(out, number),
    }
}

/// Whether text is ASCII that needs no second look.
fn is_plain(text: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'=' | b'"');
    !text.is_empty() && text.iter().all(plain)
}

/// A key without what may not stand in one; if nothing is left, `_`.
fn put_key(out: &mut Vec<u8>, key: &[u8]) {
    let start = out.len();
    for chunk in key.utf8_chunks() {
        for char in chunk.valid().chars().filter(|char| !is_special(*char)) {
            out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    if out.len() == start {
        out.push(b'_');
    }
}

/// What may not stand in a key, and makes a value quoted.
fn is_special(char: char) -> bool {
    char <= ' ' || matches!(char, '=' | '"' | char::REPLACEMENT_CHARACTER)
}

/// Text, quoted where it must be.
fn quoted(out: &mut Vec<u8>, text: &[u8]) {
    let plain = || std::str::from_utf8(text).is_ok_and(|text| !text.contains(is_special));
    if is_plain(text) || plain() {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for chunk in text.utf8_chunks() {
        for char in chunk.valid().chars() {
            match char {
                '"' | '\\' => out.extend_from_slice(&[b'\\', char as u8]),
                '\n' => out.extend_from_slice(b"\\n"),
                '\r' => out.extend_from_slice(b"\\r"),
                '\t' => out.extend_from_slice(b"\\t"),
                char::REPLACEMENT_CHARACTER | '\0'..' ' => {
                    put(out, format_args!("\\u{:04x}", char as u32));
                }
                _ => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        chunk.invalid().iter().for_each(|_| out.extend_from_slice(b"\\ufffd"));
    }
    out.push(b'"');
}

/// As Go's `%v`: with an exponent, of two digits at least, below 1e-4 and from 1e6 on.
fn double(out: &mut Vec<u8>, number: f64) {
    match number {
        _ if number.is_nan() => out.extend_from_slice(b"NaN"),
        f64::INFINITY => out.extend_from_slice(b"+Inf"),
        f64::NEG_INFINITY => out.extend_from_slice(b"-Inf"),
        _ => number::double(out, number, -4..6, 2),
    }
}

/// Writes a body's pairs if it is one line of logfmt; else nothing, and false.
fn parsed(line: &mut Line, text: &[u8]) -> bool {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    // otelcol forgets what follows the first line: ours keeps a body of several lines whole.
    if text.len() >= MAX_PARSED || text.contains(&b'\n') {
        return false;
    }
    let start = line.out().len();
    let mut rest = text;
    loop {
        rest = rest.trim_ascii_start_all();
        if rest.is_empty() {
            return true;
        }
        let Some((key, value, after)) = scan_pair(rest) else {
            line.out().truncate(start);
            return false;
        };
        pair(line, key, Value::Bytes(&value));
        rest = after;
    }
}

/// All of what go-logfmt takes for space: the bytes up to 0x20.
trait TrimControls {
    fn trim_ascii_start_all(&self) -> &Self;
}

impl TrimControls for [u8] {
    fn trim_ascii_start_all(&self) -> &[u8] {
        let at = self.iter().position(|byte| *byte > b' ').unwrap_or(self.len());
        &self[at..]
    }
}

type Pair<'a> = (&'a [u8], std::borrow::Cow<'a, [u8]>, &'a [u8]);

/// The pair at the beginning, and what follows it; None where it is no logfmt.
fn scan_pair(text: &[u8]) -> Option<Pair<'_>> {
    let ends = |byte: &u8| *byte <= b' ' || matches!(byte, b'=' | b'"');
    let end = text.iter().position(ends).unwrap_or(text.len());
    let (key, rest) = text.split_at(end);
    if std::str::from_utf8(key).map_or(true, |key| key.contains(char::REPLACEMENT_CHARACTER)) {
        return None;
    }
    match rest {
        [b'"', ..] => None,
        [b'=', ..] if key.is_empty() => None,
        [b'=', b'"', quoted @ ..] => {
            let (value, rest) = scan_quoted(quoted)?;
            Some((key, value, rest))
        }
        [b'=', value @ ..] => {
            let end = value.iter().position(ends).unwrap_or(value.len());
            let (value, rest) = value.split_at(end);
            let bad = matches!(rest, [b'=' | b'"', ..]);
            (!bad).then_some((key, value.into(), rest))
        }
        _ => Some((key, (&[][..]).into(), rest)),
    }
}

/// A quoted value after its first quote, and what follows it.
fn scan_quoted(text: &[u8]) -> Option<(std::borrow::Cow<'_, [u8]>, &[u8])> {
    let (mut escaped, mut any) = (false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => (escaped, any) = (true, true),
            b'"' => {
                let (value, rest) = (&text[..at], &text[at + 1..]);
                let value = if any { unquote(value)?.into() } else { value.into() };
                return Some((value, rest));
            }
            _ => {}
        }
    }
    None
}

/// Undoes the escapes of a JSON string; None where there is a control character or no escape.
fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'\\' => {
                let [escape, after @ ..] = rest else { return None };
                rest = after;
                match escape {
                    b'"' | b'\\' | b'/' | b'\'' => out.push(*escape),
                    b'b' => out.push(8),
                    b'f' => out.push(12),
                    b'n' => out.push(b'\n'),
                    b'r' => out.push(b'\r'),
                    b't' => out.push(b'\t'),
                    b'u' => {
                        let (char, after) = unquote_unicode(rest)?;
                        rest = after;
                        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                    }
                    _ => return None,
                }
            }
            0..b' ' => return None,
            _ => out.push(*byte),
        }
    }
    Some(out)
}

/// What follows `\u`: four hexadecimal digits, or two surrogates. Half a pair is U+FFFD.
fn unquote_unicode(text: &[u8]) -> Option<(char, &[u8])> {
    let (high, rest) = four_digits(text)?;
    if let Some(char) = char::from_u32(high) {
        return Some((char, rest));
    }
    let pair = rest.strip_prefix(b"\\u").and_then(four_digits).and_then(|(low, after)| {
        let both = (0xd800..0xdc00).contains(&high) && (0xdc00..0xe000).contains(&low);
        let code = both.then(|| 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00))?;
        Some((char::from_u32(code)?, after))
    });
    Some(pair.unwrap_or((char::REPLACEMENT_CHARACTER, rest)))
}

fn four_digits(text: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(4)?;
    let mut value = 0;
    for digit in digits {
        value = value << 4 | char::from(*digit).to_digit(16)?;
    }
    Some((value, rest))
}
