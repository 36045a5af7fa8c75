//! The bodies that leave: pieces of bytes, there or made as they are read, with trailers behind them
//! where gRPC has them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures::Stream;
use http::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};

/// A body in pieces, written without being joined.
#[derive(Default)]
pub struct Pieces {
    data: VecDeque<Bytes>,
    /// What follows, a piece when the last one has gone.
    made: Option<Pin<Box<dyn Stream<Item = Bytes> + Send + Sync>>>,
    trailers: Option<HeaderMap>,
}

impl Pieces {
    /// These pieces, one after the other.
    #[must_use]
    pub fn new(data: impl IntoIterator<Item = Bytes>) -> Self {
        let data = data.into_iter().filter(|piece| piece.has_remaining()).collect();
        Self { data, made: None, trailers: None }
    }

    /// Pieces that are made as they are read: however many there are and however slowly they are
    /// read, few are held.
    #[must_use]
    pub fn made(pieces: impl Stream<Item = Bytes> + Send + Sync + 'static) -> Self {
        Self { made: Some(Box::pin(pieces)), ..Self::default() }
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
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(piece) = self.data.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        while let Some(made) = &mut self.made {
            match ready!(made.as_mut().poll_next(context)) {
                Some(piece) if piece.is_empty() => {}
                Some(piece) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                None => self.made = None,
            }
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_empty() && self.made.is_none() && self.trailers.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let here = self.data.iter().map(|piece| piece.len() as u64).sum();
        let mut hint = SizeHint::with_exact(here);
        if self.made.is_some() {
            hint = SizeHint::default();
            hint.set_lower(here);
        }
        hint
    }
}

#[cfg(test)]
mod tests;
