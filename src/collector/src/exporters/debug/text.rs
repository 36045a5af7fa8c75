//! otelcol's text forms of telemetry (core exporter/debugexporter v0.155: exporter.go,
//! internal/normal, internal/otlptext), as much of them as a log should hold. Pure: knows neither
//! the log nor the settings.

mod detailed;
mod format;
mod normal;
mod points;

use std::fmt::{self, Write};

use crate::signal::Signal;
use crate::signal::otlp::{AnyValue, KeyValue, Logs, Metric, Metrics, Traces};
use crate::signal::view::{Repeated, Sub, View};

/// Bytes of text that are made of requests at most. otelcol has no limit.
pub const MAX_BYTES: usize = 4 << 20;

/// How many there are of what: one line, as otelcol's console shows it.
#[must_use]
pub fn counts(signal: Signal, requests: &[&[u8]]) -> String {
    let (mut resources, mut metrics, mut items) = (0, 0, 0);
    for request in requests {
        match signal {
            Signal::Traces => Traces::parse(request).resource_spans.iter().for_each(|resource| {
                resources += 1;
                items +=
                    resource.scope_spans.iter().map(|s| s.spans.bytes().count()).sum::<usize>();
            }),
            Signal::Logs => Logs::parse(request).resource_logs.iter().for_each(|resource| {
                let scopes = resource.scope_logs.iter();
                resources += 1;
                items += scopes.map(|scope| scope.log_records.bytes().count()).sum::<usize>();
            }),
            Signal::Metrics => Metrics::parse(request).resource_metrics.iter().for_each(|one| {
                resources += 1;
                for metric in one.scope_metrics.iter().flat_map(|scope| scope.metrics.iter()) {
                    metrics += 1;
                    items += points_of(&metric);
                }
            }),
        }
    }
    match signal {
        Signal::Traces => {
            format!("Traces\t{{\"resource spans\": {resources}, \"spans\": {items}}}")
        }
        Signal::Logs => {
            format!("Logs\t{{\"resource logs\": {resources}, \"log records\": {items}}}")
        }
        Signal::Metrics => format!(
            "Metrics\t{{\"resource metrics\": {resources}, \"metrics\": {metrics}, \
             \"data points\": {items}}}"
        ),
    }
}

fn points_of(metric: &Metric<'_>) -> usize {
    let number = metric.gauge.map(|gauge| gauge.view().data_points);
    let number = number.or_else(|| metric.sum.map(|sum| sum.view().data_points));
    let histogram = metric.histogram.map(|one| one.view().data_points);
    let exponential = metric.exponential_histogram.map(|one| one.view().data_points);
    let summary = metric.summary.map(|one| one.view().data_points);
    number.map_or(0, |points| points.bytes().count())
        + histogram.map_or(0, |points| points.bytes().count())
        + exponential.map_or(0, |points| points.bytes().count())
        + summary.map_or(0, |points| points.bytes().count())
}

/// About a line for each item.
#[must_use]
pub fn normal(signal: Signal, requests: &[&[u8]]) -> String {
    bounded(MAX_BYTES, |out| match signal {
        Signal::Traces => normal::traces(requests, out),
        Signal::Metrics => normal::metrics(requests, out),
        Signal::Logs => normal::logs(requests, out),
    })
}

/// Everything.
#[must_use]
pub fn detailed(signal: Signal, requests: &[&[u8]]) -> String {
    bounded(MAX_BYTES, |out| match signal {
        Signal::Traces => detailed::traces(requests, out),
        Signal::Metrics => detailed::metrics(requests, out),
        Signal::Logs => detailed::logs(requests, out),
    })
}

/// What is written, up to a number of bytes; where there is more, a last line says so.
fn bounded(bytes: usize, write: impl FnOnce(&mut Bounded) -> fmt::Result) -> String {
    let mut out = Bounded { text: String::new(), room: bytes };
    // The only error is that there is no room left.
    if write(&mut out).is_err() {
        out.text.push_str("\n… and more\n");
    }
    out.text
}

/// Text with an end.
struct Bounded {
    text: String,
    room: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let fits = text.floor_char_boundary(self.room);
        self.text.push_str(&text[..fits]);
        self.room -= fits;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

/// Attributes.
type Attributes<'a> = Repeated<'a, KeyValue<'static>>;

/// The value of an attribute or a body; one without a type where there is none.
fn value<'a>(value: Option<Sub<'a, AnyValue<'static>>>) -> AnyValue<'a> {
    value.map_or(AnyValue::parse(&[]), Sub::view)
}

#[cfg(test)]
mod tests;
