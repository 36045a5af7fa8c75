//! Settings that hold others: what may be left out, lists, maps. An entry that is known only where
//! the collector runs is left out of them.

use std::collections::BTreeMap;

use super::{Decoder, KeyDoc, Setting, is_map};
use crate::value::Value;

impl<T: Setting> Setting for Option<T> {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::decode(value, d).map(Some),
        }
    }

    fn type_name() -> String {
        T::type_name()
    }

    fn keys() -> Vec<KeyDoc> {
        T::keys()
    }

    fn show(&self) -> String {
        self.as_ref().map(T::show).unwrap_or_default()
    }
}

/// A group that is there when its key is, even with nothing after it: `grpc:` turns gRPC on.
#[derive(Clone, Debug, PartialEq)]
pub struct Named<T>(pub Option<T>);

impl<T> std::ops::Deref for Named<T> {
    type Target = Option<T>;

    fn deref(&self) -> &Option<T> {
        &self.0
    }
}

impl<T: Setting + Default> Setting for Named<T> {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        match value {
            Value::Null => Some(Self(Some(T::default()))),
            value => T::decode(value, d).map(|group| Self(Some(group))),
        }
    }

    fn type_name() -> String {
        T::type_name()
    }

    fn keys() -> Vec<KeyDoc> {
        T::keys()
    }

    fn show(&self) -> String {
        String::new()
    }
}

/// The items of a list; notes a problem where it is none.
pub(crate) fn list<'a>(value: &'a Value, d: &mut Decoder) -> Option<&'a [Value]> {
    match value {
        Value::List(list) => return Some(list),
        Value::Expanded { parsed, .. } => match &**parsed {
            Value::List(list) => return Some(list),
            _ => d.wrong_type(value, "a list"),
        },
        Value::Null => {}
        Value::Deferred(written) => d.defer(written),
        other => d.wrong_type(other, "a list"),
    }
    None
}

/// Reads an item of a list: unlike a key, it has no default that nothing could stand for.
pub(crate) fn element<T: Setting>(value: &Value, d: &mut Decoder) -> Option<T> {
    if let Value::Deferred(written) = value {
        d.defer(written);
        return None;
    }
    let read = T::decode(value, d);
    if read.is_none() && matches!(value, Value::Null) {
        d.wrong_type(value, &format!("an item ({})", T::type_name()));
    }
    read
}

impl<T: Setting> Setting for Vec<T> {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        let items = list(value, d)?.iter().enumerate();
        Some(items.filter_map(|(i, value)| d.item(i, |d| element(value, d))).collect())
    }

    fn type_name() -> String {
        format!("list of {}", T::type_name())
    }

    fn keys() -> Vec<KeyDoc> {
        T::keys()
    }

    fn show(&self) -> String {
        if self.is_empty() {
            return "[]".into();
        }
        format!(
            "[{}]",
            self.iter()
                .map(|item| match item.show() {
                    // Text without letters is an item all the same.
                    empty if empty.is_empty() => "\"\"".to_owned(),
                    shown => shown,
                })
                .collect::<Vec<_>>()
                .join(", ")
        )
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        if matches!(value, Value::Null) || !is_map(value, d) {
            return None;
        }
        let mut map = Self::new();
        for (key, value) in value.entries() {
            let read = d.at(key, |d| match value {
                Value::Deferred(written) => {
                    d.defer(written);
                    None
                }
                value => T::decode(value, d),
            });
            if let Some(value) = read {
                map.insert(key.clone(), value);
            }
        }
        Some(map)
    }

    fn type_name() -> String {
        format!("map of {}", T::type_name())
    }

    fn show(&self) -> String {
        if self.is_empty() { "{}".into() } else { format!("{} entries", self.len()) }
    }
}
