use opentelemetry_proto::tonic::{
    collector::{metrics::v1::ExportMetricsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1::{InstrumentationScope, KeyValue},
    metrics::v1::{Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, metric::Data},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::signal::fuzz::{check_cut, oracle::Decoded};
use crate::signal::generate;

/// So many spans in so many scopes of a resource each, named in order.
fn traces(shape: &[&[usize]]) -> Bytes {
    let mut names = 0..;
    let mut span = || Span { name: format!("{:?}", names.next()), ..Default::default() };
    let mut scope = |count: &usize| ScopeSpans {
        scope: Some(InstrumentationScope { name: "scope".into(), ..Default::default() }),
        spans: (0..*count).map(|_| span()).collect(),
        schema_url: "of scope".into(),
    };
    let mut resource = |scopes: &&[usize]| ResourceSpans {
        resource: Some(Resource { dropped_attributes_count: 7, ..Default::default() }),
        scope_spans: scopes.iter().map(&mut scope).collect(),
        schema_url: "of resource".into(),
    };
    let resource_spans = shape.iter().map(&mut resource).collect();
    ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
}

/// How many spans in each scope of each resource.
fn shape(request: &Bytes) -> Vec<Vec<usize>> {
    let request = ExportTraceServiceRequest::decode(request.clone()).unwrap();
    let scopes = |resource: &ResourceSpans| -> Vec<_> {
        assert_eq!(resource.schema_url, "of resource");
        assert_eq!(resource.resource.as_ref().unwrap().dropped_attributes_count, 7);
        resource.scope_spans.iter().map(|scope| scope.spans.len()).collect()
    };
    request.resource_spans.iter().map(scopes).collect()
}

fn shapes(pieces: &[Piece]) -> Vec<Vec<Vec<usize>>> {
    pieces.iter().map(|piece| shape(&piece.bytes)).collect()
}

/// A sum with so many points and everything that a metric can have around them.
fn sum(points: usize) -> Metric {
    let point = |time| NumberDataPoint { time_unix_nano: time as u64 + 1, ..Default::default() };
    Metric {
        name: "requests".into(),
        description: "how many".into(),
        unit: "1".into(),
        metadata: vec![KeyValue { key: "origin".into(), ..Default::default() }],
        data: Some(Data::Sum(Sum {
            data_points: (0..points).map(point).collect(),
            aggregation_temporality: 2,
            is_monotonic: true,
        })),
    }
}

fn metrics(metrics: Vec<Metric>) -> ExportMetricsServiceRequest {
    let scope_metrics = vec![ScopeMetrics { metrics, ..Default::default() }];
    let resource_metrics = vec![ResourceMetrics { scope_metrics, ..Default::default() }];
    ExportMetricsServiceRequest { resource_metrics }
}

#[test]
fn cuts_within_and_between_scopes_and_resources() {
    let pieces = cut(Signal::Traces, &traces(&[&[3, 2], &[1, 2, 1], &[4]]), 4, 0);
    let expected =
        [vec![vec![3, 1]], vec![vec![1], vec![1, 2]], vec![vec![1], vec![3]], vec![vec![1]]];
    assert_eq!(shapes(&pieces), expected);
    assert_eq!(pieces.iter().map(|piece| piece.items).collect::<Vec<_>>(), [4, 4, 4, 1]);
}

#[test]
fn a_metric_is_cut_within_its_points() {
    let request = metrics(vec![sum(5)]).encode_to_vec().into();
    let pieces = cut(Signal::Metrics, &request, 2, 0);
    let mut times = Vec::new();
    for (piece, points) in pieces.iter().zip([2, 2, 1]) {
        let decoded = ExportMetricsServiceRequest::decode(piece.bytes.clone()).unwrap();
        let [metric] = &decoded.resource_metrics[0].scope_metrics[0].metrics[..] else {
            panic!("{decoded:?}")
        };
        let Some(Data::Sum(found)) = &metric.data else { panic!("{metric:?}") };
        assert_eq!((found.data_points.len(), piece.items), (points, points));
        times.extend(found.data_points.iter().map(|point| point.time_unix_nano));
        // All but the points is as before.
        let mut expected = sum(0);
        let Some(Data::Sum(empty)) = &mut expected.data else { panic!() };
        empty.data_points.clone_from(&found.data_points);
        assert_eq!(metric, &expected);
    }
    assert_eq!(times, [1, 2, 3, 4, 5]);
}

#[test]
fn metrics_are_cut_between_one_another_too() {
    let request = metrics(vec![sum(2), sum(1), sum(4)]).encode_to_vec().into();
    let pieces = cut(Signal::Metrics, &request, 3, 0);
    assert_eq!(pieces[0].bytes, metrics(vec![sum(2), sum(1)]).encode_to_vec());
    assert_eq!(pieces[1].bytes, metrics(vec![sum(3)]).encode_to_vec());
    assert_eq!(pieces.len(), 3);
}

#[test]
fn no_limit_and_limits_not_reached_share_the_request() {
    for request in [traces(&[&[3], &[], &[0, 2]]), traces(&[])] {
        let items = items(Signal::Traces, &request);
        for (max_items, max_bytes) in [(0, 0), (5, 0), (0, request.len()), (9, 9_999)] {
            let pieces = cut(Signal::Traces, &request, max_items, max_bytes);
            let [piece] = &pieces[..] else { panic!("{pieces:?}") };
            assert_eq!((piece.bytes.as_ptr(), piece.items), (request.as_ptr(), items));
            assert_eq!(piece.bytes.len(), request.len());
        }
    }
}

#[test]
fn a_piece_is_as_large_as_its_limit_allows() {
    // Around the lengths at which a length takes one byte more.
    let request = traces(&[&[90, 3], &[200]]);
    let spans = |pieces: &[Piece]| pieces.iter().map(|piece| piece.items).collect::<Vec<_>>();
    let mut last = 0;
    for max in 60..1_000 {
        let pieces = cut(Signal::Traces, &request, 0, max);
        assert!(pieces.iter().all(|piece| piece.bytes.len() <= max), "{max}");
        // What the first piece holds with one span more is over the limit.
        let first = pieces[0].items;
        let (more, _) = take(Signal::Traces, &request, first + 1);
        assert!(more.bytes.len() > max, "{max}: {:?}", spans(&pieces));
        assert!(first >= last);
        last = first;
    }
}

#[test]
fn an_item_too_large_is_alone() {
    let span = |length| Span { name: "x".repeat(length), ..Default::default() };
    let scope_spans =
        vec![ScopeSpans { spans: [3, 500, 4, 5].map(span).to_vec(), ..Default::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..Default::default() }];
    let request = ExportTraceServiceRequest { resource_spans }.encode_to_vec().into();
    let pieces = cut(Signal::Traces, &request, 0, 100);
    assert_eq!(pieces.iter().map(|piece| piece.items).collect::<Vec<_>>(), [1, 1, 2]);
}

#[test]
fn what_has_no_items_goes_along_where_it_fits() {
    let request = traces(&[&[], &[0, 2, 0], &[0], &[1]]);
    let pieces = cut(Signal::Traces, &request, 2, 0);
    assert_eq!(shapes(&pieces), [vec![vec![], vec![0, 2, 0], vec![0]], vec![vec![1]]]);
    let request = traces(&[&[0; 100], &[2, 0, 0]]);
    let pieces = cut(Signal::Traces, &request, 0, 99);
    assert_eq!(pieces.iter().map(|piece| piece.items).sum::<usize>(), 2);
    assert!(pieces.iter().all(|piece| piece.bytes.len() <= 99 && piece.items > 0));
}

#[test]
fn halves_are_halves() {
    assert_eq!(halve(Signal::Traces, &traces(&[])), None);
    assert_eq!(halve(Signal::Traces, &traces(&[&[0, 1], &[]])), None);
    let (first, second) = halve(Signal::Traces, &traces(&[&[3, 2], &[4]])).unwrap();
    assert_eq!(shapes(&[first, second]), [vec![vec![3, 2]], vec![vec![4]]]);
}

#[test]
fn takes_the_first_and_leaves_the_rest() {
    let request = traces(&[&[3, 2], &[4]]);
    let (first, rest) = take(Signal::Traces, &request, 4);
    assert_eq!(shapes(&[first, rest.unwrap()]), [vec![vec![3, 1]], vec![vec![1], vec![4]]]);
    for items in [9, 10, usize::MAX] {
        let (first, rest) = take(Signal::Traces, &request, items);
        assert_eq!((first, rest), (Piece { bytes: request.clone(), items: 9 }, None));
    }
    let (first, rest) = take(Signal::Traces, &request, 0);
    assert_eq!((first.items, rest.map(|rest| rest.items)), (1, Some(8)));
}

#[test]
fn what_is_unknown_is_repeated_with_what_is_around() {
    // Unknown fields before and after the items, in request, resource spans, scope spans.
    let before = [0xf8, 0x07, 0x01];
    let after = [0xf2, 0x07, 0x01, b'x'];
    let around = |number: u32, inner: &[&[u8]]| {
        let mut out = Vec::new();
        let inner = [&before[..], &inner.concat(), &after].concat();
        out.put_bytes_field(number, &inner);
        out
    };
    let span: &[u8] = &[0x12, 0x02, 0x30, 0x01];
    let request = |spans: &[&[u8]]| {
        let inner = around(1, &[&around(2, spans)]);
        Bytes::from([&before[..], &inner, &after].concat())
    };
    let pieces = cut(Signal::Traces, &request(&[span, span, span]), 2, 0);
    assert_eq!(pieces[0].bytes, request(&[span, span]));
    assert_eq!(pieces[1].bytes, request(&[span]));
}

#[test]
fn lengths_written_longer_than_they_need_be_do_not_exceed_the_limit() {
    // Scope spans of two spans, its length in nine bytes.
    let spans = [0x12, 0x02, 0x30, 0x01, 0x12, 0x02, 0x30, 0x02];
    let scope =
        [&[0x12, 0x88, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00], &spans[..]].concat();
    let mut request = Vec::new();
    request.put_bytes_field(1, &scope);
    let pieces = cut(Signal::Traces, &request.into(), 0, 12);
    assert_eq!(pieces.len(), 1);
    assert_eq!(pieces[0].bytes, [&[0x0a, 10, 0x12, 8], &spans[..]].concat());
}

#[test]
fn what_is_repeated_has_an_end() {
    // A resource of 64 KiB around 10 000 spans of two bytes: cut to single spans it would be 640 MB.
    let resource = Resource {
        attributes: vec![KeyValue { key: "x".repeat(1 << 16), ..Default::default() }],
        ..Default::default()
    };
    let scope_spans =
        vec![ScopeSpans { spans: vec![Span::default(); 10_000], ..Default::default() }];
    let resource = Some(resource);
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..Default::default() }];
    let request: Bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec().into();
    let pieces = cut(Signal::Traces, &request, 1, 0);
    assert_eq!(pieces.iter().map(|piece| piece.items).sum::<usize>(), 10_000);
    let bytes: usize = pieces.iter().map(|piece| piece.bytes.len()).sum();
    assert!(bytes < 10 * request.len() + (1 << 20), "{bytes} bytes");
    assert!(pieces.len() > 20, "{} pieces", pieces.len());
}

#[test]
fn time_grows_with_the_length() {
    // Half a million spans: minutes if each were measured against all before it.
    let request = traces(&[&[500_000]]);
    let started = std::time::Instant::now();
    assert_eq!(cut(Signal::Traces, &request, 500, 0).len(), 1_000);
    assert!(cut(Signal::Traces, &request, 0, 10_000).len() > 100);
    assert!(started.elapsed().as_secs() < 30);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn pieces_joined_are_the_request(
        (signal, request) in generate::any_request(),
        max_items in 0..12usize,
        max_bytes in prop_oneof![Just(0), 1..4_000usize],
    ) {
        check_cut(signal, &Bytes::from(request.clone()), max_items, max_bytes);
        let pieces = cut(signal, &Bytes::from(request.clone()), max_items, max_bytes);
        let joined: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.clone()).collect();
        let joined = Decoded::of(signal, &joined).unwrap().singly();
        let whole = Decoded::of(signal, &request).unwrap().singly();
        prop_assert_eq!(format!("{joined:?}"), format!("{whole:?}"));
    }
}
