//! logproto (Loki, pkg/push/push.proto) as prost reads it, and labels as Loki reads them: Go's
//! string literals.

use std::collections::BTreeMap;

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

/// Name and value of each.
pub(super) fn labels(text: &str) -> BTreeMap<String, String> {
    let mut rest = text.strip_prefix('{').expect("labels in braces");
    let mut found = BTreeMap::new();
    while rest != "}" {
        let (name, after) = rest.split_once("=\"").expect("a label");
        let (value, after) = literal(after);
        found.insert(name.to_owned(), value);
        rest = after.strip_prefix(", ").unwrap_or(after);
    }
    found
}

/// A literal after its first quote, and what is behind it.
fn literal(text: &str) -> (String, &str) {
    let (mut value, mut chars) = (String::new(), text.chars());
    loop {
        match chars.next().expect("a literal that ends") {
            '"' => return (value, chars.as_str()),
            '\\' => value.push(match chars.next().expect("an escape") {
                'x' => code(&mut chars, 2),
                'u' => code(&mut chars, 4),
                'U' => code(&mut chars, 8),
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                char => char,
            }),
            char => value.push(char),
        }
    }
}

fn code(chars: &mut std::str::Chars, digits: usize) -> char {
    let digits: String = chars.by_ref().take(digits).collect();
    let code = u32::from_str_radix(&digits, 16).expect("hexadecimal digits");
    char::from_u32(code).expect("a character")
}
