//! The slow path of a point: names and labels are made, and the series and the writer it belongs to
//! are found or begun. What a point's request says around it is read here, once and only if needed.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::checksum::{Checksum, Key};
use super::labels::{Label, Rendered, ResourceLabels, labels, render};
use super::point::{Nanos, Point, Reason, Stream, Type};
use super::state::Told;
use super::store::{Family, Resource, Series, Store, WRITERS_PER_SERIES, Writer};
use super::value;
use crate::signal::otlp::{Metric, ResourceMetrics, Scope, ScopeMetrics};
use crate::signal::view::Text;

/// Keys over raw bytes that lead to one writer, at most: senders that change the order of
/// attributes take the slow path beyond.
const MAX_ALIASES: usize = 8;

/// A resource of a request.
pub(super) struct Context<'a> {
    raw: Checksum,
    view: ResourceMetrics<'a>,
    made: OnceCell<(ResourceLabels, Key)>,
}

/// A scope of a resource.
pub(super) struct ScopeContext<'a, 'r> {
    raw: Checksum,
    resource: &'r Context<'a>,
    scope: Option<Scope<'a>>,
    schema_url: Text<'a>,
    key: OnceCell<Key>,
}

/// A metric of a scope.
pub(super) struct MetricContext<'a, 's> {
    /// Of all that is around a point.
    pub(super) raw: Checksum,
    /// What the metric is.
    pub(super) stream: Stream,
    scope: &'s ScopeContext<'a, 's>,
    metric: Metric<'a>,
    family: OnceCell<Option<Arc<str>>>,
}

impl<'a> Context<'a> {
    pub(super) fn of(seed: &Checksum, view: &ResourceMetrics<'a>) -> Self {
        let mut raw = seed.clone();
        raw.text(view.resource.map_or(&[], |resource| resource.bytes));
        Self { raw, view: *view, made: OnceCell::new() }
    }

    pub(super) fn scope<'r>(&'r self, view: &ScopeMetrics<'a>) -> ScopeContext<'a, 'r> {
        let mut raw = self.raw.clone();
        raw.text(view.scope.map_or(&[], |scope| scope.bytes));
        raw.text(view.schema_url.0);
        let scope = view.scope.map(|scope| scope.view());
        let schema_url = view.schema_url;
        ScopeContext { raw, resource: self, scope, schema_url, key: OnceCell::new() }
    }

    fn labels(&self, seed: &Checksum) -> &(ResourceLabels, Key) {
        self.made.get_or_init(|| {
            let attributes = self.view.resource.map(|resource| resource.view().attributes);
            let labels = ResourceLabels::of(attributes.into_iter().flat_map(|kvs| kvs.iter()));
            let mut key = seed.clone();
            for (name, value) in &labels.attributes {
                key.text(name.as_bytes());
                key.text(value.as_bytes());
            }
            (labels, key.finish())
        })
    }
}

impl<'a, 'r> ScopeContext<'a, 'r> {
    pub(super) fn metric<'s>(
        &'s self,
        metric: Metric<'a>,
        stream: Stream,
    ) -> MetricContext<'a, 's> {
        let mut raw = self.raw.clone();
        raw.text(metric.name.0);
        raw.text(metric.unit.0);
        raw.number((stream.kind as u64) << 1 | u64::from(stream.delta));
        MetricContext { raw, stream, scope: self, metric, family: OnceCell::new() }
    }

    /// Key and text of each attribute that is none of the three that have labels of their own.
    fn attributes(&self) -> impl Iterator<Item = (Cow<'a, str>, String)> {
        let attributes = self.scope.map(|scope| scope.attributes);
        let attributes = attributes.into_iter().flat_map(|kvs| kvs.iter());
        attributes
            .map(|kv| (kv.key.lossy(), value::of(&kv)))
            .filter(|(key, _)| !matches!(&**key, "name" | "version" | "schema_url"))
    }

    fn key(&self, seed: &Checksum) -> Key {
        *self.key.get_or_init(|| self.made_key(seed))
    }

    fn made_key(&self, seed: &Checksum) -> Key {
        let mut key = seed.clone();
        let scope =
            |of: fn(&Scope<'a>) -> Text<'a>| self.scope.as_ref().map(of).unwrap_or_default();
        for text in [scope(|s| s.name), scope(|s| s.version), self.schema_url] {
            key.text(text.0);
        }
        let mut attributes: Vec<_> = self.attributes().collect();
        attributes.sort();
        for (name, value) in attributes {
            key.text(name.as_bytes());
            key.text(value.as_bytes());
        }
        key.finish()
    }
}

impl MetricContext<'_, '_> {
    /// The start that tells writers apart: cumulative sums and histograms count from it.
    pub(super) fn start(&self, point: &Point) -> u64 {
        let counts = self.stream.kind.adds() && !self.stream.delta;
        if counts { point.start } else { 0 }
    }
}

