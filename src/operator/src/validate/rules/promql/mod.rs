//! PromQL as text: is it an expression that Prometheus accepts, and if not, where does it stop
//! being one? Owns positions and messages; knows neither rules nor dashboards, evaluates nothing.
//!
//! Why not the `promql-parser` crate: it tells no positions, and it panics on text that a user may
//! write (`x[1e400]`). It is the oracle of the tests instead. Accepted on purpose, because one
//! operator serves Prometheus 2 and 3 and cannot see feature flags: experimental functions,
//! UTF-8 names in braces, `anchored`, `smoothed`, `fill`, arithmetic on durations, `holt_winters`.
//! Not known: functions newer than the table in `functions`. Accepted although Prometheus refuses
//! it: an unknown Unicode class in a regular expression (`\p{X}`), a named selector in `info`,
//! `min` and `max` as durations. Compared with promtool 3.16 on some 400 expressions.

mod functions;
mod lex;
mod parse;
mod ranges;
mod regex;
mod types;

pub(super) use ranges::is_setting;

/// Largest expression, in bytes. Far above any written by hand; it bounds the work per rule.
const MAX_BYTES: usize = 64 * 1024;

/// Deepest nesting of parentheses, signs and powers. The parser recurses once per level, so this
/// bounds its stack; generated rules stay below twenty.
const MAX_DEPTH: usize = 100;

/// Who wrote the expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Prometheus itself reads it.
    Prometheus,
    /// Grafana replaces its variables (`$x`, `${x}`, `[[x]]`) before Prometheus reads it. A
    /// variable is taken for whatever fits its place.
    Grafana,
}

/// The first thing wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Byte at which the text stops being an expression.
    pub(crate) at: usize,
    /// What is wrong there.
    pub(crate) message: String,
}

impl Fault {
    fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }
}

/// Checks one expression. The error is `line:column: message`, both counted from 1, in characters.
pub(crate) fn check(text: &str, dialect: Dialect) -> Result<(), String> {
    fault(text, dialect).map_or(Ok(()), |f| Err(format!("{}: {}", position(text, f.at), f.message)))
}

/// The first fault of an expression, if there is one.
fn fault(text: &str, dialect: Dialect) -> Option<Fault> {
    if text.len() > MAX_BYTES {
        let message = format!("the expression is longer than {MAX_BYTES} bytes");
        return Some(Fault::new(0, message));
    }
    lex::tokens(text, dialect).and_then(|tokens| parse::expression(text, &tokens, dialect)).err()
}

/// `line:column` of a byte, both counted from 1, the column in characters.
pub(crate) fn position(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    let column = before.get(start..).unwrap_or("").chars().count() + 1;
    format!("{line}:{column}")
}

#[cfg(test)]
mod tests;
