//! Explicit-bucket histograms and summaries: read, replaced in place, and added up.

use std::mem::size_of;
use std::sync::Arc;

use super::point::Reason;
use crate::signal::otlp::{HistogramDataPoint, SummaryDataPoint};

/// A histogram with explicit buckets.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Upper bounds of all buckets but the last, ascending; shared by the series of a metric.
    pub bounds: Arc<[f64]>,
    /// How many in each bucket: one more than bounds.
    pub counts: Box<[u64]>,
    /// The sum; 0 where it is not told.
    pub sum: f64,
    /// How many.
    pub count: u64,
}

impl Histogram {
    /// Reads a point; takes `known` bounds where they are the same.
    ///
    /// # Errors
    /// Bounds that do not ascend, or counts that do not fit them.
    pub fn read(point: &HistogramDataPoint, known: Option<&Arc<[f64]>>) -> Result<Self, Reason> {
        let bounds = match known {
            Some(known) if same(known, point) => Arc::clone(known),
            _ => finite_bounds(point)?.into(),
        };
        let counts = vec![0; bounds.len() + 1].into_boxed_slice();
        let mut histogram = Self { bounds, counts, sum: 0.0, count: 0 };
        histogram.fill(point)?;
        Ok(histogram)
    }

    /// Takes a point's values in place of its own. False, and unchanged, where the bounds differ.
    ///
    /// # Errors
    /// Counts that do not fit the bounds.
    pub fn replace(&mut self, point: &HistogramDataPoint) -> Result<bool, Reason> {
        if !same(&self.bounds, point) {
            return Ok(false);
        }
        self.fill(point)?;
        Ok(true)
    }

    /// Adds another's. False, and unchanged, where the bounds differ.
    pub fn add(&mut self, other: &Self) -> bool {
        if !Arc::ptr_eq(&self.bounds, &other.bounds) && self.bounds != other.bounds {
            return false;
        }
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count = count.saturating_add(*more);
        }
        self.sum += other.sum;
        self.count = self.count.saturating_add(other.count);
        true
    }

    /// Upper bound and how many up to there, ascending.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.bounds.iter().zip(&self.counts).scan(0u64, |sum, (bound, count)| {
            *sum = sum.saturating_add(*count);
            Some((*bound, *sum))
        })
    }

    /// Bytes on the heap. Bounds are shared, so counted once per metric, not here.
    #[must_use]
    pub fn heap(&self) -> usize {
        size_of::<Self>() + self.counts.len() * size_of::<u64>()
    }

    fn fill(&mut self, point: &HistogramDataPoint) -> Result<(), Reason> {
        let (told, bounds) = (point.bucket_counts.iter().count(), self.bounds.len());
        // A last bound of infinity, as some senders write it, comes with one count more or less.
        if told != 0 && !(told > bounds && told <= bounds + 2) {
            return Err(Reason::Malformed);
        }
        self.counts.fill(0);
        for (index, count) in point.bucket_counts.iter().enumerate() {
            let at = &mut self.counts[index.min(bounds)];
            *at = at.saturating_add(count);
        }
        if told == 0 {
            // No buckets: all that is known is how many there are.
            self.counts[bounds] = point.count;
        }
        self.sum = point.sum.unwrap_or(0.0);
        self.count = point.count;
        Ok(())
    }
}

fn same(bounds: &[f64], point: &HistogramDataPoint) -> bool {
    let mut told = point.explicit_bounds.iter().take_while(|bound| *bound != f64::INFINITY);
    bounds.iter().all(|bound| told.next().is_some_and(|other| other == *bound))
        && told.next().is_none()
}

fn finite_bounds(point: &HistogramDataPoint) -> Result<Vec<f64>, Reason> {
    let mut bounds: Vec<f64> = point.explicit_bounds.iter().collect();
    bounds.pop_if(|last| *last == f64::INFINITY);
    let ascending = bounds.windows(2).all(|pair| pair[0] < pair[1]);
    if !ascending || bounds.iter().any(|bound| !bound.is_finite()) {
        return Err(Reason::Malformed);
    }
    Ok(bounds)
}

/// A summary.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Quantile and value, ascending, each quantile once.
    pub quantiles: Vec<(f64, f64)>,
    /// The sum.
    pub sum: f64,
    /// How many.
    pub count: u64,
}

impl Summary {
    /// Reads a point; of equal quantiles the last counts.
    #[must_use]
    pub fn read(point: &SummaryDataPoint) -> Self {
        let told = point.quantile_values.iter().map(|at| (at.quantile, at.value));
        let mut quantiles: Vec<(f64, f64)> = told.collect();
        quantiles.reverse();
        quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
        quantiles.dedup_by(|b, a| a.0 == b.0);
        quantiles.retain(|(quantile, _)| !quantile.is_nan());
        quantiles.shrink_to_fit();
        Self { quantiles, sum: point.sum, count: point.count }
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap(&self) -> usize {
        size_of::<Self>() + self.quantiles.len() * size_of::<(f64, f64)>()
    }
}

#[cfg(test)]
mod tests;
