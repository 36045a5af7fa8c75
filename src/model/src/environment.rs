//! `${env:NAME}`: references to the environment, replaced before a configuration is decoded, as
//! otelcol's confmap does (confmap/expand.go). The environment is handed in and answers in three
//! ways, because the operator cannot know everything that the collector will.

use crate::findings::Findings;
use crate::problem::{Code, Problem};
use crate::value::Value;
use crate::yaml;

/// What an environment says of a variable.
#[derive(Clone, PartialEq, Eq)]
pub enum Answer {
    /// Its value.
    Value(String),
    /// It is not set.
    Unset,
    /// It may be set, but not here (a Secret's key, what the kubelet decides).
    Unknown,
}

/// Where variables come from.
pub trait Environment {
    /// What is known of a variable.
    fn lookup(&self, name: &str) -> Answer;
}

impl<F: Fn(&str) -> Answer> Environment for F {
    fn lookup(&self, name: &str) -> Answer {
        self(name)
    }
}

/// Most bytes that all references of a configuration become together: as many as a document may
/// have. A reference is a few bytes and may stand for thousands, as often as it is written.
pub const MAX_EXPANDED_BYTES: usize = yaml::MAX_DOCUMENT_BYTES;

/// Replaces all references in all strings of a configuration. Keys are left as they are.
pub(crate) fn expand(
    value: &Value,
    environment: &dyn Environment,
    problems: &mut Findings,
    warnings: &mut Findings,
) -> Value {
    let (path, room) = (String::new(), MAX_EXPANDED_BYTES);
    Expansion { environment, problems, warnings, path, room }.value(value)
}

struct Expansion<'a> {
    environment: &'a dyn Environment,
    problems: &'a mut Findings,
    warnings: &'a mut Findings,
    path: String,
    /// Bytes that references may still become.
    room: usize,
}

/// A piece of a string.
enum Piece<'a> {
    Text(&'a str),
    Dollar,
    Reference { name: &'a str, default: Option<&'a str> },
}

impl Expansion<'_> {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) if text.contains('$') => self.string(text),
            Value::List(list) => {
                let list = list.iter().enumerate();
                Value::List(list.map(|(i, v)| self.below(&format!("[{i}]"), v)).collect())
            }
            Value::Map(entries) => {
                let separator = if self.path.is_empty() { "" } else { "." };
                let expanded = entries.iter().map(|(key, value)| {
                    (key.clone(), self.below(&format!("{separator}{key}"), value))
                });
                Value::Map(expanded.collect())
            }
            other => other.clone(),
        }
    }

    fn below(&mut self, step: &str, value: &Value) -> Value {
        let before = self.path.len();
        self.path.push_str(step);
        let value = self.value(value);
        self.path.truncate(before);
        value
    }

    fn string(&mut self, written: &str) -> Value {
        let pieces = match split(written) {
            Ok(pieces) => pieces,
            Err(message) => {
                self.problem(Code::InvalidReference, message);
                return Value::Deferred(written.to_owned());
            }
        };
        let alone = matches!(pieces.as_slice(), [Piece::Reference { .. }]);
        let mut text = String::new();
        let mut references = false;
        for piece in &pieces {
            match piece {
                Piece::Text(plain) => text.push_str(plain),
                Piece::Dollar => text.push('$'),
                Piece::Reference { name, default } => {
                    references = true;
                    match self.lookup(name, *default) {
                        Some(found) => text.push_str(&found),
                        None => return Value::Deferred(written.to_owned()),
                    }
                }
            }
        }
        if !references {
            return Value::String(text);
        }
        // A value that is one reference and nothing else is read as YAML, as otelcol does; what is
        // no YAML is text.
        let parsed = if alone { yaml::parse(&text).ok() } else { None };
        let parsed = Box::new(parsed.unwrap_or_else(|| Value::String(text.clone())));
        Value::Expanded { written: written.to_owned(), text, parsed }
    }

    /// None where the value is not known here.
    fn lookup(&mut self, name: &str, default: Option<&str>) -> Option<String> {
        match (self.environment.lookup(name), default) {
            (Answer::Value(value), _) => match self.room.checked_sub(value.len()) {
                Some(room) => {
                    self.room = room;
                    Some(value)
                }
                None => {
                    let message = format!(
                        "from here on, references become more than {MAX_EXPANDED_BYTES} bytes"
                    );
                    self.problem(Code::TooLarge, message);
                    None
                }
            },
            (Answer::Unset, Some(default)) => Some(default.to_owned()),
            (Answer::Unset, None) => {
                self.warnings.push_with(|| {
                    let message = format!("the variable {name} is not set: its place stays empty");
                    let hint = format!("write ${{env:{name}:-default}} for a default");
                    Problem::new(self.path.clone(), Code::UnsetVariable, message).hint(hint)
                });
                Some(String::new())
            }
            (Answer::Unknown, _) => None,
        }
    }

    fn problem(&mut self, code: Code, message: String) {
        self.problems.push_with(|| Problem::new(self.path.clone(), code, message));
    }
}

