//! What is wrong with a request in JSON, and where. Says little of the input itself, as it is
//! written to logs and into answers.

use thiserror::Error;

use crate::signal::scan::MAX_DEPTH;
use crate::signal::schema::Kind;

/// Characters of the input in an error, at most.
const ECHO: usize = 64;

/// What is no request in JSON. `path` is like `resourceSpans[0].scopeSpans[1].spans[3].traceId`,
/// and empty at the document itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JsonError {
    /// No JSON.
    #[error("{}no valid JSON: {problem}", prefix(path))]
    Syntax {
        /// Where.
        path: String,
        /// What is wrong, with line and column.
        problem: String,
    },
    /// A value that the field cannot have.
    #[error("{}expected {expected}, found {found}", prefix(path))]
    Value {
        /// Where.
        path: String,
        /// What the field takes.
        expected: &'static str,
        /// What stands there, at most 64 characters of it.
        found: String,
    },
    /// More messages within one another than [`MAX_DEPTH`].
    #[error("{}nested deeper than {MAX_DEPTH} messages", prefix(path))]
    TooDeep {
        /// Where.
        path: String,
    },
    /// More keys in an object than any message has fields.
    #[error("{}too many keys, most of them given more than once", prefix(path))]
    TooManyKeys {
        /// Where.
        path: String,
    },
    /// In protobuf it would be larger than allowed.
    #[error("larger than {max_bytes} bytes in protobuf")]
    TooLarge {
        /// The limit in bytes.
        max_bytes: usize,
    },
}

fn prefix(path: &str) -> String {
    if path.is_empty() { String::new() } else { format!("{path}: ") }
}

/// A string of the input as errors show it.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(ECHO) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// What a field takes; `json` is its name.
pub(super) fn expected(kind: Kind, json: &str, element: bool) -> &'static str {
    match kind {
        Kind::Many(_) | Kind::Strings | Kind::Fixed64s | Kind::Doubles | Kind::Uints
            if !element =>
        {
            "an array"
        }
        Kind::One(_) | Kind::Many(_) => "an object",
        Kind::String | Kind::Strings => "a string",
        Kind::Uint | Kind::Fixed32 => "an unsigned number of 32 bits",
        Kind::Sint => "a whole number of 32 bits",
        Kind::Fixed64 | Kind::Fixed64s | Kind::Uints => "an unsigned number of 64 bits",
        Kind::Int | Kind::Sfixed64 => "a whole number of 64 bits",
        Kind::Enum => "the number or name of an enumeration's value",
        Kind::Double | Kind::Doubles => "a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
        Kind::Bool => "true or false",
        Kind::Bytes => "base64",
        Kind::Hex if json == "traceId" => "32 hexadecimal digits or none",
        Kind::Hex => "16 hexadecimal digits or none",
        Kind::Unknown => "nothing",
    }
}
