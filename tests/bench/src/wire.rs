//! What generator and sink have in common: the signals and their paths (OTLP specification,
//! "OTLP/gRPC" and "OTLP/HTTP"), gzip, and gRPC's message framing ("gRPC over HTTP2",
//! Length-Prefixed-Message: one byte flag, four bytes length, message).

use std::io::{Read as _, Write as _};

use anyhow::{Context as _, Result, ensure};
use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::Compression as Level;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Data points.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// The name in a collector's `service.pipelines`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }

    /// What is counted, in the plural.
    #[must_use]
    pub fn items(self) -> &'static str {
        match self {
            Self::Traces => "spans",
            Self::Metrics => "data points",
            Self::Logs => "log records",
        }
    }

    /// Path of the request over `transport`.
    #[must_use]
    pub fn path(self, transport: Transport) -> &'static str {
        match (transport, self) {
            (Transport::Grpc, Self::Traces) => GRPC_TRACES,
            (Transport::Grpc, Self::Metrics) => GRPC_METRICS,
            (Transport::Grpc, Self::Logs) => GRPC_LOGS,
            (Transport::Http, Self::Traces) => "/v1/traces",
            (Transport::Http, Self::Metrics) => "/v1/metrics",
            (Transport::Http, Self::Logs) => "/v1/logs",
        }
    }
}

const GRPC_TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const GRPC_METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const GRPC_LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// How OTLP travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// gRPC, over HTTP/2 without TLS.
    Grpc,
    /// Protobuf over HTTP/1.1.
    Http,
}

/// Compression of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// As it is.
    None,
    /// gzip (RFC 1952).
    Gzip,
}

impl Compression {
    /// The name in headers and in a collector's configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
        }
    }
}

/// Bytes before a gRPC message.
pub const GRPC_PREFIX: usize = 5;

/// `message` as gRPC sends it; `compressed` says whether its bytes are.
///
/// # Errors
/// It is longer than the four bytes of the length can say.
pub fn frame(compressed: bool, message: &[u8]) -> Result<Bytes> {
    let length = u32::try_from(message.len()).context("a gRPC message above 4 GiB")?;
    let mut framed = BytesMut::with_capacity(GRPC_PREFIX + message.len());
    framed.put_u8(u8::from(compressed));
    framed.put_u32(length);
    framed.put_slice(message);
    Ok(framed.freeze())
}

/// The one message of a unary call's body, and whether it is compressed.
///
/// # Errors
/// The body is not exactly one message.
pub fn unframe(body: &[u8]) -> Result<(bool, &[u8])> {
    let (prefix, message) = body.split_at_checked(GRPC_PREFIX).context("no gRPC message")?;
    let [flag, length @ ..] = prefix else { anyhow::bail!("no gRPC message") };
    let length = length.iter().fold(0usize, |sum, byte| sum << 8 | usize::from(*byte));
    ensure!(*flag < 2, "gRPC flag {flag}");
    ensure!(length == message.len(), "gRPC length {length}, but {} bytes", message.len());
    Ok((*flag == 1, message))
}

/// `bytes` in gzip, at the level that collectors use by default.
///
/// # Errors
/// The encoder refuses, which it does not for memory.
pub fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 4), Level::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// What `bytes` are without gzip.
///
/// # Errors
/// They are not gzip.
pub fn gunzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() * 8);
    MultiGzDecoder::new(bytes).read_to_end(&mut out)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_flag_length_message() {
        let framed = frame(false, b"abc").unwrap();
        assert_eq!(&framed[..], [0, 0, 0, 0, 3, b'a', b'b', b'c']);
        assert_eq!(unframe(&framed).unwrap(), (false, &b"abc"[..]));
        let long = vec![7u8; 70_000];
        let framed = frame(true, &long).unwrap();
        assert_eq!(framed[..5], [1, 0, 1, 0x11, 0x70]);
        assert_eq!(unframe(&framed).unwrap(), (true, &long[..]));
    }

    #[test]
    fn what_is_not_one_frame_is_refused() {
        assert!(unframe(&[]).is_err());
        assert!(unframe(&[0, 0, 0, 0]).is_err());
        assert!(unframe(&[0, 0, 0, 0, 2, 1]).is_err(), "too short");
        assert!(unframe(&[0, 0, 0, 0, 1, 1, 0]).is_err(), "something behind it");
        assert!(unframe(&[2, 0, 0, 0, 1, 1]).is_err(), "unknown flag");
        assert_eq!(unframe(&[0, 0, 0, 0, 0]).unwrap(), (false, &[][..]), "empty is a message");
    }

    #[test]
    fn gzip_goes_there_and_back() {
        let text = b"span ".repeat(1000);
        let packed = gzip(&text).unwrap();
        assert!(packed.len() < text.len() / 10);
        assert_eq!(gunzip(&packed).unwrap(), text);
        assert!(gunzip(b"plain").is_err());
    }
}
