//! The backend that only counts: OTLP over gRPC and HTTP, Jaeger's PostSpans and Loki's push on one
//! port. It runs as a process of its own, so that what it takes is nobody else's, and ends when
//! its input does.

mod handle;
pub mod walk;

use std::cell::RefCell;
use std::convert::Infallible;
use std::io::Read as _;
use std::net::Ipv4Addr;
use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, TcpStream};

use crate::load::LocalExecutor;
use crate::wire::{self, Compression, Signal, Transport};
pub use handle::Sink;

/// Where the sink tells what it has counted.
pub const COUNTS: &str = "/counts";
const JAEGER: &str = "/jaeger.api_v2.CollectorService/PostSpans";
const LOKI: &str = "/loki/api/v1/push";
/// Above what any collector puts in flight, so that the sink never slows one down.
const WINDOW: u32 = 16 << 20;

/// What has arrived since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Spans, data points and log records.
    pub items: u64,
    /// Requests that were understood.
    pub requests: u64,
    /// Bytes of their bodies as they came: framed, compressed, without headers.
    pub wire_bytes: u64,
    /// Requests that were not understood.
    pub failed: u64,
}

/// Serves on a free port of the loopback interface and prints the port; ends with standard input.
///
/// # Errors
/// There is no port to be had.
pub async fn serve() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    std::thread::spawn(|| {
        // Whoever started this one holds the other end.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let counts = Rc::new(RefCell::new(Counts::default()));
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::task::spawn_local(connection(stream, counts.clone()));
    }
}

async fn connection(stream: TcpStream, counts: Rc<RefCell<Counts>>) {
    let mut server = auto::Builder::new(LocalExecutor);
    server.http2().initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let service = service_fn(move |request| answer(request, counts.clone()));
    // A collector that is stopped breaks its connections; that is no event here.
    let _ = server.serve_connection(TokioIo::new(stream), service).await;
}

type Body = BoxBody<Bytes, Infallible>;

async fn answer(
    request: Request<Incoming>,
    counts: Rc<RefCell<Counts>>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    if head.uri.path() == COUNTS {
        let text = serde_json::to_string(&*counts.borrow()).unwrap_or_default();
        return Ok(response(StatusCode::OK, Bytes::from(text), None));
    }
    let counted = match body.collect().await {
        Ok(body) => count(head.uri.path(), &head.headers, &body.to_bytes()),
        Err(error) => Err(error.into()),
    };
    let mut counts = counts.borrow_mut();
    let grpc = head
        .headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"));
    match counted {
        Ok((items, bytes)) => {
            counts.items += items;
            counts.requests += 1;
            counts.wire_bytes += bytes;
        }
        Err(error) => {
            counts.failed += 1;
            eprintln!("{}: {error:#}", head.uri.path());
            let (status, code) =
                if grpc { (StatusCode::OK, Some(3)) } else { (StatusCode::BAD_REQUEST, None) };
            return Ok(response(status, Bytes::new(), code));
        }
    }
    Ok(match head.uri.path() {
        LOKI => response(StatusCode::NO_CONTENT, Bytes::new(), None),
        // An empty message in every protocol: everything was taken.
        _ if grpc => response(StatusCode::OK, Bytes::from_static(&[0; 5]), Some(0)),
        _ => response(StatusCode::OK, Bytes::new(), None),
    })
}

fn response(status: StatusCode, body: Bytes, grpc_status: Option<u8>) -> Response<Body> {
    let mut trailers = HeaderMap::new();
    let mut kind = "application/x-protobuf";
    if let Some(code) = grpc_status {
        trailers.insert("grpc-status", u16::from(code).into());
        kind = "application/grpc";
    }
    let data = (!body.is_empty()).then(|| Frame::data(body));
    let last = (!trailers.is_empty()).then(|| Frame::trailers(trailers));
    let frames = data.into_iter().chain(last).map(Ok);
    let mut response =
        Response::new(BoxBody::new(StreamBody::new(stream::iter(frames.collect::<Vec<_>>()))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

/// Items and bytes of one request.
fn count(path: &str, headers: &HeaderMap, body: &[u8]) -> Result<(u64, u64)> {
    let encoding = |name: &str| headers.get(name).is_some_and(|value| value == "gzip");
    let items = match path {
        LOKI => {
            let message = snap::raw::Decoder::new().decompress_vec(body).context("snappy")?;
            walk::count(&message, walk::LOKI_ENTRIES)?
        }
        _ if path == JAEGER => grpc(body, encoding("grpc-encoding"), walk::JAEGER_SPANS)?,
        _ => otlp(path, headers, body)?,
    };
    Ok((items, body.len() as u64))
}

fn otlp(path: &str, headers: &HeaderMap, body: &[u8]) -> Result<u64> {
    let encoded =
        |name: &str| headers.get(name).is_some_and(|value| value == Compression::Gzip.name());
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        let to = walk::otlp(signal);
        if path == signal.path(Transport::Grpc) {
            return grpc(body, encoded("grpc-encoding"), to);
        }
        if path == signal.path(Transport::Http) {
            return if encoded("content-encoding") {
                walk::count(&wire::gunzip(body)?, to)
            } else {
                walk::count(body, to)
            };
        }
    }
    anyhow::bail!("nothing is served there")
}

fn grpc(body: &[u8], gzip: bool, to: walk::Path) -> Result<u64> {
    let (compressed, message) = wire::unframe(body)?;
    if !compressed {
        return walk::count(message, to);
    }
    ensure!(gzip, "compressed, but not with gzip");
    walk::count(&wire::gunzip(message)?, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payload;

    const NOW: u64 = 1_700_000_000_000_000_000;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        [(http::HeaderName::from_static(name), http::HeaderValue::from_static(value))]
            .into_iter()
            .collect()
    }

    #[test]
    fn every_protocol_is_counted() {
        let spans = &payload::traces(NOW)[0].bytes;
        let plain = wire::frame(false, spans).unwrap();
        let packed = wire::frame(true, &wire::gzip(spans).unwrap()).unwrap();
        let none = HeaderMap::new();
        let path = Signal::Traces.path(Transport::Grpc);
        assert_eq!(count(path, &none, &plain).unwrap(), (512, plain.len() as u64));
        let gzip = headers("grpc-encoding", "gzip");
        assert_eq!(count(path, &gzip, &packed).unwrap(), (512, packed.len() as u64));
        assert!(count(path, &none, &packed).is_err());

        let gzip = headers("content-encoding", "gzip");
        let packed = wire::gzip(&payload::logs(NOW)[0].bytes).unwrap();
        assert_eq!(count("/v1/logs", &gzip, &packed).unwrap().0, 1000);
        assert_eq!(count("/v1/traces", &none, spans).unwrap().0, 512);
        assert!(count("/v1/other", &none, spans).is_err());
    }

    #[test]
    fn loki_is_snappy() {
        // Two streams with one and two empty entries.
        let push = [10, 2, 18, 0, 10, 4, 18, 0, 18, 0];
        let packed = snap::raw::Encoder::new().compress_vec(&push).unwrap();
        assert_eq!(count(LOKI, &HeaderMap::new(), &packed).unwrap().0, 3);
        assert!(count(LOKI, &HeaderMap::new(), &push).is_err());
    }
}
