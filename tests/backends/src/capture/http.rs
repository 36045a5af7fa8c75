//! The HTTP/1.1 side of a capture: every path and method is kept and answered.

use std::io;
use std::sync::Arc;

use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::answer::{Frames, broken_off, half, nothing, whole};
use super::{Reset, Shared};

pub(super) async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(|request| answer(request, shared.clone()));
    // The error is the client's going away, or the reset that was asked for.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> io::Result<Response<Frames>> {
    let (number, answer) = shared.arrive();
    let (parts, body) = request.into_parts();
    let body = read(body, answer.reset).await?;
    let answer = shared.keep(number, parts, body, answer);
    tokio::time::sleep(answer.delay).await;
    if matches!(answer.reset, Some(Reset::InRequest | Reset::BeforeAnswer)) {
        return Err(broken_off());
    }
    let body = Bytes::from(answer.body);
    let mut response =
        Response::builder().status(StatusCode::from_u16(answer.status).map_err(io::Error::other)?);
    if !body.is_empty() {
        response = response.header(header::CONTENT_LENGTH, body.len());
    }
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let frames = match answer.reset {
        Some(_) => half(&body),
        None if body.is_empty() => nothing(),
        None => whole(vec![Frame::data(body)]),
    };
    response.body(frames).map_err(io::Error::other)
}

/// The whole body, or its first piece.
pub(super) async fn read(mut body: Incoming, reset: Option<Reset>) -> io::Result<Bytes> {
    if reset != Some(Reset::InRequest) {
        return Ok(body.collect().await.map_err(io::Error::other)?.to_bytes());
    }
    let first = body.frame().await.transpose().map_err(io::Error::other)?;
    Ok(first.and_then(|frame| frame.into_data().ok()).unwrap_or_default())
}
