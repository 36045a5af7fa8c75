//! Connections to a backend: opened when needed, shared, and opened anew (with the name resolved
//! again) after they fail or the backend asks them to end.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::body::Pieces;
use super::resolve::{ResolveError, Resolver};
use super::tls::Reloading;

/// How long one address may take to accept.
const CONNECT: Duration = Duration::from_secs(5);
/// HTTP/2 flow-control window: what backends answer is small.
const WINDOW: u32 = 1024 * 1024;

/// Why there is no connection, or no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The name leads nowhere.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    /// No address accepts.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// The address tried last.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// The connection broke, or what came back is not HTTP.
    #[error("the connection failed: {}", root(.0))]
    Http(#[from] hyper::Error),
    /// There was no answer in time.
    #[error("no answer within {0:?}")]
    Timeout(Duration),
}

/// The innermost reason: "connection reset by peer" says more than "error sending request".
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// Where to connect.
#[derive(Clone)]
pub struct Destination {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS, with the name expected in the certificate.
    pub tls: Option<(Arc<Reloading<ClientConfig>>, ServerName<'static>)>,
    /// Finds the addresses.
    pub resolver: Resolver,
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

impl Destination {
    /// A connection to one of the addresses, beginning at the `first`th: connections of one
    /// exporter spread over the addresses of a headless Service.
    async fn open(&self, first: usize) -> Result<Box<dyn Stream>, ConnectError> {
        let addresses = self.resolver.addresses(&self.host).await?;
        let mut failed = None;
        for index in 0..addresses.len() {
            let address = (addresses[(first + index) % addresses.len()], self.port);
            let opened = match timeout(CONNECT, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => self.secure(stream).await,
                Ok(Err(error)) => Err(error),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            match opened {
                Ok(stream) => return Ok(stream),
                Err(source) => {
                    let address = std::net::SocketAddr::from(address).to_string();
                    failed = Some(ConnectError::Connect { address, source });
                }
            }
        }
        Err(failed.unwrap_or_else(|| ResolveError::NoAddress(self.host.clone()).into()))
    }

    async fn secure(&self, stream: TcpStream) -> io::Result<Box<dyn Stream>> {
        stream.set_nodelay(true)?;
        let Some((config, name)) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let connector = tokio_rustls::TlsConnector::from(config.current());
        let stream = timeout(CONNECT, connector.connect(name.clone(), stream)).await??;
        Ok(Box::new(stream))
    }
}

/// HTTP/2 connections, each carrying many requests. More than one, since a connection is a lock.
pub struct Http2 {
    to: Destination,
    slots: Vec<Mutex<Option<Open>>>,
    next: AtomicUsize,
    opened: AtomicUsize,
    keepalive: Option<(Duration, Duration, bool)>,
}

/// A connection, and the how manyth it is.
#[derive(Clone)]
struct Open {
    sender: http2::SendRequest<Pieces>,
    number: usize,
}

impl Http2 {
    /// Up to so many connections; `keepalive` is the silence after which a ping is sent, how long
    /// its answer may take, and whether to ping while nothing is under way.
    #[must_use]
    pub fn new(
        to: Destination,
        connections: usize,
        keepalive: Option<(Duration, Duration, bool)>,
    ) -> Self {
        let slots = (0..connections.max(1)).map(|_| Mutex::new(None)).collect();
        Self { to, slots, next: AtomicUsize::new(0), opened: AtomicUsize::new(0), keepalive }
    }

    /// Sends a request. One that a connection does not take any more, because its backend is ending
    /// it, goes out on a new one.
    ///
    /// # Errors
    /// See [`ConnectError`]; the next request opens a new connection. So it does when this one is
    /// given up before its answer: the backend's machine may be gone without a word.
    pub async fn send(
        &self,
        mut request: Request<Pieces>,
    ) -> Result<Response<Incoming>, ConnectError> {
        let slot = &self.slots[self.next.fetch_add(1, Relaxed) % self.slots.len()];
        let mut again = true;
        loop {
            let mut open = self.open(slot).await?;
            let mut asking = Asking { slot, number: open.number, answered: false };
            match open.sender.try_send_request(request).await {
                Ok(response) => {
                    asking.answered = true;
                    return Ok(response);
                }
                Err(mut failed) => match failed.take_message().filter(|_| again) {
                    Some(unsent) => (request, again) = (unsent, false),
                    None => return Err(failed.into_error().into()),
                },
            }
        }
    }

    async fn open(&self, slot: &Mutex<Option<Open>>) -> Result<Open, ConnectError> {
        let mut slot = slot.lock().await;
        if let Some(open) = slot.as_ref().filter(|open| !open.sender.is_closed()) {
            return Ok(open.clone());
        }
        let number = self.opened.fetch_add(1, Relaxed);
        let stream = self.to.open(number).await?;
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .max_send_buf_size(1024 * 1024);
        if let Some((time, timeout, idle)) = self.keepalive {
            builder
                .keep_alive_interval(time)
                .keep_alive_timeout(timeout)
                .keep_alive_while_idle(idle);
        }
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        // It ends by itself when the last sender is gone or the backend closes.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a backend ended");
            }
        });
        let open = Open { sender, number };
        *slot = Some(open.clone());
        Ok(open)
    }
}

