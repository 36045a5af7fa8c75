//! Whether a desired object differs from the live one, so that a converged cluster sees no write.
//! Pure: it reads two JSON trees and a table of the API's merge keys.
//!
//! A leaf that is wanted must be there with the same value; what the server defaulted and what
//! others added is ignored; absent and empty are the same. What is no longer wanted is found in
//! our own entry of managedFields. Values are never part of what is reported.

mod owned;
mod path;
pub mod quantity;

use std::fmt;

use serde_json::{Map, Value};

use path::Path;
use quantity::Quantity;

/// One place where the live object is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Where: `spec.template.spec.containers[name=collector].image`.
    pub path: String,
    /// How it differs.
    pub kind: DifferenceKind,
}

/// How a place differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DifferenceKind {
    /// Another value stands there.
    Changed,
    /// Nothing stands there.
    Missing,
    /// We once applied it and do not want it any more.
    NoLongerWanted,
    /// The object has no record of our applying it: one apply gives it one.
    NotRecorded,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DifferenceKind::Changed => "changed",
            DifferenceKind::Missing => "missing",
            DifferenceKind::NoLongerWanted => "no longer wanted",
            DifferenceKind::NotRecorded => "not recorded as ours",
        };
        write!(f, "{} {kind}", self.path)
    }
}

/// Fields of metadata that identify an object or that only the server writes.
const NOT_COMPARED: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
];

/// Every place where `live` is not as `desired`, sorted; none when an apply by `manager` would
/// change nothing.
#[must_use]
pub fn differences(desired: &Value, live: &Value, manager: &str) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut comparison = Comparison { found: &mut found };
    let root = Path::root();
    for (key, wanted) in desired.as_object().into_iter().flatten() {
        match key.as_str() {
            "apiVersion" | "kind" | "status" => {}
            "metadata" => comparison.metadata(wanted, &live["metadata"], &root),
            _ => comparison.value(wanted, live.get(key), &root.key(key)),
        }
    }
    owned::no_longer_wanted(desired, live, manager, &mut found);
    found.sort();
    found.dedup();
    found
}

struct Comparison<'a> {
    found: &'a mut Vec<Difference>,
}

impl Comparison<'_> {
    fn metadata(&mut self, wanted: &Value, live: &Value, root: &Path<'_>) {
        let path = root.key("metadata");
        for (key, wanted) in wanted.as_object().into_iter().flatten() {
            if !NOT_COMPARED.contains(&key.as_str()) {
                self.value(wanted, live.get(key), &path.key(key));
            }
        }
    }

    fn value(&mut self, wanted: &Value, live: Option<&Value>, path: &Path<'_>) {
        if is_empty(wanted) && live.is_none_or(is_empty) {
            return;
        }
        let Some(live) = live else {
            return self.note(path, DifferenceKind::Missing);
        };
        match (wanted, live) {
            (Value::Object(wanted), Value::Object(live)) => self.map(wanted, live, path),
            (Value::Array(wanted), Value::Array(live)) => self.list(wanted, live, path),
            _ if same_scalar(wanted, live, path) => {}
            _ => self.note(path, DifferenceKind::Changed),
        }
    }

    fn map(&mut self, wanted: &Map<String, Value>, live: &Map<String, Value>, path: &Path<'_>) {
        for (key, wanted) in wanted {
            self.value(wanted, live.get(key), &path.key(key));
        }
    }

    fn list(&mut self, wanted: &[Value], live: &[Value], path: &Path<'_>) {
        let Some(keys) = path.merge_keys() else {
            return self.atomic(wanted, live, path);
        };
        for element in wanted {
            let at = path.element(keys, element);
            match live.iter().find(|other| path::same_element(keys, element, other)) {
                Some(other) => self.value(element, Some(other), &at),
                None => self.note(&at, DifferenceKind::Missing),
            }
        }
    }

    /// A list without merge keys is one value; its elements may still carry the server's defaults.
    fn atomic(&mut self, wanted: &[Value], live: &[Value], path: &Path<'_>) {
        if wanted.len() != live.len() {
            return self.note(path, DifferenceKind::Changed);
        }
        for (index, (wanted, live)) in wanted.iter().zip(live).enumerate() {
            self.value(wanted, Some(live), &path.index(index));
        }
    }

    fn note(&mut self, path: &Path<'_>, kind: DifferenceKind) {
        self.found.push(Difference { path: path.to_string(), kind });
    }
}

/// What the API leaves out when it writes an object (`omitempty`).
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
    }
}

fn same_scalar(wanted: &Value, live: &Value, path: &Path<'_>) -> bool {
    if wanted == live {
        return true;
    }
    match (wanted, live) {
        (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
        _ if path.is_quantity() => match (quantity(wanted), quantity(live)) {
            (Some(a), Some(b)) => a == b,
            _ => false,
        },
        _ => false,
    }
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
