//! OTLP over HTTP: three paths, protobuf and JSON, and the status codes of the OTLP specification
//! (OTLP/HTTP Response). Errors are a google.rpc.Status in the request's own encoding.

use std::sync::Arc;
use std::time::Duration;

use http::header::{
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, CONNECTION,
    CONTENT_ENCODING, CONTENT_TYPE, EXPECT, HeaderName, ORIGIN, RETRY_AFTER,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::{Body as _, Incoming};
use obspipe_model::Signal;
use obspipe_model::components::otlp_receiver::{Cors, HttpServer};
use tokio::time::timeout;

use super::intake::{Intake, Rejection, forget, read};
use crate::flow::chunk::Context;
use crate::net::body::Pieces;
use crate::net::compress::Encoding;
use crate::net::grpc::{Code, Status};
use crate::net::serve::{Answering, From, Service};
use crate::signal::json;

/// The HTTP side of a receiver.
pub(super) struct Http {
    settings: HttpServer,
    intake: Intake,
    limit: usize,
}

/// In which form a request and its answer are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Protobuf,
    Json,
}

impl Form {
    fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let kind = value.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case("application/x-protobuf") {
            Some(Self::Protobuf)
        } else if kind.eq_ignore_ascii_case("application/json") {
            Some(Self::Json)
        } else {
            None
        }
    }

    fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Protobuf => "application/x-protobuf",
            Self::Json => "application/json",
        })
    }
}

impl Http {
    pub(super) fn new(settings: HttpServer, intake: Intake) -> Self {
        let limit = usize::try_from(settings.max_request_body_size).unwrap_or(usize::MAX);
        Self { settings, intake, limit }
    }

    /// Answers, when the client can read it.
    async fn respond(&self, request: Request<Incoming>, from: &From) -> Response<Pieces> {
        let (head, mut body) = request.into_parts();
        let mut response = self.consider(&head, &mut body, from).await;
        if head.version >= Version::HTTP_2 || body.is_end_stream() {
            return response;
        }
        let waits = head.headers.contains_key(EXPECT);
        let slow = response.status() == StatusCode::REQUEST_TIMEOUT;
        if waits || slow || !forget(&mut body, self.limit).await {
            // Another request could not be told from the rest of this one.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn consider(&self, head: &Parts, body: &mut Incoming, from: &From) -> Response<Pieces> {
        let path = head.uri.path();
        let paths = [
            (&self.settings.traces_url_path, Signal::Traces),
            (&self.settings.metrics_url_path, Signal::Metrics),
            (&self.settings.logs_url_path, Signal::Logs),
        ];
        let found = paths.iter().find(|(known, _)| *known == path).map(|(_, signal)| *signal);
        let Some(signal) = found.filter(|signal| self.intake.takes(*signal)) else {
            return plain(StatusCode::NOT_FOUND, "404 page not found\n");
        };
        if head.method != Method::POST {
            let mut response = plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "405 method not allowed, supported: [POST]\n",
            );
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        let Some(form) = Form::of(&head.headers) else {
            return plain(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "415 unsupported media type, supported: [application/json, application/x-protobuf]\n",
            );
        };
        let Some(encoding) = self.encoding(&head.headers) else {
            let known = self.settings.compression_algorithms.join(" ");
            let message = format!("unsupported Content-Encoding; supported: {}", known.trim());
            return failure(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                Code::InvalidArgument,
                &message,
                form,
            );
        };
        let context = self.intake.context(&head.headers, from);
        match self.take(signal, (form, encoding), body, context, from).await {
            Ok(()) => success(form),
            Err(rejection) => {
                self.intake.count(&rejection);
                refusal(&rejection, form)
            }
        }
    }

    /// None where it is not known, not allowed, or one encoding within another.
    fn encoding(&self, headers: &HeaderMap) -> Option<Encoding> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let Some(value) = values.next() else {
            return Some(Encoding::Identity);
        };
        let name = value.to_str().ok()?.trim();
        let allowed = self.settings.compression_algorithms.iter().any(|known| known == name);
        let identity = name.is_empty() || name == "identity";
        if values.next().is_some() || !(allowed || identity) {
            return None;
        }
        Encoding::named(name)
    }

