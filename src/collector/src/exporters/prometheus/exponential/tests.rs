use opentelemetry_proto::tonic::metrics::v1 as proto;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets as Side;
use proptest::prelude::*;
use prost::Message;

use super::*;
use crate::signal::view::View;

fn point(
    scale: i32,
    zero_count: u64,
    positive: (i32, &[u64]),
    negative: (i32, &[u64]),
) -> proto::ExponentialHistogramDataPoint {
    let side = |(offset, counts): (i32, &[u64])| Side { offset, bucket_counts: counts.to_vec() };
    let count = zero_count + positive.1.iter().chain(negative.1).sum::<u64>();
    proto::ExponentialHistogramDataPoint {
        scale,
        zero_count,
        count,
        positive: Some(side(positive)),
        negative: Some(side(negative)),
        ..Default::default()
    }
}

fn read(point: &proto::ExponentialHistogramDataPoint) -> Result<Exponential, Reason> {
    Exponential::read(&ExponentialHistogramDataPoint::parse(&point.encode_to_vec()))
}

#[test]
fn buckets_are_at_their_own_bounds() {
    // Scale 0: (1, 2], (2, 4], (4, 8] above 0, [-2, -1) below.
    let read = read(&point(0, 5, (0, &[1, 0, 2]), (0, &[3]))).unwrap();
    assert_eq!(read.buckets(), [(-1.0, 3), (0.0, 8), (2.0, 9), (4.0, 9), (8.0, 11)]);
    let finer = super::tests::read(&point(1, 0, (-2, &[1, 1, 1]), (0, &[]))).unwrap();
    let bounds: Vec<f64> = finer.buckets().iter().map(|(bound, _)| *bound).collect();
    assert_eq!(bounds, [0.0, 0.5f64.sqrt(), 1.0, 2f64.sqrt()]);
}

#[test]
fn scales_beyond_those_of_prometheus() {
    assert_eq!(read(&point(-5, 0, (0, &[1]), (0, &[]))), Err(Reason::Scale));
    // Two buckets of scale 9 are one of scale 8.
    let read = read(&point(9, 0, (4, &[1, 2, 4]), (0, &[]))).unwrap();
    assert_eq!((read.scale, read.positive.offset, &*read.positive.counts), (8, 2, &[3, 4][..]));
}

#[test]
fn far_apart_buckets_are_merged() {
    let wide: Vec<u64> = vec![1; 1000];
    let read = read(&point(3, 2, (-500, &wide), (7, &[4]))).unwrap();
    assert!(read.buckets().len() <= 161);
    assert_eq!(read.buckets().last().unwrap().1, 1006);
}

#[test]
fn a_zero_threshold_takes_in_what_is_below() {
    let mut point = point(0, 1, (-3, &[1, 1, 1, 1]), (0, &[]));
    point.zero_threshold = 0.5;
    // Up to 0.25 and 0.5 count as 0.
    assert_eq!(read(&point).unwrap().buckets(), [(0.5, 3), (1.0, 4), (2.0, 5)]);
}

#[test]
fn what_no_double_can_hold_is_in_the_last_bucket() {
    for (scale, offset) in [(0, i32::MAX), (0, i32::MIN), (i32::MAX, i32::MIN), (-4, i32::MAX)] {
        let read = read(&point(scale, 0, (offset, &[7]), (offset, &[1]))).unwrap();
        let buckets = read.buckets();
        assert!(buckets.iter().all(|(bound, _)| bound.is_finite()), "{buckets:?}");
        assert!(buckets.windows(2).all(|pair| pair[0].0 < pair[1].0), "{buckets:?}");
    }
}

#[test]
fn what_no_double_can_hold_makes_no_bucket_coarser_than_needed() {
    let mut sum = read(&point(0, 0, (0, &[1]), (0, &[]))).unwrap();
    sum.add(&read(&point(0, 0, (i32::MAX, &[1]), (0, &[]))).unwrap());
    // 1024 powers of two in 160 buckets.
    assert_eq!(sum.buckets()[1], (256.0, 1));
}

fn sides() -> impl Strategy<Value = (i32, Vec<u64>)> {
    let offset = prop_oneof![8 => -300..300i32, 1 => any::<i32>()];
    (offset, prop::collection::vec(prop_oneof![Just(0u64), 0..9u64], 0..250))
}

prop_compose! {
    fn points()(
        scale in -4..12i32,
        zero in 0..5u64,
        positive in sides(),
        negative in sides(),
    ) -> proto::ExponentialHistogramDataPoint {
        point(scale, zero, (positive.0, &positive.1), (negative.0, &negative.1))
    }
}

proptest! {
    #[test]
    fn adding_loses_nothing_and_stays_small(all in prop::collection::vec(points(), 1..6)) {
        let mut sum = read(&all[0]).unwrap();
        for point in &all[1..] {
            sum.add(&read(point).unwrap());
        }
        let counts = sum.positive.counts.iter().chain(&sum.negative.counts);
        prop_assert_eq!(counts.sum::<u64>() + sum.zero_count, all.iter().map(|p| p.count).sum::<u64>());
        prop_assert_eq!(sum.count, all.iter().map(|p| p.count).sum::<u64>());
        let width = (sum.positive.counts.len() + sum.negative.counts.len()) as i64;
        prop_assert!(width <= MAX_BUCKETS);
        let buckets = sum.buckets();
        prop_assert!(buckets.windows(2).all(|w| w[0].0 < w[1].0 && w[0].1 <= w[1].1), "{:?}", buckets);
    }

    #[test]
    fn each_value_is_in_the_bucket_it_was_told_in(scale in -4..9i32, exponent in -40f64..40.0) {
        // The index of a value's bucket, as the data model defines it.
        let value = exponent.exp2();
        let index = (exponent * f64::from(scale).exp2()).ceil() as i32 - 1;
        let buckets = read(&point(scale, 0, (index, &[1]), (0, &[]))).unwrap().buckets();
        let bound = buckets.last().unwrap().0;
        prop_assert!(value <= bound * (1.0 + 1e-12));
        prop_assert!(value >= bound * (-f64::from(-scale).exp2()).exp2() * (1.0 - 1e-12));
    }
}
