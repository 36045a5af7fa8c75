//! Calls of gRPC methods, and what a status means for trying again.

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version};
use http_body_util::{BodyExt as _, Limited};
use obspipe_model::components::network::{ClientKeepalive, ClientTls, Compression, Headers};
use obspipe_model::settings::Target;
use tokio::time::timeout;

use super::{ClientError, MAX_ANSWER, USER_AGENT, headers, later, secure};
use crate::flow::send::Answer;
use crate::net::body::Pieces;
use crate::net::compress::{Encoding, deflate};
use crate::net::connect::{ConnectError, Destination, Http2};
use crate::net::grpc::{Code, PREFIX, Status, partial_success, prefix};
use crate::net::resolve::Resolver;

/// HTTP/2 connections of an exporter: one is one lock, and one TCP window.
pub(super) const CONNECTIONS: usize = 2;

/// Calls gRPC methods.
pub struct GrpcClient {
    connections: Http2,
    headers: HeaderMap,
    scheme: Scheme,
    authority: Authority,
    timeout: Duration,
    encoding: Option<(Encoding, &'static str)>,
}

/// What a gRPC exporter is configured to.
pub struct GrpcSettings<'a> {
    /// Where to.
    pub endpoint: &'a Target,
    /// TLS.
    pub tls: &'a ClientTls,
    /// Headers sent along.
    pub headers: &'a Headers,
    /// `:authority`, unless it is the endpoint.
    pub authority: Option<&'a str>,
    /// How requests are compressed.
    pub compression: Compression,
    /// Pings.
    pub keepalive: Option<&'a ClientKeepalive>,
    /// How long a call may take.
    pub timeout: Duration,
}

impl GrpcClient {
    /// A client; nothing is connected yet.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(settings: &GrpcSettings<'_>, resolver: &Resolver) -> Result<Self, ClientError> {
        let Target { host, port, secure: by_scheme, .. } = settings.endpoint;
        let with_tls = by_scheme.unwrap_or(!settings.tls.insecure);
        let tls = if with_tls { Some(secure(settings.tls, host, &[b"h2"])?) } else { None };
        let named = settings.authority.map_or_else(|| authority(host, *port), ToOwned::to_owned);
        let authority = Authority::try_from(named)
            .map_err(|error| ClientError::Endpoint(format!("no authority: {error}")))?;
        let scheme = if tls.is_some() { Scheme::HTTPS } else { Scheme::HTTP };
        let to = Destination { host: host.clone(), port: *port, tls, resolver: resolver.clone() };
        let keepalive = settings.keepalive.map(|k| (k.time, k.timeout, k.permit_without_stream));
        Ok(Self {
            connections: Http2::new(to, CONNECTIONS, keepalive),
            headers: headers(settings.headers)?,
            scheme,
            authority,
            timeout: settings.timeout,
            encoding: Encoding::of(settings.compression),
        })
    }

    /// The body of a call: compressed if configured, with the five bytes before it.
    pub async fn body(&self, message: Vec<Bytes>) -> Vec<Bytes> {
        let compressed = match self.encoding {
            Some((encoding, _)) => deflate(encoding, &message).await.ok(),
            None => None,
        };
        let (is_compressed, mut pieces) = match compressed {
            Some(bytes) => (true, vec![Bytes::from(bytes)]),
            None => (false, message),
        };
        let length = pieces.iter().map(Bytes::len).sum();
        pieces.insert(0, prefix(is_compressed, length));
        pieces
    }

    /// Calls a method with a body made by [`body`](Self::body).
    pub async fn call(&self, path: &'static str, body: &[Bytes]) -> Answer {
        self.call_of(path, body, of_status).await
    }

    /// The same of a backend whose failures have a meaning of their own.
    pub async fn call_of(
        &self,
        path: &'static str,
        body: &[Bytes],
        meaning: fn(Status) -> Answer,
    ) -> Answer {
        match timeout(self.timeout, self.exchange(path, body, meaning)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => later(&error),
            Err(_) => later(&ConnectError::Timeout(self.timeout)),
        }
    }

    async fn exchange(
        &self,
        path: &'static str,
        body: &[Bytes],
        meaning: fn(Status) -> Answer,
    ) -> Result<Answer, ConnectError> {
        let mut request = Request::new(Pieces::new(body.iter().cloned()));
        *request.method_mut() = Method::POST;
        *request.version_mut() = Version::HTTP_2;
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::from_static(path));
        *request.uri_mut() = Uri::from_parts(parts).unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert("te", HeaderValue::from_static("trailers"));
        headers.insert("user-agent", HeaderValue::from_static(USER_AGENT));
        let milliseconds = self.timeout.as_millis().min(99_999_999);
        if let Ok(timeout) = HeaderValue::try_from(format!("{milliseconds}m")) {
            headers.insert("grpc-timeout", timeout);
        }
        if let Some((_, name)) = self.encoding {
            headers.insert("grpc-encoding", HeaderValue::from_static(name));
        }
        headers.extend(self.headers.clone());
        let response = self.connections.send(request).await?;
        let (head, body) = response.into_parts();
        if let Some(status) = Status::read(&head.headers).filter(|status| status.code != Code::Ok) {
            return Ok(meaning(status));
        }
        let collected = match Limited::new(body, MAX_ANSWER).collect().await {
            Ok(collected) => collected,
            Err(error) => return Ok(Answer::Later { after: None, why: error.to_string() }),
        };
        let trailers = collected.trailers().cloned().unwrap_or(head.headers);
        let status = Status::read(&trailers).unwrap_or_else(|| {
            Status::new(Code::of_http(head.status), format!("HTTP {}", head.status))
        });
        if status.code != Code::Ok {
            return Ok(meaning(status));
        }
        let answer = collected.to_bytes();
        let (rejected, message) = partial_success(answer.get(PREFIX..).unwrap_or_default());
        Ok(Answer::Taken { rejected: usize::try_from(rejected).unwrap_or(usize::MAX), message })
    }
}

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// What a gRPC status means for trying again (OTLP specification, OTLP/gRPC Response).
#[must_use]
pub fn of_status(status: Status) -> Answer {
    let Status { code, message, retry_after } = status;
    let why = format!("{code:?}: {message}");
    match code {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => Answer::Later { after: retry_after, why },
        Code::ResourceExhausted if retry_after.is_some() => {
            Answer::Later { after: retry_after, why }
        }
        // Too large, or with something in it that the backend does not take.
        Code::ResourceExhausted | Code::InvalidArgument => Answer::Content(why),
        _ => Answer::Never(why),
    }
}
