//! Log records in OTLP to logproto.PushRequest, as contrib's pkg/translator/loki v0.130 does it.
//! Pure: knows no socket, no clock and no compression.

mod json;
mod labels;
mod line;
mod logfmt;
mod number;
mod push;
mod record;
mod value;

use std::collections::VecDeque;

use obspipe_model::components::loki::Loki;

pub use push::{Push, halve};

use crate::signal::otlp::{LogRecord, Logs, Resource, Scope};
use crate::signal::view::{Sub, View};
use labels::Defaults;
use push::Open;
use record::{Entry, ScopeText, Source, Translation};

/// Tenants whose pushes fill at the same time; with more, the largest push is ended early.
const MAX_OPEN: usize = 64;
/// Bytes of all pushes that fill at the same time, in full pushes.
const MAX_OPEN_PUSHES: usize = 4;

/// Makes pushes of log records.
#[derive(Clone, Debug)]
pub struct Translator {
    defaults: Defaults,
    max_push: usize,
    max_line: usize,
}

/// All pushes of some requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// What is to be sent, of each tenant in the order the records came.
    pub pushes: Vec<Push>,
    /// Records that Loki could not be told: with no labels at all, a `loki.format` that is none, or
    /// a tenant that is no header value.
    pub untranslatable: u64,
    /// Lines that were too long and were cut.
    pub cut_lines: u64,
}

impl Translator {
    /// By an exporter's settings.
    #[must_use]
    pub fn new(settings: &Loki) -> Self {
        let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX / 2);
        Self {
            defaults: Defaults::new(&settings.default_labels_enabled),
            max_push: size(settings.max_request_bytes),
            max_line: size(settings.max_line_size),
        }
    }

    /// Translates scanned requests (`ExportLogsServiceRequest`). Of a record without any time
    /// `now_nanos` (since 1970) is its time.
    #[must_use]
    pub fn translate<'a>(
        &self,
        requests: impl IntoIterator<Item = &'a [u8]>,
        now_nanos: u64,
    ) -> Translated {
        let mut pushes = self.pushes(requests, now_nanos);
        let all = pushes.by_ref().collect();
        Translated {
            pushes: all,
            untranslatable: pushes.untranslatable,
            cut_lines: pushes.cut_lines,
        }
    }

    /// The same, push by push: a small request can make very long lines, as each line repeats what
    /// its resource says. No more than four times `max_request_bytes` is held at a time.
    pub fn pushes<'a>(
        &self,
        requests: impl IntoIterator<Item = &'a [u8]>,
        now_nanos: u64,
    ) -> Pushes<'a, impl Iterator<Item = Item<'a>>> {
        Pushes {
            translator: self.clone(),
            now_nanos,
            records: requests.into_iter().flat_map(items),
            resource: None,
            source: Source::default(),
            scope: None,
            scope_text: ScopeText::default(),
            entry: Entry::new(self.max_line),
            open: Vec::new(),
            ready: VecDeque::new(),
            untranslatable: 0,
            cut_lines: 0,
        }
    }
}

/// A record in its place.
pub struct Item<'a> {
    resource: Option<Sub<'a, Resource<'static>>>,
    scope: Option<Sub<'a, Scope<'static>>>,
    /// The bytes of the `ResourceLogs` and of the `ScopeLogs` it is in.
    place: [&'a [u8]; 2],
    record: LogRecord<'a>,
}

fn items(request: &[u8]) -> impl Iterator<Item = Item<'_>> {
    Logs::parse(request).resource_logs.iter().flat_map(|resource_logs| {
        resource_logs.scope_logs.iter().flat_map(move |scope_logs| {
            scope_logs.log_records.iter().map(move |record| Item {
                resource: resource_logs.resource,
                scope: scope_logs.scope,
                place: [resource_logs.bytes, scope_logs.bytes],
                record,
            })
        })
    })
}

/// Pushes as they are made; see [`Translator::pushes`].
pub struct Pushes<'a, I> {
    translator: Translator,
    now_nanos: u64,
    records: I,
    /// The `ResourceLogs` that `source` is of.
    resource: Option<&'a [u8]>,
    source: Source<'a>,
    /// The `ScopeLogs` that `scope_text` is of.
    scope: Option<&'a [u8]>,
    scope_text: ScopeText,
    entry: Entry<'a>,
    open: Vec<Open>,
    ready: VecDeque<Push>,
    /// As in [`Translated`], of what was looked at so far.
    pub untranslatable: u64,
    /// As in [`Translated`], of what was looked at so far.
    pub cut_lines: u64,
}

impl<'a, I: Iterator<Item = Item<'a>>> Iterator for Pushes<'a, I> {
    type Item = Push;

    fn next(&mut self) -> Option<Push> {
        while self.ready.is_empty() {
            match self.records.next() {
                Some(item) => self.add(item),
                None => return self.end_first(),
            }
        }
        self.ready.pop_front()
    }
}

impl<'a, I> Pushes<'a, I> {
    fn add(&mut self, item: Item<'a>) {
        self.enter(&item);
        let Self { translator, entry, source, scope_text, .. } = self;
        let (defaults, limit) = (translator.defaults, translator.max_line);
        let Some(translation) = entry.translate(&item.record, source, scope_text, defaults, limit)
        else {
            self.untranslatable += 1;
            return;
        };
        self.cut_lines += u64::from(translation.cut);
        let record = &item.record;
        let times = [record.time_unix_nano, record.observed_time_unix_nano, self.now_nanos];
        let nanos = times.into_iter().find(|time| *time != 0).unwrap_or(0);
        let most = self.translator.max_push;
        put(&mut self.open, &mut self.ready, &translation, nanos, most);
    }

    /// Takes up what a record's resource and scope say, unless it is the last record's.
    fn enter(&mut self, item: &Item<'a>) {
        let same =
            |last: Option<&'a [u8]>, place| last.is_some_and(|last| std::ptr::eq(last, place));
        if !same(self.resource, item.place[0]) {
            self.resource = Some(item.place[0]);
            self.source = Source::new(item.resource, self.translator.defaults);
        }
        if !same(self.scope, item.place[1]) {
            self.scope = Some(item.place[1]);
            self.scope_text = ScopeText::new(item.scope, self.translator.max_line);
        }
    }

    fn end_first(&mut self) -> Option<Push> {
        if self.open.is_empty() { None } else { self.open.remove(0).finish() }
    }
}

/// Puts an entry into its tenant's push; pushes that are full because of it are ready.
fn put(
    open: &mut Vec<Open>,
    ready: &mut VecDeque<Push>,
    entry: &Translation<'_>,
    nanos: u64,
    most: usize,
) {
    let at = open.iter().position(|push| push.tenant == entry.tenant);
    let at = at.unwrap_or_else(|| {
        open.push(Open::new(entry.tenant));
        open.len() - 1
    });
    let Some(push) = open.get_mut(at) else { return };
    if !push.takes(entry.labels, entry.line, most) {
        ready.extend(std::mem::replace(push, Open::new(entry.tenant)).finish());
    }
    push.add(entry.labels, nanos, entry.line);
    // Only a push that grew can have made it too much, so with one tenant nothing is added up.
    let held = || open.iter().map(|push| push.size).sum::<usize>();
    if open.len() > 1 && (open.len() > MAX_OPEN || held() / MAX_OPEN_PUSHES > most) {
        let largest = open.iter().enumerate().max_by_key(|(_, push)| push.size);
        if let Some((at, _)) = largest {
            ready.extend(open.swap_remove(at).finish());
        }
    }
}

#[cfg(test)]
mod tests;
