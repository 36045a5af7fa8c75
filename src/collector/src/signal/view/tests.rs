use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    metrics::v1::{Metric, metric::Data},
    trace::v1::Span,
};
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::signal::Signal;
use crate::signal::fuzz::oracle::Decoded;
use crate::signal::generate;
use crate::signal::otlp;

#[test]
fn nothing_is_a_message_with_nothing_in_it() {
    let span = otlp::Span::parse(&[]);
    assert!(span.name.is_empty() && span.attributes.is_empty() && span.status.is_none());
    assert_eq!(span.attributes.iter().count(), 0);
    assert_eq!((span.kind, span.flags, span.start_time_unix_nano), (0, 0, 0));
}

#[test]
fn the_last_of_a_scalar_counts() {
    let (first, last) = (Span { name: "a".into(), kind: 1, ..Default::default() }, "b");
    let second = Span { name: last.into(), ..Default::default() };
    let bytes = [first.encode_to_vec(), second.encode_to_vec()].concat();
    let span = otlp::Span::parse(&bytes);
    assert_eq!((span.name, span.kind), (Text(b"b"), 1));
}

#[test]
fn numbers_are_read_packed_and_not() {
    // Bucket counts: 1 alone, 2 and 3 packed, 4 alone; bounds likewise.
    let mut bytes = Vec::new();
    for number in [6u8, 7] {
        let eight = |value: f64| match number {
            6 => (value as u64).to_le_bytes(),
            _ => value.to_bits().to_le_bytes(),
        };
        bytes.extend_from_slice(&[&[number * 8 + 1][..], &eight(1.0)].concat());
        bytes.extend_from_slice(&[&[number * 8 + 2, 16][..], &eight(2.0), &eight(3.0)].concat());
        bytes.extend_from_slice(&[number * 8 + 2, 0]);
        bytes.extend_from_slice(&[&[number * 8 + 1][..], &eight(4.0)].concat());
    }
    let point = otlp::HistogramDataPoint::parse(&bytes);
    assert_eq!(point.bucket_counts.iter().collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!(point.explicit_bounds.iter().collect::<Vec<_>>(), [1.0, 2.0, 3.0, 4.0]);

    let buckets = otlp::Buckets::parse(&[0x10, 1, 0x12, 3, 2, 0x80, 1, 0x10, 3]);
    let counts: Vec<_> = buckets.bucket_counts.iter().map(|count| count.0).collect();
    assert_eq!(counts, [1, 2, 128, 3]);
}

#[test]
fn signed_numbers_may_be_the_least_and_the_greatest() {
    for (written, value) in [
        (&[0x08, 0xff, 0xff, 0xff, 0xff, 0x0f][..], i32::MIN),
        (&[0x08, 0xfe, 0xff, 0xff, 0xff, 0x0f], i32::MAX),
        (&[0x08, 0x01], -1),
        // More than 32 bits: the upper ones are dropped, as everywhere in protobuf.
        (&[0x08, 0x83, 0x80, 0x80, 0x80, 0x10], -2),
    ] {
        assert_eq!(otlp::Buckets::parse(written).offset, value, "{written:?}");
    }
}

#[test]
fn what_is_of_another_type_is_left_out() {
    // A name that is a number, a start of four bytes, attributes that are a number.
    let span = otlp::Span::parse(&[0x28, 1, 0x3d, 1, 2, 3, 4, 0x48, 1]);
    assert!(span.name.is_empty());
    assert_eq!((span.start_time_unix_nano, span.attributes.iter().count()), (0, 0));
}

#[test]
fn text_that_is_no_utf8_is_replaced() {
    assert_eq!(Text(b"a\xffb").lossy(), "a\u{fffd}b");
    assert_eq!(Text("ä".as_bytes()).lossy(), "ä");
}

#[test]
fn a_metric_without_points_is_still_of_its_type() {
    let metric = Metric { data: Some(Data::Gauge(Default::default())), ..Default::default() };
    let bytes = metric.encode_to_vec();
    let view = otlp::Metric::parse(&bytes);
    assert!(view.gauge.is_some_and(|gauge| gauge.view().data_points.is_empty()));
    assert!(view.sum.is_none() && view.summary.is_none());
}

#[test]
fn messages_are_given_as_bytes_too() {
    let spans = [Span { kind: 1, ..Default::default() }, Span { kind: 2, ..Default::default() }];
    let bytes = ExportTraceServiceRequest {
        resource_spans: vec![opentelemetry_proto::tonic::trace::v1::ResourceSpans {
            scope_spans: vec![opentelemetry_proto::tonic::trace::v1::ScopeSpans {
                spans: spans.to_vec(),
                ..Default::default()
            }],
            ..Default::default()
        }],
    }
    .encode_to_vec();
    let scopes =
        otlp::Traces::parse(&bytes).resource_spans.iter().flat_map(|r| r.scope_spans.iter());
    let found: Vec<_> = scopes.flat_map(|scope| scope.spans.bytes()).collect();
    assert_eq!(found, spans.map(|span| span.encode_to_vec()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn views_read_what_prost_reads(
        (signal, request) in generate::any_request(),
    ) {
        let viewed = Decoded::viewed(signal, &request);
        let decoded = Decoded::of(signal, &request).unwrap();
        prop_assert_eq!(format!("{viewed:?}"), format!("{decoded:?}"));
    }

    #[test]
    fn any_bytes_are_read(bytes: Vec<u8>) {
        for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
            // Whatever was found is in the bytes, so it is not longer but for lengths and what is
            // replaced in text.
            prop_assert!(Decoded::viewed(signal, &bytes).items() <= bytes.len());
        }
    }
}
