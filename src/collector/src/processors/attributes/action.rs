//! The actions on a list of attributes (contrib internal/coreinternal/attraction v0.155), made
//! ready from the settings. Knows no request.

use std::borrow::Cow;

use obspipe_model::components::attributes::{Action as Settings, ActionKind, ConvertedType};
use regex::Regex;

use super::list::List;
use super::pattern::matches;
use super::{EditorError, Metadata, pattern, value};
use crate::signal::otlp::AnyValue;
use crate::signal::view::View;

/// Actions in their order.
pub(super) struct Actions(Vec<Action>);

/// What each action's `from_context` is, as an encoded value.
pub(super) struct Context(Vec<Option<Vec<u8>>>);

enum Action {
    Put { key: String, present: bool, absent: bool, source: Source },
    Delete { key: String, pattern: Option<Regex> },
    Hash { key: String, pattern: Option<Regex> },
    Extract { key: String, pattern: Regex, names: Vec<String> },
    Convert { key: String, to: ConvertedType },
}

/// Where a value comes from: of those given, the first that there is.
struct Source {
    /// An encoded value.
    value: Option<Vec<u8>>,
    from_context: Option<String>,
    from_attribute: Option<String>,
    /// An encoded value.
    default: Option<Vec<u8>>,
}

impl Actions {
    /// # Errors
    /// What in the settings is no action; `path` is that of the list.
    pub(super) fn new(settings: &[Settings], path: &str) -> Result<Self, EditorError> {
        let actions = settings.iter().enumerate().map(|(index, settings)| {
            action(settings).map_err(|error| EditorError {
                path: format!("{path}[{index}].{}", error.path),
                ..error
            })
        });
        Ok(Self(actions.collect::<Result<_, _>>()?))
    }

    /// Asks once a request for what the client said.
    pub(super) fn context(&self, metadata: &dyn Metadata) -> Context {
        let said = self.0.iter().map(|action| match action {
            Action::Put { source: Source { from_context: Some(key), .. }, .. } => {
                said(key, metadata).map(|said| value::string(said.as_bytes()))
            }
            _ => None,
        });
        Context(said.collect())
    }

    /// Does all actions. `context` is this editor's own.
    pub(super) fn run<'a>(&'a self, list: &mut List<'a>, context: &'a Context) {
        for (action, said) in self.0.iter().zip(&context.0) {
            action.run(list, said.as_deref());
        }
    }
}

/// A key without a prefix means metadata too. There is no authentication here, so `auth.` never
/// means anything; an address that is not known is empty (contrib clientutil.Address).
fn said(key: &str, metadata: &dyn Metadata) -> Option<String> {
    if key == "client.address" {
        Some(metadata.get(key).unwrap_or_default())
    } else if key.starts_with("auth.") {
        None
    } else if key.starts_with("metadata.") {
        metadata.get(key)
    } else {
        metadata.get(&format!("metadata.{key}"))
    }
}

impl Action {
    fn run<'a>(&'a self, list: &mut List<'a>, said: Option<&'a [u8]>) {
        match self {
            Self::Put { key, present, absent, source } => {
                let Some(new) = source.value(list, said) else { return };
                match list.get_mut(key.as_bytes()) {
                    Some(value) if *present => *value = new,
                    None if *absent => list.push(key.as_bytes(), new),
                    _ => {}
                }
            }
            // Without a pattern, and with one, an empty key means the attribute with that key.
            Self::Delete { key, pattern } => {
                list.remove(key.as_bytes());
                if let Some(pattern) = pattern {
                    list.remove_matching(|key| matches(pattern, key));
                }
            }
            Self::Hash { key, pattern } => {
                list.get_mut(key.as_bytes()).into_iter().for_each(hash);
                if let Some(pattern) = pattern {
                    list.matching(|key| matches(pattern, key)).for_each(hash);
                }
            }
            Self::Extract { key, pattern, names } => extract(list, key, pattern, names),
            Self::Convert { key, to } => {
                if let Some(value) = list.get_mut(key.as_bytes()) {
                    let converted = value::converted(&AnyValue::parse(value), *to);
                    converted.into_iter().for_each(|converted| *value = converted.into());
                }
            }
        }
    }
}

