//! The page that Prometheus scrapes, by the names of the metrics and then by labels. It is made part
//! by part, and between parts the store may change: what ends meanwhile is left out, what begins is
//! on the next page. Changes nothing and reads no clock.

mod lines;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec;

use super::format::{Format, Negotiated};
use super::names::escaped;
use super::point::{Nanos, Type};
use super::store::{Family, Resource, Series, Store};
use lines::Lines;

/// Bytes of a part; with a series that has many lines it is longer.
pub(super) const PART: usize = 64 << 10;
/// Bytes of a part for the last of its series.
const LAST: usize = 4 << 10;
/// Series and families of a part, at most: what has expired says nothing.
const STEPS: usize = 4096;

/// A page that is being made.
pub struct Page {
    escape: bool,
    now: Nanos,
    /// By the names they are shown by.
    families: Vec<Name>,
    /// How many of them were begun.
    begun: usize,
    current: Option<Current>,
    lines: Lines,
    ended: bool,
}

/// How a family is called.
struct Name {
    shown: Arc<str>,
    /// In the store; the resources' is not there.
    held: Option<Arc<str>>,
}

/// A family that is being shown.
struct Current {
    head: Head,
    /// Its name and type in the store; none of resources.
    family: Option<(Arc<str>, Type)>,
    /// The numbers of its series, or of resources, by their labels.
    left: vec::IntoIter<u32>,
    /// The labels shown last: none are shown twice, though numbers are used again.
    last: Option<String>,
}

/// What is said before a family.
struct Head {
    /// On the lines with a single value.
    name: Arc<str>,
    /// Bytes of the name in its description: OpenMetrics leaves out `_total`.
    base: usize,
    kind: &'static str,
    help: Box<str>,
    /// Whether there is a line for since when it counts.
    created: bool,
}

impl Page {
    /// A page of what the store holds. `now` is of the same clock as in [`write`](Store::write).
    #[must_use]
    pub fn new(store: &Store, how: Negotiated, now: Nanos) -> Self {
        let escape = store.namer.utf8() && !how.utf8;
        let rename = |name: &Arc<str>| if escape { escaped(name).into() } else { Arc::clone(name) };
        let held = store.families.keys();
        let mut families: Vec<Name> =
            held.map(|held| Name { shown: rename(held), held: Some(Arc::clone(held)) }).collect();
        families.push(Name { shown: rename(&store.namer.target_info().into()), held: None });
        families.sort_by(|a, b| a.shown.cmp(&b.shown));
        // Names that are the same once escaped: the first stays.
        families.dedup_by(|b, a| a.shown == b.shown);
        let open = how.format == Format::OpenMetrics;
        let lines = Lines { open, timestamps: store.timestamps, buffer: Vec::with_capacity(PART) };
        Self { escape, now, families, begun: 0, current: None, lines, ended: false }
    }

    /// The next part, of the store that it was begun of; None after the last.
    pub fn part(&mut self, store: &Store) -> Option<Vec<u8>> {
        for _ in 0..STEPS {
            if self.ended || self.lines.buffer.len() >= PART - LAST {
                break;
            }
            self.step(store);
        }
        let room = Vec::with_capacity(if self.ended { 0 } else { PART });
        let part = std::mem::replace(&mut self.lines.buffer, room);
        (!part.is_empty() || !self.ended).then_some(part)
    }

    /// Begins a family, or shows one of its series.
    fn step(&mut self, store: &Store) {
        let Some(current) = &mut self.current else {
            let Some(name) = self.families.get(self.begun) else {
                let end: &[u8] = if self.lines.open { b"# EOF\n" } else { b"" };
                self.lines.buffer.extend_from_slice(end);
                self.ended = true;
                return;
            };
            self.current = match &name.held {
                None => Some(self.targets(name, store)),
                Some(held) => {
                    store.families.get(held).map(|family| self.family(name, family, store))
                }
            };
            self.begun += 1;
            return;
        };
        match current.left.next() {
            None => self.current = None,
            Some(number) => current.show(number, store, self.now, self.escape, &mut self.lines),
        }
    }

