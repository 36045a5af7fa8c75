//! Which fields we once applied and do not want any more: our entry of `metadata.managedFields`
//! (FieldsV1: `f:` a field, `k:` an element by its keys, `v:` an element by its value, `.` the
//! thing itself) against what is desired.

use serde_json::{Map, Value};

use super::path::same_element;
use super::{Difference, DifferenceKind, NOT_COMPARED, is_empty};

/// Adds what is owned and not desired; or that nothing is recorded as ours.
pub(super) fn no_longer_wanted(
    desired: &Value,
    live: &Value,
    manager: &str,
    found: &mut Vec<Difference>,
) {
    let Some(fields) = our_fields(live, manager) else {
        found.push(Difference {
            path: "metadata.managedFields".into(),
            kind: DifferenceKind::NotRecorded,
        });
        return;
    };
    for (key, below) in fields {
        let Some(field) = key.strip_prefix("f:") else {
            continue;
        };
        if field == "metadata" {
            for (key, below) in below.as_object().into_iter().flatten() {
                let name = key.strip_prefix("f:").unwrap_or(key);
                if !NOT_COMPARED.contains(&name) {
                    owned(key, below, Some(&desired["metadata"]), "metadata", found);
                }
            }
        } else if field != "status" {
            owned(key, below, Some(desired), "", found);
        }
    }
}

/// The fields of our apply; None where the object has no entry of it.
fn our_fields<'a>(live: &'a Value, manager: &str) -> Option<&'a Map<String, Value>> {
    let entries = live["metadata"]["managedFields"].as_array()?;
    let ours = entries.iter().find(|entry| {
        entry["manager"].as_str() == Some(manager)
            && entry["operation"].as_str() == Some("Apply")
            && entry["subresource"].as_str().unwrap_or_default().is_empty()
    })?;
    ours["fieldsV1"].as_object()
}

/// `key` of FieldsV1 inside `parent` of the desired object, which stands at `path`.
fn owned(
    key: &str,
    below: &Value,
    parent: Option<&Value>,
    path: &str,
    found: &mut Vec<Difference>,
) {
    let Some((wanted, name)) = step(key, parent) else {
        return;
    };
    let path = match (path.is_empty(), key.starts_with("f:")) {
        (true, _) => name,
        (false, true) => format!("{path}.{name}"),
        (false, false) => format!("{path}{name}"),
    };
    let children = below.as_object().filter(|map| map.keys().any(|key| key != "."));
    match (children, wanted) {
        (_, None) => found.push(Difference { path, kind: DifferenceKind::NoLongerWanted }),
        (Some(children), Some(wanted)) if !is_empty(wanted) => {
            for (key, below) in children {
                owned(key, below, Some(wanted), &path, found);
            }
        }
        // The thing is desired, and empty: what stood in it goes.
        (Some(_), Some(_)) => found.push(Difference { path, kind: DifferenceKind::NoLongerWanted }),
        (None, Some(_)) => {}
    }
}

/// The desired value at a step, and the step's name; None for a step that says nothing.
fn step<'a>(key: &str, parent: Option<&'a Value>) -> Option<(Option<&'a Value>, String)> {
    let (kind, rest) = key.split_once(':')?;
    match kind {
        "f" => Some((parent.and_then(|parent| parent.get(rest)), rest.to_owned())),
        "k" => {
            let wanted: Value = serde_json::from_str(rest).ok()?;
            let keys: Vec<&str> = wanted.as_object()?.keys().map(String::as_str).collect();
            let list = parent.and_then(Value::as_array);
            let element =
                list.and_then(|list| list.iter().find(|e| same_element(&keys, e, &wanted)));
            Some((element, format!("[{}]", rest.trim_matches(['{', '}']))))
        }
        "v" => {
            let wanted: Value = serde_json::from_str(rest).ok()?;
            let list = parent.and_then(Value::as_array);
            Some((list.and_then(|list| list.iter().find(|e| **e == wanted)), format!("[{rest}]")))
        }
        _ => None,
    }
}
