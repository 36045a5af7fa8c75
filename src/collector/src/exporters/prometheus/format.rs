//! Which format a scraper gets: what its Accept header prefers (as prometheus/common's expfmt
//! reads it). Knows no metric.

/// A format of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The text format, version 0.0.4: without exemplars.
    Text,
    /// OpenMetrics: with exemplars and the time since when counters count.
    OpenMetrics,
}

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Negotiated {
    /// The format.
    pub format: Format,
    /// Whether names may have any characters; otherwise they are escaped to underscores.
    pub utf8: bool,
    /// Whether OpenMetrics is to be called by its first version, which reads the same.
    first: bool,
}

impl Negotiated {
    /// A format, called by its usual version.
    #[must_use]
    pub fn new(format: Format, utf8: bool) -> Self {
        Self { format, utf8, first: false }
    }

    /// Content-Type of the page.
    #[must_use]
    pub fn content_type(self) -> String {
        let (kind, version) = match self.format {
            Format::Text => ("text/plain", "0.0.4"),
            Format::OpenMetrics if self.first => ("application/openmetrics-text", "0.0.1"),
            Format::OpenMetrics => ("application/openmetrics-text", "1.0.0"),
        };
        let escaping = if self.utf8 { "allow-utf-8" } else { "underscores" };
        format!("{kind}; version={version}; charset=utf-8; escaping={escaping}")
    }
}

/// The first format that a scraper's Accept header lists and that there is, by its weights; the
/// text format without one. OpenMetrics unless `enable_open_metrics` is false: unset, unlike with
/// otelcol, it is on.
#[must_use]
pub fn negotiate(accept: Option<&str>, enable_open_metrics: Option<bool>) -> Negotiated {
    let open = enable_open_metrics.unwrap_or(true);
    let mut ranges: Vec<Range> = accept.unwrap_or("").split(',').filter_map(Range::of).collect();
    ranges.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let mut utf8 = false;
    for range in ranges {
        utf8 = range.utf8.unwrap_or(utf8);
        match (range.kind, range.version) {
            ("text/plain", None | Some("0.0.4")) => break,
            ("application/openmetrics-text", None | Some("0.0.1" | "1.0.0")) if open => {
                let first = range.version != Some("1.0.0");
                return Negotiated { format: Format::OpenMetrics, utf8, first };
            }
            _ => {}
        }
    }
    Negotiated::new(Format::Text, utf8)
}

/// One of the media ranges (RFC 9110, 12.5.1).
struct Range<'a> {
    kind: &'a str,
    version: Option<&'a str>,
    /// Whether it allows any characters in names; None where it says nothing known.
    utf8: Option<bool>,
    weight: f32,
}

impl<'a> Range<'a> {
    /// None where it is empty or refused (a weight of 0).
    fn of(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let kind = parts.next().filter(|kind| !kind.is_empty())?;
        let mut range = Self { kind, version: None, utf8: None, weight: 1.0 };
        for (name, value) in parts.filter_map(|part| part.split_once('=')) {
            let value = value.trim().trim_matches('"');
            match name.trim() {
                "q" => range.weight = value.parse().unwrap_or(0.0),
                "version" => range.version = Some(value),
                "escaping" => {
                    range.utf8 = match value {
                        "allow-utf-8" => Some(true),
                        "underscores" | "dots" | "values" => Some(false),
                        _ => None,
                    }
                }
                _ => {}
            }
        }
        (range.weight > 0.0).then_some(range)
    }
}

#[cfg(test)]
mod tests;
