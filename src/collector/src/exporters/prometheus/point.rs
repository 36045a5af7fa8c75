//! A data point of any type as the store takes it, and why it may be refused. Knows no series.

use std::fmt;

use super::names::Suffix;
use crate::signal::otlp::{
    Exemplar as ExemplarView, ExponentialHistogramDataPoint, HistogramDataPoint, KeyValue, Metric,
    NumberDataPoint, SummaryDataPoint,
};
use crate::signal::view::{Repeated, View};
use crate::signal::wire::{Fields, Raw};

/// Nanoseconds of a clock that only goes forward.
pub type Nanos = u64;

/// Why a data point is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A sum or a histogram that is neither cumulative nor delta.
    Temporality,
    /// A delta sum that is not monotonic: without its beginning there is no value.
    NonMonotonicDelta,
    /// A delta whose time was accumulated already.
    Overlap,
    /// A time before that of the value held.
    OlderTimestamp,
    /// More series than `series_limit`.
    SeriesLimit,
    /// The name is taken by a metric of another type.
    TypeConflict,
    /// Other attributes or another name make the same series, or the name is one of the lines that
    /// another metric has.
    NameClash,
    /// Nothing is left of the metric's name.
    MetricName,
    /// An attribute's key makes no label.
    LabelName,
    /// An exponential histogram with a scale below -4.
    Scale,
    /// Buckets that do not fit their bounds, or bounds that do not ascend.
    Malformed,
}

impl Reason {
    /// As a label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Temporality => "temporality",
            Self::NonMonotonicDelta => "non_monotonic_delta",
            Self::Overlap => "overlap",
            Self::OlderTimestamp => "older_timestamp",
            Self::SeriesLimit => "series_limit",
            Self::TypeConflict => "type_conflict",
            Self::NameClash => "name_clash",
            Self::MetricName => "metric_name",
            Self::LabelName => "label_name",
            Self::Scale => "scale",
            Self::Malformed => "malformed",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A sum that only grows.
    Counter,
    /// A sum that goes up and down.
    UpDown,
    /// Explicit buckets.
    Histogram,
    /// Exponential buckets.
    Exponential,
    /// Quantiles.
    Summary,
}

/// What Prometheus calls a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Has buckets.
    Histogram,
    /// Has quantiles.
    Summary,
}

impl Type {
    /// As on the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }
}

impl Kind {
    /// The type that Prometheus knows.
    #[must_use]
    pub fn prometheus(self) -> Type {
        match self {
            Self::Gauge | Self::UpDown => Type::Gauge,
            Self::Counter => Type::Counter,
            Self::Histogram | Self::Exponential => Type::Histogram,
            Self::Summary => Type::Summary,
        }
    }

    /// What is put after the name.
    #[must_use]
    pub fn suffix(self) -> Suffix {
        match self {
            Self::Gauge => Suffix::Ratio,
            Self::Counter => Suffix::Total,
            _ => Suffix::None,
        }
    }

    /// Whether the values of several writers make one by addition.
    #[must_use]
    pub fn adds(self) -> bool {
        !matches!(self, Self::Gauge | Self::Summary)
    }

    /// Whether what a writer that ended had counted still counts.
    #[must_use]
    pub fn retains(self) -> bool {
        matches!(self, Self::Counter | Self::Histogram | Self::Exponential)
    }

    /// The label that the page itself writes.
    #[must_use]
    pub fn own_label(self) -> Option<&'static str> {
        match self {
            Self::Histogram | Self::Exponential => Some("le"),
            Self::Summary => Some("quantile"),
            _ => None,
        }
    }
}

/// How a metric's points follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    /// What the metric is.
    pub kind: Kind,
    /// Whether a point tells only what came since the one before.
    pub delta: bool,
}

impl Stream {
    /// Of a metric. None for one that has no data; the error is for all its points.
    pub fn of(metric: &Metric) -> Option<Result<Self, Reason>> {
        let (kind, temporality) = if metric.gauge.is_some() {
            (Kind::Gauge, 2)
        } else if let Some(sum) = metric.sum.map(|sum| sum.view()) {
            let kind = if sum.is_monotonic { Kind::Counter } else { Kind::UpDown };
            (kind, sum.aggregation_temporality)
        } else if let Some(histogram) = metric.histogram {
            (Kind::Histogram, histogram.view().aggregation_temporality)
        } else if let Some(histogram) = metric.exponential_histogram {
            (Kind::Exponential, histogram.view().aggregation_temporality)
        } else {
            metric.summary?;
            (Kind::Summary, 2)
        };
        Some(match (kind, temporality) {
            (Kind::UpDown, 1) => Err(Reason::NonMonotonicDelta),
            (_, 1) => Ok(Self { kind, delta: true }),
            (_, 2) => Ok(Self { kind, delta: false }),
            _ => Err(Reason::Temporality),
        })
    }
}

