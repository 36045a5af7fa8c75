//! Serving HTTP on a socket: connections are limited in number, in the time until they say
//! something, and in the time of a request's headers. Draining lets requests under way finish.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::body::Pieces;
use super::linger::{lend, linger};
use super::tls::Reloading;
use crate::flow::account::Peer;
use crate::flow::scope::Scope;

/// Connections of one socket at once.
const MAX_CONNECTIONS: usize = 8192;
/// How long a connection may stay silent at first, and how long a TLS handshake may take.
const GREETING: Duration = Duration::from_secs(10);
/// How long a connection may take to make its first request.
const FIRST_REQUEST: Duration = Duration::from_secs(30);
/// After which to look again whether more has come.
const MOMENT: Duration = Duration::from_millis(20);
/// What HTTP/2 begins with.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// How long to wait after an accept that failed: for want of file descriptors, mostly.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// Headers of a request, all together.
const MAX_HEADER_BYTES: u32 = 32 * 1024;
/// Least that HTTP/1.1 reads at once, headers included.
const LEAST_BUFFER: usize = 64 * 1024;
/// What a socket's connections may have received that no request has read yet, about: the more there
/// are, the smaller are the windows and buffers of new ones. None of it is in the account.
const WINDOWS: usize = 8 * 1024 * 1024;
/// Smallest window: what every HTTP/2 connection begins with (RFC 9113, 6.9.2).
const LEAST_WINDOW: u32 = 65_535;
/// Smallest and largest frame to receive: as much has to come before any of it is handed on.
const FRAMES: (u32, u32) = (16 * 1024, 256 * 1024);

/// Who asks.
#[derive(Clone, Debug)]
pub struct From {
    /// The client's address.
    pub address: SocketAddr,
    /// Its connection in the account.
    pub peer: Arc<Peer>,
}

/// An answer to come.
pub type Answering = Pin<Box<dyn Future<Output = Response<Pieces>> + Send>>;

/// Who answers.
pub trait Service: Send + Sync + 'static {
    /// Answers a request.
    fn answer(self: Arc<Self>, request: Request<Incoming>, from: From) -> Answering;
}

/// How a socket is served.
#[derive(Clone)]
pub struct Serving {
    /// TLS, unless the port speaks plain HTTP.
    pub tls: Option<Arc<Reloading<ServerConfig>>>,
    /// HTTP/2 only (gRPC).
    pub http2_only: bool,
    /// Requests at once on one connection.
    pub max_streams: u32,
    /// How long a request's headers may take.
    pub header_timeout: Duration,
    /// Largest HTTP/2 flow-control window of a request.
    pub window: u32,
    /// Silence after which a ping is sent, and how long its answer may take.
    pub keepalive: (Duration, Duration),
    /// Several requests on one connection.
    pub keep_alives: bool,
    /// Age at which a connection is asked to end, and how long its requests then still have.
    pub max_age: Option<Duration>,
    /// See `max_age`; no limit unless given.
    pub age_grace: Option<Duration>,
    /// Time without a request after which a connection is asked to end.
    pub max_idle: Option<Duration>,
}

impl Default for Serving {
    fn default() -> Self {
        Self {
            tls: None,
            http2_only: false,
            max_streams: 128,
            header_timeout: Duration::from_secs(60),
            window: 1024 * 1024,
            keepalive: (Duration::from_secs(7200), Duration::from_secs(20)),
            keep_alives: true,
            max_age: None,
            age_grace: None,
            max_idle: None,
        }
    }
}

impl Serving {
    /// The same, with the window of one among so many connections.
    fn shared_by(&self, open: usize) -> Self {
        let share = u32::try_from(WINDOWS / open.max(1)).unwrap_or(u32::MAX);
        Self { window: share.min(self.window).max(LEAST_WINDOW), ..self.clone() }
    }
}

/// Serves a socket until the scope is ending; then the connections' requests finish.
pub fn serve(
    socket: Arc<TcpListener>,
    serving: Serving,
    service: Arc<dyn ServiceObject>,
    scope: &Scope,
) {
    let inner = scope.clone();
    scope.spawn(async move {
        let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = inner.ending.cancelled() => return,
                accepted = socket.accept() => accepted,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            // One too many is closed at once: the client sees it and tries elsewhere.
            let Ok(slot) = slots.clone().try_acquire_owned() else {
                continue;
            };
            let open = MAX_CONNECTIONS - slots.available_permits();
            let (serving, service, ending) =
                (serving.shared_by(open), service.clone(), inner.ending.clone());
            inner.spawn(async move {
                connection(stream, address, &serving, service, ending).await;
                drop(slot);
            });
        }
    });
}

/// [`Service`] behind a pointer.
pub trait ServiceObject: Send + Sync {
    /// Answers a request.
    fn answer(&self, request: Request<Incoming>, from: From) -> Answering;
}

impl<S: Service> ServiceObject for Arc<S> {
    fn answer(&self, request: Request<Incoming>, from: From) -> Answering {
        Service::answer(self.clone(), request, from)
    }
}

async fn connection(
    stream: TcpStream,
    address: SocketAddr,
    serving: &Serving,
    service: Arc<dyn ServiceObject>,
    ending: CancellationToken,
) {
    let first = tokio::select! {
        () = ending.cancelled() => return,
        said = timeout(GREETING, greeting(&stream)) => match said {
            Ok(Some(first)) => first,
            // Nobody there, or too little said.
            _ => return,
        },
    };
    // Small answers are not held back for more to come.
    let _ = stream.set_nodelay(true);
    let looks_like_tls = first[0] == 0x16 && first[1] == 0x03;
    match &serving.tls {
        Some(tls) => {
            let acceptor = tokio_rustls::TlsAcceptor::from(tls.current());
            match timeout(GREETING, acceptor.accept(stream)).await {
                Ok(Ok(stream)) => http(stream, address, serving, service, ending).await,
                Ok(Err(error)) => tracing::debug!(%address, %error, "TLS handshake failed"),
                Err(_) => tracing::debug!(%address, "TLS handshake took too long"),
            }
        }
        None if looks_like_tls => tls_on_plain(address),
        None => http(stream, address, serving, service, ending).await,
    }
}

