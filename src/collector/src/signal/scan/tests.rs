use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    metrics::v1::{Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric::Data},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event},
};
use proptest::{prelude::*, sample::Index};
use prost::Message as _;

use super::*;
use crate::signal::fuzz::{check_scan, mutate, oracle::Decoded};
use crate::signal::generate;
use crate::signal::wire::{FIXED32, Write};

/// So many messages within one another: a resource's attribute of values in values.
fn nested(depth: usize) -> Vec<u8> {
    let mut bytes = vec![];
    // Request, resource spans, resource, attribute, value: five; then array, value, array, ...
    for level in (5..depth).rev() {
        let mut around = Vec::with_capacity(bytes.len() + 6);
        around.put_bytes_field(if level % 2 == 1 { 5 } else { 1 }, &bytes);
        bytes = around;
    }
    for number in [2, 1, 1, 1] {
        let mut around = Vec::with_capacity(bytes.len() + 6);
        around.put_bytes_field(number, &bytes);
        bytes = around;
    }
    bytes
}

fn rich() -> Vec<u8> {
    let value = |value| Some(AnyValue { value: Some(value) });
    let attributes = vec![
        KeyValue { key: "a".into(), value: value(Value::IntValue(-1)), ..Default::default() },
        KeyValue {
            key: "b".into(),
            value: value(Value::BytesValue(vec![1])),
            ..Default::default()
        },
        KeyValue { key: "c".into(), value: value(Value::DoubleValue(0.5)), ..Default::default() },
    ];
    let span = Span {
        trace_id: vec![1; 16],
        flags: 3,
        end_time_unix_nano: 7,
        attributes: attributes.clone(),
        events: vec![Event { name: "event".into(), ..Default::default() }],
        status: Some(Status { code: 2, message: "no".into() }),
        ..Default::default()
    };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    let resource = Some(Resource { attributes, ..Default::default() });
    let resource_spans = vec![ResourceSpans { resource, scope_spans, schema_url: "u".into() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn traces(bytes: &[u8]) -> Result<Scan, Malformed> {
    check_scan(Signal::Traces, bytes);
    scan(Signal::Traces, bytes)
}

#[test]
fn nothing_is_a_request() {
    assert_eq!(traces(&[]), Ok(Scan { items: 0, canonical: true }));
}

#[test]
fn refuses_a_request_cut_short_anywhere_but_between_its_fields() {
    let request = rich();
    assert_eq!(traces(&request), Ok(Scan { items: 1, canonical: true }));
    for length in 1..request.len() {
        let refused = traces(&request[..length]).expect_err("cut short");
        assert!(matches!(refused, Malformed::Truncated { at: 0, .. }), "{length}: {refused}");
    }
}

#[test]
fn tells_where_a_length_lies() {
    // The inner length says one more than there is: resource spans of four bytes, in them
    // scope spans said to have three.
    let refused = traces(&[0x0a, 0x04, 0x12, 0x03, 0x12, 0x00]).expect_err("a lie");
    assert_eq!(refused, Malformed::Truncated { message: "ResourceSpans", at: 2 });
    assert_eq!(refused.to_string(), "ResourceSpans is cut short at byte 2");
    // A length of 2^63, and one that does not fit into 64 bits.
    for length in [&[0x80; 9][..], &[0xff; 10]] {
        let request = [&[0x0a], length, &[0x01]].concat();
        assert!(matches!(traces(&request), Err(Malformed::Truncated { at: 0, .. })));
    }
}

#[test]
fn varints_may_be_longer_than_they_need_be() {
    // Tag and length of resource spans in ten and three bytes.
    let tag = [0x8a, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
    let request = [&tag[..], &[0x84, 0x80, 0x00, 0x12, 0x02, 0x12, 0x00]].concat();
    assert_eq!(traces(&request), Ok(Scan { items: 1, canonical: true }));
}

#[test]
fn refuses_groups() {
    for request in [&[0x0b, 0x0c][..], &[0x7b, 0x7c], &[0x0a, 0x02, 0x7b, 0x7c], &[0x7c], &[0x7e]] {
        let refused = traces(request).expect_err("a group");
        assert!(matches!(refused, Malformed::WireType { .. }), "{request:?}: {refused}");
    }
}

#[test]
fn refuses_field_numbers_that_are_none() {
    let none = Malformed::WireType { message: "ResourceSpans", number: 0, at: 2 };
    assert_eq!(traces(&[0x0a, 0x02, 0x00, 0x00]), Err(none));
    // 2^29 - 1 is the highest.
    let highest = [0xf8, 0xff, 0xff, 0xff, 0x0f, 0x00];
    assert_eq!(traces(&highest).map(|scan| scan.items), Ok(0));
    let over = [0x80, 0x80, 0x80, 0x80, 0x10, 0x00];
    assert!(matches!(traces(&over), Err(Malformed::WireType { .. })));
}

#[test]
fn refuses_every_wrong_wire_type_of_every_field() {
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let mut seen = Vec::new();
        wrong_types(signal, super::super::request(signal), &mut Vec::new(), &mut seen);
        assert!(seen.len() > 9, "{seen:?}");
    }
}

/// Tries each wire type on each field of a message, found at the end of some numbers.
fn wrong_types(
    signal: Signal,
    message: &'static Message,
    way: &mut Vec<u32>,
    seen: &mut Vec<&'static str>,
) {
    if seen.contains(&message.name) {
        return;
    }
    seen.push(message.name);
    for info in message.fields {
        for (wire, value) in
            [(VARINT, &[1u8][..]), (FIXED64, &[0; 8]), (BYTES, &[0]), (FIXED32, &[0; 4])]
        {
            let mut request = Vec::new();
            request.put_tag(info.number, wire);
            request.extend_from_slice(value);
            for number in way.iter().rev() {
                let mut around = Vec::new();
                around.put_bytes_field(*number, &request);
                request = around;
            }
            // That prost agrees is all there is to see.
            check_scan(signal, &request);
        }
        if let Kind::One(inner) | Kind::Many(inner) = info.kind {
            way.push(info.number);
            wrong_types(signal, inner, way, seen);
            way.pop();
        }
    }
}

/// A request of one point of a histogram (9) or an exponential one (10) with these fields.
fn point(number: u32, fields: &[u8]) -> Vec<u8> {
    let mut request = Vec::new();
    request.put_message(1, |out| {
        out.put_message(2, |out| {
            out.put_message(2, |out| {
                out.put_message(number, |out| out.put_bytes_field(1, fields));
            });
        });
    });
    request
}

#[test]
fn packed_numbers_are_looked_at_to_their_end() {
    let accepted = |request: &[u8]| {
        check_scan(Signal::Metrics, request);
        scan(Signal::Metrics, request).is_ok()
    };
    for (tag, lengths) in [(0x32, [0, 8, 16]), (0x3a, [0, 8, 16])] {
        for length in 0..18 {
            let packed = [&[tag, length][..], &vec![0; usize::from(length)]].concat();
            assert_eq!(accepted(&point(9, &packed)), lengths.contains(&length), "{length}");
        }
    }
    for (counts, good) in [(&[1, 0x80, 1][..], true), (&[1, 0x80], false), (&[0xff; 11], false)] {
        let mut packed = Vec::new();
        packed.put_message(8, |out| out.put_bytes_field(2, counts));
        assert_eq!(accepted(&point(10, &packed)), good, "{counts:?}");
    }
}

#[test]
fn nesting_has_an_end() {
    let deepest = MAX_DEPTH as usize;
    assert_eq!(traces(&nested(deepest)), Ok(Scan { items: 0, canonical: true }));
    let refused = traces(&nested(deepest + 1)).expect_err("too deep");
    assert!(matches!(refused, Malformed::TooDeep { .. }), "{refused}");
    let request = nested(10_000);
    let small = std::thread::Builder::new().stack_size(128 * 1024);
    let scanned = small.spawn(move || scan(Signal::Traces, &request)).unwrap().join().unwrap();
    assert!(matches!(scanned, Err(Malformed::TooDeep { .. })));
}

#[test]
fn strings_need_not_be_utf8() {
    assert!(traces(&[0x0a, 0x03, 0x1a, 0x01, 0xff]).is_ok());
}

#[test]
fn order_does_not_matter_but_repetition_does() {
    let canonical = |bytes: &[u8]| traces(bytes).map(|scan| scan.canonical);
    let within = |fields: &[&[u8]]| {
        let mut request = Vec::new();
        request.put_bytes_field(1, &fields.concat());
        request
    };
    let (resource, scope, url): (&[u8], &[u8], &[u8]) =
        (&[0x0a, 0x00], &[0x12, 0x00], &[0x1a, 0x01, b'u']);
    let unknown: &[u8] = &[0x28, 0x01];
    // As the Go collector writes: from the last to the first.
    assert_eq!(canonical(&within(&[url, scope, scope, resource])), Ok(true));
    assert_eq!(canonical(&within(&[resource, scope, scope, url, unknown])), Ok(true));
    assert_eq!(canonical(&within(&[unknown, resource, unknown, unknown, scope])), Ok(true));
    assert_eq!(canonical(&within(&[resource, resource])), Ok(false), "a message twice");
    assert_eq!(canonical(&within(&[url, scope, url])), Ok(false), "a scalar twice");
    assert_eq!(canonical(&within(&[scope, url, scope])), Ok(false), "scattered");
    assert_eq!(canonical(&within(&[scope, unknown, scope])), Ok(false), "scattered");
    assert_eq!(canonical(&[within(&[url]), within(&[url])].concat()), Ok(true), "two resources");
}

#[test]
fn fields_that_exclude_one_another_may_stand_once() {
    let value = |fields: &[u8]| {
        let mut request = Vec::new();
        request.put_message(1, |out| {
            out.put_message(1, |out| {
                out.put_message(1, |out| out.put_bytes_field(2, fields));
            });
        });
        traces(&request).map(|scan| scan.canonical)
    };
    assert_eq!(value(&[0x10, 0x01]), Ok(true));
    assert_eq!(value(&[0x10, 0x01, 0x18, 0x01]), Ok(false));
    assert_eq!(value(&[0x18, 0x01, 0x10, 0x01]), Ok(false));
    assert_eq!(value(&[0x10, 0x01, 0x10, 0x01]), Ok(false));
}

/// A point as protobuf for Go writes it: the value after attributes and flags.
#[test]
fn what_protobuf_for_go_writes_is_canonical() {
    let mut point = Vec::new();
    point.put_fixed64_field(3, 5);
    point.put_message(7, |out| out.put_bytes_field(1, b"key"));
    point.put_varint_field(8, 1);
    point.put_fixed64_field(6, 9);
    let mut request = Vec::new();
    request.put_message(1, |out| {
        out.put_message(2, |out| {
            out.put_message(2, |out| out.put_message(5, |out| out.put_bytes_field(1, &point)));
        });
    });
    assert_eq!(scan(Signal::Metrics, &request), Ok(Scan { items: 1, canonical: true }));
}

#[test]
fn points_are_counted_rather_than_metrics() {
    let sum = Sum { data_points: vec![NumberDataPoint::default(); 3], ..Default::default() };
    let metric = Metric { data: Some(Data::Sum(sum)), ..Default::default() };
    let metrics = vec![metric, Metric::default()];
    let scope_metrics = vec![ScopeMetrics { metrics, ..Default::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
    let request = ExportMetricsServiceRequest { resource_metrics }.encode_to_vec();
    assert_eq!(scan(Signal::Metrics, &request).map(|scan| scan.items), Ok(3));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_prost_writes_is_canonical(
        (signal, request) in generate::any_request(),
    ) {
        let (scanned, _) = check_scan(signal, &request).expect("accepted");
        prop_assert!(scanned.canonical);
    }

    #[test]
    fn what_the_go_collector_writes_is_canonical_and_means_the_same(
        (signal, request) in generate::any_request(),
    ) {
        let reversed = mutate::reverse(super::super::request(signal), &request);
        let (scanned, decoded) = check_scan(signal, &reversed).expect("accepted");
        prop_assert!(scanned.canonical);
        prop_assert_eq!(decoded.encoded(), request);
        let viewed = Decoded::viewed(signal, &reversed);
        prop_assert_eq!(viewed.encoded(), decoded.encoded());
    }

    #[test]
    fn changed_bytes_are_judged_as_prost_judges(
        (signal, request) in generate::any_request(),
        changes: Vec<(Index, u8)>,
    ) {
        let mut request = request;
        for (at, byte) in changes.iter().take(3) {
            if !request.is_empty() {
                let at = at.index(request.len());
                request[at] = *byte;
            }
            check_scan(signal, &request);
        }
    }

    #[test]
    fn requests_cut_short_are_judged_as_prost_judges(
        request in generate::request(Signal::Metrics),
        length: Index,
    ) {
        if !request.is_empty() {
            check_scan(Signal::Metrics, &request[..length.index(request.len())]);
        }
    }
}
