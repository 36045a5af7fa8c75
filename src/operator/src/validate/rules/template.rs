//! Templates in labels and annotations (`{{ $labels.service }}`), in the syntax of Go's
//! text/template: are actions and blocks closed? Functions and variables are not looked up.

/// Words that open a block, which `end` closes.
const BLOCKS: &[&str] = &["if", "range", "with", "define", "block"];

/// The first fault of a template: its byte and what is wrong there.
pub(super) fn fault(text: &str) -> Option<(usize, String)> {
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(found) = text[at..].find("{{") {
        let start = at + found;
        let inner = start + 2;
        let Some(length) = action_length(&text[inner..]) else {
            return Some((start, "\"{{\" is never closed".into()));
        };
        let action = &text[inner..inner + length];
        if let Some(nested) = outside_strings(action).find('{') {
            return Some((inner + nested, "unexpected \"{\" in an action".into()));
        }
        let word = action.trim_start_matches(['-', ' ', '\t', '\n', '\r']);
        let word = word.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        if BLOCKS.contains(&word) {
            open.push((start, word));
        } else if word == "end" && open.pop().is_none() {
            return Some((start, "\"end\" closes nothing".into()));
        }
        at = inner + length + 2;
    }
    let (start, word) = open.pop()?;
    Some((start, format!("\"{word}\" has no \"end\"")))
}

/// Bytes up to the `}}` that closes the action; `}}` within a string or comment does not.
fn action_length(text: &str) -> Option<usize> {
    let body = text.strip_prefix("- ").unwrap_or(text).trim_start();
    if body.starts_with("/*") {
        let end = text.find("*/")? + 2;
        return text[end..].find("}}").map(|close| end + close);
    }
    outside_strings(text).find("}}")
}

/// The text with what stands in quotes blanked out, byte for byte. An unterminated string blanks
/// the rest, as nothing after it can close the action.
fn outside_strings(text: &str) -> String {
    let mut quote = None;
    let mut escaped = false;
    let mut shown = Vec::with_capacity(text.len());
    for byte in text.bytes() {
        let ends = !shown.ends_with(b"}}") || quote.is_some();
        match quote {
            None if matches!(byte, b'"' | b'`' | b'\'') && ends => quote = Some(byte),
            None => {
                shown.push(if byte.is_ascii() { byte } else { b' ' });
                continue;
            }
            Some(_) if escaped => escaped = false,
            Some(q) if byte == b'\\' && q != b'`' => escaped = true,
            Some(q) if byte == q => quote = None,
            Some(_) => {}
        }
        shown.push(b' ');
    }
    String::from_utf8(shown).unwrap_or_default()
}
