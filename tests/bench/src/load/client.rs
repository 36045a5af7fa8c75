//! One client's connection to a collector: a unary gRPC call over HTTP/2 or a POST over HTTP/1.1.

use std::future::Future;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::wire::{Compression, Signal, Transport};

/// Runs what hyper spawns on the one thread that there is.
#[derive(Clone, Copy, Debug)]
pub struct LocalExecutor;

impl<F> hyper::rt::Executor<F> for LocalExecutor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

/// A connection that requests are sent on; it is made again when it breaks.
#[derive(Clone)]
pub(super) struct Client {
    transport: Transport,
    port: u16,
    // HTTP/1.1 senders cannot be cloned: a clone of this client starts without one.
    one: Sender1,
    two: Option<http2::SendRequest<Full<Bytes>>>,
}

#[derive(Default)]
struct Sender1(Option<http1::SendRequest<Full<Bytes>>>);

impl Clone for Sender1 {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl Client {
    /// Connects to `port` of the loopback interface.
    pub(super) async fn connect(transport: Transport, port: u16) -> Result<Self> {
        let mut client = Self { transport, port, one: Sender1::default(), two: None };
        client.reconnect().await?;
        Ok(client)
    }

    async fn reconnect(&mut self) -> Result<()> {
        let io = TokioIo::new(stream(self.port).await?);
        match self.transport {
            Transport::Grpc => {
                let (sender, connection) = http2::handshake(LocalExecutor, io).await?;
                tokio::task::spawn_local(connection);
                self.two = Some(sender);
            }
            Transport::Http => {
                let (sender, connection) = http1::handshake(io).await?;
                tokio::task::spawn_local(connection);
                self.one = Sender1(Some(sender));
            }
        }
        Ok(())
    }

    /// Sends one request and waits for its answer; otherwise the code of the refusal.
    pub(super) async fn send(
        &mut self,
        signal: Signal,
        compression: Compression,
        body: Bytes,
    ) -> Result<(), String> {
        let broken = |_| "broken".to_owned();
        if self.closed() {
            self.reconnect().await.map_err(broken)?;
        }
        let request = self.request(signal, compression, body).map_err(broken)?;
        let response = match (&mut self.two, &mut self.one.0) {
            (Some(sender), _) => sender.send_request(request).await,
            (_, Some(sender)) => {
                let answer = async {
                    sender.ready().await?;
                    sender.send_request(request).await
                };
                answer.await
            }
            (None, None) => return Err("broken".to_owned()),
        };
        let response = response.map_err(|_| "broken".to_owned())?;
        match self.transport {
            Transport::Grpc => grpc_status(response).await,
            Transport::Http => http_status(response).await,
        }
    }

    fn closed(&self) -> bool {
        let one = self.one.0.as_ref().is_some_and(|sender| !sender.is_closed());
        let two = self.two.as_ref().is_some_and(|sender| !sender.is_closed());
        !one && !two
    }

    fn request(
        &self,
        signal: Signal,
        compression: Compression,
        body: Bytes,
    ) -> Result<Request<Full<Bytes>>> {
        let path = signal.path(self.transport);
        let host = format!("127.0.0.1:{}", self.port);
        let (kind, encoding, uri) = match self.transport {
            Transport::Grpc => {
                ("application/grpc", "grpc-encoding", format!("http://{host}{path}"))
            }
            Transport::Http => ("application/x-protobuf", "content-encoding", path.to_owned()),
        };
        let mut request = Request::post(uri).header(header::CONTENT_TYPE, kind);
        if self.transport == Transport::Grpc {
            request = request.header(header::TE, "trailers");
        } else {
            request = request.header(header::HOST, host);
        }
        if compression == Compression::Gzip {
            request = request.header(encoding, compression.name());
        }
        Ok(request.body(Full::new(body))?)
    }
}

async fn stream(port: u16) -> Result<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await;
    let stream = stream.with_context(|| format!("nothing answers on port {port}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The status is in the trailers, or in the headers of an answer that has nothing else.
async fn grpc_status(response: Response<Incoming>) -> Result<(), String> {
    let (head, body) = response.into_parts();
    if head.status != http::StatusCode::OK {
        return Err(format!("http {}", head.status.as_u16()));
    }
    let body = body.collect().await.map_err(|_| "broken".to_owned())?;
    let status = |headers: &HeaderMap| headers.get("grpc-status").cloned();
    let status = body.trailers().and_then(status).or_else(|| status(&head.headers));
    match status.as_ref().map(|status| status.to_str().unwrap_or("?")) {
        Some("0") => Ok(()),
        Some(code) => Err(format!("grpc {code}")),
        None => Err("grpc without a status".to_owned()),
    }
}

async fn http_status(response: Response<Incoming>) -> Result<(), String> {
    let (head, body) = response.into_parts();
    // Read to its end, or the connection cannot be used again.
    body.collect().await.map_err(|_| "broken".to_owned())?;
    if head.status.is_success() { Ok(()) } else { Err(format!("http {}", head.status.as_u16())) }
}

/// The body of `path` on `port` of the loopback interface.
///
/// # Errors
/// There is no answer, or its status is not a success.
pub async fn http_get(port: u16, path: &str) -> Result<Bytes> {
    let io = TokioIo::new(stream(port).await?);
    let (mut sender, connection) = http1::handshake(io).await?;
    tokio::task::spawn_local(connection);
    let request =
        Request::get(path).header(header::HOST, "127.0.0.1").body(Empty::<Bytes>::new())?;
    let response = sender.send_request(request).await?;
    ensure!(response.status().is_success(), "{path}: {}", response.status());
    Ok(response.into_body().collect().await?.to_bytes())
}
