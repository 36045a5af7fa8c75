//! The jaeger exporter beside that of otelcol v0.85, the last that had it: what PostSpans gets.

mod model;

use obspipe_backends::{Answer, Capture, Release};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;

use self::model::{Batch, KeyValue, PostSpansRequest, SpanRef, Time};
use super::generate::{Dice, spoil, text, traces};
use super::{Differences, Pair, REQUESTS, TRACES, assert_same};

/// Without a queue the answer comes when the backend has answered.
const CONFIGURATION: &str = "
receivers:
  otlp: { protocols: { grpc: { endpoint: '{grpc}' } } }
exporters:
  jaeger:
    endpoint: '{jaeger}'
    tls: { insecure: true }
    sending_queue: { enabled: false }
service:
  pipelines:
    traces: { receivers: [otlp], exporters: [jaeger] }
";

const SECTION: &str = "jaeger exporter (v0.85)";

const IDS: &str = "ids of a wrong or no length";
const JOINED: &str = "equal resources in a row share a batch";
const EMPTY: &str = "resources without spans send nothing";
const SCOPE: &str = "otel.scope.name and otel.scope.version";
const DURATION: &str = "an end before the start is duration 0";
const PARENT: &str = "a link to the parent sets that reference's type";
const LOSSY: &str = "text that is no UTF-8 becomes U+FFFD";
const ZERO: &str = "-0.0 is written";

async fn backends() -> [Capture; 2] {
    let start = async || Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    [start().await, start().await]
}

/// What arrived since the last time, all batches in order.
fn arrived(backend: &Capture) -> Vec<Batch> {
    let received = backend.received();
    backend.forget();
    let batch = |body: &[u8]| PostSpansRequest::decode(body).expect("PostSpans").batch;
    received
        .iter()
        .map(|request| {
            assert_eq!(request.path, "/jaeger.api_v2.CollectorService/PostSpans");
            batch(&request.body).expect("a batch")
        })
        .collect()
}

/// Whether Jaeger can be told of a span: otelcol refuses a request with an id of a wrong length,
/// and takes an empty one for zeros.
fn has_ids(span: &Span) -> bool {
    let link = |length: usize, of: usize| [0, of].contains(&length);
    span.trace_id.len() == 16
        && span.span_id.len() == 8
        && link(span.parent_span_id.len(), 8)
        && span.links.iter().all(|it| link(it.trace_id.len(), 16) && link(it.span_id.len(), 8))
}

/// The resources of a request as otelcol is told of them: without what it refuses or takes
/// otherwise.
fn told(request: &ExportTraceServiceRequest, differences: &mut Differences) -> Vec<ResourceSpans> {
    let mut resources = request.resource_spans.clone();
    for scope in resources.iter_mut().flat_map(|resource| &mut resource.scope_spans) {
        let before = scope.spans.len();
        scope.spans.retain(has_ids);
        differences.met(IDS, before - scope.spans.len());
    }
    resources
}

/// Makes of their batches ours. `resources` are what was sent.
fn as_ours(
    batches: Vec<Batch>,
    resources: &[ResourceSpans],
    differences: &mut Differences,
) -> Vec<Batch> {
    let attributes = |it: &ResourceSpans| it.resource.as_ref().map_or(0, |it| it.attributes.len());
    let resources: Vec<_> =
        resources.iter().filter(|it| attributes(it) + it.scope_spans.len() > 0).collect();
    assert_eq!(batches.len(), resources.len(), "a batch for each resource");
    let mut joined: Vec<Batch> = Vec::new();
    let mut last: Option<&Option<Resource>> = None;
    for (mut batch, resource) in batches.into_iter().zip(resources) {
        let spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
        for (span, sent) in batch.spans.iter_mut().zip(spans) {
            span_as_ours(span, sent, differences);
        }
        let process = batch.process.as_mut().expect("a process");
        lossy(&mut process.service_name, differences);
        process.tags.iter_mut().for_each(|tag| lossy_tag(tag, differences));
        match joined.last_mut() {
            _ if batch.spans.is_empty() => differences.met(EMPTY, 1),
            Some(before) if last == Some(&resource.resource) => {
                differences.met(JOINED, 1);
                before.spans.extend(batch.spans);
            }
            _ => joined.push(batch),
        }
        last = Some(&resource.resource);
    }
    joined
}

fn span_as_ours(span: &mut model::Span, sent: &Span, differences: &mut Differences) {
    for tag in &mut span.tags {
        if let Some(rest) = tag.key.strip_prefix(b"otel.library.") {
            tag.key = [b"otel.scope.", rest].concat();
            differences.met(SCOPE, 1);
        }
    }
    let duration = span.duration.as_mut().expect("a duration");
    if duration.seconds < 0 || duration.nanos < 0 {
        *duration = Time::default();
        differences.met(DURATION, 1);
    }
    if sent.parent_span_id.iter().any(|byte| *byte != 0) {
        link_to_parent(&mut span.references, differences);
    }
    lossy(&mut span.operation_name, differences);
    let tags = span.tags.iter_mut().chain(span.logs.iter_mut().flat_map(|log| &mut log.fields));
    tags.for_each(|tag| lossy_tag(tag, differences));
}

