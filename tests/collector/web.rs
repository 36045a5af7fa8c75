//! A client of OTLP over HTTP, of either version, on one connection that is made anew when the
//! server closed it.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    One,
    Two,
}

impl Version {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::One, Self::Two];
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A client.
pub(crate) struct Web {
    version: Version,
    address: SocketAddr,
    sender: Option<Sender>,
}

impl Web {
    pub(crate) fn new(address: SocketAddr, version: Version) -> Self {
        Self { version, address, sender: None }
    }

    /// Posts to a path.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Result<Answer, hyper::Error> {
        self.request("POST", path, headers, body.into()).await
    }

    /// Any method. A connection that the server closed meanwhile is not the request's fault.
    pub(crate) async fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, hyper::Error> {
        let mut request = Request::builder().method(method);
        request = match self.version {
            Version::One => request.uri(path).header("host", self.address.to_string()),
            Version::Two => request.uri(format!("http://{}{path}", self.address)),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).expect("a request");
        let response = match self.sender().await? {
            Sender::One(sender) => sender.send_request(request).await?,
            Sender::Two(sender) => sender.send_request(request).await?,
        };
        let (head, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// A connection that can be used.
    async fn sender(&mut self) -> Result<&mut Sender, hyper::Error> {
        let usable = match &mut self.sender {
            Some(Sender::One(sender)) => sender.ready().await.is_ok(),
            Some(Sender::Two(sender)) => sender.ready().await.is_ok(),
            None => false,
        };
        if !usable {
            let stream = TcpStream::connect(self.address).await.expect("a connection");
            stream.set_nodelay(true).expect("a socket");
            let io = TokioIo::new(stream);
            self.sender = Some(match self.version {
                Version::One => {
                    let (sender, connection) = http1::handshake(io).await?;
                    tokio::spawn(connection);
                    Sender::One(sender)
                }
                Version::Two => {
                    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
                    tokio::spawn(connection);
                    Sender::Two(sender)
                }
            });
        }
        Ok(self.sender.as_mut().expect("just made"))
    }
}
