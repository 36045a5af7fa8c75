//! Exponential histograms: kept within a fixed number of buckets by merging neighbours, added up,
//! and shown as classic buckets at their own bounds. The size never depends on what arrives.

use std::mem::size_of;

use super::point::Reason;
use crate::signal::otlp::{Buckets, ExponentialHistogramDataPoint};

/// Buckets of both sides, at most; SDKs make 160 by default.
pub const MAX_BUCKETS: i64 = 160;
/// The finest scale that Prometheus knows (native histograms, schema 8).
const MAX_SCALE: i32 = 8;
/// The coarsest scale that is taken (native histograms, schema -4).
const MIN_SCALE: i32 = -4;

/// An exponential histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Exponential {
    /// Buckets grow by 2^(2^-scale).
    scale: i32,
    /// Up to where a value counts as 0.
    zero_threshold: f64,
    /// How many are 0.
    zero_count: u64,
    positive: Side,
    negative: Side,
    /// The sum; 0 where it is not told.
    pub sum: f64,
    /// How many.
    pub count: u64,
}

/// The buckets on one side of 0: bucket i has what is in (base^i, base^(i+1)].
#[derive(Clone, Debug, Default, PartialEq)]
struct Side {
    /// Index of the first.
    offset: i64,
    /// How many in each.
    counts: Vec<u64>,
}

impl Exponential {
    /// Reads a point.
    ///
    /// # Errors
    /// A scale below -4.
    pub fn read(point: &ExponentialHistogramDataPoint) -> Result<Self, Reason> {
        if point.scale < MIN_SCALE {
            return Err(Reason::Scale);
        }
        let scale = point.scale.min(MAX_SCALE);
        let finer = (point.scale - scale).min(63).unsigned_abs();
        let positive = point.positive.map(|side| side.view());
        let negative = point.negative.map(|side| side.view());
        let (shift, positive, negative) = within(finer, |shift, visit| {
            each(positive.as_ref(), shift, scale, |index, count| visit(false, index, count));
            each(negative.as_ref(), shift, scale, |index, count| visit(true, index, count));
        });
        Ok(Self {
            scale: scale - (shift - finer).cast_signed(),
            zero_threshold: point.zero_threshold.max(0.0),
            zero_count: point.zero_count,
            positive,
            negative,
            sum: point.sum.unwrap_or(0.0),
            count: point.count,
        })
    }

    /// Adds another's; the coarser of both scales is kept.
    pub fn add(&mut self, other: &Self) {
        let scale = self.scale.min(other.scale);
        let shifts = [self, other].map(|one| (one.scale - scale).unsigned_abs());
        let (shift, positive, negative) = within(0, |shift, visit| {
            for (one, own) in [&*self, other].into_iter().zip(shifts) {
                one.positive.each(own + shift, |index, count| visit(false, index, count));
                one.negative.each(own + shift, |index, count| visit(true, index, count));
            }
        });
        self.scale = scale - shift.cast_signed();
        (self.positive, self.negative) = (positive, negative);
        self.zero_threshold = self.zero_threshold.max(other.zero_threshold);
        self.zero_count = self.zero_count.saturating_add(other.zero_count);
        self.sum += other.sum;
        self.count = self.count.saturating_add(other.count);
    }

    /// Upper bound and how many up to there, ascending. The bucket of 0 is always there; a bucket
    /// that does not reach above the one before goes into that.
    #[must_use]
    pub fn buckets(&self) -> Vec<(f64, u64)> {
        let mut out: Vec<(f64, u64)> = Vec::with_capacity(MAX_BUCKETS as usize + 1);
        let mut sum = 0u64;
        let mut put = |bound: f64, count: u64| {
            sum = sum.saturating_add(count);
            match out.last_mut() {
                Some(last) if bound <= last.0 => last.1 = sum,
                _ if bound.is_finite() => out.push((bound, sum)),
                _ => {}
            }
        };
        for (index, count) in self.negative.iter().rev() {
            put(-self.bound(index), count);
        }
        put(self.zero_threshold, self.zero_count);
        for (index, count) in self.positive.iter() {
            put(self.bound(index + 1), count);
        }
        out
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap(&self) -> usize {
        let buckets = self.positive.counts.len() + self.negative.counts.len();
        size_of::<Self>() + buckets * size_of::<u64>()
    }

    /// base^index: exact for whole powers of two, infinite above the largest double.
    #[allow(clippy::cast_precision_loss)]
    fn bound(&self, index: i64) -> f64 {
        (index as f64 * f64::from(-self.scale).exp2()).exp2()
    }
}

impl Side {
    fn iter(&self) -> impl DoubleEndedIterator<Item = (i64, u64)> + '_ {
        let numbered = self.counts.iter().enumerate();
        // At most MAX_BUCKETS of them.
        numbered.map(|(at, count)| (self.offset + at as i64, *count))
    }

    fn each(&self, shift: u32, mut visit: impl FnMut(i64, u64)) {
        self.iter().for_each(|(index, count)| visit(index >> shift.min(63), count));
    }

    fn spanning(span: Option<(i64, i64)>) -> Self {
        let Some((first, last)) = span else { return Self::default() };
        // Checked to be at most MAX_BUCKETS.
        Self { offset: first, counts: vec![0; usize::try_from(last - first + 1).unwrap_or(0)] }
    }

    fn put(&mut self, index: i64, count: u64) {
        let at = usize::try_from(index - self.offset).ok();
        if let Some(held) = at.and_then(|at| self.counts.get_mut(at)) {
            *held = held.saturating_add(count);
        }
    }
}

/// The filled buckets of what arrived, at a coarser scale; indexes beyond what a double can hold
/// count as the outermost one.
fn each(side: Option<&Buckets>, shift: u32, scale: i32, mut visit: impl FnMut(i64, u64)) {
    let Some(side) = side else { return };
    let coarser = |exponent: i64| match u32::try_from(scale) {
        Ok(finer) => exponent << finer,
        Err(_) => exponent >> scale.unsigned_abs(),
    };
    let (least, most) = (coarser(-1075), coarser(1024));
    let fixed = i64::from(shift.min(63));
    for (at, count) in side.bucket_counts.iter().enumerate() {
        if count.0 > 0 {
            // The first part of the shift leads to `scale`, for which the limits are.
            let index = i64::from(side.offset).saturating_add(at as i64);
            visit((index >> fixed).clamp(least, most), count.0);
        }
    }
}

type Visit<'a> = &'a mut dyn FnMut(bool, i64, u64);

/// Both sides in at most [`MAX_BUCKETS`] buckets: shifts the indexes as little as is needed, from
/// `shift` on.
fn within(shift: u32, walk: impl Fn(u32, Visit)) -> (u32, Side, Side) {
    let mut spans: [Option<(i64, i64)>; 2] = [None; 2];
    walk(shift, &mut |negative, index, _| {
        let span = spans[usize::from(negative)].get_or_insert((index, index));
        *span = (span.0.min(index), span.1.max(index));
    });
    let width = |spans: &[Option<(i64, i64)>; 2]| -> i64 {
        spans.iter().flatten().map(|(first, last)| last - first + 1).sum()
    };
    let mut more = 0;
    while width(&spans) > MAX_BUCKETS {
        more += 1;
        spans = spans.map(|span| span.map(|(first, last)| (first >> 1, last >> 1)));
    }
    let mut sides = spans.map(Side::spanning);
    walk(shift, &mut |negative, index, count| {
        sides[usize::from(negative)].put(index >> more, count);
    });
    let [positive, negative] = sides;
    (shift + more, positive, negative)
}

#[cfg(test)]
mod tests;
