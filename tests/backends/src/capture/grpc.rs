//! The gRPC side of a capture: unary calls of any service, by HTTP/2 without TLS, plain or
//! gzip. It knows gRPC's frames and statuses, and no message.

use std::io::{self, Read};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, header};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

use super::answer::{Frames, broken_off, half, nothing, whole};
use super::http::read;
use super::{Answer, Reset, Shared};

/// A flag and the length.
const PREFIX: usize = 5;
const OK: u16 = 0;
const INVALID_ARGUMENT: u16 = 3;

pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, shared.clone()));
    // The error is the client's going away.
    let _ = http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// A call that is not one whole message is answered with INVALID_ARGUMENT and not kept.
async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> io::Result<Response<Frames>> {
    let (number, answer) = shared.arrive();
    let (parts, body) = request.into_parts();
    let framed = read(body, answer.reset).await?;
    let message = match answer.reset {
        Some(Reset::InRequest) => Ok(framed),
        _ => message(&framed, parts.headers.get("grpc-encoding")),
    };
    let answer = match message {
        Ok(message) => shared.keep(number, parts, message, answer),
        Err(problem) => {
            return status(Answer::status(INVALID_ARGUMENT).header("grpc-message", &problem));
        }
    };
    tokio::time::sleep(answer.delay).await;
    match answer.reset {
        Some(Reset::InRequest | Reset::BeforeAnswer) => Err(broken_off()),
        Some(Reset::InAnswer) => respond(half(&frame(&answer.body))),
        None if answer.status == OK => success(&answer),
        None => status(answer),
    }
}

/// The message without its frame.
fn message(framed: &Bytes, encoding: Option<&HeaderValue>) -> Result<Bytes, String> {
    let Some((prefix, rest)) = framed.split_first_chunk::<PREFIX>() else {
        return Err(format!("{} bytes are no gRPC message", framed.len()));
    };
    let [flag, length @ ..] = *prefix;
    if usize::try_from(u32::from_be_bytes(length)) != Ok(rest.len()) {
        return Err(format!("not one whole message: {length:?} and {} bytes", rest.len()));
    }
    match (flag, encoding.map(HeaderValue::as_bytes)) {
        (0, _) => Ok(framed.slice(PREFIX..)),
        (1, Some(b"gzip")) => inflate(rest).map_err(|error| format!("gzip: {error}")),
        (flag, encoding) => Err(format!("flag {flag} with encoding {encoding:?}")),
    }
}

fn inflate(bytes: &[u8]) -> io::Result<Bytes> {
    let mut inflated = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut inflated)?;
    Ok(inflated.into())
}

/// A message in its frame, uncompressed.
fn frame(message: &[u8]) -> Bytes {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], length.to_be_bytes().as_slice(), message].concat().into()
}

fn success(answer: &Answer) -> io::Result<Response<Frames>> {
    let trailers = trailers(answer)?;
    respond(whole(vec![Frame::data(frame(&answer.body)), Frame::trailers(trailers)]))
}

/// A status without a message: gRPC's "trailers only", in the headers.
fn status(answer: Answer) -> io::Result<Response<Frames>> {
    let mut response = respond(nothing())?;
    response.headers_mut().extend(trailers(&answer)?);
    Ok(response)
}

fn respond(frames: Frames) -> io::Result<Response<Frames>> {
    let response = Response::builder().header(header::CONTENT_TYPE, "application/grpc");
    response.body(frames).map_err(io::Error::other)
}

fn trailers(answer: &Answer) -> io::Result<HeaderMap> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", answer.status.into());
    for (name, value) in &answer.headers {
        let name = HeaderName::try_from(name).map_err(io::Error::other)?;
        trailers.append(name, HeaderValue::try_from(value).map_err(io::Error::other)?);
    }
    Ok(trailers)
}
