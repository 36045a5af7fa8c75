//! What both protocols do with a request: read it within the account, inflate it, scan it, admit it
//! to the pipelines, and say what came of it. Knows neither gRPC nor HTTP status codes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use obspipe_model::Signal;
use tokio::time::timeout;

use crate::flow::account::{Account, Full, Permit};
use crate::flow::admit::{Inlet, Refused};
use crate::flow::chunk::{Chunk, Context, Hold};
use crate::flow::receipt::{Outcome, Receipt};
use crate::net::buffer::Buffer;
use crate::net::compress::{Encoding, InflateError, inflate};
use crate::net::serve::From;
use crate::signal::rewrite::accept;
use crate::signal::scan::Malformed;

/// How long a client may send nothing in the middle of a request.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes of a request for which memory is taken when some of it comes, if it announces as many.
const FIRST: usize = 64 * 1024;
/// How many times what has come, memory is taken for at most.
const AHEAD: usize = 4;
/// How long the rest of a refused request is read.
const LINGERING: Duration = Duration::from_secs(5);
/// How long a request waits for a backend's answer, or for room where it may wait: less than the
/// ten seconds after which SDKs give up.
const PATIENCE: Duration = Duration::from_secs(8);

/// Requests and items of one protocol of a receiver.
#[derive(Debug, Default)]
pub struct Protocol {
    /// Items taken, by signal.
    pub accepted: [AtomicU64; 3],
    /// Items refused because there is no room, by signal. Those refused unread are not known.
    pub refused: [AtomicU64; 3],
    /// Requests refused because there is no room.
    pub refused_requests: AtomicU64,
    /// Requests that are no OTLP, too large, or cut short.
    pub bad_requests: AtomicU64,
}

/// Counters of a receiver.
#[derive(Debug, Default)]
pub struct Counters {
    /// OTLP over gRPC.
    pub grpc: Arc<Protocol>,
    /// OTLP over HTTP.
    pub http: Arc<Protocol>,
}

/// Where a receiver's telemetry goes, by signal; no inlet where no pipeline takes it.
#[derive(Default)]
pub struct Inlets {
    /// Spans, data points and log records.
    pub by_signal: [Option<Arc<Inlet>>; 3],
    /// What is counted.
    pub counters: Counters,
}

impl Inlets {
    /// A signal's inlet.
    #[must_use]
    pub fn of(&self, signal: Signal) -> Option<&Arc<Inlet>> {
        self.by_signal[signal as usize].as_ref()
    }
}

/// Why a request was not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Rejection {
    /// There is no room now.
    #[error("{0}")]
    Busy(String),
    /// It is larger than allowed.
    #[error("{0}")]
    TooLarge(String),
    /// It is not what it should be.
    #[error("{0}")]
    Malformed(String),
    /// The client sent too slowly.
    #[error("the request was not sent in time")]
    Slow,
    /// The backend refused it.
    #[error("{0}")]
    Refused(String),
}

impl std::convert::From<Full> for Rejection {
    fn from(full: Full) -> Self {
        Self::Busy(full.to_string())
    }
}

impl std::convert::From<Malformed> for Rejection {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(format!("the request is no OTLP: {malformed}"))
    }
}

impl std::convert::From<InflateError<Full>> for Rejection {
    fn from(error: InflateError<Full>) -> Self {
        match error {
            InflateError::Room(full) => full.into(),
            InflateError::TooLarge(_) => Self::TooLarge(error.to_string()),
            InflateError::Corrupt(_) => Self::Malformed(error.to_string()),
        }
    }
}

/// The way in.
pub(super) struct Intake {
    inlets: Arc<Inlets>,
    account: Arc<Account>,
    pub(super) protocol: Arc<Protocol>,
    include_metadata: bool,
}

impl Intake {
    pub(super) fn new(
        inlets: &Arc<Inlets>,
        account: &Arc<Account>,
        protocol: &Arc<Protocol>,
        include_metadata: bool,
    ) -> Self {
        let (inlets, account, protocol) = (inlets.clone(), account.clone(), protocol.clone());
        Self { inlets, account, protocol, include_metadata }
    }

    /// Whether a pipeline takes this signal.
    pub(super) fn takes(&self, signal: Signal) -> bool {
        self.inlets.of(signal).is_some_and(|inlet| inlet.is_open())
    }

    /// A permit for a request of about so many bytes, if there is room for them. It holds nothing
    /// yet: a client that announces much and sends nothing takes nothing from others.
    pub(super) fn permit(
        &self,
        signal: Signal,
        from: &From,
        about: usize,
    ) -> Result<Permit, Rejection> {
        self.account.room(signal, &from.peer, about)?;
        Ok(self.account.permit(signal, &from.peer))
    }

    /// What a client said besides.
    pub(super) fn context(&self, headers: &HeaderMap, from: &From) -> Option<Arc<Context>> {
        if !self.include_metadata {
            return None;
        }
        let metadata = headers.iter().filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let client = from.address.ip().to_string();
        Some(Arc::new(Context { metadata: metadata.collect(), client }))
    }

    /// Inflates a message.
    pub(super) async fn inflate(
        &self,
        encoding: Encoding,
        message: Bytes,
        limit: usize,
        permit: &mut Permit,
    ) -> Result<Bytes, Rejection> {
        if encoding == Encoding::Identity {
            return Ok(message);
        }
        let inflated = inflate(encoding, &message, limit, |more| permit.grow(more)).await?;
        drop(message);
        permit.set(inflated.len());
        Ok(inflated)
    }