/// Where a point belongs.
struct Place {
    family: Arc<str>,
    labels: Rendered,
    identity: Key,
    writer: Key,
    resource: Key,
}

impl Store {
    /// A point whose raw key is not known.
    pub(super) fn admit(
        &mut self,
        context: &MetricContext,
        point: &Point,
        raw: Key,
        now: Nanos,
    ) -> Result<(), Reason> {
        let place = self.place(context, point)?;
        let known = self.find(&place, context.stream.kind.prometheus())?;
        if let Some(number) = known.and_then(|series| self.writer_of(series, place.writer)) {
            self.alias(number, raw);
            return self.further(number, point, context.stream, now);
        }
        let new_series = u64::from(known.is_none());
        if self.series.len() as u64 + new_series > self.limit
            || self.writers.len() as u64 >= self.limit.saturating_mul(WRITERS_PER_SERIES)
        {
            return Err(Reason::SeriesLimit);
        }
        let bounds = self.families.get(&place.family).and_then(|family| family.bounds.clone());
        let told = Told::first(point, bounds.as_ref(), now)?;
        self.begin_family(&place.family, context, &told);
        let resource = self.begin_resource(context, place.resource, now);
        let key = place.writer;
        let series = known.unwrap_or_else(|| self.begin_series(place, context.stream));
        let aliases = Vec::with_capacity(1);
        let writer = Writer { key, series, resource, told, aliases };
        self.held += writer.weight();
        let number = self.writers.insert(writer);
        if let Some(series) = self.series.get_mut(series) {
            series.writers.push(number);
            series.last = number;
        }
        self.alias(number, raw);
        Ok(())
    }

    /// A point that says that there is no value any more: its writer ends, or all of its resource
    /// where it tells no start, and with the last writer the series.
    pub(super) fn end(
        &mut self,
        context: &MetricContext,
        point: &Point,
        raw: Key,
        now: Nanos,
    ) -> Result<(), Reason> {
        let known = self.index.get(&raw).and_then(|number| self.writers.get(*number));
        let (series, writer, resource) = match known {
            Some(writer) => (writer.series, writer.key, writer.resource),
            None => {
                let place = self.place(context, point)?;
                let Some(series) = self.find(&place, context.stream.kind.prometheus())? else {
                    return Ok(());
                };
                let Some(resource) = self.resource_index.get(&place.resource) else {
                    return Ok(());
                };
                (series, place.writer, *resource)
            }
        };
        let one = context.start(point) != 0;
        self.end_writers(series, now, |other| {
            if one { other.key == writer } else { other.resource == resource }
        });
        Ok(())
    }

    fn place(&self, context: &MetricContext, point: &Point) -> Result<Place, Reason> {
        let metric = &context.metric;
        let family = context.family.get_or_init(|| {
            let suffix = context.stream.kind.suffix();
            let name = self.namer.metric(&metric.name.lossy(), &metric.unit.lossy(), suffix)?;
            Some(name.into())
        });
        let family = family.clone().ok_or(Reason::MetricName)?;
        let scope = context.scope;
        let (resource, resource_key) = scope.resource.labels(&self.seed);
        let labels = self.labels(scope, resource, point).ok_or(Reason::LabelName)?;
        let scope_key = scope.key(&self.seed);

        let mut identity = self.seed.clone();
        identity.number(context.stream.kind as u64);
        identity.text(metric.name.0);
        identity.key(if self.scopes { scope_key } else { 0 });
        for part in [&resource.job, &resource.instance] {
            identity.number(u64::from(part.is_some()));
            identity.text(part.as_deref().unwrap_or_default().as_bytes());
        }
        let mut sorted: Vec<_> = labels.iter().map(|label| (&label.key, &label.value)).collect();
        sorted.sort();
        for (name, value) in sorted {
            identity.text(name.as_bytes());
            identity.text(value.as_bytes());
        }
        let mut writer = self.seed.clone();
        writer.key(*resource_key);
        writer.key(scope_key);
        writer.number(u64::from(context.stream.delta));
        writer.number(context.start(point));
        let labels = self.rendered(scope, resource, &labels, context.stream);
        let (identity, writer) = (identity.finish(), writer.finish());
        Ok(Place { family, labels, identity, writer, resource: *resource_key })
    }

    /// Labels of the point's attributes, the resource's where they are wanted (they win, as with
    /// otelcol), and the scope's.
    fn labels(
        &self,
        scope: &ScopeContext,
        resource: &ResourceLabels,
        point: &Point,
    ) -> Option<Vec<Label>> {
        let others = self.resource_labels.then_some(&resource.attributes);
        let own = point
            .each_attribute()
            .map(|kv| (kv.key.lossy(), value::of(&kv)))
            .filter(|(key, _)| others.is_none_or(|others| !others.contains_key(&**key)));
        let others = others.into_iter().flatten();
        let others = others.map(|(key, value)| (Cow::Borrowed(key.as_str()), value.clone()));
        let mut all = labels(own.chain(others), "", &self.namer)?;
        if self.scopes {
            all.extend(labels(scope.attributes(), "otel_scope_", &self.namer)?);
        }
        Some(all)
    }

