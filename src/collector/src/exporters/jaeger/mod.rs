//! The jaeger exporter: spans to Jaeger's own gRPC collector (api_v2 PostSpans).

pub mod translate;

use std::sync::Arc;

use obspipe_model::Signal;
use obspipe_model::components::jaeger::Jaeger as Settings;

use super::client::{ClientError, GrpcClient, GrpcSettings, of_status};
use crate::flow::chunk::{Hold, Load};
use crate::flow::send::{Answer, Outlet, Request, Sending, Source, Transport};
use crate::net::grpc::{Code, Status};
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

    async fn request(&self, made: translate::Request, holds: &Arc<Vec<Hold>>) -> Request {
        let bytes = made.bytes;
        let body = self.client.body(vec![bytes.clone()]).await;
        let (holds, joints) = (holds.clone(), made.joints);
        let source = Source::Translated { bytes, joints, tenant: None, holds };
        Request { signal: Signal::Traces, body, items: made.spans, source }
    }
}

/// What Jaeger's failures mean. RESOURCE_EXHAUSTED is also what a full queue is called there (cmd/
/// collector/app/handler, ErrBusy); what has no code of its own may be anything that passes, and is
/// sent again (contrib exporter/jaegerexporter v0.85 sends everything again).
fn answer(status: Status) -> Answer {
    let passes = match status.code {
        Code::ResourceExhausted => !status.message.contains("larger than max"),
        Code::Unknown
        | Code::NotFound
        | Code::AlreadyExists
        | Code::FailedPrecondition
        | Code::Internal => true,
        _ => false,
    };
    if passes {
        let Status { code, message, retry_after } = status;
        return Answer::Later { after: retry_after, why: format!("{code:?}: {message}") };
    }
    of_status(status)
}

impl Transport for Jaeger {
    fn encode(&self, _: Signal, load: Load, out: Outlet) -> Sending<'_, usize> {
        Box::pin(async move {
            let requests = load.chunks.iter().map(|chunk| &chunk.bytes[..]);
            let translated = translate::translate(requests, self.max_bytes);
            // The spans themselves are not needed any more; what they hold of the account is.
            let holds = Arc::new(load.chunks.into_iter().map(|chunk| chunk.hold).collect());
            for request in translated.requests {
                let turn = out.turn().await;
                turn.give(self.request(request, &holds).await);
            }
            usize::try_from(translated.untranslatable).unwrap_or(usize::MAX)
        })
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a, Answer> {
        Box::pin(self.client.call_of(METHOD, &request.body, answer))
    }

    fn halve<'a>(&'a self, request: &'a Request) -> Sending<'a, Option<(Request, Request)>> {
        Box::pin(async move {
            let Source::Translated { bytes, joints, holds, .. } = &request.source else {
                return None;
            };
            let (first, second) = translate::halve(bytes, joints)?;
            let first = self.request(first, holds).await;
            Some((first, self.request(second, holds).await))
        })
    }
}
