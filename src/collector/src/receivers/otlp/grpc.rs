//! OTLP over gRPC: the three Export methods, and the status codes of the OTLP specification
//! (OTLP/gRPC Response) as otelcol's receiver gives them (internal/errors/errors.go).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use obspipe_model::Signal;
use obspipe_model::components::otlp_receiver::GrpcServer;

use super::intake::{Gathered, Intake, Rejection, next};
use crate::flow::account::Permit;
use crate::net::body::Pieces;
use crate::net::compress::Encoding;
use crate::net::grpc::{Code, PREFIX, Status, prefix};
use crate::net::serve::{Answering, From, Service};

/// When a client should try again: SDKs give up when this exceeds their own ten seconds.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The gRPC side of a receiver.
pub(super) struct Grpc {
    intake: Intake,
    max_message: usize,
}

impl Grpc {
    pub(super) fn new(settings: &GrpcServer, intake: Intake) -> Self {
        let mib = usize::try_from(settings.max_recv_msg_size_mib).unwrap_or(usize::MAX);
        Self { intake, max_message: mib.saturating_mul(1024 * 1024) }
    }

    async fn call(&self, request: Request<Incoming>, from: &From) -> Result<(), Status> {
        let Some(signal) = method(request.uri().path()) else {
            let message = format!("unknown method {}", request.uri().path());
            return Err(Status::new(Code::Unimplemented, message));
        };
        if !self.intake.takes(signal) {
            let message = format!("no pipeline takes {}", signal.as_str());
            return Err(Status::new(Code::Unimplemented, message));
        }
        let encoding = encoding(request.headers())?;
        let context = self.intake.context(request.headers(), from);
        let mut body = request.into_body();
        let taken = async {
            let (message, compressed, mut permit) = self.message(signal, &mut body, from).await?;
            let encoding = match (compressed, encoding) {
                (0, _) => Encoding::Identity,
                (1, Encoding::Gzip | Encoding::Zstd | Encoding::Snappy) => encoding,
                _ => {
                    let why = "the message says that it is compressed, and not how";
                    return Err(Rejection::Malformed(why.into()));
                }
            };
            let limit = self.max_message;
            let bytes = self.intake.inflate(encoding, message, limit, &mut permit).await?;
            self.intake.admit(signal, bytes, permit, context).await
        };
        taken.await.map_err(|rejection| {
            self.intake.count(&rejection);
            status(&rejection)
        })
    }

    /// Reads the one message of a call.
    async fn message(
        &self,
        signal: Signal,
        body: &mut Incoming,
        from: &From,
    ) -> Result<(Bytes, u8, Permit), Rejection> {
        let short = || Rejection::Malformed("the message is cut short".into());
        let mut head = Vec::with_capacity(PREFIX);
        let mut first = Bytes::new();
        while head.len() < PREFIX {
            first = next(body).await?.ok_or_else(short)?;
            let missing = (PREFIX - head.len()).min(first.len());
            head.extend_from_slice(&first.split_to(missing));
        }
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if length > self.max_message {
            let limit = self.max_message;
            return Err(Rejection::TooLarge(format!(
                "the message has {length} bytes, more than {limit} (max_recv_msg_size_mib)"
            )));
        }
        let mut permit = self.intake.permit(signal, from, length)?;
        let mut message = Gathered::new(length);
        let mut piece = first;
        loop {
            if message.len() + piece.len() > length {
                return Err(Rejection::Malformed("there is more than one message".into()));
            }
            message.add(piece, length, &mut permit)?;
            match next(body).await? {
                Some(more) => piece = more,
                None if message.len() == length => {
                    return Ok((message.finish(&mut permit), head[0], permit));
                }
                None => return Err(short()),
            }
        }
    }
}

impl Service for Grpc {
    fn answer(self: Arc<Self>, request: Request<Incoming>, from: From) -> Answering {
        Box::pin(async move {
            if let Some(refusal) = no_grpc(&request) {
                return refusal;
            }
            match self.call(request, &from).await {
                Ok(()) => success(),
                Err(status) => failure(&status),
            }
        })
    }
}

/// What is no gRPC call at all is answered in HTTP.
fn no_grpc(request: &Request<Incoming>) -> Option<Response<Pieces>> {
    let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let status = if !kind.starts_with(b"application/grpc") {
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    } else if request.method() != Method::POST {
        StatusCode::METHOD_NOT_ALLOWED
    } else {
        return None;
    };
    let mut response = Response::new(Pieces::default());
    *response.status_mut() = status;
    Some(response)
}

fn method(path: &str) -> Option<Signal> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Signal::Traces),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Signal::Metrics),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Signal::Logs),
        _ => None,
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, Status> {
    let Some(value) = headers.get("grpc-encoding") else {
        return Ok(Encoding::Identity);
    };
    let named = value.to_str().ok().and_then(Encoding::named);
    let known = named.filter(|encoding| {
        matches!(encoding, Encoding::Identity | Encoding::Gzip | Encoding::Zstd | Encoding::Snappy)
    });
    known.ok_or_else(|| {
        let message = format!("grpc-encoding {value:?} is not supported: gzip, zstd or snappy");
        Status::new(Code::Unimplemented, message)
    })
}

fn status(rejection: &Rejection) -> Status {
    let code = match rejection {
        Rejection::Busy(_) => Code::Unavailable,
        Rejection::TooLarge(_) => Code::ResourceExhausted,
        Rejection::Malformed(_) => Code::InvalidArgument,
        Rejection::Slow => Code::DeadlineExceeded,
        Rejection::Refused(_) => Code::Internal,
    };
    let retry_after = (code == Code::Unavailable).then_some(RETRY_AFTER);
    Status { code, message: rejection.to_string(), retry_after }
}

/// An answer without partial_success: all was taken.
fn success() -> Response<Pieces> {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    response(Pieces::from(prefix(false, 0)).trailers(trailers))
}

/// An answer of trailers only.
fn failure(status: &Status) -> Response<Pieces> {
    let mut response = response(Pieces::default());
    response.headers_mut().extend(status.trailers());
    response
}

fn response(body: Pieces) -> Response<Pieces> {
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    let accepted = HeaderValue::from_static("identity,gzip,zstd,snappy");
    response.headers_mut().insert("grpc-accept-encoding", accepted);
    response
}
