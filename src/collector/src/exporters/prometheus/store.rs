//! The series held: a request's points find theirs by a key over the bytes they arrived as, so that
//! names and labels are made once per series (in `admit`). What one series is, writer by writer, and
//! what it shows. Knows no page and reads no clock.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem::size_of;
use std::sync::Arc;

use obspipe_model::components::prometheus::Prometheus;

use super::admit::{Context, MetricContext, ScopeContext};
use super::checksum::{ByKey, Checksum, Key};
use super::labels::Rendered;
use super::names::Namer;
use super::point::{Exemplar, Kind, Nanos, Point, Reason, Stream, Type, points};
use super::slots::Slots;
use super::state::{State, Told};
use crate::signal::otlp::{Metric, Metrics};
use crate::signal::view::View;
use crate::signal::wire::Fields;

/// Writers, at most, for each series that `series_limit` allows.
pub(super) const WRITERS_PER_SERIES: u64 = 4;

/// What became of a request's points.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Points taken.
    pub accepted: u64,
    /// Points dropped, by [`Reason::name`].
    pub dropped: BTreeMap<&'static str, u64>,
}

/// The series held.
pub struct Store {
    pub(super) namer: Namer,
    pub(super) constants: BTreeMap<String, String>,
    pub(super) scopes: bool,
    pub(super) resource_labels: bool,
    pub(super) timestamps: bool,
    pub(super) expiration: Nanos,
    pub(super) limit: u64,
    pub(super) seed: Checksum,
    pub(super) index: ByKey<u32>,
    pub(super) families: BTreeMap<Arc<str>, Family>,
    pub(super) series: Slots<Series>,
    pub(super) writers: Slots<Writer>,
    pub(super) resources: Slots<Resource>,
    pub(super) resource_index: ByKey<u32>,
    pub(super) held: usize,
    pub(super) shared: usize,
}

/// The series of one name.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) kind: Type,
    /// The description that came first.
    pub(super) help: Box<str>,
    /// By their labels.
    pub(super) series: BTreeMap<Arc<str>, u32>,
    /// Bounds that its histograms share.
    pub(super) bounds: Option<Arc<[f64]>>,
}

/// A series on the page.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) family: Arc<str>,
    pub(super) labels: Arc<str>,
    pub(super) escaped: Option<Box<str>>,
    /// Of the metric's own name and attributes.
    pub(super) identity: Key,
    pub(super) kind: Kind,
    pub(super) writers: Vec<u32>,
    /// What writers had counted that are not held any more.
    pub(super) retained: Option<Box<Retained>>,
    /// The writer that wrote last.
    pub(super) last: u32,
    /// Whether writers take turns.
    pub(super) shared: bool,
}

/// A total without its writers.
#[derive(Debug)]
pub(super) struct Retained {
    pub(super) state: State,
    pub(super) start: u64,
}

/// Who writes a series: one process, told apart by its resource, its scope and its start.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) key: Key,
    pub(super) series: u32,
    pub(super) resource: u32,
    pub(super) told: Told,
    /// Keys in the index.
    pub(super) aliases: Vec<Key>,
}

/// A resource that writers have.
#[derive(Debug)]
pub(super) struct Resource {
    pub(super) key: Key,
    pub(super) writers: u32,
    pub(super) updated: Nanos,
    /// Labels of its `target_info`, and what there may be only one of: job and instance.
    pub(super) target: Option<(Rendered, String)>,
}

/// What a series shows.
pub(super) struct Shown<'a> {
    pub(super) state: Cow<'a, State>,
    pub(super) start: u64,
    pub(super) time: u64,
    pub(super) exemplars: Cow<'a, [Exemplar]>,
}

impl Store {
    /// An empty one.
    #[must_use]
    pub fn new(settings: &Prometheus) -> Self {
        Self {
            namer: Namer::new(settings),
            constants: settings.const_labels.clone(),
            scopes: !settings.without_scope_info,
            resource_labels: settings.resource_to_telemetry_conversion.enabled,
            timestamps: settings.send_timestamps,
            expiration: Nanos::try_from(settings.metric_expiration.as_nanos())
                .unwrap_or(Nanos::MAX),
            limit: settings.series_limit,
            seed: Checksum::new(),
            index: ByKey::default(),
            families: BTreeMap::new(),
            series: Slots::default(),
            writers: Slots::default(),
            resources: Slots::default(),
            resource_index: ByKey::default(),
            held: 0,
            shared: 0,
        }
    }

    /// Takes in a request's metrics, in canonical order. `now`: nanoseconds of any clock that only
    /// goes forward, the same for all calls.
    pub fn write(&mut self, request: &[u8], now: Nanos) -> Written {
        let mut written = Written::default();
        for resource in Metrics::parse(request).resource_metrics.iter() {
            let context = Context::of(&self.seed, &resource);
            for scope in resource.scope_metrics.iter() {
                let context = context.scope(&scope);
                for metric in scope.metrics.iter() {
                    self.metric(&context, &metric, now, &mut written);
                }
            }
        }
        written
    }

