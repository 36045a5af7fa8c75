//! The page that Prometheus scrapes, written piece by piece: the text format (Prometheus exposition
//! formats) or OpenMetrics 1.0. Changes nothing and reads no clock.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::format::{Format, Negotiated};
use super::labels::put_escaped;
use super::names::{escaped, is_legacy_metric};
use super::number::{put_float, put_open_float, put_seconds, put_uint};
use super::point::{Exemplar, Nanos, Type};
use super::state::State;
use super::store::{Family, Resource, Series, Shown, Store};

/// Bytes that are given out at once.
const PIECE: usize = 32 << 10;

impl Store {
    /// Writes the page to `out`, piece by piece, by the names of the metrics and then by labels.
    /// `now` is of the same clock as in [`write`](Store::write).
    pub fn page(&self, how: Negotiated, now: Nanos, out: &mut dyn FnMut(&[u8])) {
        let escape = self.namer.utf8() && !how.utf8;
        let rename = |name| if escape { escaped(name) } else { Cow::Borrowed(name) };
        let mut families: Vec<(Cow<str>, Option<&Family>)> =
            self.families.iter().map(|(name, family)| (rename(name), Some(family))).collect();
        families.push((rename(self.namer.target_info()), None));
        families.sort_by(|a, b| a.0.cmp(&b.0));
        // Names that are the same once escaped: the first stays.
        families.dedup_by(|b, a| a.0 == b.0);
        let has = |name: &str| families.binary_search_by(|held| (*held.0).cmp(name)).is_ok();
        let mut page = Page {
            store: self,
            open: how.format == Format::OpenMetrics,
            escape,
            now,
            buffer: Vec::with_capacity(PIECE + PIECE / 4),
            out,
        };
        for (name, family) in &families {
            match family {
                Some(family) => page.family(&Head::of(name, family, page.open, has), family),
                None => page.target_info(name),
            }
        }
        if page.open {
            page.buffer.extend_from_slice(b"# EOF\n");
        }
        (page.out)(&page.buffer);
    }
}

/// How a family is called.
struct Head<'a> {
    /// On the lines with a single value.
    name: &'a str,
    /// In its description: OpenMetrics leaves out `_total`.
    base: &'a str,
    kind: &'static str,
    help: &'a str,
    /// Whether there is a line for since when it counts.
    created: bool,
}

impl<'a> Head<'a> {
    /// In OpenMetrics, a counter is `unknown` where its name does not end in `_total`, or where
    /// another metric is called as it would be without.
    fn of(name: &'a str, family: &'a Family, open: bool, has: impl Fn(&str) -> bool) -> Self {
        let (mut base, mut kind) = (name, family.kind.name());
        if open && family.kind == Type::Counter {
            match name.strip_suffix("_total").filter(|short| !short.is_empty() && !has(short)) {
                Some(short) => base = short,
                None => kind = "unknown",
            }
        }
        let counts = open && !matches!(kind, "gauge" | "unknown");
        let created = counts && !has(&format!("{base}_created"));
        Self { name, base, kind, help: &family.help, created }
    }
}

struct Page<'s, 'o> {
    store: &'s Store,
    open: bool,
    escape: bool,
    now: Nanos,
    buffer: Vec<u8>,
    out: &'o mut dyn FnMut(&[u8]),
}

/// Which line of a series.
#[derive(Clone, Copy)]
struct Line<'a> {
    name: &'a str,
    after: &'static str,
    labels: &'a str,
    own: Option<(&'static str, f64)>,
}

