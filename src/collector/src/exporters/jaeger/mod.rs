//! The jaeger exporter: spans to Jaeger's own gRPC collector (api_v2 PostSpans).

pub mod translate;

use std::sync::Arc;

use obspipe_model::Signal;
use obspipe_model::components::jaeger::Jaeger as Settings;

use super::client::{ClientError, GrpcClient, GrpcSettings};
use crate::flow::chunk::{Hold, Load};
use crate::flow::send::{Answer, Encoded, Request, Sending, Source, Transport};
use crate::net::resolve::Resolver;

const METHOD: &str = "/jaeger.api_v2.CollectorService/PostSpans";

/// Sends spans to Jaeger.
pub struct Jaeger {
    client: GrpcClient,
    max_bytes: usize,
}

impl Jaeger {
    /// An exporter; nothing is connected yet.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(settings: &Settings, resolver: &Resolver) -> Result<Self, ClientError> {
        let client = GrpcSettings {
            endpoint: &settings.endpoint,
            tls: &settings.tls,
            headers: &settings.headers,
            authority: None,
            compression: settings.compression,
            keepalive: settings.keepalive.as_ref(),
            timeout: settings.timeout,
        };
        let max_bytes = usize::try_from(settings.max_request_bytes).unwrap_or(usize::MAX);
        Ok(Self { client: GrpcClient::new(&client, resolver)?, max_bytes })
    }

    async fn request(&self, made: translate::Request, holds: &Arc<Vec<Arc<Hold>>>) -> Request {
        let bytes = made.bytes;
        let body = self.client.body(vec![bytes.clone()]).await;
        let source = Source::Translated { bytes, tenant: None, holds: holds.clone() };
        Request { signal: Signal::Traces, body, items: made.spans, source }
    }
}

impl Transport for Jaeger {
    fn encode(&self, _: Signal, load: Load) -> Sending<'_, Encoded> {
        Box::pin(async move {
            let requests = load.chunks.iter().map(|chunk| &chunk.bytes[..]);
            let translated = translate::translate(requests, self.max_bytes);
            // The spans themselves are not needed any more; what they hold of the account is.
            let holds = Arc::new(load.chunks.into_iter().map(|chunk| chunk.hold).collect());
            let untranslatable = usize::try_from(translated.untranslatable).unwrap_or(usize::MAX);
            let mut encoded = Encoded { untranslatable, requests: Vec::new() };
            for request in translated.requests {
                encoded.requests.push(self.request(request, &holds).await);
            }
            encoded
        })
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a, Answer> {
        Box::pin(self.client.call(METHOD, &request.body))
    }

    fn halve<'a>(&'a self, request: &'a Request) -> Sending<'a, Option<(Request, Request)>> {
        Box::pin(async move {
            let Source::Translated { bytes, holds, .. } = &request.source else {
                return None;
            };
            let (first, second) = translate::halve(bytes)?;
            let first = self.request(first, holds).await;
            Some((first, self.request(second, holds).await))
        })
    }
}