/// The value of a point.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    /// Of a gauge or a sum.
    Number(f64),
    /// Of a histogram.
    Histogram(HistogramDataPoint<'a>),
    /// Of an exponential histogram.
    Exponential(ExponentialHistogramDataPoint<'a>),
    /// Of a summary.
    Summary(SummaryDataPoint<'a>),
}

/// A point.
#[derive(Clone, Copy)]
pub struct Point<'a> {
    /// The whole message.
    pub bytes: &'a [u8],
    /// Number of the field of its attributes.
    pub attributes: u32,
    /// Begin of what is measured, nanoseconds since 1970; 0 is unknown.
    pub start: u64,
    /// When it was measured, nanoseconds since 1970.
    pub time: u64,
    /// Whether it says that there is no value any more.
    pub ended: bool,
    /// The value.
    pub value: Value<'a>,
    /// Measurements that tell of a trace.
    pub exemplars: Option<Repeated<'a, ExemplarView<'static>>>,
}

impl<'a> Point<'a> {
    /// Its attributes.
    pub fn each_attribute(&self) -> impl Iterator<Item = KeyValue<'a>> {
        let number = self.attributes;
        let fields = Fields::of(self.bytes).filter(move |field| field.number == number);
        fields.filter_map(|field| match field.value {
            Raw::Bytes(bytes) => Some(KeyValue::parse(bytes)),
            _ => None,
        })
    }
}

/// A measurement that tells of a trace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    /// The value.
    pub value: f64,
    /// When, nanoseconds since 1970.
    pub time: u64,
    /// The trace.
    pub trace: Option<[u8; 16]>,
    /// The span.
    pub span: Option<[u8; 8]>,
}

impl Exemplar {
    /// Of what arrived. None where it tells of neither trace nor span.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn of(view: &ExemplarView) -> Option<Self> {
        let trace = view.trace_id.try_into().ok().filter(|id| *id != [0; 16]);
        let span = view.span_id.try_into().ok().filter(|id| *id != [0; 8]);
        if trace.is_none() && span.is_none() {
            return None;
        }
        let value = view.as_double.or(view.as_int.map(|whole| whole as f64)).unwrap_or(0.0);
        Some(Self { value, time: view.time_unix_nano, trace, span })
    }
}

/// Each point of a metric.
pub fn points<'a>(metric: &Metric<'a>, mut visit: impl FnMut(Point)) {
    let numbers = |points: Repeated<'a, NumberDataPoint<'static>>, visit: &mut dyn FnMut(Point)| {
        points.iter().for_each(|point| visit(number(&point)));
    };
    if let Some(gauge) = metric.gauge {
        numbers(gauge.view().data_points, &mut visit);
    } else if let Some(sum) = metric.sum {
        numbers(sum.view().data_points, &mut visit);
    } else if let Some(data) = metric.histogram {
        data.view().data_points.iter().for_each(|point| visit(histogram(&point)));
    } else if let Some(data) = metric.exponential_histogram {
        data.view().data_points.iter().for_each(|point| visit(exponential(&point)));
    } else if let Some(data) = metric.summary {
        data.view().data_points.iter().for_each(|point| visit(summary(&point)));
    }
}

/// Data point flag: no recorded value (OTLP, DataPointFlags).
const NO_RECORDED_VALUE: u32 = 1;

#[allow(clippy::cast_precision_loss)]
fn number<'a>(point: &NumberDataPoint<'a>) -> Point<'a> {
    let whole = point.as_int.map(|whole| whole as f64);
    Point {
        bytes: point.bytes,
        attributes: 7,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        ended: point.flags & NO_RECORDED_VALUE != 0,
        value: Value::Number(point.as_double.or(whole).unwrap_or(0.0)),
        exemplars: Some(point.exemplars),
    }
}

fn histogram<'a>(point: &HistogramDataPoint<'a>) -> Point<'a> {
    Point {
        bytes: point.bytes,
        attributes: 9,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        ended: point.flags & NO_RECORDED_VALUE != 0,
        value: Value::Histogram(*point),
        exemplars: Some(point.exemplars),
    }
}

fn exponential<'a>(point: &ExponentialHistogramDataPoint<'a>) -> Point<'a> {
    Point {
        bytes: point.bytes,
        attributes: 1,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        ended: point.flags & NO_RECORDED_VALUE != 0,
        value: Value::Exponential(*point),
        exemplars: Some(point.exemplars),
    }
}

fn summary<'a>(point: &SummaryDataPoint<'a>) -> Point<'a> {
    Point {
        bytes: point.bytes,
        attributes: 7,
        start: point.start_time_unix_nano,
        time: point.time_unix_nano,
        ended: point.flags & NO_RECORDED_VALUE != 0,
        value: Value::Summary(*point),
        exemplars: None,
    }
}
