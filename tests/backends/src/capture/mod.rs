//! A backend in this process that keeps what it is sent and answers as a program says: what
//! the tests of faults are made of. `grpc` and `http` know their protocol; this file knows
//! what both keep and how long somebody waits for it.

mod answer;
mod grpc;
mod http;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ::http::HeaderMap;
use hyper::body::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

pub use answer::{Answer, Reset};

use crate::error::{Error, Result};
use crate::wait::eventually;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The request's number, from 0, in the order in which their headers came.
    pub number: usize,
    /// The path: of gRPC, `/<service>/<method>`.
    pub path: String,
    /// The headers, of gRPC with its own (`grpc-timeout`, `grpc-encoding`, …).
    pub headers: HeaderMap,
    /// Of gRPC, the encoded message without its frame and inflated; of HTTP, the body as sent.
    pub body: Bytes,
    /// When the body was there.
    pub at: Instant,
    /// What it is answered.
    pub answer: Answer,
}

/// From a request's number to its answer.
type Answers = Arc<dyn Fn(usize) -> Answer + Send + Sync>;
/// From a request to another answer than its number's.
type Judge = Arc<dyn Fn(&Received) -> Option<Answer> + Send + Sync>;

/// What the connections share.
struct Shared {
    kept: Mutex<Kept>,
}

struct Kept {
    answers: Answers,
    judge: Option<Judge>,
    next: usize,
    received: Vec<Received>,
}

impl Shared {
    /// Nothing is left half-changed by a panic of the caller's closure: it runs without the lock.
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of a new request, and its answer.
    fn arrive(&self) -> (usize, Answer) {
        let (number, answers) = {
            let mut kept = self.kept();
            kept.next += 1;
            (kept.next - 1, kept.answers.clone())
        };
        (number, answers(number))
    }

    /// Keeps a request. Returns what it is answered, now that its content is known.
    fn keep(
        &self,
        number: usize,
        parts: ::http::request::Parts,
        body: Bytes,
        answer: Answer,
    ) -> Answer {
        let path = parts.uri.path().to_owned();
        let (headers, at) = (parts.headers, Instant::now());
        let mut received = Received { number, path, headers, body, at, answer };
        let judge = self.kept().judge.clone();
        if let Some(answer) = judge.and_then(|judge| judge(&received)) {
            received.answer = answer;
        }
        let answer = received.answer.clone();
        self.kept().received.push(received);
        answer
    }
}

/// Which protocol is spoken.
#[derive(Debug, Clone, Copy)]
enum Protocol {
    Grpc,
    Http,
}

/// A capturing backend; dropping it closes its connections and its port.
pub struct Capture {
    protocol: Protocol,
    address: SocketAddr,
    shared: Arc<Shared>,
    server: Option<JoinHandle<()>>,
}

impl Capture {
    /// Any unary gRPC service whose successful answer is an empty message, as are OTLP's
    /// `Export` and Jaeger's `PostSpans`, on a free port. Without TLS.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn grpc(answers: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Result<Self> {
        Self::start(Protocol::Grpc, Arc::new(answers)).await
    }

    /// Any path by HTTP/1.1, on a free port. Without TLS.
    ///
    /// # Errors
    /// No port can be had.
    pub async fn http(answers: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Result<Self> {
        Self::start(Protocol::Http, Arc::new(answers)).await
    }

    async fn start(protocol: Protocol, answers: Answers) -> Result<Self> {
        let listener = listen((Ipv4Addr::LOCALHOST, 0).into()).await?;
        let address = listener.local_addr().map_err(Error::io("find the port of a capture"))?;
        let kept = Kept { answers, judge: None, next: 0, received: Vec::new() };
        let shared = Arc::new(Shared { kept: Mutex::new(kept) });
        let server = tokio::spawn(serve(listener, protocol, shared.clone()));
        Ok(Self { protocol, address, shared, server: Some(server) })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers differently from the next request on; numbers go on.
    pub fn answer(&self, answers: impl Fn(usize) -> Answer + Send + Sync + 'static) {
        self.shared.kept().answers = Arc::new(answers);
    }

    /// Answers by content from the next request on; what `judge` does not mind is answered by its
    /// number. A reset in the request is by number alone.
    pub fn judge(&self, judge: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static) {
        self.shared.kept().judge = Some(Arc::new(judge));
    }

    /// What came so far, in the order in which the bodies were there.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.shared.kept().received.clone()
    }

    /// What came, waiting until it is at least that many requests.
    ///
    /// # Errors
    /// They did not come in time.
    pub async fn wait_for(&self, count: usize, within: Duration) -> Result<Vec<Received>> {
        let what = format!("request {count} at the capture");
        eventually(&what, within, async || {
            let received = self.received();
            let paths = || received.iter().map(|it| it.path.as_str()).collect::<Vec<_>>();
            if received.len() >= count { Ok(()) } else { Err(format!("{:?}", paths())) }
        })
        .await?;
        Ok(self.received())
    }

    /// Forgets what came; numbers go on.
    pub fn forget(&self) {
        self.shared.kept().received.clear();
    }

    /// Closes the port and every connection at once, as a backend that died. What came is kept.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
            let _ = server.await;
        }
    }

    /// Comes back on the same port.
    ///
    /// # Errors
    /// Somebody else took the port.
    pub async fn resume(&mut self) -> Result<()> {
        self.stop().await;
        let listener = listen(self.address).await?;
        self.server = Some(tokio::spawn(serve(listener, self.protocol, self.shared.clone())));
        Ok(())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(Error::io(format!("listen on {address}")))
}

/// The connections end with this task: they are its own.
async fn serve(listener: TcpListener, protocol: Protocol, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((stream, _)) = listener.accept() => {
                connections.spawn(connection(stream, protocol, shared.clone()));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, protocol: Protocol, shared: Arc<Shared>) {
    match protocol {
        Protocol::Grpc => grpc::serve(stream, shared).await,
        Protocol::Http => http::serve(stream, shared).await,
    }
}
