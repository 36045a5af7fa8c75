//! The detailed form of metrics and their data points.

use std::fmt::{self, Display, Write};

use super::detailed::attributes;
use super::format::{Fixed, Id, Time, bucket_factor, temporality};
use super::{Attributes, MAX_BYTES};
use crate::signal::otlp::{
    Buckets, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint,
};
use crate::signal::view::{Repeated, Sub, View};

pub(super) fn metric(metric: &Metric<'_>, out: &mut dyn Write) -> fmt::Result {
    out.write_str("Descriptor:\n")?;
    writeln!(out, "     -> Name: {}", metric.name.lossy())?;
    writeln!(out, "     -> Description: {}", metric.description.lossy())?;
    writeln!(out, "     -> Unit: {}", metric.unit.lossy())?;
    writeln!(out, "     -> DataType: {}", data_type(metric))?;
    attributes("     -> Metadata:", "          ->", metric.metadata, out)?;
    if let Some(gauge) = metric.gauge.map(Sub::view) {
        numbers(gauge.data_points, out)
    } else if let Some(sum) = metric.sum.map(Sub::view) {
        writeln!(out, "     -> IsMonotonic: {}", sum.is_monotonic)?;
        aggregation(sum.aggregation_temporality, out)?;
        numbers(sum.data_points, out)
    } else if let Some(data) = metric.histogram.map(Sub::view) {
        histograms(&data, out)
    } else if let Some(data) = metric.exponential_histogram.map(Sub::view) {
        exponential_histograms(&data, out)
    } else if let Some(data) = metric.summary.map(Sub::view) {
        summaries(data.data_points, out)
    } else {
        Ok(())
    }
}

fn data_type(metric: &Metric<'_>) -> &'static str {
    let types = [
        (metric.gauge.is_some(), "Gauge"),
        (metric.sum.is_some(), "Sum"),
        (metric.histogram.is_some(), "Histogram"),
        (metric.exponential_histogram.is_some(), "ExponentialHistogram"),
        (metric.summary.is_some(), "Summary"),
    ];
    types.iter().find(|(is, _)| *is).map_or("Empty", |(_, name)| name)
}

fn aggregation(number: i32, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "     -> AggregationTemporality: {}", temporality(number))
}

/// What all data points have.
fn point(
    (kind, index): (&str, usize),
    of: Attributes<'_>,
    (start, time): (u64, u64),
    out: &mut dyn Write,
) -> fmt::Result {
    writeln!(out, "{kind}DataPoints #{index}")?;
    attributes("Data point attributes:", "     ->", of, out)?;
    writeln!(out, "StartTimestamp: {}", Time(start))?;
    writeln!(out, "Timestamp: {}", Time(time))
}

fn numbers(points: Repeated<'_, NumberDataPoint<'static>>, out: &mut dyn Write) -> fmt::Result {
    for (index, one) in points.iter().enumerate() {
        let times = (one.start_time_unix_nano, one.time_unix_nano);
        point(("Number", index), one.attributes, times, out)?;
        number("Value: ", one.as_int, one.as_double, out)?;
        exemplars(one.exemplars, out)?;
    }
    Ok(())
}

fn number(label: &str, int: Option<i64>, double: Option<f64>, out: &mut dyn Write) -> fmt::Result {
    match (int, double) {
        (Some(int), _) => writeln!(out, "{label}{int}"),
        (None, Some(double)) => writeln!(out, "{label}{}", Fixed(double)),
        (None, None) => Ok(()),
    }
}

/// Count, sum, least and greatest of a histogram; those that there are.
fn totals(count: u64, numbers: [(&str, Option<f64>); 3], out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "Count: {count}")?;
    for (name, number) in numbers {
        if let Some(number) = number {
            writeln!(out, "{name}: {}", Fixed(number))?;
        }
    }
    Ok(())
}

fn histograms(data: &Histogram<'_>, out: &mut dyn Write) -> fmt::Result {
    aggregation(data.aggregation_temporality, out)?;
    for (index, one) in data.data_points.iter().enumerate() {
        let times = (one.start_time_unix_nano, one.time_unix_nano);
        point(("Histogram", index), one.attributes, times, out)?;
        histogram(&one, out)?;
    }
    Ok(())
}