    fn family(&self, name: &Name, family: &Family, store: &Store) -> Current {
        let numbers = family.series.values().copied();
        let left: Vec<u32> = match self.escape {
            false => numbers.collect(),
            true => {
                let labels = |number| store.series.get(number).map(|series| series.labels(true));
                let mut sorted: Vec<_> = numbers.map(|number| (labels(number), number)).collect();
                sorted.sort_by_key(|(labels, _)| *labels);
                sorted.into_iter().map(|(_, number)| number).collect()
            }
        };
        Current {
            head: self.head(&name.shown, family),
            family: name.held.clone().map(|held| (held, family.kind)),
            left: left.into_iter(),
            last: None,
        }
    }

    /// In OpenMetrics, a counter is `unknown` where its name does not end in `_total`, or where
    /// another metric is called as it would be without.
    fn head(&self, name: &Arc<str>, family: &Family) -> Head {
        let has =
            |name: &str| self.families.binary_search_by(|held| (*held.shown).cmp(name)).is_ok();
        let (mut base, mut kind) = (&**name, family.kind.name());
        if self.lines.open && family.kind == Type::Counter {
            match name.strip_suffix("_total").filter(|short| !short.is_empty() && !has(short)) {
                Some(short) => base = short,
                None => kind = "unknown",
            }
        }
        let counts = self.lines.open && !matches!(kind, "gauge" | "unknown");
        let created = counts && !has(&format!("{base}_created"));
        Head { base: base.len(), name: Arc::clone(name), kind, help: family.help.clone(), created }
    }

    /// The resources that are live. Of those with the same job and instance, the one that wrote last.
    fn targets(&self, name: &Name, store: &Store) -> Current {
        let mut latest: BTreeMap<&str, (Nanos, &str, u32)> = BTreeMap::new();
        for (number, resource) in store.resources.numbered() {
            if let Some(labels) = resource.labels(self.escape)
                && store.is_current(resource, self.now)
                && let Some((_, one)) = &resource.target
            {
                let held = (resource.updated, labels, number);
                latest.entry(one).and_modify(|last| *last = held.max(*last)).or_insert(held);
            }
        }
        let mut all: Vec<(&str, u32)> = latest.into_values().map(|(_, l, n)| (l, n)).collect();
        all.sort_unstable();
        let left: Vec<u32> = all.into_iter().map(|(_, number)| number).collect();
        let head = Head {
            base: name.shown.len(),
            name: Arc::clone(&name.shown),
            kind: "gauge",
            help: "Target metadata".into(),
            created: false,
        };
        Current { head, family: None, left: left.into_iter(), last: None }
    }
}

impl Current {
    fn show(&mut self, number: u32, store: &Store, now: Nanos, escape: bool, lines: &mut Lines) {
        let Some((family, kind)) = &self.family else {
            let resource = store.resources.get(number).filter(|it| store.is_current(it, now));
            if let Some(labels) = resource.and_then(|resource| resource.labels(escape))
                && self.goes_on(labels, lines)
            {
                lines.target(&self.head, labels);
            }
            return;
        };
        let is_one =
            |series: &&Series| series.family == *family && series.kind.prometheus() == *kind;
        let Some(series) = store.series.get(number).filter(is_one) else { return };
        let Some(shown) = store.shown(series, now) else { return };
        let labels = series.labels(escape);
        if self.goes_on(labels, lines) {
            lines.series(&self.head, series, &shown, labels);
        }
    }

    /// Whether these labels may follow those shown last. Before the first, the head is said.
    fn goes_on(&mut self, labels: &str, lines: &mut Lines) -> bool {
        match &mut self.last {
            Some(last) if *last.as_str() >= *labels => return false,
            Some(last) => {
                last.clear();
                last.push_str(labels);
            }
            none => {
                lines.head(&self.head);
                *none = Some(labels.to_owned());
            }
        }
        true
    }
}

impl Head {
    fn base(&self) -> &str {
        self.name.get(..self.base).unwrap_or_default()
    }
}

impl Series {
    fn labels(&self, escape: bool) -> &str {
        self.escaped.as_deref().filter(|_| escape).unwrap_or(&self.labels)
    }
}

impl Resource {
    fn labels(&self, escape: bool) -> Option<&str> {
        let (labels, _) = self.target.as_ref()?;
        Some(labels.escaped.as_deref().filter(|_| escape).unwrap_or(&labels.plain))
    }
}

#[cfg(test)]
mod tests;