    fn rendered(
        &self,
        scope: &ScopeContext,
        resource: &ResourceLabels,
        labels: &[Label],
        stream: Stream,
    ) -> Rendered {
        let part = |of: fn(&Scope) -> String| scope.scope.as_ref().map(of).unwrap_or_default();
        let name = part(|scope| scope.name.lossy().into_owned());
        let version = part(|scope| scope.version.lossy().into_owned());
        let schema_url = scope.schema_url.lossy();
        let mut fixed = resource.fixed();
        if self.scopes {
            fixed.insert("otel_scope_name", &name);
            fixed.insert("otel_scope_version", &version);
            fixed.insert("otel_scope_schema_url", &schema_url);
        }
        fixed.extend(self.constants.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        render(labels, &fixed, stream.kind.own_label(), self.namer.utf8())
    }

    /// The series at a place.
    fn find(&self, place: &Place, kind: Type) -> Result<Option<u32>, Reason> {
        let Some(family) = self.families.get(&place.family) else {
            return if self.clashes(&place.family, kind) {
                Err(Reason::NameClash)
            } else {
                Ok(None)
            };
        };
        if family.kind != kind {
            return Err(Reason::TypeConflict);
        }
        let Some(number) = family.series.get(place.labels.plain.as_str()) else { return Ok(None) };
        let same = self.series.get(*number).is_some_and(|held| held.identity == place.identity);
        if same { Ok(Some(*number)) } else { Err(Reason::NameClash) }
    }

    /// Whether a new name would be that of a line another metric has, or the other way round.
    fn clashes(&self, name: &str, kind: Type) -> bool {
        let lines = |kind: Type| -> &[&str] {
            match kind {
                Type::Histogram => &["_bucket", "_count", "_sum"],
                Type::Summary => &["_count", "_sum"],
                Type::Counter | Type::Gauge => &[],
            }
        };
        let is_line = ["_bucket", "_count", "_sum"].iter().any(|line| {
            let family = name.strip_suffix(line).and_then(|base| self.families.get(base));
            family.is_some_and(|family| lines(family.kind).contains(line))
        });
        let taken = |line: &&str| self.families.contains_key(format!("{name}{line}").as_str());
        is_line || name == self.namer.target_info() || lines(kind).iter().any(taken)
    }

    fn writer_of(&self, series: u32, key: Key) -> Option<u32> {
        let mut writers = self.series.get(series)?.writers.iter().copied();
        writers.find(|number| self.writers.get(*number).is_some_and(|held| held.key == key))
    }

    fn alias(&mut self, number: u32, raw: Key) {
        let Some(writer) = self.writers.get_mut(number) else { return };
        if writer.aliases.len() < MAX_ALIASES {
            self.held = self.held.saturating_sub(writer.weight());
            writer.aliases.push(raw);
            self.held += writer.weight();
            self.index.insert(raw, number);
        }
    }

    fn begin_family(&mut self, name: &Arc<str>, context: &MetricContext, told: &Told) {
        if self.families.contains_key(name) {
            return;
        }
        let family = Family {
            kind: context.stream.kind.prometheus(),
            help: context.metric.description.lossy().into(),
            series: BTreeMap::new(),
            bounds: told.state.bounds().cloned(),
        };
        self.held += family.weight(name);
        self.families.insert(Arc::clone(name), family);
    }

    fn begin_resource(&mut self, context: &MetricContext, key: Key, now: Nanos) -> u32 {
        if let Some(number) = self.resource_index.get(&key)
            && let Some(resource) = self.resources.get_mut(*number)
        {
            resource.writers += 1;
            resource.updated = now;
            return *number;
        }
        let (labels, _) = context.scope.resource.labels(&self.seed);
        let one = || {
            let part = |part: &Option<String>| part.clone().unwrap_or_default();
            format!("{}\0{}", part(&labels.job), part(&labels.instance))
        };
        let target = labels.target_info(&self.namer).map(|rendered| (rendered, one()));
        let resource = Resource { key, writers: 1, updated: now, target };
        self.held += resource.weight();
        let number = self.resources.insert(resource);
        self.resource_index.insert(key, number);
        number
    }

    fn begin_series(&mut self, place: Place, stream: Stream) -> u32 {
        let labels: Arc<str> = place.labels.plain.into();
        let series = Series {
            family: Arc::clone(&place.family),
            labels: Arc::clone(&labels),
            escaped: place.labels.escaped,
            identity: place.identity,
            kind: stream.kind,
            writers: Vec::with_capacity(1),
            retained: None,
            last: 0,
            shared: false,
        };
        self.held += series.weight();
        let number = self.series.insert(series);
        if let Some(family) = self.families.get_mut(&place.family) {
            family.series.insert(labels, number);
        }
        number
    }
}
