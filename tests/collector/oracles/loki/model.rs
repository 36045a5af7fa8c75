//! logproto (Loki, pkg/push/push.proto) as prost reads it, and labels as Loki reads them: Go's
//! string literals.

use std::collections::BTreeMap;

use bytes::Bytes;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct PushRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) streams: Vec<Stream>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Stream {
    #[prost(string, tag = "1")]
    pub(super) labels: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Entry {
    #[prost(message, optional, tag = "1")]
    pub(super) timestamp: Option<Timestamp>,
    #[prost(string, tag = "2")]
    pub(super) line: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

/// Name and value of each; a value may be no UTF-8.
pub(super) fn labels(text: &str) -> BTreeMap<String, Bytes> {
    let mut rest = text.strip_prefix('{').expect("labels in braces");
    let mut found = BTreeMap::new();
    while rest != "}" {
        let (name, after) = rest.split_once("=\"").expect("a label");
        let (value, after) = literal(after);
        found.insert(name.to_owned(), value.into());
        rest = after.strip_prefix(", ").unwrap_or(after);
    }
    found
}

/// A literal after its first quote, and what is behind it.
fn literal(text: &str) -> (Vec<u8>, &str) {
    let (mut value, mut chars) = (Vec::new(), text.chars());
    loop {
        let char = match chars.next().expect("a literal that ends") {
            '"' => return (value, chars.as_str()),
            '\\' => match chars.next().expect("an escape") {
                'x' => {
                    value.push(u8::try_from(code(&mut chars, 2)).expect("a byte"));
                    continue;
                }
                'u' => character(code(&mut chars, 4)),
                'U' => character(code(&mut chars, 8)),
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                char => char,
            },
            char => char,
        };
        value.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

fn code(chars: &mut std::str::Chars, digits: usize) -> u32 {
    let digits: String = chars.by_ref().take(digits).collect();
    u32::from_str_radix(&digits, 16).expect("hexadecimal digits")
}

fn character(code: u32) -> char {
    char::from_u32(code).expect("a character")
}
