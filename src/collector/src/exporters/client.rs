//! What the network exporters share: a gRPC and an HTTP client that send one request and say what
//! the answer means for trying again (OTLP specification, Failures; collector-wide tables of codes).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderName, RETRY_AFTER};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, Version};
use http_body_util::{BodyExt as _, Limited};
use obspipe_model::components::network::{ClientKeepalive, ClientTls, Compression, Headers};
use obspipe_model::settings::Target;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::time::timeout;

use crate::flow::send::Answer;
use crate::net::body::Pieces;
use crate::net::compress::{Encoding, deflate};
use crate::net::connect::{ConnectError, Destination, Http1, Http2};
use crate::net::grpc::{Code, PREFIX, Status, partial_success, percent_decoded, prefix};
use crate::net::resolve::Resolver;
use crate::net::tls::{self, Reloading, TlsError};

/// Most bytes of an answer that are read.
const MAX_ANSWER: usize = 256 * 1024;
/// HTTP/2 connections of an exporter: one is one lock, and one TCP window.
const CONNECTIONS: usize = 2;

/// Longest time that a backend is let ask for: a day.
const MAX_WAIT: Duration = Duration::from_secs(86_400);

/// Why an exporter cannot be prepared.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// TLS cannot be set up.
    #[error("tls.{0}")]
    Tls(#[from] TlsError),
    /// A header cannot be sent; its value is not told.
    #[error("headers: {0:?} is no header, or its value cannot be sent")]
    Header(String),
    /// The address is none.
    #[error("endpoint: {0}")]
    Endpoint(String),
}