    /// Checks a request and hands it to the pipelines; the answer follows at once, unless an
    /// exporter is configured to be waited for.
    pub(super) async fn admit(
        &self,
        signal: Signal,
        bytes: Bytes,
        mut permit: Permit,
        context: Option<Arc<Context>>,
    ) -> Result<(), Rejection> {
        let (bytes, items) = accept(signal, bytes)?;
        permit.set(bytes.len().max(permit.bytes()));
        let items = items as usize;
        let Some(inlet) = self.inlets.of(signal) else {
            return Ok(());
        };
        if items == 0 {
            return Ok(());
        }
        let (receipt, outcome) = match inlet.waits() {
            true => Some(Receipt::new()).unzip(),
            false => (None, None),
        };
        let weight = permit.bytes();
        let hold = Hold { permit: Arc::new(permit), receipt: receipt.map(Arc::new) };
        let chunk = Chunk { bytes, items, context, hold, weight, lost_to: None };
        if let Err(refused) = inlet.admit_in_time(chunk, PATIENCE).await {
            self.protocol.refused[signal as usize].fetch_add(items as u64, Relaxed);
            return Err(busy(&refused));
        }
        self.protocol.accepted[signal as usize].fetch_add(items as u64, Relaxed);
        match outcome {
            Some(outcome) => match timeout(PATIENCE, outcome).await {
                Ok(Ok(Outcome::Delivered) | Err(_)) => Ok(()),
                Ok(Ok(Outcome::Retry(why))) => Err(Rejection::Busy(why)),
                Ok(Ok(Outcome::Refused(why))) => Err(Rejection::Refused(why)),
                Err(_) => Err(Rejection::Busy("the backend has not answered yet".into())),
            },
            None => Ok(()),
        }
    }

    /// Counts what was not taken.
    pub(super) fn count(&self, rejection: &Rejection) {
        match rejection {
            Rejection::Busy(_) => &self.protocol.refused_requests,
            _ => &self.protocol.bad_requests,
        }
        .fetch_add(1, Relaxed);
    }
}

fn busy(refused: &Refused) -> Rejection {
    Rejection::Busy(refused.to_string())
}

/// Reads a body as it comes, at most `limit` bytes, each with its permit first.
pub(super) async fn read(
    body: &mut Incoming,
    expected: usize,
    limit: usize,
    permit: &mut Permit,
) -> Result<Bytes, Rejection> {
    let mut gathered = Gathered::new(limit);
    while let Some(piece) = next(body).await? {
        if gathered.len() + piece.len() > limit {
            return Err(Rejection::TooLarge(format!("the request is larger than {limit} bytes")));
        }
        gathered.add(piece, expected, permit)?;
    }
    Ok(gathered.finish(permit))
}

/// What has come of a request.
pub(super) struct Gathered {
    /// All of it, where it lies since it was received: it came in one piece.
    whole: Bytes,
    /// Pieces, joined.
    joined: Buffer,
    /// Bytes that there is room for.
    room: usize,
}

impl Gathered {
    /// Nothing yet, and at most `limit` bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { whole: Bytes::new(), joined: Buffer::new(limit), room: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.whole.len() + self.joined.len()
    }

    /// Adds what came to a request of about `expected` bytes, with the permit for its memory first:
    /// who announces much and sends little takes little, and what is taken is in the account, filled
    /// or not.
    pub(super) fn add(
        &mut self,
        piece: Bytes,
        expected: usize,
        permit: &mut Permit,
    ) -> Result<(), Full> {
        // A small piece would keep the whole buffer that it was received in.
        if self.len() == 0 && piece.len() == expected && expected >= FIRST {
            permit.grow(expected)?;
            self.whole = piece;
            return Ok(());
        }
        let together = self.len() + piece.len();
        if together > self.room {
            let room = match expected {
                _ if expected < together => together.saturating_mul(2),
                _ => expected.min(together.saturating_mul(AHEAD).max(FIRST)),
            };
            permit.grow(room - self.room)?;
            self.room = room;
            self.joined.reserve(room);
        }
        // Nothing, unless the client sends more than it announced.
        self.joined.extend(&std::mem::take(&mut self.whole));
        self.joined.extend(&piece);
        Ok(())
    }

    /// All that came. What is held is what is accounted for, or little more.
    pub(super) fn finish(self, permit: &mut Permit) -> Bytes {
        if !self.whole.is_empty() {
            return self.whole;
        }
        let (bytes, taken) = self.joined.freeze();
        permit.set(taken);
        bytes
    }
}

/// Reads the rest of a refused request and forgets it. Over HTTP/1.1 a client may send all of it
/// before it looks for the answer, and would find the connection reset instead (RFC 9112, 9.6).
/// Whether it came to its end: the connection can be used for another request only then.
pub(super) async fn forget(body: &mut Incoming, limit: usize) -> bool {
    let reading = async {
        let mut left = limit;
        loop {
            match next(body).await {
                Ok(Some(piece)) if piece.len() <= left => left -= piece.len(),
                Ok(None) => return true,
                _ => return false,
            }
        }
    };
    timeout(LINGERING, reading).await.unwrap_or(false)
}

/// The next piece of a body; None at its end.
pub(super) async fn next(body: &mut Incoming) -> Result<Option<Bytes>, Rejection> {
    loop {
        match timeout(SILENCE, body.frame()).await {
            Err(_) => return Err(Rejection::Slow),
            Ok(None) => return Ok(None),
            Ok(Some(Err(error))) => {
                return Err(Rejection::Malformed(format!("the request broke off: {error}")));
            }
            Ok(Some(Ok(frame))) => {
                // Trailers of a request say nothing to us.
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}
