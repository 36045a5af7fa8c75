//! Which labels a record's stream has, and how they are written. Knows no line and no push.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::value::{Attribute, Value, get, pairs, put, values};

/// Names an attribute that names the attributes of the record to make labels of.
pub(super) const ATTRIBUTE_LABELS: &[u8] = b"loki.attribute.labels";
/// The same for attributes of the resource.
pub(super) const RESOURCE_LABELS: &[u8] = b"loki.resource.labels";
/// Names the attribute that has the tenant.
pub(super) const TENANT: &[u8] = b"loki.tenant";
/// Says how lines are written.
pub(super) const FORMAT: &[u8] = b"loki.format";
/// The label and attribute of the severity.
pub(super) const LEVEL: &[u8] = b"level";

/// Most labels by hints: Loki takes 15 to a stream unless told otherwise (max_label_names_per_series).
const MAX_LABELS: usize = 64;
/// Most bytes of a label's value: Loki takes 2048 unless told otherwise (max_label_value_length).
/// Bounded because the labels are made anew for every record that has hints.
const MAX_VALUE: usize = 32_768;
/// Attributes that may be looked at for one record's hints. A hint has any number of names, each
/// of which can be looked for in maps within maps.
pub(super) const MAX_LOOKS: usize = 16_384;

/// Whether a key is one of the hints, which never stand in a line.
#[inline]
pub(super) fn is_hint(key: &[u8]) -> bool {
    key.starts_with(b"loki.") && matches!(key, ATTRIBUTE_LABELS | RESOURCE_LABELS | TENANT | FORMAT)
}

/// Which of the labels that need no hint are made (`default_labels_enabled`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Defaults {
    exporter: bool,
    job: bool,
    instance: bool,
    pub(super) level: bool,
}

impl Defaults {
    /// What is not mentioned is made.
    pub(super) fn new(enabled: &BTreeMap<String, bool>) -> Self {
        let is = |name| enabled.get(name).copied().unwrap_or(true);
        Self {
            exporter: is("exporter"),
            job: is("job"),
            instance: is("instance"),
            level: is("level"),
        }
    }

    /// The labels of every record of a resource, by its attributes.
    pub(super) fn of<'a>(self, resource: &[Attribute<'a>]) -> Labels<'a> {
        let mut labels = Labels::default();
        if self.exporter {
            labels.set(Cow::Borrowed(b"exporter"), Cow::Borrowed(b"OTLP"));
        }
        if self.job
            && let Some(name) = get(resource, b"service.name")
        {
            let job = match get(resource, b"service.namespace") {
                Some(namespace) => [&namespace.text(), &b"/"[..], &name.text()].concat().into(),
                None => name.text(),
            };
            labels.set(Cow::Borrowed(b"job"), job);
        }
        if self.instance
            && let Some(instance) = get(resource, b"service.instance.id")
        {
            labels.set(Cow::Borrowed(b"instance"), instance.text());
        }
        if let Some(hint) = get(resource, RESOURCE_LABELS) {
            labels.promote(hint, resource, &mut MAX_LOOKS.clone());
        }
        labels
    }
}

/// Labels by the names that attributes have, not yet sanitised; what is set later stands later.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels<'a>(Vec<Label<'a>>);

/// A name and a value.
type Label<'a> = (Cow<'a, [u8]>, Cow<'a, [u8]>);

impl<'a> Labels<'a> {
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether there is a label of the name.
    #[inline]
    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.0.iter().any(|label| *label.0 == *name)
    }

    /// The names.
    pub(super) fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(|label| &*label.0)
    }

    /// Sets a label; one of the same name is replaced.
    pub(super) fn set(&mut self, name: Cow<'a, [u8]>, value: Cow<'a, [u8]>) {
        self.0.retain(|label| label.0 != name);
        if self.0.len() < MAX_LABELS {
            self.0.push((name, value));
        }
    }

    /// Makes labels of the attributes that a hint names: in a string, separated by commas, or in an
    /// array; anything else is one name.
    pub(super) fn promote(
        &mut self,
        hint: Value<'a>,
        attributes: &[Attribute<'a>],
        looks: &mut usize,
    ) {
        match hint {
            Value::Str(names) => {
                for name in names.split(|byte| *byte == b',') {
                    self.promote_one(Cow::Borrowed(name), attributes, looks);
                }
            }
            Value::Array(names) => {
                // Go writes the elements with %v; no attribute is called what that makes of a map.
                for name in values(names) {
                    self.promote_one(name.text(), attributes, looks);
                }
            }
            _ => self.promote_one(hint.text(), attributes, looks),
        }
    }

    fn promote_one(
        &mut self,
        name: Cow<'a, [u8]>,
        attributes: &[Attribute<'a>],
        looks: &mut usize,
    ) {
        let name = match name {
            Cow::Borrowed(name) => Cow::Borrowed(trim(name)),
            Cow::Owned(name) => Cow::Owned(trim(&name).to_vec()),
        };
        // A label without a name is refused by Loki, and with it what is in its stream.
        if !name.is_empty()
            && let Some(value) = find(attributes, &name, looks)
        {
            self.set(name, value.text());
        }
    }
}

/// Without white space at both ends.
fn trim(name: &[u8]) -> &[u8] {
    std::str::from_utf8(name).map_or(name.trim_ascii(), |name| name.trim().as_bytes())
}

/// The attribute of a name, or else what is in maps below the parts of the name: `a.b.c` is `c` in
/// `a.b`, or `b.c` in `a`. The longest that is a map is taken, whether or not it has the rest.
pub(super) fn find<'a>(
    attributes: &[Attribute<'a>],
    path: &[u8],
    looks: &mut usize,
) -> Option<Value<'a>> {
    *looks = looks.checked_sub(attributes.len() + 1)?;
    if let Some(value) = get(attributes, path) {
        return Some(value);
    }
    let mut end = path.len();
    while let Some(dot) = path[..end].iter().rposition(|byte| *byte == b'.') {
        // Parts are counted by the looks taken, which also bounds how deep this goes.
        *looks = looks.checked_sub(MAX_LOOKS / 1024)?;
        if let Some(Value::Map(map)) = find(attributes, &path[..dot], looks) {
            let inner: Vec<_> = pairs(map).take(*looks).collect();
            return find(&inner, &path[dot + 1..], looks);
        }
        end = dot;
    }
    None
}

