//! The otlp exporter: OTLP over gRPC (otelcol exporter/otlpexporter). Requests are the chunks as they
//! came, one behind the other.

use bytes::Bytes;
use obspipe_model::Signal;
use obspipe_model::components::otlp_exporter::OtlpExporter;

use super::client::{ClientError, GrpcClient, GrpcSettings};
use super::requests;
use crate::flow::chunk::{Chunk, Load};
use crate::flow::send::{Answer, Outlet, Request, Sending, Source, Transport};
use crate::net::resolve::Resolver;

/// Sends OTLP over gRPC.
pub struct Otlp {
    client: GrpcClient,
    max_bytes: usize,
}

impl Otlp {
    /// An exporter; nothing is connected yet.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(settings: &OtlpExporter, resolver: &Resolver) -> Result<Self, ClientError> {
        let client = GrpcSettings {
            endpoint: &settings.endpoint,
            tls: &settings.tls,
            headers: &settings.headers,
            authority: settings.authority.as_deref(),
            compression: settings.compression,
            keepalive: settings.keepalive.as_ref(),
            timeout: settings.timeout,
        };
        let max_bytes = usize::try_from(settings.max_request_bytes).unwrap_or(usize::MAX);
        Ok(Self { client: GrpcClient::new(&client, resolver)?, max_bytes })
    }

    async fn request(&self, signal: Signal, chunks: Vec<Chunk>) -> Request {
        let items = chunks.iter().map(|chunk| chunk.items).sum();
        let message: Vec<Bytes> = chunks.iter().map(|chunk| chunk.bytes.clone()).collect();
        let body = self.client.body(message).await;
        Request { signal, body, items, source: Source::Chunks(chunks) }
    }
}

fn method(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
    }
}

impl Transport for Otlp {
    fn encode(&self, signal: Signal, load: Load, out: Outlet) -> Sending<'_, usize> {
        Box::pin(async move {
            for chunks in requests::group(signal, load, self.max_bytes) {
                let turn = out.turn().await;
                turn.give(self.request(signal, chunks).await);
            }
            0
        })
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a, Answer> {
        Box::pin(self.client.call(method(request.signal), &request.body))
    }

    fn halve<'a>(&'a self, request: &'a Request) -> Sending<'a, Option<(Request, Request)>> {
        Box::pin(async move {
            let (first, second) = requests::halve(request)?;
            let first = self.request(request.signal, first).await;
            Some((first, self.request(request.signal, second).await))
        })
    }
}