/// Waits until it is clear what a client speaks: all of HTTP/2's preface has come, or something else.
/// What has come stays with the kernel: half-open connections take next to no memory. None where the
/// client left.
async fn greeting(stream: &TcpStream) -> Option<[u8; PREFACE.len()]> {
    let mut first = [0; PREFACE.len()];
    loop {
        let length = stream.peek(&mut first).await.ok().filter(|length| *length > 0)?;
        if length == PREFACE.len() || !PREFACE.starts_with(&first[..length]) {
            return Some(first);
        }
        tokio::time::sleep(MOMENT).await;
    }
}

/// A client that speaks TLS to a plain port gets no answer it understands; this is for whoever
/// reads the log. Once a client.
fn tls_on_plain(address: SocketAddr) {
    use std::collections::HashSet;
    use std::sync::Mutex;
    static TOLD: Mutex<Option<HashSet<std::net::IpAddr>>> = Mutex::new(None);
    let mut told = TOLD.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let told = told.get_or_insert_default();
    // Bounded: whoever has many addresses is told of the first ones.
    if told.len() < 1024 && told.insert(address.ip()) {
        tracing::warn!(
            client = %address.ip(),
            "a client speaks TLS to a port without it: set OTEL_EXPORTER_OTLP_INSECURE=true in the \
             client, or an endpoint that begins with http://"
        );
    }
}

async fn http<S>(
    stream: S,
    address: SocketAddr,
    serving: &Serving,
    service: Arc<dyn ServiceObject>,
    ending: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (stream, mut returned) = lend(stream);
    requests(stream, address, serving, service, ending).await;
    if let Ok(stream) = returned.try_recv() {
        linger(stream).await;
    }
}

async fn requests<S>(
    stream: S,
    address: SocketAddr,
    serving: &Serving,
    service: Arc<dyn ServiceObject>,
    ending: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let from = From { address, peer: Arc::default() };
    let activity = Arc::new(Activity::default());
    let busy = activity.clone();
    let service = service_fn(move |request| {
        let busy = busy.begin();
        let fits = header_bytes(request.headers()) <= MAX_HEADER_BYTES as usize;
        let answer = fits.then(|| service.answer(request, from.clone()));
        async move {
            let answer = match answer {
                Some(answer) => answer.await,
                None => headers_too_large(),
            };
            drop(busy);
            Ok::<_, Infallible>(answer)
        }
    });
    let builder = builder(serving);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    let aged = async {
        match serving.max_age {
            Some(age) => tokio::time::sleep(age).await,
            None => std::future::pending().await,
        }
    };
    let grace = tokio::select! {
        ended = connection.as_mut() => return told(address, ended),
        () = ending.cancelled() => serving.age_grace,
        () = aged => serving.age_grace,
        () = activity.idle(serving.max_idle) => serving.age_grace,
        () = activity.none() => Some(GREETING),
    };
    connection.as_mut().graceful_shutdown();
    match grace {
        Some(grace) => drop(timeout(grace, connection).await),
        None => told(address, connection.await),
    }
}

/// Length of headers as HTTP/2 counts it (RFC 9113, 10.5.1), for both versions.
fn header_bytes(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32).sum()
}

fn headers_too_large() -> Response<Pieces> {
    let mut response = Response::new(Pieces::default());
    *response.status_mut() = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    response
}

/// Requests of a connection.
#[derive(Default)]
struct Activity {
    under_way: AtomicUsize,
    begun: AtomicUsize,
}

/// A request under way, until it is answered or its client gave it up.
struct Busy(Arc<Activity>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.under_way.fetch_sub(1, Relaxed);
    }
}

impl Activity {
    fn begin(self: &Arc<Self>) -> Busy {
        self.under_way.fetch_add(1, Relaxed);
        self.begun.fetch_add(1, Relaxed);
        Busy(self.clone())
    }

    /// Waits until it is clear that there was no request at first; for ever where there was one.
    async fn none(&self) {
        tokio::time::sleep(FIRST_REQUEST).await;
        if self.begun.load(Relaxed) > 0 {
            std::future::pending().await
        }
    }

    /// Waits until there was no request for so long; for ever where there is no limit.
    async fn idle(&self, limit: Option<Duration>) {
        let Some(limit) = limit.filter(|limit| !limit.is_zero()) else {
            return std::future::pending().await;
        };
        loop {
            let before = self.begun.load(Relaxed);
            tokio::time::sleep(limit).await;
            if self.under_way.load(Relaxed) == 0 && self.begun.load(Relaxed) == before {
                return;
            }
        }
    }
}

fn told(address: SocketAddr, ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "a connection ended early");
    }
}

fn builder(serving: &Serving) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .keep_alive(serving.keep_alives)
        .max_buf_size((serving.window as usize / 2).max(LEAST_BUFFER))
        .header_read_timeout(serving.header_timeout);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(serving.max_streams)
        .initial_stream_window_size(serving.window)
        .initial_connection_window_size(serving.window)
        .max_frame_size((serving.window / 4).clamp(FRAMES.0, FRAMES.1))
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_pending_accept_reset_streams(32)
        .keep_alive_interval(serving.keepalive.0)
        .keep_alive_timeout(serving.keepalive.1);
    if serving.http2_only { builder.http2_only() } else { builder }
}

#[cfg(test)]
mod tests;
