//! The lines of the page: the text format (Prometheus exposition formats) or OpenMetrics 1.0. Knows
//! no order of families and series, and reads no clock.

use super::super::labels::put_escaped;
use super::super::names::is_legacy_metric;
use super::super::number::{put_float, put_open_float, put_seconds, put_uint};
use super::super::point::{Exemplar, Type};
use super::super::state::State;
use super::super::store::{Series, Shown};
use super::Head;

/// Where lines are written.
pub(super) struct Lines {
    /// Whether in OpenMetrics.
    pub(super) open: bool,
    /// Whether with the times of points.
    pub(super) timestamps: bool,
    pub(super) buffer: Vec<u8>,
}

/// Which line of a series.
#[derive(Clone, Copy)]
struct Line<'a> {
    name: &'a str,
    after: &'static str,
    labels: &'a str,
    own: Option<(&'static str, f64)>,
}

impl Lines {
    /// All lines of a series.
    pub(super) fn series(&mut self, head: &Head, series: &Series, shown: &Shown, labels: &str) {
        let line = Line { name: &head.name, after: "", labels, own: None };
        match &*shown.state {
            State::Number(value) => {
                self.begin(line);
                self.float(*value);
                let of_counter = series.kind.prometheus() == Type::Counter;
                self.end(shown, shown.exemplars.last().filter(|_| of_counter));
            }
            State::Histogram(histogram) => {
                let count = histogram.count;
                self.buckets(line, shown, histogram.buckets(), histogram.sum, count);
            }
            State::Exponential(histogram) => {
                let buckets = histogram.buckets().into_iter();
                self.buckets(line, shown, buckets, histogram.sum, histogram.count);
            }
            State::Summary(summary) => {
                for (quantile, value) in &summary.quantiles {
                    self.begin(Line { own: Some(("quantile", *quantile)), ..line });
                    self.float(*value);
                    self.end(shown, None);
                }
                self.totals(line, shown, summary.sum, summary.count);
            }
        }
        if head.created && shown.start > 0 {
            self.begin(Line { name: head.base(), after: "_created", ..line });
            put_seconds(&mut self.buffer, shown.start);
            self.buffer.push(b'\n');
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

    /// The line of a resource.
    pub(super) fn target(&mut self, head: &Head, labels: &str) {
        self.begin(Line { name: &head.name, after: "", labels, own: None });
        self.float(1.0);
        self.put("\n");
    }

    /// What stands before a family.
    pub(super) fn head(&mut self, head: &Head) {
        let mut text = String::new();
        put_name(&mut text, head.base());
        let named = text.len();
        if !head.help.is_empty() {
            text.push(' ');
            put_escaped(&mut text, &head.help, self.open);
            self.put("# HELP ");
            self.put(&text);
            self.put("\n");
        }
        self.put("# TYPE ");
        self.put(&text[..named]);
        self.put(" ");
        self.put(head.kind);
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
        if self.timestamps {
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
