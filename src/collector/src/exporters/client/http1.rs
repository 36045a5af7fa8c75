//! Posts to a URL, and what its answer says.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Limited};
use obspipe_model::components::network::{ClientTls, Compression, Headers};
use tokio::time::timeout;

use super::{ClientError, MAX_ANSWER, USER_AGENT, headers, later, secure};
use crate::flow::send::Answer;
use crate::net::body::Pieces;
use crate::net::compress::{Encoding, deflate};
use crate::net::connect::{ConnectError, Destination, Http1};
use crate::net::grpc::percent_decoded;
use crate::net::resolve::Resolver;

/// Longest time that a backend is let ask for: a day.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(86_400);

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
pub(super) fn basic(user: &str) -> Option<HeaderValue> {
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