/// Splits at `$$`, `${NAME}`, `${env:NAME}` and `${env:NAME:-default}`.
fn split(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            pieces.push(Piece::Dollar);
            rest = tail;
        } else if let Some(body) = after.strip_prefix('{') {
            let end = body.find('}').ok_or("\"${\" without \"}\"; write $$ for a dollar sign")?;
            pieces.push(reference(&body[..end])?);
            rest = &body[end + 1..];
        } else {
            pieces.push(Piece::Dollar);
            rest = after;
        }
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

fn reference(body: &str) -> Result<Piece<'_>, String> {
    if body.contains("${") {
        return Err("a reference inside a reference is not supported".to_owned());
    }
    let (name, default) = match body.split_once(":-") {
        Some((name, default)) => (name, Some(default)),
        None => (body, None),
    };
    let name = match name.split_once(':') {
        Some(("env", name)) => name,
        Some((scheme, _)) => {
            return Err(format!("${{{scheme}:…}} is not supported: only ${{env:NAME}} is"));
        }
        None => name,
    };
    // The names that otelcol takes (confmap/provider/envprovider).
    let starts = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !starts || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(format!(
            "{name:?} is no name of a variable: letters, digits and underscores, not a digit first"
        ));
    }
    Ok(Piece::Reference { name, default })
}

/// Where lists and maps came whole from the environment. Their keys and values may be secrets, so
/// what is wrong inside them is said of the whole.
///
/// They are looked for where a path leads, not listed beforehand: there may be very many.
pub(crate) struct Origins<'a>(pub(crate) &'a Value);

impl<'a> Origins<'a> {
    /// How much of a path leads to such a value, and what is written there.
    fn around(&self, path: &str) -> Option<(usize, &'a str)> {
        let (rest, written) = origin(self.0, path)?;
        Some((path.len() - rest.len(), written))
    }

    /// Whether a path may be shown as it is.
    pub(crate) fn is_public(&self, path: &str) -> bool {
        self.around(path).is_none()
    }

    /// As much of a path as may be shown.
    pub(crate) fn public<'p>(&self, path: &'p str) -> &'p str {
        self.around(path).map_or(path, |(end, _)| &path[..end])
    }

    /// Takes out of a problem what it says of the inside of such a value.
    pub(crate) fn hide(&self, problem: &mut Problem) {
        if let Some((end, written)) = self.around(&problem.path) {
            *problem = about(&problem.path[..end], problem.code, written);
        }
    }
}

/// Follows a path until such a value; gives the rest of the path and what is written there. A key
/// may hold dots, so more than one may lead on.
fn origin<'a, 'p>(value: &'a Value, path: &'p str) -> Option<(&'p str, &'a str)> {
    match value {
        Value::Expanded { written, parsed, .. } => {
            matches!(**parsed, Value::List(_) | Value::Map(_)).then_some((path, written.as_str()))
        }
        Value::List(list) => {
            let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
            origin(list.get(index.parse::<usize>().ok()?)?, rest)
        }
        Value::Map(entries) => {
            let path = path.strip_prefix('.').unwrap_or(path);
            entries.iter().find_map(|(key, value)| {
                let rest = path.strip_prefix(key.as_str())?;
                let ends = rest.is_empty() || rest.starts_with(['.', '[']);
                ends.then(|| origin(value, rest)).flatten()
            })
        }
        _ => None,
    }
}

/// Takes out of a problem what it says of an expanded value.
pub(crate) fn veil(problem: &mut Problem, value: &Value) {
    if let Value::Expanded { written, .. } = value {
        *problem = about(&problem.path, problem.code, written);
    }
}

fn about(path: &str, code: Code, written: &str) -> Problem {
    Problem::new(path, code, format!("the value of {written:?} is not right"))
}

/// A path one key longer.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests;
