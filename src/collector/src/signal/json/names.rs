//! What JSON needs to know of fields beyond the table: their second spelling, the names of
//! enumerations' values, the length of ids, and which doubles are told from 0 when absent.

use crate::signal::schema::{FieldInfo, Message};

/// The field that a key names: in lowerCamelCase, or as the proto file spells it (ProtoJSON: parsers
/// accept both). None for a key that is no field.
pub(super) fn field(of: &'static Message, key: &[u8]) -> Option<&'static FieldInfo> {
    let exact = of.fields.iter().find(|field| field.json.as_bytes() == key);
    exact.or_else(|| of.fields.iter().find(|field| is_snake(field.json.as_bytes(), key)))
}

/// Whether `key` is the snake_case of a lowerCamelCase name.
fn is_snake(camel: &[u8], key: &[u8]) -> bool {
    let mut rest = key;
    for letter in camel {
        let after = if letter.is_ascii_uppercase() {
            rest.strip_prefix(b"_")
                .and_then(|rest| rest.strip_prefix(&[letter.to_ascii_lowercase()]))
        } else {
            rest.strip_prefix(&[*letter])
        };
        match after {
            Some(after) => rest = after,
            None => return false,
        }
    }
    rest.is_empty()
}

/// The number of an enumeration's value by its name in the proto files; `json` is the field's name.
pub(super) fn enumeration(json: &str, name: &str) -> Option<i32> {
    let (prefix, names): (&str, &[&str]) = match json {
        "kind" => {
            ("SPAN_KIND_", &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])
        }
        "code" => ("STATUS_CODE_", &["UNSET", "OK", "ERROR"]),
        "aggregationTemporality" => {
            ("AGGREGATION_TEMPORALITY_", &["UNSPECIFIED", "DELTA", "CUMULATIVE"])
        }
        "severityNumber" => return severity(name.strip_prefix("SEVERITY_NUMBER_")?),
        _ => return None,
    };
    let name = name.strip_prefix(prefix)?;
    names.iter().position(|known| *known == name).and_then(|at| i32::try_from(at).ok())
}

/// Six severities of four steps each: TRACE, TRACE2, TRACE3, TRACE4, DEBUG, ...
fn severity(name: &str) -> Option<i32> {
    if name == "UNSPECIFIED" {
        return Some(0);
    }
    let (word, step) = match name.as_bytes().last()? {
        digit @ b'2'..=b'4' => (&name[..name.len() - 1], i32::from(digit - b'0')),
        _ => (name, 1),
    };
    let at =
        ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].iter().position(|w| *w == word)?;
    i32::try_from(at).ok().map(|at| at * 4 + step)
}

/// How many bytes an id has.
pub(super) fn id_len(json: &str) -> usize {
    if json == "traceId" { 16 } else { 8 }
}

/// Whether a double is written even at 0, as absent is something else (`optional` in the proto
/// files).
pub(super) fn is_optional(message: &str, json: &str) -> bool {
    matches!(message, "HistogramDataPoint" | "ExponentialHistogramDataPoint")
        && matches!(json, "sum" | "min" | "max")
}

#[cfg(test)]
mod tests;
