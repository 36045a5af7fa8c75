//! The normal form: about a line for each item.

use std::fmt::{self, Write};

use super::format::{Fixed, General, Id, bucket_factor};
use super::points::{ascending, descending};
use super::{Attributes, value};
use crate::signal::as_string::Shown;
use crate::signal::otlp::{
    ExponentialHistogramDataPoint, HistogramDataPoint, Logs, Metric, Metrics, NumberDataPoint,
    Resource, Scope, SummaryDataPoint, Traces,
};
use crate::signal::view::{Sub, Text, View};

pub(super) fn traces(requests: &[&[u8]], out: &mut dyn Write) -> fmt::Result {
    let resources = requests.iter().flat_map(|bytes| Traces::parse(bytes).resource_spans.iter());
    for (index, one) in resources.enumerate() {
        resource("ResourceTraces", index, one.schema_url, one.resource, out)?;
        for scope in one.scope_spans.iter() {
            self::scope("ScopeTraces", index, scope.schema_url, scope.scope, out)?;
            for span in scope.spans.iter() {
                let (trace, id) = (Id(span.trace_id), Id(span.span_id));
                write!(out, "{} {trace} {id}", span.name.lossy())?;
                attributes(" ", " ", span.attributes, out)?;
                out.write_str("\n")?;
            }
        }
    }
    Ok(())
}

pub(super) fn logs(requests: &[&[u8]], out: &mut dyn Write) -> fmt::Result {
    let resources = requests.iter().flat_map(|bytes| Logs::parse(bytes).resource_logs.iter());
    for (index, one) in resources.enumerate() {
        resource("ResourceLog", index, one.schema_url, one.resource, out)?;
        for scope in one.scope_logs.iter() {
            self::scope("ScopeLog", index, scope.schema_url, scope.scope, out)?;
            for record in scope.log_records.iter() {
                write!(out, "{} ", Shown(&value(record.body)))?;
                attributes("", " ", record.attributes, out)?;
                out.write_str("\n")?;
            }
        }
    }
    Ok(())
}

pub(super) fn metrics(requests: &[&[u8]], out: &mut dyn Write) -> fmt::Result {
    let resources = requests.iter().flat_map(|bytes| Metrics::parse(bytes).resource_metrics.iter());
    for (index, one) in resources.enumerate() {
        resource("ResourceMetrics", index, one.schema_url, one.resource, out)?;
        for scope in one.scope_metrics.iter() {
            self::scope("ScopeMetrics", index, scope.schema_url, scope.scope, out)?;
            for metric in scope.metrics.iter() {
                self::metric(&metric, out)?;
            }
        }
    }
    Ok(())
}

fn resource(
    kind: &str,
    index: usize,
    schema_url: Text<'_>,
    resource: Option<Sub<'_, Resource<'static>>>,
    out: &mut dyn Write,
) -> fmt::Result {
    write!(out, "{kind} #{index}")?;
    if !schema_url.is_empty() {
        write!(out, " [{}]", schema_url.lossy())?;
    }
    if let Some(resource) = resource.map(Sub::view) {
        attributes(" ", " ", resource.attributes, out)?;
    }
    out.write_str("\n")
}

/// `index` is the resource's: so otelcol numbers scopes.
fn scope(
    kind: &str,
    index: usize,
    schema_url: Text<'_>,
    scope: Option<Sub<'_, Scope<'static>>>,
    out: &mut dyn Write,
) -> fmt::Result {
    let scope = scope.map_or(Scope::parse(&[]), Sub::view);
    write!(out, "{kind} #{index}")?;
    if !(scope.name.is_empty() && scope.version.is_empty()) {
        write!(out, " {}", scope.name.lossy())?;
    }
    if !scope.version.is_empty() {
        write!(out, "@{}", scope.version.lossy())?;
    }
    if !schema_url.is_empty() {
        write!(out, " [{}]", schema_url.lossy())?;
    }
    attributes(" ", " ", scope.attributes, out)?;
    out.write_str("\n")
}