/// Headers as they are sent.
///
/// # Errors
/// One cannot be sent.
pub fn headers(configured: &Headers) -> Result<HeaderMap, ClientError> {
    let pair = |(name, value): (&String, &obspipe_model::settings::Secret)| {
        let wrong = || ClientError::Header(name.clone());
        let header = HeaderName::try_from(name.as_str()).map_err(|_| wrong())?;
        let mut value = HeaderValue::try_from(value.0.as_str()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        Ok((header, value))
    };
    configured.iter().map(pair).collect()
}

type Secure = (Arc<Reloading<ClientConfig>>, ServerName<'static>);

fn secure(
    settings: &ClientTls,
    host: &str,
    alpn: &'static [&'static [u8]],
) -> Result<Secure, ClientError> {
    let name = settings.server_name_override.clone().unwrap_or_else(|| host.to_owned());
    let name = ServerName::try_from(name)
        .map_err(|error| ClientError::Endpoint(format!("no name of a server: {error}")))?;
    let (files, settings) = (tls::client_files(settings), settings.clone());
    let config = Reloading::new(files, move || tls::client(&settings, alpn))?;
    Ok((Arc::new(config), name))
}

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

/// How we introduce ourselves to backends.
pub const USER_AGENT: &str = concat!("obspipe-collector/", env!("CARGO_PKG_VERSION"));

fn authority(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

fn later(error: &ConnectError) -> Answer {
    Answer::Later { after: None, why: error.to_string() }
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

/// Posts to one URL.
pub struct HttpClient {
    connections: Http1,
    headers: HeaderMap,
    host: HeaderValue,
    path: String,
    timeout: Duration,
    keep_alive: bool,
    encoding: Option<(Encoding, &'static str)>,
}

/// What an HTTP exporter is configured to.
pub struct HttpSettings<'a> {
    /// Where to.
    pub url: &'a str,
    /// TLS of an https URL.
    pub tls: &'a ClientTls,
    /// Headers sent along.
    pub headers: &'a Headers,
    /// How requests are compressed.
    pub compression: Compression,
    /// How long a request may take.
    pub timeout: Duration,
    /// Idle connections kept, and for how long.
    pub idle: (usize, Duration),
    /// Several requests on one connection.
    pub keep_alive: bool,
}

impl HttpClient {
    /// A client; nothing is connected yet.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub fn new(settings: &HttpSettings<'_>, resolver: &Resolver) -> Result<Self, ClientError> {
        let wrong = |error: String| ClientError::Endpoint(error);
        let url: Uri = settings.url.parse().map_err(|e| wrong(format!("no URL: {e}")))?;
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let with_tls = url.scheme() == Some(&Scheme::HTTPS);
        let port = url.port_u16().unwrap_or(if with_tls { 443 } else { 80 });
        let tls = if with_tls { Some(secure(settings.tls, &host, &[b"http/1.1"])?) } else { None };
        let authority = url.authority().map(Authority::as_str).unwrap_or_default();
        let (user, named) = match authority.rsplit_once('@') {
            Some((user, named)) => (Some(user), named),
            None => (None, authority),
        };
        let mut headers = headers(settings.headers)?;
        if let Some(value) = user.and_then(basic) {
            headers.entry(http::header::AUTHORIZATION).or_insert(value);
        }
        let to = Destination { host, port, tls, resolver: resolver.clone() };
        Ok(Self {
            connections: Http1::new(to, settings.idle.0, settings.idle.1),
            headers,
            host: HeaderValue::try_from(named).map_err(|e| wrong(e.to_string()))?,
            path: url.path_and_query().map_or("/", PathAndQuery::as_str).to_owned(),
            timeout: settings.timeout,
            keep_alive: settings.keep_alive,
            encoding: Encoding::of(settings.compression),
        })
    }

    /// A body, compressed if configured.
    pub async fn body(&self, pieces: Vec<Bytes>) -> Vec<Bytes> {
        match self.encoding {
            Some((encoding, _)) => match deflate(encoding, &pieces).await {
                Ok(bytes) => vec![bytes.into()],
                Err(_) => pieces,
            },
            None => pieces,
        }
    }

    /// Posts a body made by [`body`](Self::body); more headers may be given.
    pub async fn post(
        &self,
        content_type: &'static str,
        body: &[Bytes],
        more: &BTreeMap<&'static str, String>,
    ) -> Result<Reply, Answer> {
        match timeout(self.timeout, self.exchange(content_type, body, more)).await {
            Ok(Ok(reply)) => Ok(reply),
            Ok(Err(error)) => Err(later(&error)),
            Err(_) => Err(later(&ConnectError::Timeout(self.timeout))),
        }
    }

    async fn exchange(
        &self,
        content_type: &'static str,
        body: &[Bytes],
        more: &BTreeMap<&'static str, String>,
    ) -> Result<Reply, ConnectError> {
        let length: usize = body.iter().map(Bytes::len).sum();
        let mut request = Request::new(Pieces::new(body.iter().cloned()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(HOST, self.host.clone());
        headers.insert("user-agent", HeaderValue::from_static(USER_AGENT));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
        if let Some((_, name)) = self.encoding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        headers.extend(self.headers.clone());
        for (name, value) in more {
            if let Ok(value) = HeaderValue::try_from(value.as_str()) {
                headers.insert(*name, value);
            }
        }
        let (response, connection) = self.connections.send(request).await?;
        let (head, body) = response.into_parts();
        // An answer that breaks off after its head still says what became of the request.
        let collected = Limited::new(body, MAX_ANSWER).collect().await;
        let whole = collected.is_ok();
        let bytes = collected.map(http_body_util::Collected::to_bytes).unwrap_or_default();
        if whole && self.keep_alive {
            self.connections.keep(connection);
        }
        Ok(Reply { status: head.status, headers: head.headers, body: bytes, whole })
    }
}

/// Basic authentication (RFC 7617) of the user in a URL, whose special characters are %XX there.
fn basic(user: &str) -> Option<HeaderValue> {
    use base64::Engine as _;
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = [name, password].map(|part| percent_decoded(part.as_bytes()));
    let encoded = base64::engine::general_purpose::STANDARD.encode(decoded.join(":"));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// An HTTP answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or what came of it.
    pub body: Bytes,
    /// Whether all of the body came.
    pub whole: bool,
}

impl Reply {
    /// Whether to try again (OTLP specification, OTLP/HTTP Response: 429, 502, 503, 504).
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self.status.as_u16(), 429 | 502 | 503 | 504)
    }

    /// When to try again: seconds, or a date (RFC 9110, 10.2.3).
    #[must_use]
    pub fn retry_after(&self, now: SystemTime) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        let wait = match value.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => {
                let date = httpdate::parse_http_date(value).ok()?;
                date.duration_since(now).unwrap_or_default()
            }
        };
        Some(wait.min(MAX_WAIT))
    }

    /// Status and the beginning of what was said, on one line.
    #[must_use]
    pub fn why(&self) -> String {
        let text = String::from_utf8_lossy(&self.body);
        let line: String =
            text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        format!("HTTP {}: {}", self.status.as_u16(), line.trim())
    }
}

#[cfg(test)]
mod tests;
