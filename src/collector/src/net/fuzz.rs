//! Fuzzed: compressed bodies and what gRPC says in trailers and answers, as others may write them.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;

use super::compress::{Encoding, InflateError, deflate, inflate};
use super::grpc::{Code, Status, partial_success};

pub(crate) const ENCODINGS: [Encoding; 6] = [
    Encoding::Identity,
    Encoding::Gzip,
    Encoding::Zstd,
    Encoding::Snappy,
    Encoding::Zlib,
    Encoding::Lz4,
];

/// The first byte chooses what is read: a body of one of six encodings, or gRPC's words. The second
/// is a body's limit, as a power of two.
pub fn frames(data: &[u8]) {
    let [first, limit, rest @ ..] = data else { return };
    match ENCODINGS.get(usize::from(first % 8)) {
        Some(encoding) => {
            check_inflate(*encoding, rest, 1 << (limit % 20));
            check_back(*encoding, rest);
        }
        None => {
            check_answer(rest);
            check_status(Code::of(i32::from(*limit)), rest);
        }
    }
}

/// What it comes to, however often it lets others run.
fn run<T>(future: impl Future<Output = T>) -> T {
    let (mut future, mut context) = (pin!(future), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
}

/// Inflates, and returns how much memory was asked for.
fn inflated(
    encoding: Encoding,
    body: &[u8],
    limit: usize,
) -> (Result<Bytes, InflateError<Infallible>>, usize) {
    let mut asked = 0;
    let grow = |more| {
        asked += more;
        Ok(())
    };
    (run(inflate(encoding, body, limit, grow)), asked)
}

/// Whatever the bytes: never more than the limit, nothing that was not asked for, and with more
/// room the same.
fn check_inflate(encoding: Encoding, body: &[u8], limit: usize) {
    let (result, asked) = inflated(encoding, body, limit);
    // Zstandard keeps a window of what it wrote, besides.
    let most = if encoding == Encoding::Zstd { limit * 2 } else { limit };
    assert!(asked <= most, "asked for {asked} bytes of {most}");
    if let Ok(out) = result {
        assert!(out.len() <= asked, "{} bytes, asked for {asked}", out.len());
        let same = match inflated(encoding, body, limit * 2).0 {
            Ok(again) => again == out,
            // libzstd compares what a frame says of its length only where there is room for all of
            // that.
            Err(InflateError::Corrupt(_)) => encoding == Encoding::Zstd,
            Err(_) => false,
        };
        assert!(same, "something else with more room");
    }
}

/// What is compressed comes back, if there is room for it and not a byte less.
fn check_back(encoding: Encoding, body: &[u8]) {
    let (begin, end) = body.split_at(body.len() / 2);
    let pieces = [Bytes::copy_from_slice(begin), Bytes::copy_from_slice(end)];
    let compressed = run(deflate(encoding, &pieces));
    assert!(compressed.is_ok(), "not compressed");
    let compressed = compressed.unwrap_or_default();
    let (back, _) = inflated(encoding, &compressed, body.len());
    assert!(back.is_ok_and(|back| back == body), "not what it was");
    if let Some(less) = body.len().checked_sub(1) {
        let (back, _) = inflated(encoding, &compressed, less);
        assert!(matches!(back, Err(InflateError::TooLarge(_))), "more than allowed");
    }
}

/// What a backend says of items that it did not take, as prost reads it.
fn check_answer(answer: &[u8]) {
    let (rejected, message) = partial_success(answer);
    if let Ok(decoded) = ExportTraceServiceResponse::decode(answer) {
        let partial = decoded.partial_success.unwrap_or_default();
        let expected = u64::try_from(partial.rejected_spans).unwrap_or(0);
        assert_eq!((rejected, message), (expected, partial.error_message), "partial success");
    }
}

/// A status comes back from its trailers; trailers of any bytes are read or not.
fn check_status(code: Code, bytes: &[u8]) {
    let message = String::from_utf8_lossy(bytes).into_owned();
    let retry_after = bytes.first().map(|first| std::time::Duration::from_millis((*first).into()));
    let status = Status { code, message, retry_after };
    assert_eq!(Status::read(&status.trailers()).as_ref(), Some(&status), "a status");
    let mut trailers = HeaderMap::new();
    let names =
        ["grpc-status", "grpc-message", "grpc-status-details-bin", "google.rpc.retryinfo-bin"];
    for (name, part) in names.into_iter().zip(bytes.split(|byte| *byte == b'\n')) {
        if let Ok(value) = HeaderValue::from_bytes(part) {
            trailers.insert(name, value);
        }
    }
    let _ = Status::read(&trailers);
}
