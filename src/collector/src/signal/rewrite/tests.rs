use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::any_value::Value,
    metrics::v1::metric::Data,
};
use proptest::{prelude::*, test_runner::RngSeed};
use prost::Message as _;

use super::*;
use crate::signal::scan::{Scan, scan};
use crate::signal::{fuzz, generate};

/// A request of one attribute whose value has these fields.
fn value(fields: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    request.put_message(1, |out| {
        out.put_message(1, |out| out.put_message(1, |out| out.put_bytes_field(2, fields)));
    });
    request
}

fn value_of(request: &[u8]) -> Option<Value> {
    let request = ExportTraceServiceRequest::decode(request).unwrap();
    let resource = request.resource_spans[0].resource.clone().unwrap();
    resource.attributes[0].value.clone().unwrap().value
}

#[test]
fn the_last_of_what_excludes_one_another_counts() {
    // true, then 5, then 6.
    let request = value(&[0x10, 0x01, 0x18, 0x05, 0x18, 0x06]);
    let written = canonical(Signal::Traces, &request);
    assert_eq!(written, value(&[0x18, 0x06]));
    assert_eq!(value_of(&written), Some(Value::IntValue(6)));
}

#[test]
fn a_message_is_merged_with_those_after_the_last_of_another_number() {
    // [true], then "s", then [false] and [true]: the first list is gone.
    let list = |flag| [0x2a, 0x04, 0x0a, 0x02, 0x10, flag];
    let request = value(&[&list(1)[..], &[0x0a, 0x01, b's'], &list(0), &list(1)].concat());
    let written = canonical(Signal::Traces, &request);
    let Some(Value::ArrayValue(array)) = value_of(&written) else { panic!("no list") };
    assert_eq!(array.values.len(), 2);
    assert_eq!(value_of(&request), value_of(&written));
}

#[test]
fn metrics_written_twice_are_merged() {
    let mut metric = Vec::new();
    metric.put_bytes_field(1, b"name");
    metric.put_message(7, |out| out.put_message(1, |out| out.put_fixed64_field(3, 1)));
    metric.put_bytes_field(1, b"other");
    metric.put_message(7, |out| out.put_varint_field(2, 2));
    metric.put_message(7, |out| out.put_message(1, |out| out.put_fixed64_field(3, 2)));
    let mut request = Vec::new();
    request.put_message(1, |out| {
        out.put_message(2, |out| out.put_bytes_field(2, &metric));
    });
    let written = canonical(Signal::Metrics, &request);
    let request = ExportMetricsServiceRequest::decode(&written[..]).unwrap();
    let metric = &request.resource_metrics[0].scope_metrics[0].metrics[0];
    let Some(Data::Sum(sum)) = &metric.data else { panic!("{metric:?}") };
    assert_eq!((&metric.name[..], sum.data_points.len()), ("other", 2));
    assert_eq!(sum.aggregation_temporality, 2);
}

#[test]
fn what_is_accepted_is_counted_as_it_counts() {
    // A gauge of two points, then a sum of one: the gauge is gone.
    let mut metric = Vec::new();
    metric.put_message(5, |out| (0..2).for_each(|_| out.put_bytes_field(1, &[])));
    metric.put_message(7, |out| out.put_bytes_field(1, &[]));
    let mut request = Vec::new();
    request.put_message(1, |out| {
        out.put_message(2, |out| out.put_bytes_field(2, &metric));
    });
    let request = Bytes::from(request);
    assert_eq!(scan(Signal::Metrics, &request), Ok(Scan { items: 3, canonical: false }));
    let (accepted, items) = accept(Signal::Metrics, request).unwrap();
    assert_eq!(items, 1);
    let (again, items) = accept(Signal::Metrics, accepted.clone()).unwrap();
    assert_eq!((again.as_ptr(), items), (accepted.as_ptr(), 1));
    assert!(accept(Signal::Metrics, Bytes::from_static(&[0x0a])).is_err());
}

#[test]
fn what_is_unknown_is_kept_in_order() {
    let resource = [0x28, 0x01, 0x0a, 0x00, 0xfa, 0x7f, 0x01, b'x', 0x0a, 0x00, 0x28, 0x02];
    let mut request = Vec::new();
    request.put_bytes_field(1, &resource);
    let mut expected = Vec::new();
    expected.put_bytes_field(1, &[0x0a, 0x00, 0x28, 0x01, 0xfa, 0x7f, 0x01, b'x', 0x28, 0x02]);
    assert_eq!(canonical(Signal::Traces, &request), expected);
}

#[test]
fn deep_and_doubled_takes_no_more_memory_than_the_request() {
    // Each list twice, 28 within one another, the innermost with 1 MB.
    let mut inner = Vec::new();
    inner.put_bytes_field(1, &vec![b'x'; 1 << 20]);
    for _ in 0..28 {
        let mut outer = Vec::new();
        outer.put_message(5, |out| out.put_bytes_field(1, &inner));
        outer.put_message(5, |_| {});
        inner = outer;
    }
    let request = value(&inner);
    let written = canonical(Signal::Traces, &request);
    assert_eq!(scan(Signal::Traces, &written), Ok(Scan { items: 0, canonical: true }));
    assert!(written.len() < request.len());
    assert_eq!(value_of(&written), value_of(&request));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn means_the_same_whatever_the_order(
        (signal, request) in generate::any_request(),
        seed: u64,
    ) {
        let config = ProptestConfig { rng_seed: RngSeed::Fixed(seed), ..Default::default() };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let mut chance = |below: usize| runner.rng().random_range(0..below);
        let of = crate::signal::request(signal);
        let shuffled = fuzz::mutate::shuffle(of, &request, &mut chance);
        let first = match signal { Signal::Traces => 0, Signal::Metrics => 1, Signal::Logs => 2 };
        // That it decodes to the same is the target's to see.
        fuzz::canonical(&[&[first], &shuffled[..]].concat());
        let before = fuzz::oracle::Decoded::of(signal, &shuffled);
        let after = fuzz::oracle::Decoded::of(signal, &canonical(signal, &shuffled));
        prop_assert_eq!(before.unwrap().encoded(), after.unwrap().encoded());
    }
}