/// `key=value`, `before` the first and `between` the others.
fn attributes(
    before: &str,
    between: &str,
    attributes: Attributes<'_>,
    out: &mut dyn Write,
) -> fmt::Result {
    for (index, attribute) in attributes.iter().enumerate() {
        out.write_str(if index == 0 { before } else { between })?;
        let value = value(attribute.value);
        write!(out, "{}={}", attribute.key.lossy(), Shown(&value))?;
    }
    Ok(())
}

fn metric(metric: &Metric<'_>, out: &mut dyn Write) -> fmt::Result {
    let number = metric.gauge.map(|gauge| gauge.view().data_points);
    let number = number.or_else(|| metric.sum.map(|sum| sum.view().data_points));
    for point in number.into_iter().flat_map(|points| points.iter()) {
        series(metric, point.attributes, out)?;
        self::number(&point, out)?;
    }
    let histogram = metric.histogram.map(|one| one.view().data_points);
    for point in histogram.into_iter().flat_map(|points| points.iter()) {
        series(metric, point.attributes, out)?;
        self::histogram(&point, out)?;
    }
    let exponential = metric.exponential_histogram.map(|one| one.view().data_points);
    for point in exponential.into_iter().flat_map(|points| points.iter()) {
        series(metric, point.attributes, out)?;
        exponential_histogram(&point, out)?;
    }
    let summary = metric.summary.map(|one| one.view().data_points);
    for point in summary.into_iter().flat_map(|points| points.iter()) {
        series(metric, point.attributes, out)?;
        self::summary(&point, out)?;
    }
    Ok(())
}

/// The name and attributes of a point, and a space.
fn series(metric: &Metric<'_>, of: Attributes<'_>, out: &mut dyn Write) -> fmt::Result {
    write!(out, "{}{{", metric.name.lossy())?;
    attributes("", ",", of, out)?;
    out.write_str("} ")
}

fn number(point: &NumberDataPoint<'_>, out: &mut dyn Write) -> fmt::Result {
    match (point.as_int, point.as_double) {
        (Some(int), _) => writeln!(out, "{int}"),
        (None, Some(double)) => writeln!(out, "{}", General(double)),
        (None, None) => out.write_str("\n"),
    }
}

/// Count, sum, least and greatest of a histogram; those that there are.
fn totals(count: u64, numbers: [(&str, Option<f64>); 3], out: &mut dyn Write) -> fmt::Result {
    write!(out, "count={count}")?;
    for (name, number) in numbers {
        if let Some(number) = number {
            write!(out, " {name}={}", General(number))?;
        }
    }
    Ok(())
}

fn histogram(point: &HistogramDataPoint<'_>, out: &mut dyn Write) -> fmt::Result {
    let numbers = [("sum", point.sum), ("min", point.min), ("max", point.max)];
    totals(point.count, numbers, out)?;
    let mut bounds = point.explicit_bounds.iter();
    for count in point.bucket_counts.iter() {
        match bounds.next() {
            Some(bound) => write!(out, " le{}={count}", General(bound))?,
            None => write!(out, " {count}")?,
        }
    }
    out.write_str("\n")
}

fn exponential_histogram(
    point: &ExponentialHistogramDataPoint<'_>,
    out: &mut dyn Write,
) -> fmt::Result {
    let numbers = [("sum", point.sum), ("min", point.min), ("max", point.max)];
    totals(point.count, numbers, out)?;
    let factor = bucket_factor(point.scale);
    for (index, count) in descending(point.negative) {
        write!(out, " le{}={count}", General(-(index * factor).exp()))?;
    }
    if point.zero_count != 0 {
        write!(out, " zero={}", point.zero_count)?;
    }
    for (index, count) in ascending(point.positive) {
        write!(out, " le{}={count}", General(((index + 1.0) * factor).exp()))?;
    }
    out.write_str("\n")
}

fn summary(point: &SummaryDataPoint<'_>, out: &mut dyn Write) -> fmt::Result {
    write!(out, "count={} sum={}", point.count, Fixed(point.sum))?;
    for at in point.quantile_values.iter() {
        write!(out, " q{}={}", General(at.quantile), General(at.value))?;
    }
    out.write_str("\n")
}