fn link_to_parent(references: &mut Vec<SpanRef>, differences: &mut Differences) {
    let mut parent = references.remove(0);
    references.retain(|link| {
        let other = (&link.trace_id, &link.span_id) != (&parent.trace_id, &parent.span_id);
        if !other {
            parent.ref_type = link.ref_type;
            differences.met(PARENT, 1);
        }
        other
    });
    references.insert(0, parent);
}

fn lossy(text: &mut Vec<u8>, differences: &mut Differences) {
    if std::str::from_utf8(text).is_err() {
        *text = String::from_utf8_lossy(text).into_owned().into_bytes();
        differences.met(LOSSY, 1);
    }
}

fn lossy_tag(tag: &mut KeyValue, differences: &mut Differences) {
    lossy(&mut tag.key, differences);
    lossy(&mut tag.v_str, differences);
}

/// Go's encoder of the time left -0 out, as if it were 0.
fn unsigned_zeros(batch: &mut Batch, differences: &mut Differences) {
    let spans = batch.spans.iter_mut();
    let tags = spans.flat_map(|span| {
        span.tags.iter_mut().chain(span.logs.iter_mut().flat_map(|log| &mut log.fields))
    });
    for tag in tags.chain(batch.process.iter_mut().flat_map(|process| &mut process.tags)) {
        if tag.v_float64 == (-0f64).to_bits() {
            tag.v_float64 = 0;
            differences.met(ZERO, 1);
        }
    }
}

/// Several batches are on their way at once.
fn sorted(mut batches: Vec<Batch>) -> Vec<Batch> {
    batches.sort_by_cached_key(prost::Message::encode_to_vec);
    batches
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_are_posted_as_by_otelcol() {
    let backends = backends().await;
    let named = [("{jaeger}", backends.each_ref().map(Capture::address))];
    let mut pair = Pair::start(Release::Jaeger, CONFIGURATION, &named).await;
    let names = [IDS, JOINED, EMPTY, SCOPE, DURATION, PARENT, LOSSY, ZERO];
    let mut differences = Differences::new(SECTION, &names);
    let mut dice = Dice::new(2);
    let mut spans = 0;
    for number in 0..REQUESTS {
        let request = traces(&mut dice);
        let resources = told(&request, &mut differences);
        let told = ExportTraceServiceRequest { resource_spans: resources.clone() };
        let [ours, theirs] = [&request, &told].map(|it| spoil(it.encode_to_vec()));
        assert_eq!(pair.export(TRACES, &ours, &theirs).await, [0, 0]);
        let [mut ours, theirs] = backends.each_ref().map(arrived);
        ours.iter_mut().for_each(|batch| unsigned_zeros(batch, &mut differences));
        let any = resources.iter().flat_map(|it| &it.scope_spans).any(|it| !it.spans.is_empty());
        // A request without spans goes nowhere.
        let resources = if any { &resources[..] } else { &[] };
        let theirs = as_ours(theirs, resources, &mut differences);
        let (ours, theirs) = (sorted(ours), sorted(theirs));
        if ours != theirs {
            assert_same(&ours, &theirs, &format!("request {number}"));
        }
        spans += ours.iter().map(|batch| batch.spans.len()).sum::<usize>();
    }
    assert!(spans > REQUESTS, "{spans} spans are too few to tell");
    differences.end();
}

/// An id of a wrong length: otelcol refuses all of the request, we all but its span.
#[tokio::test(flavor = "multi_thread")]
async fn one_bad_id_is_one_span() {
    let backends = backends().await;
    let named = [("{jaeger}", backends.each_ref().map(Capture::address))];
    let mut pair = Pair::start(Release::Jaeger, CONFIGURATION, &named).await;
    let span = |name: &str, length: usize| Span {
        trace_id: vec![1; length],
        span_id: vec![2; 8],
        name: name.into(),
        ..Span::default()
    };
    let spans = vec![span("bad", 15), span("good", 16)];
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let attributes = vec![text("service.name", "shop")];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let resource_spans = vec![ResourceSpans { resource, scope_spans, ..ResourceSpans::default() }];
    let request = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    assert_eq!(pair.export(TRACES, &request, &request).await, [0, 13]);
    let [ours, theirs] = backends.each_ref().map(arrived);
    assert!(theirs.is_empty());
    let names = ours.iter().flat_map(|batch| &batch.spans).map(|span| &span.operation_name[..]);
    assert_eq!(names.collect::<Vec<_>>(), [b"good"]);
    let flow = pair.ours.flow("traces", "jaeger").await;
    assert_eq!((flow.sent, flow.dropped), (1, 1), "{flow:?}");
}