/// A request under way. Where it ends without an answer, nothing more is sent on its connection.
struct Asking<'a> {
    slot: &'a Mutex<Option<Open>>,
    number: usize,
    answered: bool,
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        // Who holds the lock is opening another one.
        if !self.answered
            && let Ok(mut slot) = self.slot.try_lock()
            && slot.as_ref().is_some_and(|open| open.number == self.number)
        {
            *slot = None;
        }
    }
}

/// HTTP/1.1 connections, each carrying one request at a time; those that are idle are kept.
pub struct Http1 {
    to: Destination,
    idle: std::sync::Mutex<Vec<(http1::SendRequest<Pieces>, std::time::Instant)>>,
    max_idle: usize,
    idle_timeout: Duration,
    opened: AtomicUsize,
}

impl Http1 {
    /// Keeps so many idle connections for so long.
    #[must_use]
    pub fn new(to: Destination, max_idle: usize, idle_timeout: Duration) -> Self {
        let idle = std::sync::Mutex::default();
        Self { to, idle, max_idle, idle_timeout, opened: AtomicUsize::new(0) }
    }

    /// Sends a request. Give the connection [back](Self::keep) when the answer is read.
    ///
    /// # Errors
    /// See [`ConnectError`]. A connection that the backend closed while it was idle is not an
    /// error: the request goes out on a new one.
    pub async fn send(
        &self,
        request: Request<Pieces>,
    ) -> Result<(Response<Incoming>, http1::SendRequest<Pieces>), ConnectError> {
        let mut request = request;
        while let Some(mut sender) = self.take_idle() {
            match sender.try_send_request(request).await {
                Ok(response) => return Ok((response, sender)),
                Err(mut failed) => match failed.take_message() {
                    Some(unsent) => request = unsent,
                    None => return Err(failed.into_error().into()),
                },
            }
        }
        let stream = self.to.open(self.opened.fetch_add(1, Relaxed)).await?;
        let (mut sender, connection) =
            http1::Builder::new().handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection to a backend ended");
            }
        });
        let response = sender.send_request(request).await?;
        Ok((response, sender))
    }

    /// Keeps a connection whose answer has been read to its end.
    pub fn keep(&self, sender: http1::SendRequest<Pieces>) {
        let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if idle.len() < self.max_idle && !sender.is_closed() {
            idle.push((sender, std::time::Instant::now()));
        }
    }

    fn take_idle(&self) -> Option<http1::SendRequest<Pieces>> {
        let mut idle = self.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        idle.retain(|(sender, since)| !sender.is_closed() && since.elapsed() < self.idle_timeout);
        idle.pop().map(|(sender, _)| sender)
    }
}

#[cfg(test)]
mod tests;
