//! What a capturing backend answers, and the body it takes on the wire.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use futures::stream::{self, Stream, StreamExt};
use http_body_util::{Either, Empty, StreamBody};
use hyper::body::{Bytes, Frame};

/// A half answer is on its way before the reset follows.
const BEFORE_RESET: Duration = Duration::from_millis(20);

/// One answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Of HTTP, the status; of gRPC, its own (0 is success), with HTTP's always 200.
    pub status: u16,
    /// Of HTTP, headers; of gRPC, what comes with the status (`grpc-message`,
    /// `grpc-status-details-bin`, …).
    pub headers: Vec<(String, String)>,
    /// How long after the request it comes.
    pub delay: Duration,
    /// Where the exchange breaks off, if it does.
    pub reset: Option<Reset>,
    /// Of HTTP, the body; of gRPC, the encoded message of a success.
    pub body: Vec<u8>,
}

/// Where an exchange breaks off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// After the first piece of the request's body. The request is kept with that piece,
    /// as it came.
    InRequest,
    /// After the whole request, with no byte of an answer. The request is kept.
    BeforeAnswer,
    /// After the answer's headers and half of its body. The request is kept.
    InAnswer,
}

impl Answer {
    /// gRPC's OK (0) with an empty message.
    #[must_use]
    pub fn grpc_ok() -> Self {
        Self::default()
    }

    /// HTTP's 200 with an empty body.
    #[must_use]
    pub fn http_ok() -> Self {
        Self::status(200)
    }

    /// A status of the capture's protocol.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// With one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With this body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// That long after the request.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Broken off there.
    #[must_use]
    pub fn reset(mut self, reset: Reset) -> Self {
        self.reset = Some(reset);
        self
    }
}

/// The frames of an answer on their way. None at all is a body of its own, because HTTP/2
/// has to say with the headers that nothing follows.
pub(super) type Frames = Either<Empty<Bytes>, Streamed>;
type Streamed = StreamBody<Pin<Box<dyn Stream<Item = io::Result<Frame<Bytes>>> + Send>>>;

/// No body.
pub(super) fn nothing() -> Frames {
    Either::Left(Empty::new())
}

/// The whole of it.
pub(super) fn whole(frames: Vec<Frame<Bytes>>) -> Frames {
    Either::Right(StreamBody::new(stream::iter(frames.into_iter().map(Ok)).boxed()))
}

/// Half of the bytes, then a reset.
pub(super) fn half(bytes: &Bytes) -> Frames {
    let first = Frame::data(bytes.slice(..bytes.len() / 2));
    let reset = stream::once(async {
        tokio::time::sleep(BEFORE_RESET).await;
        Err(broken_off())
    });
    Either::Right(StreamBody::new(stream::once(async { Ok(first) }).chain(reset).boxed()))
}

/// What makes hyper close the connection (HTTP/1) or reset the stream (HTTP/2).
pub(super) fn broken_off() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "broken off as told")
}
