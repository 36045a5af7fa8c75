//! How series and writers end: by time, or because they say so. Totals of ended writers go on
//! counting while their series lives.

use super::point::Nanos;
use super::state::State;
use super::store::{Retained, Series, Store, Writer, earlier};

/// Ended writers of a series that are kept as such, at most: should one come back, as after a
/// network partition, its total must not count twice.
const MAX_ENDED: usize = 8;
/// Series that are looked at in one go: a few milliseconds, for nothing is taken in meanwhile.
const AT_ONCE: u32 = 8192;

impl Store {
    /// Ends what was not written within `metric_expiration`: series without a live writer go;
    /// others keep the totals of writers that ended. Looks at some series, by their numbers, and
    /// returns the first of the others; None after the last. To be called now and then; a page
    /// never shows what has expired, called or not.
    pub fn expire(&mut self, from: u32, now: Nanos) -> Option<u32> {
        let to = from.saturating_add(AT_ONCE).min(self.series.end());
        (from..to).for_each(|number| self.expire_series(number, now));
        (to < self.series.end()).then_some(to)
    }

    fn expire_series(&mut self, number: u32, now: Nanos) {
        let Some(series) = self.series.get(number) else { return };
        let (kind, shared) = (series.kind, series.shared);
        let mut ended: Vec<(Nanos, u32)> = Vec::new();
        for writer in &series.writers {
            if let Some(held) = self.writers.get(*writer)
                && !self.is_live(&held.told, now)
            {
                ended.push((held.told.updated, *writer));
            }
        }
        let live = series.writers.len() - ended.len();
        if live == 0 {
            return self.remove_series(number);
        }
        if shared && live == 1 {
            self.set_shared(number, false);
        }
        ended.sort_unstable();
        let kept = if kind.retains() { MAX_ENDED } else { 0 };
        let gone = ended.len().saturating_sub(kept);
        for (_, writer) in ended.into_iter().take(gone) {
            self.fold(number, writer);
        }
    }

    /// Ends some writers of a series, and the series with the last live one.
    pub(super) fn end_writers(&mut self, number: u32, now: Nanos, ends: impl Fn(&Writer) -> bool) {
        let Some(series) = self.series.get(number) else { return };
        let held = |writer: &u32| self.writers.get(*writer).map(|held| (*writer, held));
        let (ended, left): (Vec<_>, Vec<_>) =
            series.writers.iter().filter_map(held).partition(|(_, writer)| ends(writer));
        if !left.iter().any(|(_, writer)| self.is_live(&writer.told, now)) {
            return self.remove_series(number);
        }
        for writer in ended.into_iter().map(|(writer, _)| writer).collect::<Vec<_>>() {
            self.fold(number, writer);
        }
    }

    /// Removes a writer; its total is added to what the series retains, unless that has other
    /// buckets than the series shows.
    fn fold(&mut self, number: u32, writer: u32) {
        let Some(writer) = self.remove_writer(writer) else { return };
        let Some(series) = self.series.get(number) else { return };
        let fits = series.kind.retains() && self.shows_as(series, &writer);
        let Some(series) = self.series.get_mut(number) else { return };
        self.held = self.held.saturating_sub(series.weight());
        if fits {
            let (state, start) = (writer.told.state, writer.told.start);
            match &mut series.retained {
                Some(retained) => retained.take(state, start),
                none => *none = Some(Box::new(Retained { state, start })),
            }
        }
        self.held += series.weight();
    }

    /// Whether a writer's buckets are those that the rest of the series shows.
    fn shows_as(&self, series: &Series, writer: &Writer) -> bool {
        let rest = series.writers.iter().filter_map(|number| self.writers.get(*number));
        let shape = rest.max_by_key(|other| other.told.start);
        shape.is_none_or(|shape| shape.told.state.fits(&writer.told.state))
    }

    fn set_shared(&mut self, number: u32, shared: bool) {
        if let Some(series) = self.series.get_mut(number) {
            self.shared += usize::from(shared && !series.shared);
            self.shared -= usize::from(series.shared && !shared);
            series.shared = shared;
        }
    }

    fn remove_series(&mut self, number: u32) {
        self.set_shared(number, false);
        let Some(series) = self.series.remove(number) else { return };
        for writer in &series.writers {
            self.remove_writer(*writer);
        }
        self.held = self.held.saturating_sub(series.weight());
        let Some(family) = self.families.get_mut(&series.family) else { return };
        family.series.remove(&series.labels);
        if family.series.is_empty() {
            let weight = family.weight(&series.family);
            self.held = self.held.saturating_sub(weight);
            self.families.remove(&series.family);
        }
    }

    fn remove_writer(&mut self, number: u32) -> Option<Writer> {
        let writer = self.writers.remove(number)?;
        self.held = self.held.saturating_sub(writer.weight());
        for alias in &writer.aliases {
            self.index.remove(alias);
        }
        if let Some(series) = self.series.get_mut(writer.series) {
            series.writers.retain(|held| *held != number);
        }
        let resource = self.resources.get_mut(writer.resource)?;
        resource.writers -= 1;
        if resource.writers == 0 {
            let weight = resource.weight();
            let key = resource.key;
            self.held = self.held.saturating_sub(weight);
            self.resource_index.remove(&key);
            self.resources.remove(writer.resource);
        }
        Some(writer)
    }
}

impl Retained {
    /// Adds a total; one with other buckets takes the place of all before.
    fn take(&mut self, state: State, start: u64) {
        if self.state.add(&state) {
            self.start = earlier(self.start, start);
        } else {
            *self = Self { state, start };
        }
    }
}
