//! A client of OTLP over gRPC: unary calls over one HTTP/2 connection.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::{BufMut as _, Bytes, BytesMut};
use http::Request;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::net::TcpStream;

/// The method that takes spans.
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// A connection.
#[derive(Clone)]
pub(crate) struct Client {
    sender: http2::SendRequest<Full<Bytes>>,
    address: SocketAddr,
}

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// The gRPC status code.
    pub(crate) code: i32,
    /// What it says.
    pub(crate) message: String,
    /// Whether it says when to try again.
    pub(crate) retry_info: bool,
    /// When, by the trailer that is google.rpc.RetryInfo itself.
    pub(crate) retry_after: Option<Duration>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        let mut builder = http2::Builder::new(TokioExecutor::new());
        let (sender, connection) = builder
            .initial_stream_window_size(1 << 20)
            .handshake(TokioIo::new(stream))
            .await
            .expect("HTTP/2");
        tokio::spawn(connection);
        Self { sender, address }
    }

    /// Exports a request of spans.
    pub(crate) async fn export(&mut self, message: &[u8]) -> Result<Status, hyper::Error> {
        self.call(TRACES, message).await
    }

    /// Calls a method, by its path.
    pub(crate) async fn call(
        &mut self,
        path: &str,
        message: &[u8],
    ) -> Result<Status, hyper::Error> {
        let mut framed = BytesMut::with_capacity(message.len() + 5);
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.len()).expect("a length"));
        framed.extend_from_slice(message);
        self.send_to(path, framed.freeze(), &[]).await
    }

    /// Sends a body as it is, with more headers, as a request of spans.
    pub(crate) async fn send(
        &mut self,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Result<Status, hyper::Error> {
        self.send_to(TRACES, body, headers).await
    }

    async fn send_to(
        &mut self,
        path: &str,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> Result<Status, hyper::Error> {
        let mut request = Request::post(format!("http://{}{path}", self.address))
            .header("content-type", "application/grpc")
            .header("te", "trailers");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::<Bytes>::new(body)).expect("a request");
        let response = self.sender.send_request(request).await?;
        let head = response.headers().clone();
        let collected = response.into_body().collect().await?;
        let trailers = collected.trailers().cloned().unwrap_or(head);
        let text = |name: &str| {
            trailers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        Ok(Status {
            code: text("grpc-status").parse().unwrap_or(-1),
            message: text("grpc-message"),
            retry_info: trailers.contains_key("google.rpc.retryinfo-bin")
                && trailers.contains_key("grpc-status-details-bin"),
            retry_after: retry_after(&text("google.rpc.retryinfo-bin")),
        })
    }

    /// Exports until it is taken; what is refused for the moment is sent again after a while.
    pub(crate) async fn deliver(&mut self, message: &[u8]) {
        loop {
            let status = self.export(message).await.expect("an answer");
            match status.code {
                0 => return,
                14 => tokio::time::sleep(Duration::from_millis(100)).await,
                _ => panic!("{status:?}"),
            }
        }
    }
}

/// google.rpc.RetryInfo: retry_delay 1, whose seconds are 1 and nanos 2.
#[derive(Clone, PartialEq, prost::Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    delay: Option<Delay>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

fn retry_after(trailer: &str) -> Option<Duration> {
    let info = RetryInfo::decode(STANDARD_NO_PAD.decode(trailer).ok()?.as_slice()).ok()?;
    let delay = info.delay?;
    Some(Duration::new(delay.seconds.try_into().ok()?, delay.nanos.try_into().ok()?))
}
