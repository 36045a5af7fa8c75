//! Names of metrics and labels as Prometheus has them, from those of OTLP: the rules of
//! github.com/prometheus/otlptranslator v1.0 as exporter/prometheusexporter v0.155 uses them.
//! Knows nothing of series.

use std::borrow::Cow;

use obspipe_model::components::prometheus::{Prometheus, TranslationStrategy};

/// Name of the series that tells a resource's attributes (OpenTelemetry, Prometheus compatibility).
const TARGET_INFO: &str = "target_info";

/// What a metric's name depends on besides its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// `_total`: a monotonic sum.
    Total,
    /// `_ratio` where the unit is 1: a gauge.
    Ratio,
    /// None.
    None,
}

/// Makes names.
#[derive(Clone, Debug)]
pub struct Namer {
    suffixes: bool,
    utf8: bool,
    namespace: String,
    target_info: String,
}

impl Namer {
    /// As the settings say; `translation_strategy` wins over `add_metric_suffixes`.
    #[must_use]
    pub fn new(settings: &Prometheus) -> Self {
        use TranslationStrategy::*;
        let (suffixes, utf8) = match settings.translation_strategy {
            Some(UnderscoreEscapingWithSuffixes) => (true, false),
            Some(UnderscoreEscapingWithoutSuffixes) => (false, false),
            Some(NoUtf8EscapingWithSuffixes) => (true, true),
            Some(NoTranslation) => (false, true),
            None => (settings.add_metric_suffixes.unwrap_or(true), false),
        };
        let namespace = match (utf8, suffixes) {
            (true, _) => settings.namespace.clone(),
            (false, true) => settings.namespace.chars().map(metric_char).collect(),
            (false, false) => joined(&settings.namespace),
        };
        let mut namer = Self { suffixes, utf8, namespace, target_info: TARGET_INFO.to_owned() };
        if let Some(before) = namer.label(&settings.namespace) {
            namer.target_info = format!("{before}_{TARGET_INFO}");
        }
        namer
    }

    /// Whether names may have characters that older Prometheus servers do not know.
    #[must_use]
    pub fn utf8(&self) -> bool {
        self.utf8
    }

    /// Name of the series that tells a resource's attributes.
    #[must_use]
    pub fn target_info(&self) -> &str {
        &self.target_info
    }

    /// The name of a metric. None where nothing is left of it.
    #[must_use]
    pub fn metric(&self, name: &str, unit: &str, suffix: Suffix) -> Option<String> {
        let made = match (self.utf8, self.suffixes) {
            (true, true) => self.utf8_suffixed(name, unit, suffix),
            (true, false) => self.prefixed(name),
            (false, true) => self.suffixed(name, unit, suffix),
            (false, false) => digit_first(self.prefixed(&joined(name))),
        };
        let nothing = !self.utf8 && made != name && made.bytes().all(|b| b == b'_');
        (!made.is_empty() && !nothing).then_some(made)
    }

    /// The name of a label. None where nothing is left of it, or where it begins with two
    /// underscores, as Prometheus's own do.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<String> {
        let name = if self.utf8 {
            key.to_owned()
        } else {
            let digit = key.starts_with(|c: char| c.is_ascii_digit());
            let before = if digit { "key_" } else { "" };
            before.chars().chain(key.chars().map(label_char)).collect()
        };
        let nothing = name.bytes().all(|b| b == b'_') || name.starts_with("__");
        (!nothing).then_some(name)
    }

    fn prefixed(&self, name: &str) -> String {
        match self.namespace.as_str() {
            "" => name.to_owned(),
            namespace => format!("{namespace}_{name}"),
        }
    }

    /// Words, unit, what it is per, and the suffix, each once.
    fn suffixed(&self, name: &str, unit: &str, suffix: Suffix) -> String {
        let mut words: Vec<&str> = name.split(|c| !is_metric_char(c)).collect();
        words.retain(|word| !word.is_empty());
        let (main, per) = units(unit);
        let (main, per) = (clean(&main), clean(&per));
        let per = if per == "per_" { "" } else { per.strip_suffix('_').unwrap_or(&per) };
        let per = if words.contains(&per) { "" } else { per };
        let main = if words.contains(&main.as_str()) { "" } else { &main };
        let main = if per.is_empty() { main } else { main.strip_suffix('_').unwrap_or(main) };
        words.extend([main, per].into_iter().filter(|word| !word.is_empty()));
        if let Some(last) = last_word(unit, suffix) {
            words.retain(|word| *word != last);
            words.push(last);
        }
        if !self.namespace.is_empty() {
            words.insert(0, &self.namespace);
        }
        digit_first(words.join("_"))
    }

    fn utf8_suffixed(&self, name: &str, unit: &str, suffix: Suffix) -> String {
        let mut made = self.prefixed(name);
        let last = last_word(unit, suffix);
        if let Some(last) = last {
            trim_word(&mut made, last);
        }
        let (main, per) = units(unit);
        trim_word(&mut made, &per);
        if !made.ends_with(&*main) {
            made = format!("{made}_{main}");
        }
        for word in [&*per, last.unwrap_or("")].into_iter().filter(|word| !word.is_empty()) {
            made = format!("{made}_{word}");
        }
        made
    }
}

