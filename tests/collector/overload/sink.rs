//! A backend of OTLP over gRPC that takes its time and keeps nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{HeaderMap, HeaderValue, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

/// A backend; it ends with the test's runtime.
pub(super) struct Sink {
    pub(super) address: SocketAddr,
    milliseconds: Arc<AtomicU64>,
}

impl Sink {
    /// Answers each request so long after it has come.
    pub(super) async fn start(delay: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let delay = u64::try_from(delay.as_millis()).expect("short");
        let milliseconds = Arc::new(AtomicU64::new(delay));
        let shared = milliseconds.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = shared.clone();
                let service = service_fn(move |request| answer(request, shared.clone()));
                let mut builder = http2::Builder::new(TokioExecutor::new());
                builder.initial_stream_window_size(1 << 20).initial_connection_window_size(4 << 20);
                tokio::spawn(builder.serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, milliseconds }
    }

    /// Answers at once from now on.
    pub(super) fn hurry(&self) {
        self.milliseconds.store(0, Relaxed);
    }
}

async fn answer(
    request: http::Request<Incoming>,
    milliseconds: Arc<AtomicU64>,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, hyper::Error> {
    let mut body = request.into_body();
    while let Some(piece) = body.frame().await {
        drop(piece?);
    }
    tokio::time::sleep(Duration::from_millis(milliseconds.load(Relaxed))).await;
    let trailers = HeaderMap::from_iter([(
        http::HeaderName::from_static("grpc-status"),
        HeaderValue::from_static("0"),
    )]);
    let frames = [Frame::data(Bytes::from_static(&[0; 5])), Frame::trailers(trailers)];
    let body = StreamBody::new(stream::iter(frames.map(Ok::<_, Infallible>)));
    let response = Response::builder().header("content-type", "application/grpc");
    Ok(response.body(body).expect("an answer"))
}