/// Writes labels as Loki reads them, `{a="b", c="d"}`, sorted by name; false where there is none
/// that Loki would keep, as it takes an empty value for none.
pub(super) fn write(out: &mut Vec<u8>, sets: &[&Labels<'_>]) -> bool {
    let mut named: Vec<(Cow<'_, str>, &[u8])> = Vec::with_capacity(8);
    for (name, value) in sets.iter().flat_map(|labels| &labels.0) {
        let name = sanitise(name);
        named.retain(|other| other.0 != name);
        named.push((name, value));
    }
    named.sort_unstable();
    out.push(b'{');
    for (index, (name, value)) in named.iter().enumerate() {
        out.extend_from_slice(if index > 0 { b", " } else { b"" });
        out.extend_from_slice(name.as_bytes());
        out.push(b'=');
        quote(out, value);
    }
    out.push(b'}');
    named.iter().any(|label| !label.1.is_empty())
}

/// A name that Loki takes: ASCII letters, digits and `_`, not beginning with a digit or one `_`
/// (contrib pkg/translator/prometheus, NormalizeLabel; that lets other letters through, which Loki
/// refuses).
fn sanitise(name: &[u8]) -> Cow<'_, str> {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    if name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.iter().all(word)
        && let Ok(name) = std::str::from_utf8(name)
    {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + 4);
    if name.first().is_some_and(u8::is_ascii_digit) {
        out.push_str("key_");
    }
    for chunk in name.utf8_chunks() {
        let valid = chunk.valid().chars();
        out.extend(valid.map(|char| if char.is_ascii_alphanumeric() { char } else { '_' }));
        out.extend(chunk.invalid().iter().map(|_| '_'));
    }
    if out.starts_with('_') && !out.starts_with("__") {
        out.insert_str(0, "key");
    }
    Cow::Owned(out)
}

/// A value in quotes as Loki reads it (Go's string literals): U+FFFD stands for what is no UTF-8,
/// escaped, because Loki's reader takes it for broken text otherwise.
fn quote(out: &mut Vec<u8>, value: &[u8]) {
    let text = String::from_utf8_lossy(&value[..value.len().min(MAX_VALUE)]);
    // Where the cut goes through a character, what is left of it is no text.
    let text = if value.len() > MAX_VALUE { text.trim_end_matches('\u{fffd}') } else { &text };
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.find(is_special) {
        let (plain, from) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let mut chars = from.chars();
        match chars.next() {
            Some(char @ ('"' | '\\')) => out.extend_from_slice(&[b'\\', char as u8]),
            Some('\n') => out.extend_from_slice(b"\\n"),
            Some(char::REPLACEMENT_CHARACTER) => out.extend_from_slice(b"\\ufffd"),
            Some(char) => put(out, format_args!("\\x{:02x}", char as u32)),
            None => {}
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'"');
}

/// What may not stand in quotes as it is.
fn is_special(char: char) -> bool {
    matches!(char, '"' | '\\' | '\0'..' ' | '\x7f' | char::REPLACEMENT_CHARACTER)
}

/// What the severity is called as a label; numbers that mean nothing are called nothing.
pub(super) fn level(severity: i32) -> &'static [u8] {
    const NAMES: [&str; 25] = [
        "", "TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG", "DEBUG2", "DEBUG3", "DEBUG4", "INFO",
        "INFO2", "INFO3", "INFO4", "WARN", "WARN2", "WARN3", "WARN4", "ERROR", "ERROR2", "ERROR3",
        "ERROR4", "FATAL", "FATAL2", "FATAL3", "FATAL4",
    ];
    usize::try_from(severity).ok().and_then(|at| NAMES.get(at)).map_or(b"", |name| name.as_bytes())
}