impl Source {
    fn value<'a>(&'a self, list: &List<'a>, said: Option<&'a [u8]>) -> Option<Cow<'a, [u8]>> {
        let attribute = || list.get(self.from_attribute.as_ref()?.as_bytes()).cloned();
        let given = self.value.as_deref().or(said).map(Cow::Borrowed);
        given.or_else(attribute).or_else(|| self.default.as_deref().map(Cow::Borrowed))
    }
}

fn hash(value: &mut Cow<'_, [u8]>) {
    *value = value::hashed(&AnyValue::parse(value)).into();
}

/// Sets an attribute from each group; a group that took no part is empty.
fn extract<'a>(list: &mut List<'a>, key: &str, pattern: &Regex, names: &'a [String]) {
    let found: Vec<Vec<u8>> = {
        let Some(value) = list.get(key.as_bytes()) else { return };
        let Some(text) = AnyValue::parse(value).string else { return };
        let text = text.lossy();
        let Some(captures) = pattern.captures(&text) else { return };
        let groups = captures.iter().skip(1);
        groups
            .map(|group| value::string(group.map_or("", |group| group.as_str()).as_bytes()))
            .collect()
    };
    for (name, new) in names.iter().zip(found) {
        match list.get_mut(name.as_bytes()) {
            Some(value) => *value = new.into(),
            None => list.push(name.as_bytes(), new.into()),
        }
    }
}

/// Paths of errors are within the action.
fn action(settings: &Settings) -> Result<Action, EditorError> {
    use ActionKind::{Convert, Delete, Extract, Hash, Insert, Update, Upsert};
    let error = |path: &str, message: &str| Err(EditorError::new(path, message));
    let key = settings.key.clone();
    let Some(kind) = settings.action else { return error("action", "must be given") };
    if key.is_empty() && !(matches!(kind, Delete | Hash) && settings.pattern.is_some()) {
        return error("key", "must be given");
    }
    Ok(match kind {
        Insert | Update | Upsert => Action::Put {
            key,
            present: kind != Insert,
            absent: kind != Update,
            source: source(settings)?,
        },
        Delete => Action::Delete { key, pattern: compiled(settings)? },
        Hash => Action::Hash { key, pattern: compiled(settings)? },
        Extract => {
            let Some(pattern) = compiled(settings)? else {
                return error("pattern", "extract needs a pattern with named groups");
            };
            let names: Option<Vec<String>> =
                pattern.capture_names().skip(1).map(|name| name.map(ToOwned::to_owned)).collect();
            match names {
                Some(names) if !names.is_empty() => Action::Extract { key, pattern, names },
                Some(_) => return error("pattern", "has no named groups"),
                None => return error("pattern", "has a group without a name"),
            }
        }
        Convert => match settings.converted_type {
            Some(to) => Action::Convert { key, to },
            None => return error("converted_type", "must be given"),
        },
    })
}

fn compiled(settings: &Settings) -> Result<Option<Regex>, EditorError> {
    settings.pattern.as_deref().map(|text| pattern::compile(text, "pattern")).transpose()
}

fn source(settings: &Settings) -> Result<Source, EditorError> {
    let Settings { value, from_attribute, from_context, default_value, .. } = settings;
    let given = [value.is_some(), from_attribute.is_some(), from_context.is_some()];
    let given = given.iter().filter(|given| **given).count();
    if given > 1 || (given == 0 && default_value.is_none()) {
        let message = "needs exactly one of value, from_attribute and from_context";
        return Err(EditorError::new("value", message));
    }
    let encoded = |value: &Option<_>, path| match value {
        Some(value) => value::encoded(value, path).map(Some),
        None => Ok(None),
    };
    Ok(Source {
        value: encoded(value, "value")?,
        from_context: from_context.clone(),
        from_attribute: from_attribute.clone(),
        default: encoded(default_value, "default_value")?,
    })
}
