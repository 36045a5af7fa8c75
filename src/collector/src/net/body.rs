//! The bodies that leave: pieces of bytes, with trailers behind them where gRPC has them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};

/// A body in pieces, written without being joined.
#[derive(Debug, Default)]
pub struct Pieces {
    data: VecDeque<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Pieces {
    /// These pieces, one after the other.
    #[must_use]
    pub fn new(data: impl IntoIterator<Item = Bytes>) -> Self {
        let data = data.into_iter().filter(|piece| piece.has_remaining()).collect();
        Self { data, trailers: None }
    }

    /// With trailers behind.
    #[must_use]
    pub fn trailers(self, trailers: HeaderMap) -> Self {
        Self { trailers: Some(trailers), ..self }
    }
}

impl From<Bytes> for Pieces {
    fn from(data: Bytes) -> Self {
        Self::new([data])
    }
}

impl From<String> for Pieces {
    fn from(data: String) -> Self {
        Self::new([Bytes::from(data)])
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(piece) = self.data.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.data.iter().map(|piece| piece.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests;
