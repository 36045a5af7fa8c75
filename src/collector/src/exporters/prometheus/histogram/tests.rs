use opentelemetry_proto::tonic::metrics::v1::{self as proto, summary_data_point::ValueAtQuantile};
use prost::Message;

use super::super::make::buckets;
use super::*;
use crate::signal::view::View;

fn read(point: &proto::HistogramDataPoint) -> Result<Histogram, Reason> {
    Histogram::read(&HistogramDataPoint::parse(&point.encode_to_vec()), None)
}

#[test]
fn counts_add_up() {
    let mut one = read(&buckets(1, 2, &[1.0, 2.0], &[1, 2, 3])).unwrap();
    assert_eq!(one.buckets().collect::<Vec<_>>(), [(1.0, 1), (2.0, 3)]);
    assert!(one.add(&read(&buckets(1, 2, &[1.0, 2.0], &[10, 0, 1])).unwrap()));
    assert_eq!(one.buckets().collect::<Vec<_>>(), [(1.0, 11), (2.0, 13)]);
    assert_eq!((one.count, one.sum), (17, 17.0));
    let held = one.clone();
    assert!(!one.add(&read(&buckets(1, 2, &[1.0, 3.0], &[1, 1, 1])).unwrap()));
    assert_eq!(one, held);
}

#[test]
fn a_bound_of_infinity_is_the_last_bucket() {
    for counts in [&[1, 2][..], &[1, 2, 0]] {
        let read = read(&buckets(1, 2, &[1.0, f64::INFINITY], counts)).unwrap();
        assert_eq!((&*read.bounds, &*read.counts, read.count), (&[1.0][..], &[1, 2][..], 3));
    }
}

#[test]
fn without_buckets_only_the_count_is_known() {
    let read = read(&proto::HistogramDataPoint { count: 9, ..Default::default() }).unwrap();
    assert_eq!((read.buckets().count(), read.count, read.sum), (0, 9, 0.0));
}

#[test]
fn a_point_of_the_same_bounds_replaces_in_place() {
    let mut held = read(&buckets(1, 2, &[1.0], &[1, 2])).unwrap();
    let same = buckets(1, 3, &[1.0], &[5, 6]).encode_to_vec();
    assert_eq!(held.replace(&HistogramDataPoint::parse(&same)), Ok(true));
    assert_eq!(&*held.counts, [5, 6]);
    for bounds in [&[][..], &[2.0], &[1.0, 2.0]] {
        let counts = vec![1; bounds.len() + 1];
        let other = buckets(1, 3, bounds, &counts).encode_to_vec();
        assert_eq!(held.replace(&HistogramDataPoint::parse(&other)), Ok(false));
    }
    let odd = buckets(1, 3, &[1.0], &[1]).encode_to_vec();
    assert_eq!(held.replace(&HistogramDataPoint::parse(&odd)), Err(Reason::Malformed));
    assert_eq!(&*held.counts, [5, 6]);
}

#[test]
fn bounds_are_shared() {
    let point = buckets(1, 2, &[1.0, 2.0], &[1, 2, 3]).encode_to_vec();
    let point = HistogramDataPoint::parse(&point);
    let one = Histogram::read(&point, None).unwrap();
    let other = Histogram::read(&point, Some(&one.bounds)).unwrap();
    assert!(Arc::ptr_eq(&one.bounds, &other.bounds));
}

#[test]
fn quantiles_ascend_and_the_last_of_equals_counts() {
    let at = |quantile, value| ValueAtQuantile { quantile, value };
    let quantile_values = vec![at(0.9, 1.0), at(0.5, 2.0), at(0.9, 3.0), at(f64::NAN, 4.0)];
    let point =
        proto::SummaryDataPoint { quantile_values, count: 2, sum: 5.0, ..Default::default() };
    let read = Summary::read(&SummaryDataPoint::parse(&point.encode_to_vec()));
    assert_eq!(read, Summary { quantiles: vec![(0.5, 2.0), (0.9, 3.0)], sum: 5.0, count: 2 });
}
