//! One record: its labels, its tenant and its line, by itself and by its resource and scope.

use super::labels::{
    self, ATTRIBUTE_LABELS, Defaults, FORMAT, LEVEL, Labels, RESOURCE_LABELS, TENANT, is_hint,
};
use super::line::{Line, Rendered};
use super::value::{Attribute, Value, attributes, get, is_id, put, put_hex, put_lossy};
use super::{json, logfmt};
use crate::signal::otlp::{LogRecord, Resource, Scope};
use crate::signal::view::Sub;

/// Longest tenant; Loki takes 150 bytes.
const MAX_TENANT: usize = 1024;

/// How a line is written (`loki.format`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Logfmt,
    Raw,
}

impl Format {
    /// None where the hint is of no known form.
    fn of(hint: Value<'_>) -> Option<Self> {
        match &*hint.text() {
            b"json" => Some(Self::Json),
            b"logfmt" => Some(Self::Logfmt),
            b"raw" => Some(Self::Raw),
            _ => None,
        }
    }
}

/// What records of one resource have in common.
#[derive(Default)]
pub(super) struct Source<'a> {
    attributes: Vec<Attribute<'a>>,
    labels: Labels<'a>,
    tenant: Option<Value<'a>>,
    format: Option<Value<'a>>,
    json: Option<Rendered<'a>>,
    logfmt: Option<Rendered<'a>>,
    /// The labels written, by severity, of records without hints; None where they are none.
    written: [Option<Option<Box<[u8]>>>; 26],
}

impl<'a> Source<'a> {
    pub(super) fn new(resource: Option<Sub<'a, Resource<'static>>>, defaults: Defaults) -> Self {
        let list: Vec<_> =
            resource.into_iter().flat_map(|r| attributes(r.view().attributes)).collect();
        Self {
            labels: defaults.of(&list),
            tenant: get(&list, TENANT),
            format: get(&list, FORMAT),
            attributes: list,
            ..Self::default()
        }
    }

    /// Makes its attributes into JSON's members or logfmt's pairs, but for hints and labels.
    fn render(&mut self, format: Format, limit: usize) {
        let stays =
            |attribute: &&Attribute<'a>| !is_hint(attribute.key) && !self.labels.has(attribute.key);
        if format == Format::Logfmt && self.logfmt.is_none() {
            let stay = self.attributes.iter().filter(stays).copied();
            self.logfmt = Some(Rendered::new(limit, stay, |line, attribute| {
                logfmt::attribute(line, "resource_", attribute.key, attribute.value);
            }));
        }
        if format == Format::Json && self.json.is_none() {
            let mut sorted: Vec<_> = self.attributes.iter().filter(stays).copied().collect();
            sorted.sort_by(|a, b| a.key.cmp(b.key));
            let last = sorted.chunk_by(|a, b| a.key == b.key).filter_map(<[_]>::last).copied();
            self.json = Some(Rendered::new(limit, last, |line, attribute| {
                json::member(line.out(), &attribute);
            }));
        }
    }
}

/// What a scope adds to lines.
#[derive(Default)]
pub(super) struct ScopeText {
    json: Vec<u8>,
    logfmt: Vec<u8>,
}

impl ScopeText {
    /// Nothing, if it has no name.
    pub(super) fn new(scope: Option<Sub<'_, Scope<'static>>>, limit: usize) -> Self {
        let Some(scope) = scope.map(Sub::view).filter(|scope| !scope.name.is_empty()) else {
            return Self::default();
        };
        let mut json = b"\"instrumentation_scope\":{\"name\":".to_vec();
        json::string(&mut json, scope.name.0);
        let mut line = Line::new(limit);
        let (name, version) = (Value::Str(scope.name.0), Value::Str(scope.version.0));
        logfmt::attribute(&mut line, "", b"instrumentation_scope_name", name);
        if !scope.version.is_empty() {
            json.extend_from_slice(b",\"version\":");
            json::string(&mut json, scope.version.0);
            logfmt::attribute(&mut line, "", b"instrumentation_scope_version", version);
        }
        let mut list: Vec<_> = attributes(scope.attributes).collect();
        for attribute in &list {
            let prefix = "instrumentation_scope_attribute_";
            logfmt::attribute(&mut line, prefix, attribute.key, attribute.value);
        }
        if !list.is_empty() {
            json.extend_from_slice(b",\"attributes\":{");
            json::members(&mut json, &mut list, |_| true);
            json.pop();
            json.push(b'}');
        }
        json.extend_from_slice(b"},");
        Self { json, logfmt: std::mem::take(line.out()) }
    }
}

