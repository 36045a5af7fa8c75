//! Desired against our own entry of `metadata.managedFields` (`FieldsV1`: `f:` a field, `k:` an
//! element by its keys, `v:` a member by its value, `i:` by its place, `.` the thing itself, an
//! empty node all that is below). It looks at no live value.
//!
//! Recorded and not desired is no longer wanted. Desired and not recorded was changed by somebody:
//! the server strikes from our record what another writer changes or removes (an atomic toleration
//! or selector with any part of it), and keeps what it leaves out itself because it is empty. So
//! the record tells a `false` that somebody removed from one that the server never writes.

use serde_json::{Map, Value};

use super::path::{Merge, Path, same_element};
use super::{Difference, DifferenceKind};

/// Adds what is recorded and not desired, and what is desired and not recorded; where the object
/// has no record of ours at all, that alone.
pub(super) fn compare(
    desired: &Map<String, Value>,
    live: &Map<String, Value>,
    manager: &str,
    found: &mut Vec<Difference>,
) {
    let root = Path::root();
    let mut comparison = Comparison { found };
    match our_fields(live, manager) {
        Some(owned) => comparison.fields(desired, owned, &root),
        None => {
            let metadata = root.key("metadata");
            comparison.note(&metadata.key("managedFields"), DifferenceKind::NotOwned);
        }
    }
}

/// The fields of our apply; None where the object has no entry of it.
fn our_fields<'a>(live: &'a Map<String, Value>, manager: &str) -> Option<&'a Map<String, Value>> {
    let entries = live.get("metadata")?.get("managedFields")?.as_array()?;
    let ours = entries.iter().find(|entry| {
        entry["manager"].as_str() == Some(manager)
            && entry["operation"].as_str() == Some("Apply")
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    })?;
    ours["fieldsV1"].as_object()
}

struct Comparison<'a> {
    found: &'a mut Vec<Difference>,
}

impl Comparison<'_> {
    fn node(&mut self, wanted: &Value, owned: &Value, path: &Path<'_>) {
        let Some(owned) = owned.as_object().filter(|node| !node.is_empty()) else {
            return;
        };
        match wanted {
            Value::Object(wanted) => self.fields(wanted, owned, path),
            Value::Array(wanted) => self.elements(wanted, owned, path),
            _ if owned.keys().any(|key| key != ".") => {
                self.note(path, DifferenceKind::NoLongerWanted);
            }
            _ => {}
        }
    }

    fn fields(&mut self, wanted: &Map<String, Value>, owned: &Map<String, Value>, path: &Path<'_>) {
        let compared = |name: &str| !path.not_compared().contains(&name);
        let names = || owned.iter().filter_map(|(key, node)| Some((key.strip_prefix("f:")?, node)));
        for (name, below) in names().filter(|(name, _)| compared(name)) {
            match wanted.get(name) {
                Some(value) => self.node(value, below, &path.key(name)),
                None => self.note(&path.key(name), DifferenceKind::NoLongerWanted),
            }
        }
        for (name, value) in wanted.iter().filter(|(name, _)| compared(name)) {
            let at = path.key(name);
            let recorded = || names().any(|(recorded, _)| recorded == name);
            if is_recorded_when_applied(value, &at) && !recorded() {
                self.note(&at, DifferenceKind::NotOwned);
            }
        }
    }

    fn elements(&mut self, wanted: &[Value], owned: &Map<String, Value>, path: &Path<'_>) {
        let mut recorded = vec![false; wanted.len()];
        for (key, below) in owned {
            if let Some(index) = self.element(key, below, wanted, path)
                && let Some(recorded) = recorded.get_mut(index)
            {
                *recorded = true;
            }
        }
        for (index, element) in wanted.iter().enumerate().filter(|(at, _)| !recorded[*at]) {
            match path.merge() {
                Merge::Keys(keys) => {
                    self.note(&path.element(keys, element), DifferenceKind::NotOwned);
                }
                Merge::Atomic => self.note(&path.index(index), DifferenceKind::NotOwned),
                Merge::Set => self.note(path, DifferenceKind::NotOwned),
            }
        }
    }

    /// One recorded element; the place of the desired one that it is.
    fn element(
        &mut self,
        key: &str,
        below: &Value,
        wanted: &[Value],
        path: &Path<'_>,
    ) -> Option<usize> {
        let (kind, text) = key.split_once(':')?;
        let named: Value = serde_json::from_str(text).ok()?;
        let keys: Vec<&str> = match (kind, &named) {
            ("k", Value::Object(map)) => map.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        };
        let (at, found) = match kind {
            "k" => (
                path.element(&keys, &named),
                wanted.iter().position(|element| same_element(&keys, element, &named)),
            ),
            // The member is a value, and values are not shown: the set stands for it.
            "v" => (*path, wanted.iter().position(|element| *element == named)),
            "i" => {
                let index = usize::try_from(named.as_u64()?).ok()?;
                (path.index(index), (index < wanted.len()).then_some(index))
            }
            _ => return None,
        };
        match found {
            Some(index) => self.node(&wanted[index], below, &at),
            None => self.note(&at, DifferenceKind::NoLongerWanted),
        }
        found
    }

    fn note(&mut self, path: &Path<'_>, kind: DifferenceKind) {
        self.found.push(Difference { path: path.to_string(), kind });
    }
}

/// Whether applying a value leaves a record. An empty list that is merged by keys leaves none, so
/// none is asked for where a value holds nothing; nor do the fields that identify an object.
fn is_recorded_when_applied(value: &Value, path: &Path<'_>) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => map.iter().any(|(name, value)| {
            !path.not_compared().contains(&name.as_str())
                && is_recorded_when_applied(value, &path.key(name))
        }),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}
