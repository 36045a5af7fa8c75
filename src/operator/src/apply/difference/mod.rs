//! Whether a desired object differs from the live one, so that a converged cluster sees no write.
//! Pure: it reads two JSON trees and a table of the API's merge keys.
//!
//! A leaf that is wanted must be there with the same value and be recorded as ours; what the server
//! defaulted and what others added is ignored; absent and empty are the same. What is no longer
//! wanted is found in our own entry of managedFields. Values are never part of what is reported.

mod owned;
mod path;
pub mod quantity;

use std::fmt;

use serde_json::{Map, Number, Value};

use path::{Merge, Path, same_element};
use quantity::Quantity;

/// One place where the live object is not as wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Where: `spec.template.spec.containers[name=collector].image`. Keys are shown, values never.
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
    /// It is as wanted but not recorded as ours: somebody else wrote it, or removed a value that
    /// reads as empty, or added to a value that is one whole. At `metadata.managedFields`: the
    /// object has no record of ours. One apply makes the record, so this converges.
    NotOwned,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            DifferenceKind::Changed => "changed",
            DifferenceKind::Missing => "missing",
            DifferenceKind::NoLongerWanted => "no longer wanted",
            DifferenceKind::NotOwned => "not owned",
        };
        write!(f, "{}: {kind}", self.path)
    }
}

/// Every place where `desired` is not yet so in `live`, sorted by path, one for each place; empty
/// when an apply by `manager` would change nothing.
#[must_use]
pub fn differences(desired: &Value, live: &Value, manager: &str) -> Vec<Difference> {
    let nothing = Map::new();
    let desired = desired.as_object().unwrap_or(&nothing);
    let live = live.as_object().unwrap_or(&nothing);
    let mut found = Vec::new();
    Comparison { found: &mut found }.map(desired, live, &Path::root());
    owned::compare(desired, live, manager, &mut found);
    found.sort();
    // Who changes a value also takes it over: that it was changed says enough.
    found.dedup_by(|later, earlier| later.path == earlier.path);
    found
}

struct Comparison<'a> {
    found: &'a mut Vec<Difference>,
}

impl Comparison<'_> {
    fn value(&mut self, wanted: &Value, live: Option<&Value>, path: &Path<'_>) {
        let live = live.filter(|live| !live.is_null());
        let Some(live) = live else {
            if !is_empty(wanted) {
                self.note(path, DifferenceKind::Missing);
            }
            return;
        };
        match (wanted, live) {
            (Value::Object(wanted), Value::Object(live)) => self.map(wanted, live, path),
            (Value::Array(wanted), Value::Array(live)) => self.list(wanted, live, path),
            (Value::Null, live) if is_empty(live) => {}
            _ if same_scalar(wanted, live, path) => {}
            _ => self.note(path, DifferenceKind::Changed),
        }
    }

    fn map(&mut self, wanted: &Map<String, Value>, live: &Map<String, Value>, path: &Path<'_>) {
        let not_compared = path.not_compared();
        for (key, wanted) in wanted {
            if !not_compared.contains(&key.as_str()) {
                self.value(wanted, live.get(key), &path.key(key));
            }
        }
    }

    fn list(&mut self, wanted: &[Value], live: &[Value], path: &Path<'_>) {
        match path.merge() {
            Merge::Keys(keys) => self.keyed(wanted, live, keys, path),
            Merge::Set if wanted.iter().all(|member| live.contains(member)) => {}
            Merge::Set => self.note(path, DifferenceKind::Missing),
            Merge::Atomic => self.atomic(wanted, live, path),
        }
    }

    fn keyed(&mut self, wanted: &[Value], live: &[Value], keys: &[&str], path: &Path<'_>) {
        for (index, element) in wanted.iter().enumerate() {
            let same = |other: &&Value| same_element(keys, element, other);
            let at = path.element(keys, element);
            // Mostly it stands where it was put.
            let other = live.get(index).filter(same).or_else(|| live.iter().find(same));
            match other {
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

/// What the API may leave out when it writes an object (`omitempty`). Whether it did, or somebody
/// removed a field in which empty means something, is for the record of ownership to tell.
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
    if let (Value::Number(wanted), Value::Number(live)) = (wanted, live) {
        return same_number(wanted, live);
    }
    if path.is_quantity() {
        return quantity(wanted).is_some_and(|wanted| Some(wanted) == quantity(live));
    }
    path.is_int_or_string() && integer(wanted).is_some_and(|wanted| Some(wanted) == integer(live))
}

/// `1` and `1.0` are one number; 2^53 and 2^53+1 are two, though as floats they are one.
fn same_number(a: &Number, b: &Number) -> bool {
    (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

fn quantity(value: &Value) -> Option<Quantity> {
    match value {
        Value::String(text) => Quantity::parse(text),
        Value::Number(number) => Quantity::parse(&number.to_string()),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