/// A record being translated; kept for the next one's sake, so that memory is taken once.
pub(super) struct Entry<'a> {
    attributes: Vec<Attribute<'a>>,
    /// The labels besides the resource's.
    labels: Labels<'a>,
    written: Vec<u8>,
    line: Line,
}

/// What becomes of a record.
pub(super) struct Translation<'e> {
    /// Empty: none.
    pub(super) tenant: &'e [u8],
    pub(super) labels: &'e [u8],
    pub(super) line: &'e [u8],
    pub(super) cut: bool,
}

impl<'a> Entry<'a> {
    pub(super) fn new(max_line: usize) -> Self {
        Self {
            attributes: Vec::new(),
            labels: Labels::default(),
            written: Vec::new(),
            line: Line::new(max_line),
        }
    }

    /// Translates a record; None where Loki could take it under no labels, the hint of its format
    /// is unknown, or its tenant cannot be sent.
    pub(super) fn translate<'e>(
        &'e mut self,
        record: &LogRecord<'a>,
        source: &'e mut Source<'a>,
        scope: &ScopeText,
        defaults: Defaults,
        limit: usize,
    ) -> Option<Translation<'e>> {
        self.attributes.clear();
        self.attributes.extend(attributes(record.attributes));
        let hints = Hints::of(&self.attributes);
        let tenant = hints.tenant(&self.attributes, source)?;
        let format = source.format.or(hints.format).map_or(Some(Format::Json), Format::of)?;
        self.promote(record, source, &hints, defaults);
        if !self.write_labels(record, source, &hints, defaults) {
            return None;
        }
        source.render(format, limit);
        self.line.clear();
        match format {
            Format::Json => self.json(record, source, scope),
            Format::Logfmt => self.logfmt(record, source, scope),
            Format::Raw => put_lossy(self.line.out(), &body(record).text()),
        }
        let (line, cut) = self.line.finish(usize::from(format == Format::Logfmt));
        Some(Translation { tenant, labels: &self.written, line, cut })
    }

    /// Finds the labels that the record itself asks for, and its severity's.
    fn promote(
        &mut self,
        record: &LogRecord<'a>,
        source: &Source<'a>,
        hints: &Hints<'a>,
        defaults: Defaults,
    ) {
        let mut looks = labels::MAX_LOOKS;
        self.labels.clear();
        let level = defaults.level && record.severity_number != 0;
        if level && !hints.level {
            let value = Value::Str(labels::level(record.severity_number));
            self.attributes.push(Attribute { key: LEVEL, value });
        }
        if let Some(hint) = hints.resource_labels {
            self.labels.promote(hint, &source.attributes, &mut looks);
        }
        if let Some(hint) = hints.attribute_labels {
            self.labels.promote(hint, &self.attributes, &mut looks);
        }
        // otelcol adds `level` to the names in the hint, which it can to text and arrays only.
        let names = hints.attribute_labels.unwrap_or(Value::Str(b""));
        if level
            && matches!(names, Value::Str(_) | Value::Array(_))
            && let Some(value) = get(&self.attributes, LEVEL)
        {
            self.labels.set(LEVEL.into(), value.text());
        }
    }

    /// Writes the labels; false where there are none. Without hints they differ by severity only.
    fn write_labels(
        &mut self,
        record: &LogRecord<'a>,
        source: &mut Source<'a>,
        hints: &Hints<'a>,
        defaults: Defaults,
    ) -> bool {
        let Source { labels, written, .. } = source;
        self.written.clear();
        let own =
            hints.resource_labels.is_some() || hints.attribute_labels.is_some() || hints.level;
        if own {
            return labels::write(&mut self.written, &[labels, &self.labels]);
        }
        // Of severities that mean nothing all are called the same.
        let severity = if defaults.level { record.severity_number } else { 0 };
        let at = usize::try_from(severity).map_or(LAST, |severity| severity.min(LAST));
        let kept = written[at].get_or_insert_with(|| {
            let mut text = Vec::new();
            labels::write(&mut text, &[labels, &self.labels]).then_some(text.into())
        });
        self.written.extend_from_slice(kept.as_deref().unwrap_or_default());
        kept.is_some()
    }

    /// The line in JSON (contrib pkg/translator/loki, encode.go): what is empty is left out.
    fn json(&mut self, record: &LogRecord<'a>, source: &Source<'a>, scope: &ScopeText) {
        let (labels, line) = (&self.labels, &mut self.line);
        let out = line.out();
        out.push(b'{');
        let body = body(record);
        if body != Value::Empty {
            out.extend_from_slice(b"\"body\":");
            json::value(out, body);
            out.push(b',');
        }
        for (key, id) in [("\"traceid\":\"", record.trace_id), ("\"spanid\":\"", record.span_id)] {
            if is_id(id) {
                out.extend_from_slice(key.as_bytes());
                put_hex(out, id);
                out.extend_from_slice(b"\",");
            }
        }
        if !record.severity_text.is_empty() {
            out.extend_from_slice(b"\"severity\":");
            json::string(out, record.severity_text.0);
            out.push(b',');
        }
        if record.flags != 0 {
            put(out, format_args!("\"flags\":{},", record.flags));
        }
        object(line, "\"attributes\":{", |line| {
            json::members(line.out(), &mut self.attributes, |key| {
                !is_hint(key) && !labels.has(key) && !source.labels.has(key)
            });
        });
        object(line, "\"resources\":{", |line| {
            source.json.iter().for_each(|rendered| rendered.push(line, labels));
        });
        line.push(&scope.json);
        end(line.out());
    }

    /// The line in logfmt (contrib pkg/translator/loki, encode.go), after a space.
    fn logfmt(&mut self, record: &LogRecord<'a>, source: &Source<'a>, scope: &ScopeText) {
        let (mut trace, mut span) = (Vec::new(), Vec::new());
        put_hex(&mut trace, record.trace_id);
        put_hex(&mut span, record.span_id);
        let fields = [
            (is_id(record.trace_id), "traceID", Value::Str(&trace)),
            (is_id(record.span_id), "spanID", Value::Str(&span)),
            (!record.severity_text.is_empty(), "severity", Value::Str(record.severity_text.0)),
            (record.flags != 0, "flags", Value::Int(record.flags.into())),
        ];
        let fields = fields.into_iter().filter(|field| field.0).map(|(_, key, value)| (key, value));
        logfmt::body(&mut self.line, body(record), logfmt::Instead(fields.collect()));
        for Attribute { key, value } in &self.attributes {
            if !is_hint(key) && !self.labels.has(key) && !source.labels.has(key) {
                logfmt::attribute(&mut self.line, "attribute_", key, *value);
            }
        }
        source.logfmt.iter().for_each(|rendered| rendered.push(&mut self.line, &self.labels));
        self.line.push(&scope.logfmt);
    }
}