/// A name for servers that know only letters, digits, underscores and colons (Prometheus escaping
/// scheme `underscores`).
#[must_use]
pub fn escaped(name: &str) -> Cow<'_, str> {
    if is_legacy_metric(name) {
        return Cow::Borrowed(name);
    }
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    let mut name: String = name.chars().map(metric_char).collect();
    if digit {
        name.replace_range(..1, "_");
    }
    Cow::Owned(name)
}

/// As [`escaped`], of a label: no colon.
#[must_use]
pub fn escaped_label(name: &str) -> Cow<'_, str> {
    match escaped(name) {
        name if name.contains(':') => Cow::Owned(name.replace(':', "_")),
        name => name,
    }
}

/// Whether a metric's name needs no quotes.
#[must_use]
pub fn is_legacy_metric(name: &str) -> bool {
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    !digit && !name.is_empty() && name.chars().all(|c| c == '_' || is_metric_char(c))
}

/// Whether a label's name needs no quotes.
#[must_use]
pub fn is_legacy_label(name: &str) -> bool {
    is_legacy_metric(name) && !name.contains(':')
}

fn is_metric_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == ':'
}

fn metric_char(c: char) -> char {
    if is_metric_char(c) { c } else { '_' }
}

fn label_char(c: char) -> char {
    if c.is_ascii_alphanumeric() { c } else { '_' }
}

/// What lies between other characters, joined by underscores; underscores are kept.
fn joined(name: &str) -> String {
    let words = name.split(|c| c != '_' && !is_metric_char(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

fn digit_first(name: String) -> String {
    match name.as_bytes().first() {
        Some(b'0'..=b'9') => format!("_{name}"),
        _ => name,
    }
}

fn last_word(unit: &str, suffix: Suffix) -> Option<&'static str> {
    match suffix {
        Suffix::Total => Some("total"),
        Suffix::Ratio if unit == "1" => Some("ratio"),
        _ => None,
    }
}

/// Takes a word off the end, and the character before it, unless nothing would be left.
fn trim_word(name: &mut String, word: &str) {
    if !word.is_empty() && name.ends_with(word) && name.len() > word.len() + 1 {
        name.truncate(name.len() - word.len());
        name.pop();
    }
}

/// A unit as part of a name: other characters to underscores, no two in a row, none first.
fn clean(unit: &str) -> String {
    let mut cleaned = String::with_capacity(unit.len());
    for c in unit.chars().map(metric_char) {
        if c != '_' || !(cleaned.is_empty() || cleaned.ends_with('_')) {
            cleaned.push(c);
        }
    }
    cleaned
}

/// A unit's words, and those of what it is per. Annotations, `{…}`, have none.
fn units(unit: &str) -> (Cow<'_, str>, Cow<'_, str>) {
    let (main, per) = unit.split_once('/').unwrap_or((unit, ""));
    let plain = |part: &'_ str| !part.is_empty() && !part.contains(['{', '}']);
    let (main, per) = (main.trim(), per.trim());
    let main = if plain(main) { main_unit(main) } else { "" };
    let per = if plain(per) { format!("per_{}", per_unit(per)) } else { String::new() };
    (Cow::Borrowed(main), Cow::Owned(per))
}

fn main_unit(unit: &str) -> &str {
    match unit {
        "d" => "days",
        "h" => "hours",
        "min" => "minutes",
        "s" => "seconds",
        "ms" => "milliseconds",
        "us" => "microseconds",
        "ns" => "nanoseconds",
        "By" => "bytes",
        "KiBy" => "kibibytes",
        "MiBy" => "mebibytes",
        "GiBy" => "gibibytes",
        "TiBy" => "tibibytes",
        "KBy" => "kilobytes",
        "MBy" => "megabytes",
        "GBy" => "gigabytes",
        "TBy" => "terabytes",
        "m" => "meters",
        "V" => "volts",
        "A" => "amperes",
        "J" => "joules",
        "W" => "watts",
        "g" => "grams",
        "Cel" => "celsius",
        "Hz" => "hertz",
        "1" => "",
        "%" => "percent",
        other => other,
    }
}

fn per_unit(unit: &str) -> &str {
    match unit {
        "s" => "second",
        "m" => "minute",
        "h" => "hour",
        "d" => "day",
        "w" => "week",
        "mo" => "month",
        "y" => "year",
        other => other,
    }
}

#[cfg(test)]
mod tests;
