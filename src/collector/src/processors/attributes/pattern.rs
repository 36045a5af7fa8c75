//! Regular expressions as Go spells and means them (pkg.go.dev/regexp/syntax), for the `regex`
//! crate: `\d`, `\s`, `\w` and `\b` are ASCII, a brace that counts nothing and a bracket within
//! brackets are themselves, and any punctuation may be escaped.

use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

use super::EditorError;

/// # Errors
/// It is no regular expression. The message does not repeat it: it may come from a secret.
pub(super) fn compile(text: &str, path: &str) -> Result<Regex, EditorError> {
    Regex::new(&translated(text)).map_err(|error| {
        let message = error.to_string();
        let last = message.lines().last().unwrap_or_default();
        let reason = last.strip_prefix("error: ").unwrap_or(last);
        EditorError::new(path, format!("is no regular expression: {reason}"))
    })
}

/// Whether a key matches somewhere in it.
pub(super) fn matches(pattern: &Regex, key: &[u8]) -> bool {
    pattern.is_match(&String::from_utf8_lossy(key))
}

/// The same as the `regex` crate spells it.
fn translated(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => escape(&mut rest, false, &mut out),
            '[' => class(&mut rest, &mut out),
            '{' => match count(&rest) {
                Some(count) => {
                    rest.nth(count.chars().count() - 1);
                    let _ = write!(out, "{{{count}");
                }
                None => out.push_str(r"\{"),
            },
            '}' => out.push_str(r"\}"),
            _ => out.push(character),
        }
    }
    out
}

/// `n}`, `n,}` or `n,m}`, if that is what follows.
fn count(rest: &Peekable<Chars<'_>>) -> Option<String> {
    let mut count = String::new();
    for character in rest.clone() {
        count.push(character);
        match character {
            '}' => break,
            '0'..='9' | ',' => {}
            _ => return None,
        }
    }
    let (least, most) = count.strip_suffix('}').map(|c| c.split_once(',').unwrap_or((c, "")))?;
    (!least.is_empty() && !most.contains(',')).then_some(count)
}

/// What follows a backslash.
fn escape(rest: &mut Peekable<Chars<'_>>, in_class: bool, out: &mut String) {
    let Some(character) = rest.next() else {
        out.push('\\');
        return;
    };
    let class = match character {
        'd' => Some("0-9"),
        's' => Some(r"\t\n\f\r "),
        'w' => Some("0-9A-Za-z_"),
        'D' => Some("^0-9"),
        'S' => Some(r"^\t\n\f\r "),
        'W' => Some("^0-9A-Za-z_"),
        _ => None,
    };
    // The outcome of writing to a String is always good.
    let _ = match (character, class) {
        (_, Some(class)) => write!(out, "[{class}]"),
        ('b' | 'B', _) if !in_class => write!(out, r"(?-u:\{character})"),
        ('Q', _) if !in_class => {
            quoted(rest, out);
            Ok(())
        }
        ('p' | 'P' | 'x', _) => {
            let _ = write!(out, r"\{character}");
            braced(rest, out);
            Ok(())
        }
        // A letter or digit keeps its meaning; what has none is refused.
        ('0'..='9' | 'A'..='Z' | 'a'..='z', _) => write!(out, r"\{character}"),
        _ => write!(out, "{}", regex::escape(character.encode_utf8(&mut [0; 4]))),
    };
}

/// Up to `\E`, everything is itself.
fn quoted(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(character) = rest.next() {
        if character == '\\' && rest.next_if_eq(&'E').is_some() {
            return;
        }
        out.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }
}

/// A name or number in braces, if that is what follows.
fn braced(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    if rest.peek() == Some(&'{') {
        for character in rest.by_ref() {
            out.push(character);
            if character == '}' {
                return;
            }
        }
    }
}

/// What follows an opening bracket, up to the closing one.
fn class(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    // A closing bracket or a dash at the beginning is itself, and so is a dash where a range ends.
    let (mut first, mut range) = (true, false);
    while let Some(character) = rest.next() {
        let dash = character == '-' && !first && !range;
        match character {
            ']' if !first => {
                out.push(']');
                return;
            }
            '\\' => escape(rest, true, out),
            '[' if rest.peek() == Some(&':') => named(rest, out),
            '[' | ']' | '&' | '~' | '^' => out.extend(['\\', character]),
            '-' if !dash => out.push_str(r"\-"),
            _ => out.push(character),
        }
        (first, range) = (false, dash);
    }
}

/// What follows the opening bracket of `[:alpha:]`.
fn named(rest: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    while let Some(character) = rest.next() {
        out.push(character);
        if character == ':' && rest.next_if_eq(&']').is_some() {
            out.push(']');
            return;
        }
    }
}

#[cfg(test)]
mod tests;