/// Where the labels of severities that mean nothing are kept.
const LAST: usize = 25;

fn body<'a>(record: &LogRecord<'a>) -> Value<'a> {
    record.body.map_or(Value::Empty, |body| Value::of(body.view()))
}

/// An object and a comma, unless it is empty.
fn object(line: &mut Line, open: &str, members: impl FnOnce(&mut Line)) {
    let before = line.out().len();
    line.out().extend_from_slice(open.as_bytes());
    members(line);
    let out = line.out();
    if out.len() == before + open.len() {
        out.truncate(before);
    } else {
        end(out);
        out.push(b',');
    }
}

/// Ends an object whose members were each followed by a comma.
fn end(out: &mut Vec<u8>) {
    match out.last_mut() {
        Some(last) if *last == b',' => *last = b'}',
        _ => out.push(b'}'),
    }
}

/// What the record's attributes say about how to send it.
#[derive(Default)]
struct Hints<'a> {
    attribute_labels: Option<Value<'a>>,
    resource_labels: Option<Value<'a>>,
    tenant: Option<Value<'a>>,
    format: Option<Value<'a>>,
    /// Whether there is an attribute `level`.
    level: bool,
}

impl<'a> Hints<'a> {
    fn of(attributes: &[Attribute<'a>]) -> Self {
        let mut hints = Self::default();
        for Attribute { key, value } in attributes.iter().filter(|a| a.key.first() == Some(&b'l')) {
            let hint = match *key {
                ATTRIBUTE_LABELS => &mut hints.attribute_labels,
                RESOURCE_LABELS => &mut hints.resource_labels,
                TENANT => &mut hints.tenant,
                FORMAT => &mut hints.format,
                _ => {
                    hints.level |= *key == LEVEL;
                    continue;
                }
            };
            hint.get_or_insert(*value);
        }
        hints
    }

    /// The tenant: what the attribute has that the hint names, the resource's before the record's;
    /// empty where there is none. None: it cannot be sent in a header.
    fn tenant(&self, attributes: &[Attribute<'a>], source: &Source<'a>) -> Option<&'a [u8]> {
        let Some(hint) = source.tenant.or(self.tenant) else { return Some(b"") };
        let name = if let Value::Str(name) = hint { name } else { b"" };
        let tenant = match get(&source.attributes, name).or_else(|| get(attributes, name)) {
            Some(Value::Str(tenant)) => tenant,
            _ => b"",
        };
        let fits =
            tenant.len() <= MAX_TENANT && tenant.iter().all(|byte| (b' '..0x7f).contains(byte));
        fits.then_some(tenant)
    }
}
