use bytes::Bytes;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::InstrumentationScope,
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message as _;

use super::*;

/// So many spans in so many scopes of a resource each.
fn traces(shape: &[&[usize]]) -> ExportTraceServiceRequest {
    let span = |n| Span { name: format!("span-{n}"), ..Default::default() };
    let scope = |n: &usize| ScopeSpans {
        scope: Some(InstrumentationScope { name: format!("s{n}"), ..Default::default() }),
        spans: (0..*n).map(span).collect(),
        schema_url: "scope-schema".into(),
    };
    let resource = |scopes: &&[usize]| ResourceSpans {
        resource: Some(Resource { dropped_attributes_count: 7, ..Default::default() }),
        scope_spans: scopes.iter().map(scope).collect(),
        schema_url: "schema".into(),
    };
    ExportTraceServiceRequest { resource_spans: shape.iter().map(resource).collect() }
}

fn counts(pieces: &[Piece]) -> Vec<usize> {
    pieces.iter().map(|piece| piece.items).collect()
}

#[test]
fn cuts_within_and_between_resources() {
    let request = Bytes::from(traces(&[&[3, 2], &[], &[4]]).encode_to_vec());
    let pieces = cut(Signal::Traces, &request, 4, 0);
    assert_eq!(counts(&pieces), [4, 4, 1]);
    let first = ExportTraceServiceRequest::decode(pieces[0].bytes.clone()).unwrap();
    let expected = traces(&[&[3, 1]]);
    assert_eq!(first.resource_spans[0].scope_spans[0], expected.resource_spans[0].scope_spans[0]);
    assert_eq!(first.resource_spans[0].scope_spans[1].spans.len(), 1);
    assert_eq!(first.resource_spans[0].schema_url, "schema");
}
