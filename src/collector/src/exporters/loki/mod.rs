//! The loki exporter: log records as lines to Loki's push API.

pub mod translate;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use obspipe_model::Signal;
use obspipe_model::components::loki::Loki as Settings;
use obspipe_model::components::network::Compression;

use super::client::{ClientError, HttpClient, HttpSettings, Reply};
use crate::flow::chunk::{Hold, Load};
use crate::flow::send::{Answer, Outlet, Request, Sending, Source, Transport};
use crate::net::resolve::Resolver;
use translate::{Push, Translator};

/// Header that names the tenant.
const TENANT: &str = "x-scope-orgid";
/// Idle connections kept, and for how long.
const IDLE: (usize, Duration) = (100, Duration::from_secs(90));

/// Sends log records to Loki.
pub struct Loki {
    client: HttpClient,
    translator: Translator,
}

impl Loki {
    /// An exporter; nothing is connected yet.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(settings: &Settings, resolver: &Resolver) -> Result<Self, ClientError> {
        let client = HttpSettings {
            url: &settings.endpoint.0,
            tls: &settings.tls,
            headers: &settings.headers,
            // Snappy is part of the format, not an encoding of the body.
            compression: Compression::None,
            timeout: settings.timeout,
            idle: IDLE,
            keep_alive: true,
        };
        Ok(Self {
            client: HttpClient::new(&client, resolver)?,
            translator: Translator::new(settings),
        })
    }

    fn request(push: Push, holds: &Arc<Vec<Hold>>) -> Option<Request> {
        let compressed = snap::raw::Encoder::new().compress_vec(&push.bytes).ok()?;
        let body = vec![Bytes::from(compressed)];
        let source = Source::Translated {
            bytes: push.bytes.into(),
            joints: Vec::new(),
            tenant: push.tenant,
            holds: holds.clone(),
        };
        Some(Request { signal: Signal::Logs, body, items: push.records, source })
    }

    async fn post(&self, request: &Request) -> Answer {
        let mut headers = BTreeMap::new();
        if let Source::Translated { tenant: Some(tenant), .. } = &request.source {
            headers.insert(TENANT, tenant.clone());
        }
        match self.client.post("application/x-protobuf", &request.body, &headers).await {
            Ok(reply) => answer(&reply, request.items),
            Err(answer) => answer,
        }
    }
}

/// What Loki's answer means. 400: some entries were refused, the rest was kept; to send it again
/// would keep the rest twice.
fn answer(reply: &Reply, records: usize) -> Answer {
    if reply.status.is_success() {
        return Answer::Taken { rejected: 0, message: String::new() };
    }
    let why = reply.why();
    match reply.status.as_u16() {
        _ if reply.is_retryable() || reply.status.is_server_error() => {
            Answer::Later { after: reply.retry_after(SystemTime::now()), why }
        }
        400 => {
            Answer::Taken { rejected: refused(&reply.body).unwrap_or(records).max(1), message: why }
        }
        413 => Answer::Content(why),
        _ => Answer::Never(why),
    }
}

/// Entries refused, where the answer tells: "total ignored: 3 out of 10".
fn refused(body: &[u8]) -> Option<usize> {
    let text = String::from_utf8_lossy(body);
    let (_, after) = text.split_once("total ignored: ")?;
    after.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

impl Transport for Loki {
    fn encode(&self, _: Signal, load: Load, out: Outlet) -> Sending<'_, usize> {
        Box::pin(async move {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
            let requests: Vec<_> = load.chunks.iter().map(|chunk| &chunk.bytes[..]).collect();
            let mut pushes = self.translator.pushes(requests, now);
            let holds = Arc::new(load.chunks.iter().map(|chunk| chunk.hold.clone()).collect());
            let mut said = 0;
            loop {
                let turn = out.turn().await;
                let Some(push) = pushes.next() else { break };
                if let Some(request) = Self::request(push, &holds) {
                    said += request.items;
                    turn.give(request);
                }
            }
            load.items().saturating_sub(said)
        })
    }

    /// Lines are far longer than records where each repeats what its resource says.
    fn at_once(&self) -> usize {
        1
    }

    fn send<'a>(&'a self, request: &'a Request) -> Sending<'a, Answer> {
        Box::pin(self.post(request))
    }

    fn halve<'a>(&'a self, request: &'a Request) -> Sending<'a, Option<(Request, Request)>> {
        Box::pin(async move {
            let Source::Translated { bytes, tenant, holds, .. } = &request.source else {
                return None;
            };
            let push =
                Push { tenant: tenant.clone(), bytes: bytes.to_vec(), records: request.items };
            let (first, second) = translate::halve(&push)?;
            Some((Self::request(first, holds)?, Self::request(second, holds)?))
        })
    }
}
