//! Decoding settings: from values to typed fields, collecting every problem instead of stopping at
//! the first. It knows how a field is read, not which fields there are (`settings!`).

use std::collections::BTreeSet;

use crate::environment::join;
use crate::findings::{Findings, any_within};
use crate::problem::{Code, Problem};
use crate::value::Value;

mod collections;

pub use self::collections::Named;
pub(crate) use self::collections::{element, list};

/// Collects what is found while decoding, and knows where it is.
#[derive(Debug, Default)]
pub struct Decoder {
    path: String,
    /// Problems so far.
    pub(crate) problems: Findings,
    /// Warnings so far.
    pub(crate) warnings: Findings,
    /// Paths of fields whose value is known only where the collector runs.
    pub(crate) deferred: BTreeSet<String>,
}

impl Decoder {
    /// Where decoding is.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Runs `f` one key deeper.
    pub fn at<T>(&mut self, key: &str, f: impl FnOnce(&mut Self) -> T) -> T {
        let deeper = join(&self.path, key);
        self.with_path(deeper, f)
    }

    /// Runs `f` at an item of a list.
    pub fn item<T>(&mut self, index: usize, f: impl FnOnce(&mut Self) -> T) -> T {
        let deeper = format!("{}[{index}]", self.path);
        self.with_path(deeper, f)
    }

    fn with_path<T>(&mut self, path: String, f: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.path, path);
        let result = f(self);
        self.path = before;
        result
    }

    /// A problem here.
    pub fn problem(&mut self, code: Code, message: impl Into<String>) {
        self.problems.push_with(|| Problem::new(self.path.clone(), code, message));
    }

    /// A problem at a key below here.
    pub fn problem_at(&mut self, key: &str, code: Code, message: impl Into<String>) {
        self.problems.push_with(|| Problem::new(join(&self.path, key), code, message));
    }

    /// A warning here.
    pub fn warning(&mut self, code: Code, message: impl Into<String>) {
        self.warnings.push_with(|| Problem::new(self.path.clone(), code, message));
    }

    /// Notes that the value here is known only where the collector runs.
    pub fn defer(&mut self, written: &str) {
        self.deferred.insert(self.path.clone());
        // A reference that is spelt wrong was reported as such.
        if !self.problems.is_at(&self.path) {
            let message =
                format!("depends on {written:?}, which is known only where the collector runs");
            self.warning(Code::Deferred, message);
        }
    }

    /// Whether what was read at a key below here is not what will stand there, or not all of it:
    /// it is known only where the collector runs, or is wrong and was reported.
    #[must_use]
    pub fn is_unsettled(&self, key: &str) -> bool {
        let path = join(&self.path, key);
        any_within(&self.deferred, &path) || self.problems.is_within(&path)
    }

    pub(crate) fn wrong_type(&mut self, value: &Value, wanted: &str) {
        self.problem(Code::WrongType, format!("{} where {wanted} is wanted", found(value)));
    }
}

/// What stands there, for a message: the written text of anything expanded.
fn found(value: &Value) -> String {
    match value {
        Value::String(text) if text.len() <= 64 => format!("{text:?}"),
        Value::Expanded { written, .. } => format!("the value of {written:?}"),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        other => other.kind().to_owned(),
    }
}

/// A type that a field of settings can have.
pub trait Setting: Sized {
    /// Reads it. None, with the problem noted, where it cannot be read; the default stands then.
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self>;

    /// What it is, for the documentation.
    fn type_name() -> String;

    /// Its keys, if it is a group of settings.
    fn keys() -> Vec<KeyDoc> {
        Vec::new()
    }

    /// How a default is shown in the documentation.
    fn show(&self) -> String;

    /// Whether this default stands for "must be given".
    fn is_missing(&self) -> bool {
        false
    }
}

/// A key as documented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDoc {
    /// The key, dotted below its component.
    pub key: String,
    /// Type of its value.
    pub type_name: String,
    /// Its default.
    pub default: String,
    /// What it does.
    pub doc: String,
}

/// Reads a field of a map: the default where the key is absent or null.
pub fn field<T: Setting>(map: &Value, key: &str, default: T, d: &mut Decoder) -> T {
    d.at(key, |d| match map.get(key) {
        None => required(default, d),
        Some(Value::Null) => match T::decode(&Value::Null, d) {
            Some(value) => value,
            None => required(default, d),
        },
        Some(Value::Deferred(written)) => {
            d.defer(written);
            default
        }
        Some(value) => T::decode(value, d).unwrap_or(default),
    })
}