impl<'s> Page<'s, '_> {
    fn family(&mut self, head: &Head, family: &'s Family) {
        let store = self.store;
        let numbered = family.series.values();
        let all = numbered.filter_map(|number| store.series.get(*number));
        let mut begun = false;
        if !self.escape {
            all.for_each(|series| self.series(head, &mut begun, series, &series.labels));
            return;
        }
        let labels = |series: &'s Series| series.escaped.as_deref().unwrap_or(&series.labels);
        let mut sorted: Vec<(&str, &Series)> = all.map(|series| (labels(series), series)).collect();
        sorted.sort_by_key(|(labels, _)| *labels);
        sorted.dedup_by_key(|(labels, _)| *labels);
        for (labels, series) in sorted {
            self.series(head, &mut begun, series, labels);
        }
    }

    fn series(&mut self, head: &Head, begun: &mut bool, series: &'s Series, labels: &str) {
        let Some(shown) = self.store.shown(series, self.now) else { return };
        if !*begun {
            self.head(head.base, head.kind, head.help);
            *begun = true;
        }
        let line = Line { name: head.name, after: "", labels, own: None };
        match &*shown.state {
            State::Number(value) => {
                self.begin(line);
                self.float(*value);
                let of_counter = series.kind.prometheus() == Type::Counter;
                self.end(&shown, shown.exemplars.last().filter(|_| of_counter));
            }
            State::Histogram(histogram) => {
                let count = histogram.count;
                self.buckets(line, &shown, histogram.buckets(), histogram.sum, count);
            }
            State::Exponential(histogram) => {
                let buckets = histogram.buckets().into_iter();
                self.buckets(line, &shown, buckets, histogram.sum, histogram.count);
            }
            State::Summary(summary) => {
                for (quantile, value) in &summary.quantiles {
                    self.begin(Line { own: Some(("quantile", *quantile)), ..line });
                    self.float(*value);
                    self.end(&shown, None);
                }
                self.totals(line, &shown, summary.sum, summary.count);
            }
        }
        if head.created && shown.start > 0 {
            self.begin(Line { name: head.base, after: "_created", ..line });
            put_seconds(&mut self.buffer, shown.start);
            self.buffer.push(b'\n');
        }
        if self.buffer.len() >= PIECE {
            (self.out)(&self.buffer);
            self.buffer.clear();
        }
    }

    fn buckets(
        &mut self,
        line: Line,
        shown: &Shown,
        buckets: impl Iterator<Item = (f64, u64)>,
        sum: f64,
        count: u64,
    ) {
        let (mut below, mut most) = (f64::NEG_INFINITY, 0);
        let line = Line { after: "_bucket", ..line };
        for (bound, counted) in buckets {
            self.begin(Line { own: Some(("le", bound)), ..line });
            put_uint(&mut self.buffer, counted);
            self.end(shown, between(&shown.exemplars, below, bound));
            (below, most) = (bound, counted);
        }
        // Counts that do not sum up to the total must not make the last bucket the smaller one.
        let count = count.max(most);
        self.begin(Line { own: Some(("le", f64::INFINITY)), ..line });
        put_uint(&mut self.buffer, count);
        self.end(shown, between(&shown.exemplars, below, f64::INFINITY));
        self.totals(line, shown, sum, count);
    }

    fn totals(&mut self, line: Line, shown: &Shown, sum: f64, count: u64) {
        self.begin(Line { after: "_sum", ..line });
        self.float(sum);
        self.end(shown, None);
        self.begin(Line { after: "_count", ..line });
        put_uint(&mut self.buffer, count);
        self.end(shown, None);
    }

    fn target_info(&mut self, name: &str) {
        let resources = self.store.resources.iter();
        let live = |resource: &&Resource| {
            resource.updated.saturating_add(self.store.expiration) >= self.now
        };
        // Of resources with the same job and instance, the one that wrote last.
        let mut latest: BTreeMap<&str, (Nanos, &str)> = BTreeMap::new();
        for resource in resources.filter(live) {
            if let Some((labels, one)) = &resource.target {
                let escaped = labels.escaped.as_deref().filter(|_| self.escape);
                let labels = (resource.updated, escaped.unwrap_or(&labels.plain));
                latest.entry(one).and_modify(|held| *held = labels.max(*held)).or_insert(labels);
            }
        }
        let mut all: Vec<&str> = latest.into_values().map(|(_, labels)| labels).collect();
        all.sort_unstable();
        all.dedup();
        if !all.is_empty() {
            self.head(name, "gauge", "Target metadata");
        }
        for labels in all {
            self.begin(Line { name, after: "", labels, own: None });
            self.float(1.0);
            self.buffer.push(b'\n');
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let mut text = String::new();
        put_name(&mut text, name);
        let named = text.len();
        if !help.is_empty() {
            text.push(' ');
            put_escaped(&mut text, help, self.open);
            self.put("# HELP ");
            self.put(&text);
            self.put("\n");
        }
        self.put("# TYPE ");
        self.put(&text[..named]);
        self.put(" ");
        self.put(kind);
        self.put("\n");
    }

    /// The name and the labels of a line, up to its value.
    fn begin(&mut self, line: Line) {
        let quoted = !is_legacy_metric(line.name);
        if quoted {
            let mut name = String::new();
            put_name(&mut name, &format!("{}{}", line.name, line.after));
            self.put("{");
            self.put(&name);
        } else {
            self.put(line.name);
            self.put(line.after);
        }
        let mut before = if quoted { "," } else { "{" };
        if !line.labels.is_empty() {
            self.put(before);
            self.put(line.labels);
            before = ",";
        }
        if let Some((name, value)) = line.own {
            self.put(before);
            self.put(name);
            self.put("=\"");
            self.float(value);
            self.put("\"");
            before = ",";
        }
        self.put(if quoted || before == "," { "} " } else { " " });
    }

    /// The rest of a line after its value.
    fn end(&mut self, shown: &Shown, exemplar: Option<&Exemplar>) {
        if self.store.timestamps {
            self.put(" ");
            match self.open {
                true => put_seconds(&mut self.buffer, shown.time / 1_000_000 * 1_000_000),
                false => put_uint(&mut self.buffer, shown.time / 1_000_000),
            }
        }
        if let Some(exemplar) = exemplar.filter(|_| self.open) {
            self.exemplar(exemplar);
        }
        self.put("\n");
    }

    fn exemplar(&mut self, exemplar: &Exemplar) {
        self.put(" # {");
        if let Some(trace) = exemplar.trace {
            self.id("trace_id", &trace);
        }
        if let Some(span) = exemplar.span {
            self.put(if exemplar.trace.is_some() { "," } else { "" });
            self.id("span_id", &span);
        }
        self.put("} ");
        self.float(exemplar.value);
        if exemplar.time > 0 {
            self.put(" ");
            put_seconds(&mut self.buffer, exemplar.time);
        }
    }

    fn id(&mut self, name: &str, id: &[u8]) {
        self.put(name);
        self.put("=\"");
        for byte in id {
            let digit = |half: u8| b"0123456789abcdef"[usize::from(half & 15)];
            self.buffer.extend_from_slice(&[digit(byte >> 4), digit(*byte)]);
        }
        self.put("\"");
    }

    fn float(&mut self, value: f64) {
        match self.open {
            true => put_open_float(&mut self.buffer, value),
            false => put_float(&mut self.buffer, value),
        }
    }

    fn put(&mut self, text: &str) {
        self.buffer.extend_from_slice(text.as_bytes());
    }
}

/// The latest exemplar above one bound and up to another.
fn between(exemplars: &[Exemplar], below: f64, bound: f64) -> Option<&Exemplar> {
    let inside = |exemplar: &&Exemplar| exemplar.value > below && exemplar.value <= bound;
    exemplars.iter().filter(inside).max_by_key(|exemplar| exemplar.time)
}

/// A metric's name, in quotes where it must be.
fn put_name(out: &mut String, name: &str) {
    if is_legacy_metric(name) {
        return out.push_str(name);
    }
    out.push('"');
    put_escaped(out, name, true);
    out.push('"');
}

#[cfg(test)]
mod tests;