    /// Bytes held, estimated.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.held
    }

    /// Series held.
    #[must_use]
    pub fn series(&self) -> usize {
        self.series.len()
    }

    /// Series that several writers take turns in: resources that do not tell them apart
    /// (`obspipe_prometheus_shared_identity`).
    #[must_use]
    pub fn shared_identities(&self) -> usize {
        self.shared
    }

    fn metric<'a>(
        &mut self,
        context: &ScopeContext<'a, '_>,
        metric: &Metric<'a>,
        now: Nanos,
        written: &mut Written,
    ) {
        let Some(stream) = Stream::of(metric) else { return };
        let context = stream.ok().map(|stream| context.metric(*metric, stream));
        let mut settle = |outcome: Result<(), Reason>| match outcome {
            Ok(()) => written.accepted += 1,
            Err(reason) => *written.dropped.entry(reason.name()).or_insert(0) += 1,
        };
        points(metric, |point| {
            settle(match (&context, stream) {
                (Some(context), Ok(_)) => self.point(context, &point, now),
                (_, Err(reason)) => Err(reason),
                (None, Ok(_)) => Ok(()),
            });
        });
    }

    fn point(&mut self, context: &MetricContext, point: &Point, now: Nanos) -> Result<(), Reason> {
        let mut key = context.raw.clone();
        key.number(context.start(point));
        for field in Fields::of(point.bytes).filter(|field| field.number == point.attributes) {
            key.raw(field.written);
        }
        let raw = key.finish();
        if point.ended {
            return self.end(context, point, raw, now);
        }
        match self.index.get(&raw) {
            Some(writer) => self.further(*writer, point, context.stream, now),
            None => self.admit(context, point, raw, now),
        }
    }

    /// A further point of a known writer.
    pub(super) fn further(
        &mut self,
        number: u32,
        point: &Point,
        stream: Stream,
        now: Nanos,
    ) -> Result<(), Reason> {
        let Some(writer) = self.writers.get_mut(number) else { return Ok(()) };
        let Some(series) = self.series.get_mut(writer.series) else { return Ok(()) };
        let before = writer.told.heap();
        writer.told.next(point, stream, series.is_shared(), now)?;
        self.held = (self.held + writer.told.heap()).saturating_sub(before);
        if series.last != number {
            series.last = number;
            self.shared += usize::from(!series.shared);
            series.shared = true;
        }
        if let Some(resource) = self.resources.get_mut(writer.resource) {
            resource.updated = now;
        }
        Ok(())
    }

    /// Whether a writer wrote within the expiration.
    pub(super) fn is_live(&self, told: &Told, now: Nanos) -> bool {
        told.updated.saturating_add(self.expiration) >= now
    }

    /// Whether any of a resource's writers did.
    pub(super) fn is_current(&self, resource: &Resource, now: Nanos) -> bool {
        resource.updated.saturating_add(self.expiration) >= now
    }

    /// What a series shows. None where none of its writers lives.
    pub(super) fn shown<'a>(&'a self, series: &'a Series, now: Nanos) -> Option<Shown<'a>> {
        let all = || series.writers.iter().filter_map(|number| self.writers.get(*number));
        let live = || all().map(|writer| &writer.told).filter(|told| self.is_live(told, now));
        let newest = live().max_by_key(|told| (told.time, told.updated))?;
        if !series.kind.adds() || (!series.is_shared() && series.writers.len() == 1) {
            return Some(Shown {
                state: Cow::Borrowed(&newest.state),
                start: newest.start,
                time: newest.time,
                exemplars: Cow::Borrowed(&newest.exemplars),
            });
        }
        let counting: Vec<&Told> = match series.kind.retains() {
            true => all().map(|writer| &writer.told).collect(),
            false => live().collect(),
        };
        // Buckets are those of the youngest process: after a rollout the new ones stay.
        let shape = counting.iter().max_by_key(|told| told.start)?;
        let mut state = shape.state.clone();
        let mut start = shape.start;
        for told in counting.iter().filter(|told| !std::ptr::eq(**told, *shape)) {
            if state.add(&told.state) {
                start = earlier(start, told.start);
            }
        }
        if let Some(retained) = &series.retained
            && state.add(&retained.state)
        {
            start = earlier(start, retained.start);
        }
        let exemplars = live().flat_map(|told| told.exemplars.iter().copied()).collect();
        let (state, exemplars) = (Cow::Owned(state), Cow::Owned(exemplars));
        Some(Shown { state, start, time: newest.time, exemplars })
    }
}

/// The earlier of two starts, of which 0 is unknown.
pub(super) fn earlier(one: u64, other: u64) -> u64 {
    if one == 0 || other == 0 { one.max(other) } else { one.min(other) }
}

impl Series {
    /// Whether its value is the sum of more than one.
    pub(super) fn is_shared(&self) -> bool {
        self.writers.len() > 1 || self.retained.is_some()
    }

    pub(super) fn weight(&self) -> usize {
        let escaped = self.escaped.as_ref().map_or(0, |text| text.len());
        let retained = self.retained.as_ref().map_or(0, |r| size_of::<Retained>() + r.state.heap());
        // 64: its place in the family, and the count before shared text.
        size_of::<Self>() + self.labels.len() + escaped + retained + 64
    }
}

impl Told {
    fn heap(&self) -> usize {
        self.state.heap() + self.exemplars.capacity() * size_of::<Exemplar>()
    }
}

impl Writer {
    pub(super) fn weight(&self) -> usize {
        // A key stands here and, with its writer and room to grow, in the index; 8: in the series.
        size_of::<Self>() + self.told.heap() + self.aliases.len() * 4 * size_of::<Key>() + 8
    }
}

impl Resource {
    pub(super) fn weight(&self) -> usize {
        let labels = self.target.as_ref().map_or(0, |(labels, one)| {
            labels.plain.len() + labels.escaped.as_ref().map_or(0, |text| text.len()) + one.len()
        });
        size_of::<Self>() + labels + 64
    }
}

impl Family {
    pub(super) fn weight(&self, name: &str) -> usize {
        let bounds = self.bounds.as_ref().map_or(0, |bounds| bounds.len() * size_of::<f64>());
        size_of::<Self>() + name.len() + self.help.len() + bounds + 64
    }
}

#[cfg(test)]
mod tests;
