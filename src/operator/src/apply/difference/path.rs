//! A place inside an object, borrowed step by step, and what the API says of lists and values
//! there: merge keys and quantities. It compares no values.

use std::fmt;

use serde_json::Value;

/// A step of a path.
#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
    Element(&'a [&'a str], &'a Value),
}

/// A place inside an object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

/// Lists that the API merges by keys, by the name of their field and of the field above it
/// (`x-kubernetes-list-map-keys` of the API's own schema). All other lists are one value.
const MERGE_KEYS: [(&str, &str, &[&str]); 12] = [
    ("metadata", "ownerReferences", &["uid"]),
    ("spec", "containers", &["name"]),
    ("spec", "initContainers", &["name"]),
    ("spec", "volumes", &["name"]),
    ("spec", "imagePullSecrets", &["name"]),
    ("spec", "topologySpreadConstraints", &["topologyKey", "whenUnsatisfiable"]),
    ("containers", "env", &["name"]),
    ("containers", "ports", &["containerPort", "protocol"]),
    ("containers", "volumeMounts", &["mountPath"]),
    ("initContainers", "env", &["name"]),
    ("spec", "ports", &["port", "protocol"]),
    ("spec", "groups", &["name"]),
];

/// Keys that the server fills in where they are left out.
const DEFAULTED_KEYS: [(&str, &str); 1] = [("protocol", "TCP")];

impl<'a> Path<'a> {
    pub(super) fn root() -> Self {
        Self { parent: None, step: Step::Root }
    }

    pub(super) fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index<'b>(&'b self, index: usize) -> Path<'b> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    pub(super) fn element<'b>(&'b self, keys: &'b [&'b str], element: &'b Value) -> Path<'b> {
        Path { parent: Some(self), step: Step::Element(keys, element) }
    }

    /// The names of the fields from here up, elements of lists left out.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self), |path| path.parent).filter_map(|path| match path.step {
            Step::Key(key) => Some(key),
            _ => None,
        })
    }

    /// The keys by which a list here is merged.
    pub(super) fn merge_keys(&self) -> Option<&'static [&'static str]> {
        let mut names = self.names();
        let (field, above) = (names.next()?, names.next()?);
        MERGE_KEYS
            .iter()
            .find(|(parent, list, _)| *parent == above && *list == field)
            .map(|(_, _, keys)| *keys)
    }

    /// Whether a value here is a quantity: `1000m` is `1` there.
    pub(super) fn is_quantity(&self) -> bool {
        let mut names = self.names();
        let (field, above) = (names.next(), names.next());
        field == Some("sizeLimit")
            || (matches!(above, Some("limits" | "requests")) && names.next() == Some("resources"))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        let top = self.parent.is_none_or(|parent| matches!(parent.step, Step::Root));
        match self.step {
            Step::Root => Ok(()),
            Step::Key(key) if top => f.write_str(key),
            Step::Key(key) => write!(f, ".{key}"),
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Element(keys, element) => {
                let shown = keys.iter().filter_map(|key| {
                    let value = element.get(key)?;
                    Some(format!("{key}={}", value.as_str().map_or(value.to_string(), Into::into)))
                });
                write!(f, "[{}]", shown.collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// Whether two elements of a merged list are the same element.
pub(super) fn same_element(keys: &[&str], a: &Value, b: &Value) -> bool {
    keys.iter().all(|key| key_of(key, a) == key_of(key, b))
}

/// An element's key, as the server has it.
fn key_of<'a>(key: &str, element: &'a Value) -> Option<KeyValue<'a>> {
    match element.get(key) {
        Some(value) => Some(KeyValue::Given(value)),
        None => DEFAULTED_KEYS
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, default)| KeyValue::Default(default)),
    }
}

enum KeyValue<'a> {
    Given(&'a Value),
    Default(&'static str),
}

impl PartialEq for KeyValue<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Given(a), Self::Given(b)) => a == b,
            (Self::Default(a), Self::Default(b)) => a == b,
            (Self::Given(a), Self::Default(b)) | (Self::Default(b), Self::Given(a)) => {
                a.as_str() == Some(b)
            }
        }
    }
}
