//! What the tests of several modules need: named items as OTLP, the names in what was delivered,
//! chunks, and a consumer that keeps what it gets.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use obspipe_model::{PipelineId, Signal};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{AnyValue, KeyValue, any_value::Value},
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{
        Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
        number_data_point,
    },
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use prost::Message as _;

use crate::flow::account::{Account, Peer};
use crate::flow::chunk::{Chunk, Context, Hold, Load};
use crate::flow::ledger::{Ledger, Reason};
use crate::flow::leg::Consume;

fn text(text: &str) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(text.to_owned())) }
}

fn attribute(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(text(value)), ..Default::default() }
}

/// A request with these items: spans, log records or points of one gauge.
pub(crate) fn request<N: AsRef<str>>(signal: Signal, names: &[N]) -> Bytes {
    let names = names.iter().map(AsRef::as_ref);
    let resource =
        Resource { attributes: vec![attribute("service.name", "test")], ..Default::default() };
    let resource = Some(resource);
    match signal {
        Signal::Traces => {
            let span = |name: &str| Span { name: name.to_owned(), ..Default::default() };
            let scope = ScopeSpans { spans: names.map(span).collect(), ..Default::default() };
            let spans = ResourceSpans { resource, scope_spans: vec![scope], ..Default::default() };
            ExportTraceServiceRequest { resource_spans: vec![spans] }.encode_to_vec()
        }
        Signal::Metrics => {
            let point = |name: &str| NumberDataPoint {
                attributes: vec![attribute("name", name)],
                value: Some(number_data_point::Value::AsInt(1)),
                ..Default::default()
            };
            let data = Some(Data::Gauge(Gauge { data_points: names.map(point).collect() }));
            let metric = Metric { name: "gauge".into(), data, ..Default::default() };
            let scope = ScopeMetrics { metrics: vec![metric], ..Default::default() };
            let scope_metrics = vec![scope];
            let metrics = ResourceMetrics { resource, scope_metrics, ..Default::default() };
            ExportMetricsServiceRequest { resource_metrics: vec![metrics] }.encode_to_vec()
        }
        Signal::Logs => {
            let record = |name: &str| LogRecord { body: Some(text(name)), ..Default::default() };
            let log_records = names.map(record).collect();
            let scope = ScopeLogs { log_records, ..Default::default() };
            let logs = ResourceLogs { resource, scope_logs: vec![scope], ..Default::default() };
            ExportLogsServiceRequest { resource_logs: vec![logs] }.encode_to_vec()
        }
    }
    .into()
}

/// The names of all items of a request, in order.
pub(crate) fn names(signal: Signal, request: &[u8]) -> Vec<String> {
    let string = |value: Option<AnyValue>| match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        other => panic!("no name: {other:?}"),
    };
    match signal {
        Signal::Traces => {
            let request = ExportTraceServiceRequest::decode(request).unwrap();
            let scopes = request.resource_spans.into_iter().flat_map(|r| r.scope_spans);
            scopes.flat_map(|scope| scope.spans).map(|span| span.name).collect()
        }
        Signal::Metrics => {
            let request = ExportMetricsServiceRequest::decode(request).unwrap();
            let scopes = request.resource_metrics.into_iter().flat_map(|r| r.scope_metrics);
            let points = scopes.flat_map(|scope| scope.metrics).flat_map(|m| match m.data {
                Some(Data::Gauge(gauge)) => gauge.data_points,
                other => panic!("no gauge: {other:?}"),
            });
            points.map(|point| string(point.attributes[0].value.clone())).collect()
        }
        Signal::Logs => {
            let request = ExportLogsServiceRequest::decode(request).unwrap();
            let scopes = request.resource_logs.into_iter().flat_map(|r| r.scope_logs);
            scopes.flat_map(|scope| scope.log_records).map(|record| string(record.body)).collect()
        }
    }
}

/// `prefix-0`, `prefix-1` and so on.
pub(crate) fn numbered(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{prefix}-{n}")).collect()
}

/// A chunk of these items, with its bytes taken from the account.
pub(crate) fn chunk<N: AsRef<str>>(account: &Arc<Account>, signal: Signal, names: &[N]) -> Chunk {
    let bytes = request(signal, names);
    let mut permit = account.permit(signal, &Arc::new(Peer::default()));
    permit.grow(bytes.len()).unwrap();
    let weight = bytes.len();
    let hold = Hold { permit: Arc::new(permit), receipt: None };
    Chunk { bytes, items: names.len(), context: None, hold, weight, lost_to: None }
}

/// A chunk of so many spans, from an account of its own.
pub(crate) fn spans(prefix: &str, count: usize) -> Chunk {
    chunk(&Account::new(usize::MAX), Signal::Traces, &numbered(prefix, count))
}

/// The same with a header, as with `include_metadata`.
pub(crate) fn from_client(chunk: Chunk, header: &str, value: &str) -> Chunk {
    let metadata = vec![(header.to_owned(), value.to_owned())];
    let context = Context { metadata, client: "192.0.2.1".into() };
    Chunk { context: Some(Arc::new(context)), ..chunk }
}

/// A ledger of a pipeline of traces.
pub(crate) fn ledger(exporter: &str) -> Arc<Ledger> {
    let pipeline = PipelineId { signal: Signal::Traces, name: String::new() };
    Ledger::new(pipeline, exporter.parse().unwrap())
}

/// Keeps what it gets.
#[derive(Default)]
pub(crate) struct Kept(Mutex<Vec<(Signal, Load)>>);

impl Kept {
    /// How many loads there are.
    pub(crate) fn loads(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// All names, in the order in which they came.
    pub(crate) fn names(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap();
        let chunks =
            kept.iter().flat_map(|(signal, load)| load.chunks.iter().map(|c| (*signal, c)));
        chunks.flat_map(|(signal, chunk)| names(signal, &chunk.bytes)).collect()
    }

    /// All chunks; nothing is kept any more.
    pub(crate) fn take(&self) -> Vec<Chunk> {
        let kept = std::mem::take(&mut *self.0.lock().unwrap());
        kept.into_iter().flat_map(|(_, load)| load.chunks).collect()
    }
}

impl Consume for Kept {
    fn consume(&self, signal: Signal, load: &Load) -> Vec<(Reason, usize)> {
        self.0.lock().unwrap().push((signal, load.clone()));
        Vec::new()
    }
}

/// A certificate authority for tests, and what it signs, as PEM.
pub(crate) struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    /// Its own certificate.
    pub(crate) pem: String,
}

impl Authority {
    /// A new one.
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, "test authority");
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: rcgen::Issuer::new(params, key), pem }
    }

    /// A certificate for a name or an address, and its key.
    pub(crate) fn sign(&self, name: &str) -> (String, String) {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}