fn required<T: Setting>(default: T, d: &mut Decoder) -> T {
    if default.is_missing() {
        d.problem(Code::Missing, "must be given");
    }
    default
}

/// Notes the keys of a map that nobody asks for.
pub fn unknown_keys(map: &Value, known: &[&str], d: &mut Decoder) {
    for (key, _) in map.entries() {
        if !known.contains(&key.as_str()) {
            d.problems.push_with(|| unknown_key(join(&d.path, key), key, known));
        }
    }
}

fn unknown_key(path: String, key: &str, known: &[&str]) -> Problem {
    let problem = Problem::new(path, Code::UnknownKey, "unknown key");
    let problem = problem.did_you_mean(key, known.iter().copied());
    if problem.hint.is_none() && !known.is_empty() && known.len() <= 12 {
        return problem.hint(format!("known here: {}", known.join(", ")));
    }
    problem
}

/// Whether a value is a map or nothing; notes a problem where it is neither.
pub fn is_map(value: &Value, d: &mut Decoder) -> bool {
    match value {
        Value::Map(_) | Value::Null => true,
        Value::Expanded { parsed, .. } if matches!(**parsed, Value::Map(_) | Value::Null) => true,
        Value::Deferred(written) => {
            d.defer(written);
            false
        }
        other => {
            d.wrong_type(other, "a map");
            false
        }
    }
}

impl Setting for bool {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        match value {
            Value::Bool(value) => return Some(*value),
            Value::Expanded { parsed, .. } if matches!(**parsed, Value::Bool(_)) => {
                return Self::decode(parsed, d);
            }
            Value::Null => {}
            other => d.wrong_type(other, "true or false"),
        }
        None
    }

    fn type_name() -> String {
        "bool".into()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Also of a float without a fraction, as otelcol takes it: `1e3` is a thousand.
fn whole_number(value: &Value) -> Option<i128> {
    match value {
        Value::Int(number) => Some(*number),
        #[allow(clippy::cast_possible_truncation)] // has no fraction, and saturates
        Value::Float(number) => (number.fract() == 0.0).then_some(*number as i128),
        Value::Expanded { parsed, .. } => whole_number(parsed),
        _ => None,
    }
}

macro_rules! integer_setting {
    ($($type:ty),*) => {$(
        impl Setting for $type {
            fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
                if let Value::Null = value {
                    return None;
                }
                let Some(number) = whole_number(value) else {
                    d.wrong_type(value, "an integer");
                    return None;
                };
                let fits = <$type>::try_from(number).ok();
                if fits.is_none() {
                    let range = format!("must be from {} to {}", <$type>::MIN, <$type>::MAX);
                    d.problem(Code::InvalidValue, range);
                }
                fits
            }

            fn type_name() -> String {
                "integer".into()
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}

integer_setting!(u32, u64, i64);

impl Setting for f64 {
    #[allow(clippy::cast_precision_loss)] // a setting needs no more than 53 bits
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        match value {
            Value::Float(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            Value::Expanded { parsed, .. }
                if matches!(**parsed, Value::Float(_) | Value::Int(_)) =>
            {
                Self::decode(parsed, d)
            }
            Value::Null => None,
            other => {
                d.wrong_type(other, "a number");
                None
            }
        }
    }

    fn type_name() -> String {
        "number".into()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// Text of a value, however its reference was expanded.
pub(crate) fn text<'a>(value: &'a Value, d: &mut Decoder) -> Option<&'a str> {
    match value {
        Value::String(text) => Some(text),
        Value::Expanded { text, parsed, .. }
            if !matches!(**parsed, Value::List(_) | Value::Map(_)) =>
        {
            Some(text)
        }
        Value::Null => None,
        other => {
            d.wrong_type(other, "a string");
            None
        }
    }
}

/// Whether the text of a value may be shown.
pub(crate) fn shown(value: &Value) -> String {
    found(value)
}

impl Setting for String {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        text(value, d).map(ToOwned::to_owned)
    }

    fn type_name() -> String {
        "string".into()
    }

    fn show(&self) -> String {
        if self.is_empty() { String::new() } else { format!("{self:?}") }
    }
}

#[cfg(test)]
mod tests;