fn histogram(point: &HistogramDataPoint<'_>, out: &mut dyn Write) -> fmt::Result {
    let numbers = [("Sum", point.sum), ("Min", point.min), ("Max", point.max)];
    totals(point.count, numbers, out)?;
    for (index, bound) in point.explicit_bounds.iter().enumerate() {
        writeln!(out, "ExplicitBounds #{index}: {}", Fixed(bound))?;
    }
    for (index, count) in point.bucket_counts.iter().enumerate() {
        writeln!(out, "Buckets #{index}, Count: {count}")?;
    }
    exemplars(point.exemplars, out)
}

fn exponential_histograms(data: &ExponentialHistogram<'_>, out: &mut dyn Write) -> fmt::Result {
    aggregation(data.aggregation_temporality, out)?;
    for (index, one) in data.data_points.iter().enumerate() {
        let times = (one.start_time_unix_nano, one.time_unix_nano);
        point(("ExponentialHistogram", index), one.attributes, times, out)?;
        exponential_histogram(&one, out)?;
    }
    Ok(())
}

fn exponential_histogram(
    point: &ExponentialHistogramDataPoint<'_>,
    out: &mut dyn Write,
) -> fmt::Result {
    let numbers = [("Sum", point.sum), ("Min", point.min), ("Max", point.max)];
    totals(point.count, numbers, out)?;
    let factor = bucket_factor(point.scale);
    let bound = |index: f64| (index * factor).exp();
    for (index, count) in descending(point.negative) {
        let (upper, lower) = (Fixed(-bound(index + 1.0)), Fixed(-bound(index)));
        bucket("[", (&upper, &lower), ")", count, out)?;
    }
    if point.zero_count != 0 {
        bucket("[", (&0, &0), "]", point.zero_count, out)?;
    }
    for (index, count) in ascending(point.positive) {
        bucket("(", (&Fixed(bound(index)), &Fixed(bound(index + 1.0))), "]", count, out)?;
    }
    exemplars(point.exemplars, out)
}

fn bucket(
    open: &str,
    (from, to): (&dyn Display, &dyn Display),
    close: &str,
    count: u64,
    out: &mut dyn Write,
) -> fmt::Result {
    writeln!(out, "Bucket {open}{from}, {to}{close}, Count: {count}")
}

/// Index and count of each bucket.
pub(super) fn ascending<'a>(
    buckets: Option<Sub<'a, Buckets<'static>>>,
) -> impl Iterator<Item = (f64, u64)> + 'a {
    let buckets = buckets.map_or(Buckets::parse(&[]), Sub::view);
    let mut next = f64::from(buckets.offset);
    buckets.bucket_counts.iter().map(move |count| {
        let index = next;
        next += 1.0;
        (index, count.0)
    })
}

/// The same from the last to the first; of very many, as many as can have room in the text.
pub(super) fn descending(
    buckets: Option<Sub<'_, Buckets<'static>>>,
) -> impl Iterator<Item = (f64, u64)> {
    const SHORTEST: usize = " le-1=0".len();
    let unseen = ascending(buckets).count().saturating_sub(MAX_BYTES / SHORTEST + 1);
    let seen: Vec<(f64, u64)> = ascending(buckets).skip(unseen).collect();
    seen.into_iter().rev()
}

fn summaries(points: Repeated<'_, SummaryDataPoint<'static>>, out: &mut dyn Write) -> fmt::Result {
    for (index, one) in points.iter().enumerate() {
        let times = (one.start_time_unix_nano, one.time_unix_nano);
        point(("Summary", index), one.attributes, times, out)?;
        totals(one.count, [("Sum", Some(one.sum)), ("Min", None), ("Max", None)], out)?;
        for (index, at) in one.quantile_values.iter().enumerate() {
            let (quantile, value) = (Fixed(at.quantile), Fixed(at.value));
            writeln!(out, "QuantileValue #{index}: Quantile {quantile}, Value {value}")?;
        }
    }
    Ok(())
}

fn exemplars(exemplars: Repeated<'_, Exemplar<'static>>, out: &mut dyn Write) -> fmt::Result {
    if !exemplars.is_empty() {
        out.write_str("Exemplars:\n")?;
    }
    for (index, exemplar) in exemplars.iter().enumerate() {
        writeln!(out, "Exemplar #{index}")?;
        writeln!(out, "     -> Trace ID: {}", Id(exemplar.trace_id))?;
        writeln!(out, "     -> Span ID: {}", Id(exemplar.span_id))?;
        writeln!(out, "     -> Timestamp: {}", Time(exemplar.time_unix_nano))?;
        number("     -> Value: ", exemplar.as_int, exemplar.as_double, out)?;
        let of = exemplar.filtered_attributes;
        attributes("     -> FilteredAttributes:", "          ->", of, out)?;
    }
    Ok(())
}
