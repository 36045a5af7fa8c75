//! The labels of a series, and those of the resource it is from: from attributes to the text that
//! stands between the braces. Knows no value and no time.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::names::{Namer, escaped_label, is_legacy_label};
use super::value;
use crate::signal::otlp::KeyValue;

/// A label.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// Its name as the settings make names.
    pub name: String,
    /// Key of the attribute.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Labels as text: `a="x",b="y"`, in the order of the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// With names as the settings make them.
    pub plain: String,
    /// For servers that know only letters, digits and underscores; None where it is the same.
    pub escaped: Option<Box<str>>,
}

/// What of a resource becomes labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResourceLabels {
    /// `[service.namespace/]service.name`.
    pub job: Option<String>,
    /// `service.instance.id`.
    pub instance: Option<String>,
    /// Key and value of every attribute, in order of the keys.
    pub attributes: BTreeMap<String, String>,
}

impl ResourceLabels {
    /// Of a resource's attributes; the last of equal keys counts.
    pub fn of<'a>(attributes: impl Iterator<Item = KeyValue<'a>>) -> Self {
        let attributes: BTreeMap<String, String> =
            attributes.map(|kv| (kv.key.lossy().into_owned(), value::of(&kv))).collect();
        let name = attributes.get("service.name");
        let job = name.map(|name| match attributes.get("service.namespace") {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.clone(),
        });
        Self { job, instance: attributes.get("service.instance.id").cloned(), attributes }
    }

    /// The labels of `target_info`. None for a resource without job or without instance, which
    /// nothing could be joined with (as otelcol).
    #[must_use]
    pub fn target_info(&self, namer: &Namer) -> Option<Rendered> {
        let present = |label: &Option<String>| label.as_ref().is_some_and(|text| !text.is_empty());
        if !present(&self.job) || !present(&self.instance) {
            return None;
        }
        let named =
            |key: &str| matches!(key, "service.name" | "service.namespace" | "service.instance.id");
        let others = self.attributes.iter().filter(|(key, _)| !named(key));
        let labels: Vec<Label> = others
            .filter_map(|(key, value)| {
                let name = namer.label(key)?;
                Some(Label { name, key: key.clone(), value: value.clone() })
            })
            .collect();
        Some(render(&labels, &self.fixed(), None, namer.utf8()))
    }

    /// Job and instance.
    #[must_use]
    pub fn fixed(&self) -> BTreeMap<&str, &str> {
        let job = self.job.as_deref().map(|job| ("job", job));
        let instance = self.instance.as_deref().map(|instance| ("instance", instance));
        job.into_iter().chain(instance).collect()
    }
}

/// Attributes as labels. None where an attribute's key makes no label.
pub fn labels<'a>(
    attributes: impl Iterator<Item = (Cow<'a, str>, String)>,
    before: &str,
    namer: &Namer,
) -> Option<Vec<Label>> {
    attributes
        .map(|(key, value)| {
            let name = namer.label(&format!("{before}{key}"))?;
            Some(Label { name, key: key.into_owned(), value })
        })
        .collect()
}

/// The text. Labels whose names are equal become one, the values joined by `;` in the order of the
/// keys (OpenTelemetry, Prometheus compatibility, Metric Attributes). One that is called like a
/// fixed label or like `own`, which the page itself writes, gets `exported_` before its name, as
/// Prometheus does it to what it scrapes.
#[must_use]
pub fn render(
    labels: &[Label],
    fixed: &BTreeMap<&str, &str>,
    own: Option<&str>,
    utf8: bool,
) -> Rendered {
    let plain = text(labels, fixed, own, |name| Cow::Borrowed(name));
    let escaped = utf8.then(|| text(labels, fixed, own, escaped_label));
    let escaped = escaped.filter(|escaped| *escaped != plain).map(String::into_boxed_str);
    Rendered { plain, escaped }
}

fn text(
    labels: &[Label],
    fixed: &BTreeMap<&str, &str>,
    own: Option<&str>,
    rename: fn(&str) -> Cow<'_, str>,
) -> String {
    let mut pairs: Vec<(Cow<str>, &str, &str)> = Vec::with_capacity(labels.len() + fixed.len());
    for label in labels {
        let mut name = rename(&label.name);
        while fixed.contains_key(&*name) || own == Some(&*name) {
            name = Cow::Owned(format!("exported_{name}"));
        }
        pairs.push((name, &label.key, &label.value));
    }
    pairs.extend(fixed.iter().map(|(name, value)| (Cow::Borrowed(*name), "", *value)));
    pairs.sort();
    let mut out = String::with_capacity(pairs.iter().map(|p| p.0.len() + p.2.len() + 4).sum());
    for (index, (name, _, value)) in pairs.iter().enumerate() {
        if index > 0 && pairs[index - 1].0 == *name {
            out.pop();
            out.push(';');
        } else {
            out.push_str(if index > 0 { "," } else { "" });
            put_name(&mut out, name);
            out.push_str("=\"");
        }
        put_escaped(&mut out, value, true);
        out.push('"');
    }
    out
}

fn put_name(out: &mut String, name: &str) {
    if is_legacy_label(name) {
        return out.push_str(name);
    }
    out.push('"');
    put_escaped(out, name, true);
    out.push('"');
}

/// A text with what would end it, or its line, escaped.
pub fn put_escaped(out: &mut String, text: &str, quotes: bool) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '"' if quotes => out.push_str("\\\""),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
