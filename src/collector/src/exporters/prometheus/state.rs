//! What one writer of a series told last: how cumulative values replace one another and how deltas
//! accumulate (OpenTelemetry, metrics data model, Temporality). Knows no name and no label.

use std::sync::Arc;

use super::exponential::Exponential;
use super::histogram::{Histogram, Summary};
use super::point::{Exemplar, Nanos, Point, Reason, Stream, Value};

/// Exemplars of one writer, at most; an SDK has one a bucket, or 20.
const MAX_EXEMPLARS: usize = 32;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// Of a gauge or a sum.
    Number(f64),
    /// Of a histogram.
    Histogram(Histogram),
    /// Of an exponential histogram.
    Exponential(Box<Exponential>),
    /// Of a summary.
    Summary(Box<Summary>),
}

impl State {
    /// Reads a point's value; takes `known` bounds where they are the same.
    ///
    /// # Errors
    /// A histogram that cannot be shown.
    pub fn read(value: &Value, known: Option<&Arc<[f64]>>) -> Result<Self, Reason> {
        Ok(match value {
            Value::Number(number) => Self::Number(*number),
            Value::Histogram(point) => Self::Histogram(Histogram::read(point, known)?),
            Value::Exponential(point) => Self::Exponential(Box::new(Exponential::read(point)?)),
            Value::Summary(point) => Self::Summary(Box::new(Summary::read(point))),
        })
    }

    /// Takes a point's value in place of its own.
    ///
    /// # Errors
    /// A histogram that cannot be shown; nothing is changed.
    pub fn replace(&mut self, value: &Value) -> Result<(), Reason> {
        let replaced = match (&mut *self, value) {
            (Self::Number(number), Value::Number(new)) => {
                *number = *new;
                true
            }
            (Self::Histogram(histogram), Value::Histogram(point)) => histogram.replace(point)?,
            _ => false,
        };
        if !replaced {
            *self = Self::read(value, None)?;
        }
        Ok(())
    }

    /// Adds another value. False, and unchanged, where buckets have other bounds.
    pub fn add(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(number), Self::Number(more)) => *number += more,
            (Self::Histogram(histogram), Self::Histogram(more)) => return histogram.add(more),
            (Self::Exponential(histogram), Self::Exponential(more)) => histogram.add(more),
            _ => return false,
        }
        true
    }

    /// Whether another value can be added.
    #[must_use]
    pub fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Histogram(one), Self::Histogram(other)) => one.bounds == other.bounds,
            _ => true,
        }
    }

    /// Bounds of its buckets.
    #[must_use]
    pub fn bounds(&self) -> Option<&Arc<[f64]>> {
        match self {
            Self::Histogram(histogram) => Some(&histogram.bounds),
            _ => None,
        }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap(&self) -> usize {
        match self {
            Self::Number(_) => 0,
            Self::Histogram(histogram) => histogram.heap(),
            Self::Exponential(histogram) => histogram.heap(),
            Self::Summary(summary) => summary.heap(),
        }
    }
}

/// What a writer told.
#[derive(Clone, Debug)]
pub struct Told {
    /// The value.
    pub state: State,
    /// Since when it counts, nanoseconds since 1970; 0 is unknown.
    pub start: u64,
    /// When it was measured, nanoseconds since 1970.
    pub time: u64,
    /// When it arrived.
    pub updated: Nanos,
    /// Measurements that tell of a trace: those of the last point that had any.
    pub exemplars: Vec<Exemplar>,
}

impl Told {
    /// By a first point.
    ///
    /// # Errors
    /// A histogram that cannot be shown.
    pub fn first(point: &Point, known: Option<&Arc<[f64]>>, now: Nanos) -> Result<Self, Reason> {
        let state = State::read(&point.value, known)?;
        let (start, time) = (point.start, point.time);
        let mut told = Self { state, start, time, updated: now, exemplars: Vec::new() };
        told.take_exemplars(point);
        Ok(told)
    }

    /// By a further point. After a gap, a delta begins anew; not so where the series has other
    /// writers (`shared`), whose sum would seem to fall. Changed bounds begin anew, too.
    ///
    /// # Errors
    /// A point that is too old or cannot be shown; nothing is changed.
    pub fn next(
        &mut self,
        point: &Point,
        stream: Stream,
        shared: bool,
        now: Nanos,
    ) -> Result<(), Reason> {
        if stream.delta && stream.kind.adds() {
            self.accumulate(point, shared)?;
        } else if point.time < self.time {
            return Err(Reason::OlderTimestamp);
        } else {
            self.state.replace(&point.value)?;
            self.start = point.start;
        }
        self.time = point.time;
        self.updated = now;
        self.take_exemplars(point);
        Ok(())
    }

    fn accumulate(&mut self, point: &Point, shared: bool) -> Result<(), Reason> {
        // A sender that tells no start means the time since its last point.
        let start = if point.start == 0 { self.time } else { point.start };
        if start < self.time || point.time < start || (point.start == 0 && point.time == self.time)
        {
            return Err(Reason::Overlap);
        }
        if start > self.time && !shared {
            self.state.replace(&point.value)?;
            self.start = point.start;
        } else if let (State::Number(sum), Value::Number(more)) = (&mut self.state, &point.value) {
            *sum += more;
        } else {
            let more = State::read(&point.value, self.state.bounds())?;
            if !self.state.add(&more) {
                self.state = more;
                self.start = start;
            }
        }
        Ok(())
    }

    fn take_exemplars(&mut self, point: &Point) {
        let Some(exemplars) = point.exemplars.filter(|exemplars| !exemplars.is_empty()) else {
            return;
        };
        self.exemplars.clear();
        self.exemplars
            .extend(exemplars.iter().filter_map(|e| Exemplar::of(&e)).take(MAX_EXEMPLARS));
    }
}
