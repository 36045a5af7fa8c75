//! `${env:NAME}`: references to the environment, replaced before a configuration is decoded, as
//! otelcol's confmap does (confmap/expand.go). The environment is handed in and answers in three
//! ways, because the operator cannot know everything that the collector will.

use crate::decode::is_within;
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

/// Replaces all references in all strings of a configuration. Keys are left as they are.
pub fn expand(
    value: &Value,
    environment: &dyn Environment,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Value {
    Expansion { environment, problems, warnings }.value(value, "")
}

struct Expansion<'a> {
    environment: &'a dyn Environment,
    problems: &'a mut Vec<Problem>,
    warnings: &'a mut Vec<Problem>,
}

/// A piece of a string.
enum Piece<'a> {
    Text(&'a str),
    Dollar,
    Reference { name: &'a str, default: Option<&'a str> },
}

impl Expansion<'_> {
    fn value(&mut self, value: &Value, path: &str) -> Value {
        match value {
            Value::String(text) if text.contains('$') => self.string(text, path),
            Value::List(list) => {
                let list = list.iter().enumerate();
                Value::List(list.map(|(i, v)| self.value(v, &format!("{path}[{i}]"))).collect())
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| (key.clone(), self.value(value, &join(path, key))))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    fn string(&mut self, written: &str, path: &str) -> Value {
        let pieces = match split(written) {
            Ok(pieces) => pieces,
            Err(message) => {
                self.problems.push(Problem::new(path, Code::InvalidReference, message));
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
                    match self.lookup(name, *default, path) {
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
    fn lookup(&mut self, name: &str, default: Option<&str>, path: &str) -> Option<String> {
        match (self.environment.lookup(name), default) {
            (Answer::Value(value), _) => Some(value),
            (Answer::Unset, Some(default)) => Some(default.to_owned()),
            (Answer::Unset, None) => {
                let message = format!("the variable {name} is not set: its place stays empty");
                let hint = format!("write ${{env:{name}:-default}} for a default");
                self.warnings.push(Problem::new(path, Code::UnsetVariable, message).hint(hint));
                Some(String::new())
            }
            (Answer::Unknown, _) => None,
        }
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
pub(crate) struct Origins(Vec<(String, String)>);

impl Origins {
    pub(crate) fn of(value: &Value) -> Self {
        let mut origins = Self(Vec::new());
        origins.collect(value, "");
        origins
    }

    fn collect(&mut self, value: &Value, path: &str) {
        match value {
            Value::Expanded { written, parsed, .. }
                if matches!(**parsed, Value::List(_) | Value::Map(_)) =>
            {
                self.0.push((path.to_owned(), written.clone()));
            }
            Value::List(list) => {
                list.iter().enumerate().for_each(|(i, v)| self.collect(v, &format!("{path}[{i}]")));
            }
            Value::Map(entries) => {
                entries.iter().for_each(|(key, v)| self.collect(v, &join(path, key)));
            }
            _ => {}
        }
    }

    fn around(&self, path: &str) -> Option<&(String, String)> {
        self.0.iter().find(|(origin, _)| origin.is_empty() || is_within(path, origin))
    }

    /// Whether a path may be shown as it is.
    pub(crate) fn is_public(&self, path: &str) -> bool {
        self.around(path).is_none()
    }

    /// As much of a path as may be shown.
    pub(crate) fn public<'a>(&'a self, path: &'a str) -> &'a str {
        self.around(path).map_or(path, |(origin, _)| origin)
    }

    /// Takes out of a problem what it says of the inside of such a value.
    pub(crate) fn hide(&self, problem: &mut Problem) {
        if let Some((path, written)) = self.around(&problem.path) {
            *problem = about(path, problem.code, written);
        }
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
