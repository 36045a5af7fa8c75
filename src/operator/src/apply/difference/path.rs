//! A place inside an object, borrowed step by step, and what the API says of that place: how a
//! list is merged, whether a value is a quantity, which fields the server alone writes.
//! It compares no values.

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

/// How the API merges a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Merge {
    /// Element by element, found by these fields.
    Keys(&'static [&'static str]),
    /// Member by member: a set of values.
    Set,
    /// Not at all: the list is one value.
    Atomic,
}

/// Lists that are not atomic, by the field above them and their own: `x-kubernetes-list-type` and
/// `x-kubernetes-list-map-keys` of the API's schema (Kubernetes 1.34, prometheus-operator 0.85).
const MERGED: [(&str, &str, Merge); 21] = [
    ("metadata", "ownerReferences", Merge::Keys(&["uid"])),
    ("metadata", "finalizers", Merge::Set),
    ("spec", "containers", Merge::Keys(&["name"])),
    ("spec", "initContainers", Merge::Keys(&["name"])),
    ("spec", "ephemeralContainers", Merge::Keys(&["name"])),
    ("spec", "volumes", Merge::Keys(&["name"])),
    ("spec", "imagePullSecrets", Merge::Keys(&["name"])),
    ("spec", "hostAliases", Merge::Keys(&["ip"])),
    ("spec", "topologySpreadConstraints", Merge::Keys(&["topologyKey", "whenUnsatisfiable"])),
    ("containers", "env", Merge::Keys(&["name"])),
    ("containers", "ports", Merge::Keys(&["containerPort", "protocol"])),
    ("containers", "volumeMounts", Merge::Keys(&["mountPath"])),
    ("initContainers", "env", Merge::Keys(&["name"])),
    ("initContainers", "ports", Merge::Keys(&["containerPort", "protocol"])),
    ("initContainers", "volumeMounts", Merge::Keys(&["mountPath"])),
    ("ephemeralContainers", "env", Merge::Keys(&["name"])),
    ("ephemeralContainers", "ports", Merge::Keys(&["containerPort", "protocol"])),
    ("ephemeralContainers", "volumeMounts", Merge::Keys(&["mountPath"])),
    ("spec", "ports", Merge::Keys(&["port", "protocol"])),
    ("spec", "groups", Merge::Keys(&["name"])),
    // A ServiceAccount's; its imagePullSecrets are atomic, unlike a pod's.
    ("", "secrets", Merge::Keys(&["name"])),
];

/// Keys that the server fills in where they are left out.
const DEFAULTED_KEYS: [(&str, &str); 1] = [("protocol", "TCP")];

/// Fields that may hold a number or its text.
const INT_OR_STRING: [&str; 5] =
    ["maxSurge", "maxUnavailable", "minAvailable", "port", "targetPort"];

/// What an object is and how it fares: never applied as a field.
const NOT_COMPARED: [&str; 3] = ["apiVersion", "kind", "status"];

/// Fields of metadata that identify an object or that only the server writes.
const METADATA_NOT_COMPARED: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
];

impl Path<'_> {
    pub(super) fn root() -> Self {
        Self { parent: None, step: Step::Root }
    }

    pub(super) fn key<'b>(&'b self, key: &'b str) -> Path<'b> {
        Path { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&self, index: usize) -> Path<'_> {
        Path { parent: Some(self), step: Step::Index(index) }
    }

    pub(super) fn element<'b>(&'b self, keys: &'b [&'b str], element: &'b Value) -> Path<'b> {
        Path { parent: Some(self), step: Step::Element(keys, element) }
    }

    /// The names of the fields from here up, elements of lists left out; then empty ones.
    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::successors(Some(self), |path| path.parent)
            .filter_map(|path| match path.step {
                Step::Key(key) => Some(key),
                _ => None,
            })
            .chain(std::iter::repeat(""))
    }

    fn last_three(&self) -> [&str; 3] {
        let mut names = self.names();
        [(); 3].map(|()| names.next().unwrap_or_default())
    }

    /// How a list here is merged.
    pub(super) fn merge(&self) -> Merge {
        let [field, above, _] = self.last_three();
        MERGED
            .iter()
            .find(|(parent, list, _)| *parent == above && *list == field)
            .map_or(Merge::Atomic, |(_, _, merge)| *merge)
    }

    /// Whether a value here is a quantity: `1000m` is `1` there.
    pub(super) fn is_quantity(&self) -> bool {
        matches!(
            self.last_three(),
            [_, "limits" | "requests", "resources"]
                | ["sizeLimit", "emptyDir", _]
                | ["divisor", "resourceFieldRef", _]
                | ["averageValue" | "value", "target", _]
        )
    }

    /// Whether a value here may be a number or its text.
    pub(super) fn is_int_or_string(&self) -> bool {
        INT_OR_STRING.contains(&self.last_three()[0])
    }

    /// Fields directly below that are not ours to apply.
    pub(super) fn not_compared(&self) -> &'static [&'static str] {
        match (self.parent.map(|parent| parent.step), self.step) {
            (None, _) => &NOT_COMPARED,
            (Some(Step::Root), Step::Key("metadata")) => &METADATA_NOT_COMPARED,
            _ => &[],
        }
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
                f.write_str("[")?;
                for (at, key) in keys.iter().enumerate() {
                    let separator = if at == 0 { "" } else { "," };
                    match key_of(key, element) {
                        Some(Key::Text(text)) => write!(f, "{separator}{key}={text}")?,
                        Some(Key::Other(value)) => write!(f, "{separator}{key}={value}")?,
                        None => write!(f, "{separator}{key}")?,
                    }
                }
                f.write_str("]")
            }
        }
    }
}

/// Whether two elements of a merged list are the same element.
pub(super) fn same_element(keys: &[&str], a: &Value, b: &Value) -> bool {
    keys.iter().all(|key| key_of(key, a) == key_of(key, b))
}

#[derive(PartialEq)]
enum Key<'a> {
    Text(&'a str),
    Other(&'a Value),
}

/// An element's key, as the server has it.
fn key_of<'a>(key: &str, element: &'a Value) -> Option<Key<'a>> {
    match element.get(key) {
        Some(Value::String(text)) => Some(Key::Text(text)),
        Some(value) => Some(Key::Other(value)),
        None => DEFAULTED_KEYS
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, default)| Key::Text(default)),
    }
}
