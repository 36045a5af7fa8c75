//! A strict reader of the text format and of OpenMetrics, for the tests: what a page must be for
//! any scraper to read it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::format::Format;

/// A sample: its name, its labels, its value, and its exemplar as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
    pub(super) time: Option<f64>,
    pub(super) exemplar: Option<(BTreeMap<String, String>, f64, Option<f64>)>,
}

/// Reads a page; panics where it is not well-formed: families apart from one another, each
/// described once and before its samples, no series twice, buckets ascending up to the count.
pub(super) fn check(page: &str, format: Format) -> Vec<Sample> {
    let open = format == Format::OpenMetrics;
    let body = if open { page.strip_suffix("# EOF\n").expect("no EOF") } else { page };
    assert!(body.is_empty() || body.ends_with('\n'), "the last line does not end");
    let mut all = Vec::new();
    let (mut family, mut kind) = (String::new(), String::new());
    let (mut families, mut series) = (HashSet::new(), HashSet::new());
    let mut helped = String::new();
    let mut members: Vec<Sample> = Vec::new();
    for line in body.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            helped = name(&mut Cursor(rest));
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            buckets(&family, &kind, &std::mem::take(&mut members));
            let mut rest = Cursor(rest);
            family = name(&mut rest);
            kind = rest.0.trim_start().to_owned();
            assert!(helped.is_empty() || helped == family, "HELP of {helped}, TYPE of {family}");
            assert!(families.insert(family.clone()), "{family} is described twice");
            let known = ["counter", "gauge", "histogram", "summary", "unknown"];
            assert!(known.contains(&kind.as_str()) && (open || kind != "unknown"), "{line}");
            helped.clear();
            continue;
        }
        assert!(!line.starts_with('#'), "{line}");
        let sample = sample(line, open);
        belongs(&sample, &family, &kind, open);
        assert!(series.insert((sample.name.clone(), sample.labels.clone())), "twice: {line}");
        members.push(sample.clone());
        all.push(sample);
    }
    buckets(&family, &kind, &members);
    all
}

fn belongs(sample: &Sample, family: &str, kind: &str, open: bool) {
    let after = sample.name.strip_prefix(family).unwrap_or_else(|| panic!("{sample:?}: {family}"));
    let allowed: &[&str] = match (kind, open) {
        ("counter", true) => &["_total", "_created"],
        ("histogram", true) => &["_bucket", "_sum", "_count", "_created"],
        ("histogram", false) => &["_bucket", "_sum", "_count"],
        ("summary", true) => &["", "_sum", "_count", "_created"],
        ("summary", false) => &["", "_sum", "_count"],
        _ => &[""],
    };
    assert!(allowed.contains(&after), "{sample:?} in {family}, a {kind}");
    assert_eq!(sample.labels.contains_key("le"), after == "_bucket", "{sample:?}");
    if sample.exemplar.is_some() {
        assert!(open && (matches!(after, "_bucket" | "_total") || kind == "unknown"), "{sample:?}");
    }
    if let Some((labels, ..)) = &sample.exemplar {
        let length: usize = labels.iter().map(|(k, v)| k.chars().count() + v.chars().count()).sum();
        assert!(length <= 128, "{sample:?}");
    }
}

fn buckets(family: &str, kind: &str, members: &[Sample]) {
    if kind != "histogram" {
        return;
    }
    type Labels = Vec<(String, String)>;
    let mut by_series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for sample in members {
        let mut labels = sample.labels.clone();
        let le = labels.remove("le");
        let labels: Vec<_> = labels.into_iter().collect();
        if let Some(le) = le {
            let le = if le == "+Inf" { f64::INFINITY } else { le.parse().unwrap() };
            by_series.entry(labels).or_default().push((le, sample.value));
        } else if sample.name == format!("{family}_count") {
            counts.insert(labels, sample.value);
        }
    }
    let with: BTreeSet<_> = by_series.keys().collect();
    assert_eq!(with, counts.keys().collect(), "buckets and counts of {family}");
    for (labels, buckets) in &by_series {
        assert!(buckets.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1), "{buckets:?}");
        assert_eq!(*buckets.last().unwrap(), (f64::INFINITY, counts[labels]), "{family}");
    }
}

struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn eat(&mut self, text: &str) -> bool {
        match self.0.strip_prefix(text) {
            Some(rest) => self.0 = rest,
            None => return false,
        }
        true
    }

    fn quoted(&mut self) -> String {
        assert!(self.eat("\""), "no quote: {}", self.0);
        let mut out = String::new();
        let mut chars = self.0.char_indices();
        loop {
            match chars.next().expect("a quote does not end").1 {
                '"' => break,
                '\\' => out.push(match chars.next().unwrap().1 {
                    'n' => '\n',
                    c @ ('"' | '\\') => c,
                    c => panic!("escape of {c}"),
                }),
                c => out.push(c),
            }
        }
        self.0 = chars.as_str();
        out
    }

    fn word(&mut self) -> &str {
        let end = self.0.find([' ', '{', '=', ',', '}']).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    fn labels(&mut self, name: &mut String) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::new();
        while !self.eat("}") {
            let quoted = self.0.starts_with('"');
            let label = if quoted { self.quoted() } else { self.word().to_owned() };
            if self.eat("=") {
                let legacy = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && !label.starts_with(|c: char| c.is_ascii_digit());
                assert!(!label.is_empty() && legacy != quoted, "label {label:?}");
                let value = self.quoted();
                assert!(labels.insert(label, value).is_none(), "a label twice");
            } else {
                assert!(quoted && name.is_empty() && labels.is_empty(), "a name in the middle");
                *name = label;
            }
            assert!(self.0.starts_with('}') || self.eat(","), "after a label: {}", self.0);
        }
        labels
    }
}

fn name(cursor: &mut Cursor) -> String {
    if cursor.0.starts_with('"') { cursor.quoted() } else { legacy(cursor.word()) }
}

fn legacy(name: &str) -> String {
    let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':');
    assert!(fits && !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
    name.to_owned()
}

fn sample(line: &str, open: bool) -> Sample {
    let mut cursor = Cursor(line);
    let mut name = String::new();
    if !line.starts_with('{') {
        name = legacy(cursor.word());
    }
    let labels = if cursor.eat("{") { cursor.labels(&mut name) } else { BTreeMap::new() };
    assert!(!name.is_empty() && cursor.eat(" "), "{line}");
    let value = number(cursor.word());
    let mut time = None;
    if cursor.eat(" ") && !cursor.0.starts_with('#') {
        time = Some(number(cursor.word()));
        assert!(cursor.0.is_empty() || cursor.eat(" "), "{line}");
    }
    let mut exemplar = None;
    if cursor.eat("# {") {
        assert!(open, "{line}");
        let labels = cursor.labels(&mut "x".to_owned());
        assert!(cursor.eat(" "), "{line}");
        let value = number(cursor.word());
        let time = cursor.eat(" ").then(|| number(cursor.word()));
        exemplar = Some((labels, value, time));
    }
    assert!(cursor.0.is_empty(), "{line}: {}", cursor.0);
    Sample { name, labels, value, time, exemplar }
}

fn number(text: &str) -> f64 {
    match text {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        text => text.parse().unwrap_or_else(|_| panic!("no number: {text:?}")),
    }
}