    async fn take(
        &self,
        signal: Signal,
        (form, encoding): (Form, Encoding),
        body: &mut Incoming,
        context: Option<Arc<Context>>,
        from: &From,
    ) -> Result<(), Rejection> {
        let announced = body.size_hint().lower();
        if announced > self.limit as u64 {
            let limit = self.limit;
            return Err(Rejection::TooLarge(format!(
                "the request has {announced} bytes, more than {limit} (max_request_body_size)"
            )));
        }
        let expected = usize::try_from(announced).unwrap_or(usize::MAX);
        let mut permit = self.intake.permit(signal, from, expected)?;
        let reading = read(body, expected, self.limit, &mut permit);
        let message = match self.settings.read_timeout {
            Duration::ZERO => reading.await,
            limit => timeout(limit, reading).await.unwrap_or(Err(Rejection::Slow)),
        }?;
        let bytes = self.intake.inflate(encoding, message, self.limit, &mut permit).await?;
        let bytes = match form {
            Form::Protobuf => bytes,
            Form::Json => {
                // Protobuf is never longer than its JSON, but for numbers of one digit.
                let limit = bytes.len().saturating_mul(2);
                permit.grow(bytes.len())?;
                let read = json::from_json(signal, &bytes, limit);
                let read = read.map_err(|error| Rejection::Malformed(error.to_string()))?;
                drop(bytes);
                permit.set(read.len());
                read.into()
            }
        };
        self.intake.admit(signal, bytes, permit, context).await
    }
}

impl Service for Http {
    fn answer(self: Arc<Self>, request: Request<Incoming>, from: From) -> Answering {
        Box::pin(async move {
            let Some(cors) = &self.settings.cors else {
                return self.respond(request, &from).await;
            };
            let origin = allowed_origin(cors, request.headers());
            let asks = request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
            let wanted = request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).cloned();
            let (mut response, preflight) = match asks && request.method() == Method::OPTIONS {
                true => (plain(StatusCode::NO_CONTENT, ""), Some(wanted)),
                false => (self.respond(request, &from).await, None),
            };
            if let Some(origin) = origin {
                allow(cors, origin, preflight, response.headers_mut());
            }
            response
        })
    }
}

/// The request's origin, if it is let in: `*` in a pattern stands for any text.
fn allowed_origin(cors: &Cors, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    let text = origin.to_str().ok()?.to_ascii_lowercase();
    let matches = |pattern: &String| match pattern.to_ascii_lowercase().split_once('*') {
        Some((before, after)) => {
            text.len() >= before.len() + after.len()
                && text.starts_with(before)
                && text.ends_with(after)
        }
        None => *pattern == text,
    };
    cors.allowed_origins.iter().any(matches).then(|| origin.clone())
}

/// Says what a page may do; to the question before a request, with the headers that it wants to send.
fn allow(
    cors: &Cors,
    origin: HeaderValue,
    preflight: Option<Option<HeaderValue>>,
    headers: &mut HeaderMap,
) {
    let mut put = |name: &'static str, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("vary", "Origin".into());
    put("access-control-allow-credentials", "true".into());
    if preflight.is_some() {
        put("access-control-allow-methods", "POST".into());
        let simple = ["Content-Type", "Content-Encoding"].map(String::from);
        let names: Vec<String> = simple.into_iter().chain(cors.allowed_headers.clone()).collect();
        put("access-control-allow-headers", names.join(", "));
        if cors.max_age > 0 {
            put("access-control-max-age", cors.max_age.to_string());
        }
    } else if !cors.exposed_headers.is_empty() {
        put("access-control-expose-headers", cors.exposed_headers.join(", "));
    }
    // To requests with credentials browsers take no star (Fetch, CORS protocol).
    if let Some(Some(wanted)) = preflight
        && cors.allowed_headers.iter().any(|name| name == "*")
    {
        headers.insert("access-control-allow-headers", wanted);
    }
    headers.insert("access-control-allow-origin", origin);
}

/// An answer without partial_success: all was taken.
fn success(form: Form) -> Response<Pieces> {
    let mut response = Response::new(match form {
        Form::Protobuf => Pieces::default(),
        Form::Json => Pieces::from(String::from("{\"partialSuccess\":{}}")),
    });
    response.headers_mut().insert(CONTENT_TYPE, form.content_type());
    response
}

fn refusal(rejection: &Rejection, form: Form) -> Response<Pieces> {
    let (status, code) = match rejection {
        Rejection::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
        Rejection::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted),
        Rejection::Malformed(_) => (StatusCode::BAD_REQUEST, Code::InvalidArgument),
        Rejection::Slow => (StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded),
        Rejection::Refused(_) => (StatusCode::INTERNAL_SERVER_ERROR, Code::Internal),
    };
    let mut response = failure(status, code, &rejection.to_string(), form);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

fn failure(status: StatusCode, code: Code, message: &str, form: Form) -> Response<Pieces> {
    let mut response = Response::new(match form {
        Form::Protobuf => Pieces::from(bytes::Bytes::from(Status::new(code, message).encode())),
        Form::Json => Pieces::from(json::status_json(code as i32, message)),
    });
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, form.content_type());
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Pieces> {
    let mut response = Response::new(Pieces::from(bytes::Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
