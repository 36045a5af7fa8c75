//! The otlphttp exporter: OTLP over HTTP, in protobuf or JSON (otelcol exporter/otlphttpexporter).

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use obspipe_model::Signal;
use obspipe_model::components::otlp_http_exporter::{Encoding, OtlpHttpExporter};

use super::client::{ClientError, HttpClient, HttpSettings, Reply};
use super::requests;
use crate::flow::chunk::{Chunk, Load};
use crate::flow::send::{Answer, Outlet, Request, Sending, Source, Transport};
use crate::net::grpc::partial_success;
use crate::net::resolve::Resolver;
use crate::signal::json;

/// Sends OTLP over HTTP.
pub struct OtlpHttp {
    clients: [Option<HttpClient>; 3],
    encoding: Encoding,
    max_bytes: usize,
}

impl OtlpHttp {
    /// An exporter; nothing is connected yet.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(settings: &OtlpHttpExporter, resolver: &Resolver) -> Result<Self, ClientError> {
        let client = |own: &Option<_>, signal: Signal| match url(settings, own.as_ref(), signal) {
            Some(url) => {
                let idle = usize::try_from(settings.max_idle_conns).unwrap_or(usize::MAX);
                let settings = HttpSettings {
                    url: &url,
                    tls: &settings.tls,
                    headers: &settings.headers,
                    compression: settings.compression,
                    timeout: settings.timeout,
                    idle: (idle.max(1), settings.idle_conn_timeout),
                    keep_alive: !settings.disable_keep_alives,
                };
                HttpClient::new(&settings, resolver).map(Some)
            }
            None => Ok(None),
        };
        Ok(Self {
            clients: [
                client(&settings.traces_endpoint, Signal::Traces)?,
                client(&settings.metrics_endpoint, Signal::Metrics)?,
                client(&settings.logs_endpoint, Signal::Logs)?,
            ],
            encoding: settings.encoding,
            max_bytes: usize::try_from(settings.max_request_bytes).unwrap_or(usize::MAX),
        })
    }

    async fn request(&self, signal: Signal, chunks: Vec<Chunk>) -> Request {
        let items = chunks.iter().map(|chunk| chunk.items).sum();
        let plain: Vec<Bytes> = match self.encoding {
            Encoding::Proto => chunks.iter().map(|chunk| chunk.bytes.clone()).collect(),
            Encoding::Json => {
                let requests: Vec<&[u8]> = chunks.iter().map(|chunk| &chunk.bytes[..]).collect();
                let mut out = Vec::new();
                json::to_json(signal, &requests, &mut out);
                vec![out.into()]
            }
        };
        let body = match &self.clients[signal as usize] {
            Some(client) => client.body(plain).await,
            None => plain,
        };
        Request { signal, body, items, source: Source::Chunks(chunks) }
    }

    async fn post(&self, request: &Request) -> Answer {
        let Some(client) = &self.clients[request.signal as usize] else {
            return Answer::Never(format!("no endpoint for {}", request.signal.as_str()));
        };
        let content_type = match self.encoding {
            Encoding::Proto => "application/x-protobuf",
            Encoding::Json => "application/json",
        };
        match client.post(content_type, &request.body, &BTreeMap::new()).await {
            Ok(reply) => answer(&reply),
            Err(answer) => answer,
        }
    }
}

/// A signal's own URL, or the base with its path.
fn url(
    settings: &OtlpHttpExporter,
    own: Option<&obspipe_model::settings::HttpUrl>,
    signal: Signal,
) -> Option<String> {
    let base = settings.endpoint.as_ref();
    let from_base =
        base.map(|base| format!("{}/v1/{}", base.0.trim_end_matches('/'), signal.as_str()));
    own.map(|own| own.0.clone()).or(from_base)
}

/// What an answer means (OTLP specification, OTLP/HTTP Response).
fn answer(reply: &Reply) -> Answer {
    if reply.status.is_success() {
        let (rejected, message) = said(reply);
        return Answer::Taken { rejected, message };
    }
    let why = reply.why();
    match reply.status.as_u16() {
        _ if reply.is_retryable() => {
            Answer::Later { after: reply.retry_after(SystemTime::now()), why }
        }
        400 | 413 => Answer::Content(why),
        _ => Answer::Never(why),
    }
}

/// partial_success of an answer in either encoding; of one that cannot be read, nothing.
fn said(reply: &Reply) -> (usize, String) {
    let kind = reply.headers.get(http::header::CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    if kind.is_some_and(|kind| kind.starts_with(b"application/json")) {
        let read: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        let partial = &read["partialSuccess"];
        let keys = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"];
        let number = |value: &serde_json::Value| {
            value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
        };
        let rejected = keys.iter().find_map(|key| number(&partial[*key])).unwrap_or(0);
        let message = partial["errorMessage"].as_str().unwrap_or_default().to_owned();
        return (usize::try_from(rejected).unwrap_or(usize::MAX), message);
    }
    if kind.is_some_and(|kind| kind.starts_with(b"application/x-protobuf")) {
        let (rejected, message) = partial_success(&reply.body);
        return (usize::try_from(rejected).unwrap_or(usize::MAX), message);
    }
    (0, String::new())
}

impl Transport for OtlpHttp {
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
        Box::pin(self.post(request))
    }

    fn halve<'a>(&'a self, request: &'a Request) -> Sending<'a, Option<(Request, Request)>> {
        Box::pin(async move {
            let (first, second) = requests::halve(request)?;
            let first = self.request(request.signal, first).await;
            Some((first, self.request(request.signal, second).await))
        })
    }
}
