//! Writing a file so that every reader, of YAML 1.1 or 1.2, reads the same: a string is written
//! plain only if nobody could take it for anything else.

use crate::value::Value;

/// YAML looks no further than 1024 characters for the colon of a key; a longer one is announced.
const LONGEST_KEY: usize = 1000;

/// The text of a configuration, keys in the order of the maps, two spaces a level.
#[must_use]
pub fn emit(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Map(entries) if !entries.is_empty() => map(&mut text, entries, 0),
        Value::List(list) if !list.is_empty() => items(&mut text, list, 0),
        other => {
            text.push_str(&inline(other));
            text.push('\n');
        }
    }
    text
}

fn map(text: &mut String, entries: &[(String, Value)], level: usize) {
    for (index, (key, value)) in entries.iter().enumerate() {
        if index > 0 || level == 0 || !text.ends_with("- ") {
            indent(text, level);
        }
        let key = string(key);
        if key.len() > LONGEST_KEY {
            text.push_str("? ");
            text.push_str(&key);
            text.push('\n');
            indent(text, level);
        } else {
            text.push_str(&key);
        }
        text.push(':');
        nested(text, value, level + 1);
    }
}

fn items(text: &mut String, list: &[Value], level: usize) {
    for (index, value) in list.iter().enumerate() {
        if index > 0 || level == 0 || !text.ends_with("- ") {
            indent(text, level);
        }
        text.push('-');
        match value {
            Value::Map(entries) if !entries.is_empty() => {
                text.push(' ');
                map(text, entries, level + 1);
            }
            Value::List(inner) if !inner.is_empty() => {
                text.push(' ');
                items(text, inner, level + 1);
            }
            other => {
                text.push(' ');
                text.push_str(&inline(other));
                text.push('\n');
            }
        }
    }
}

/// What follows `key:`.
fn nested(text: &mut String, value: &Value, level: usize) {
    match value {
        Value::Map(entries) if !entries.is_empty() => {
            text.push('\n');
            map(text, entries, level);
        }
        Value::List(list) if !list.is_empty() => {
            text.push('\n');
            items(text, list, level);
        }
        other => {
            text.push(' ');
            text.push_str(&inline(other));
            text.push('\n');
        }
    }
}

fn indent(text: &mut String, level: usize) {
    text.extend(std::iter::repeat_n("  ", level));
}

fn inline(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => float(*value),
        Value::String(text) => string(text),
        Value::Expanded { written, .. } | Value::Deferred(written) => string(written),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}

/// With a point, and a sign on the exponent, or YAML 1.1 takes it for a string.
fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{value:?}");
    match text.split_once('e') {
        None => text,
        Some((mantissa, exponent)) => {
            let point = if mantissa.contains('.') { "" } else { ".0" };
            let sign = if exponent.starts_with('-') { "" } else { "+" };
            format!("{mantissa}{point}e{sign}{exponent}")
        }
    }
}

fn string(text: &str) -> String {
    if is_unmistakable(text) { text.to_owned() } else { quoted(text) }
}

/// Begins with a letter or slash, goes on with letters, digits and `_ . / - :`, ends with no colon,
/// and is no word that some YAML reads as a boolean, null or number.
fn is_unmistakable(text: &str) -> bool {
    const WORDS: [&str; 13] = [
        "true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan", "infinity",
        "none",
    ];
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    let letters = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'/' | b'-' | b':'));
    let word = text.to_ascii_lowercase();
    starts && letters && !text.ends_with(':') && !WORDS.contains(&word.as_str())
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Not printable in YAML, or a line break to YAML 1.1.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
