//! The end of a connection: what a client still sends is read for a while and forgotten, so that it
//! finds the answer that it was given instead of a reset (RFC 9112, 9.6). Knows no HTTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a client may go on sending.
const LINGERING: Duration = Duration::from_secs(2);
/// How long it may be silent: as Go's net/http (rstAvoidanceDelay).
const SILENCE: Duration = Duration::from_millis(500);
/// Bytes that it may go on sending.
const MOST: usize = 1024 * 1024;

/// A stream that comes back when whoever has it is through with it.
pub(super) struct Returning<S> {
    stream: Option<S>,
    back: Option<oneshot::Sender<S>>,
}

/// Lends a stream. What is received is the stream, when its borrower was dropped.
pub(super) fn lend<S>(stream: S) -> (Returning<S>, oneshot::Receiver<S>) {
    let (back, returned) = oneshot::channel();
    (Returning { stream: Some(stream), back: Some(back) }, returned)
}

/// Says that nothing more will be sent, and reads until the client has understood, within limits.
pub(super) async fn linger<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S) {
    let reading = async {
        stream.shutdown().await?;
        let mut forgotten = Box::new([0; 8 * 1024]);
        let mut left = MOST;
        while let Ok(read) = timeout(SILENCE, stream.read(forgotten.as_mut_slice())).await {
            let read = read?;
            left = left.saturating_sub(read);
            if read == 0 || left == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    // Whatever went wrong, it is over.
    let _ = timeout(LINGERING, reading).await;
}

impl<S> Drop for Returning<S> {
    fn drop(&mut self) {
        if let (Some(stream), Some(back)) = (self.stream.take(), self.back.take()) {
            // Nobody waits for it where the whole connection was given up.
            let _ = back.send(stream);
        }
    }
}

impl<S: Unpin> Returning<S> {
    fn stream(self: Pin<&mut Self>) -> io::Result<Pin<&mut S>> {
        let stream = self.get_mut().stream.as_mut();
        stream.map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Returning<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream()?.poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Returning<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream()?.poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }
}

#[cfg(test)]
mod tests;
