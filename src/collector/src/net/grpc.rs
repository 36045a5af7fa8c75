//! gRPC over HTTP/2 as far as unary calls need it (grpc.io, PROTOCOL-HTTP2): the five bytes before
//! a message, status in trailers, and how long to wait before trying again (google.rpc.RetryInfo).

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};

use crate::signal::wire::{Fields, Raw, Write as _};

/// Bytes before a message: whether it is compressed, and its length.
pub const PREFIX: usize = 5;

/// The result of a call (grpc.io, statuscodes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    /// Done.
    Ok = 0,
    /// The caller gave up.
    Cancelled = 1,
    /// Not known.
    Unknown = 2,
    /// The request makes no sense.
    InvalidArgument = 3,
    /// It took too long.
    DeadlineExceeded = 4,
    /// Not there.
    NotFound = 5,
    /// There already.
    AlreadyExists = 6,
    /// Not allowed.
    PermissionDenied = 7,
    /// Too much.
    ResourceExhausted = 8,
    /// Not in this state.
    FailedPrecondition = 9,
    /// Stopped by something else.
    Aborted = 10,
    /// Past the end.
    OutOfRange = 11,
    /// No such method.
    Unimplemented = 12,
    /// Broken inside.
    Internal = 13,
    /// Not now.
    Unavailable = 14,
    /// Lost.
    DataLoss = 15,
    /// Who are you?
    Unauthenticated = 16,
}

impl Code {
    /// By number; what is not known is Unknown.
    #[must_use]
    pub fn of(number: i32) -> Self {
        const ALL: [Code; 17] = [
            Code::Ok,
            Code::Cancelled,
            Code::Unknown,
            Code::InvalidArgument,
            Code::DeadlineExceeded,
            Code::NotFound,
            Code::AlreadyExists,
            Code::PermissionDenied,
            Code::ResourceExhausted,
            Code::FailedPrecondition,
            Code::Aborted,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::Internal,
            Code::Unavailable,
            Code::DataLoss,
            Code::Unauthenticated,
        ];
        usize::try_from(number).ok().and_then(|n| ALL.get(n).copied()).unwrap_or(Self::Unknown)
    }

    /// What an answer without a gRPC status means (grpc.io, http-grpc-status-mapping).
    #[must_use]
    pub fn of_http(status: http::StatusCode) -> Self {
        match status.as_u16() {
            400 => Self::Internal,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::Unimplemented,
            429 | 502..=504 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }
}

/// How a call ended badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The code.
    pub code: Code,
    /// What it says.
    pub message: String,
    /// When to try again.
    pub retry_after: Option<Duration>,
}

impl Status {
    /// A status that says nothing of trying again.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// As google.rpc.Status: code 1, message 2, details 3.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put_varint_field(1, self.code as u64);
        out.put_bytes_field(2, self.message.as_bytes());
        if let Some(delay) = self.retry_after {
            out.put_message(3, |any| {
                any.put_bytes_field(1, b"type.googleapis.com/google.rpc.RetryInfo");
                any.put_message(2, |info| put_retry_info(info, delay));
            });
        }
        out
    }

    /// As the trailers of an answer.
    #[must_use]
    pub fn trailers(&self) -> HeaderMap {
        let mut trailers = HeaderMap::with_capacity(4);
        trailers.insert("grpc-status", HeaderValue::from(self.code as i32));
        if !self.message.is_empty()
            && let Ok(message) = HeaderValue::from_str(&percent_encoded(&self.message))
        {
            trailers.insert("grpc-message", message);
        }
        if let Some(delay) = self.retry_after {
            let mut info = Vec::new();
            put_retry_info(&mut info, delay);
            let pairs =
                [("grpc-status-details-bin", self.encode()), ("google.rpc.retryinfo-bin", info)];
            for (name, bytes) in pairs {
                if let Ok(value) = HeaderValue::from_str(&STANDARD_NO_PAD.encode(bytes)) {
                    trailers.insert(name, value);
                }
            }
        }
        trailers
    }

    /// From an answer's trailers; None where they say nothing of a status.
    #[must_use]
    pub fn read(trailers: &HeaderMap) -> Option<Self> {
        let number = trailers.get("grpc-status")?.to_str().ok()?.parse().ok()?;
        let text = trailers.get("grpc-message").map(HeaderValue::as_bytes).unwrap_or_default();
        let details = trailers.get("grpc-status-details-bin").and_then(binary);
        let retry_after = details.as_deref().and_then(retry_info).or_else(|| {
            let alone = trailers.get("google.rpc.retryinfo-bin").and_then(binary);
            alone.as_deref().map(retry_delay)
        });
        Some(Self { code: Code::of(number), message: percent_decoded(text), retry_after })
    }
}

fn binary(value: &HeaderValue) -> Option<Vec<u8>> {
    let text = value.as_bytes();
    STANDARD_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text)).ok()
}

/// RetryInfo: retry_delay 1 is a Duration: seconds 1, nanos 2.
fn put_retry_info(out: &mut Vec<u8>, delay: Duration) {
    out.put_message(1, |duration| {
        duration.put_varint_field(1, delay.as_secs());
        duration.put_varint_field(2, u64::from(delay.subsec_nanos()));
    });
}

/// The delay of the first RetryInfo among a Status' details.
fn retry_info(status: &[u8]) -> Option<Duration> {
    let details = messages(status, 3);
    details.into_iter().find_map(|any| {
        let named =
            messages(any, 1).into_iter().any(|name| name.ends_with(b"google.rpc.RetryInfo"));
        // No value: a RetryInfo that says nothing but to try again.
        named.then(|| retry_delay(messages(any, 2).into_iter().next().unwrap_or_default()))
    })
}

fn retry_delay(info: &[u8]) -> Duration {
    let Some(duration) = messages(info, 1).into_iter().next() else {
        return Duration::ZERO;
    };
    let (mut seconds, mut nanos) = (0, 0);
    for field in Fields::of(duration) {
        match (field.number, field.value) {
            // Negative ones are varints of ten bytes: no delay.
            (1, Raw::Varint(value)) => seconds = i64::try_from(value).unwrap_or(0),
            (2, Raw::Varint(value)) => nanos = u32::try_from(value).unwrap_or(0).min(999_999_999),
            _ => {}
        }
    }
    Duration::new(seconds.unsigned_abs().min(86_400), nanos)
}

fn messages(message: &[u8], number: u32) -> Vec<&[u8]> {
    Fields::of(message)
        .filter(|field| field.number == number)
        .filter_map(|field| match field.value {
            Raw::Bytes(bytes) => Some(bytes),
            _ => None,
        })
        .collect()
}

/// grpc-message: what is not printable ASCII, and the percent sign, as %XX.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if (0x20..0x7f).contains(&byte) && byte != b'%' {
            out.push(byte as char);
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// What %XX stands for; what is no such thing stays. Bytes that are no UTF-8 are replaced.
pub(crate) fn percent_decoded(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) if *first == b'%' => {
                out.push(byte);
                rest = &after[2..];
            }
            _ => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The five bytes before a message.
#[must_use]
pub fn prefix(compressed: bool, length: usize) -> Bytes {
    let mut bytes = BytesMut::with_capacity(PREFIX);
    bytes.put_u8(u8::from(compressed));
    bytes.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
    bytes.freeze()
}

/// What the answer to an export says of items that were not taken: partial_success 1 with the
/// number 1 and a message 2 (all three signals alike).
#[must_use]
pub fn partial_success(answer: &[u8]) -> (u64, String) {
    let (mut rejected, mut message) = (0, String::new());
    for partial in messages(answer, 1) {
        for field in Fields::of(partial) {
            match (field.number, field.value) {
                (1, Raw::Varint(value)) => {
                    rejected = i64::try_from(value).unwrap_or(0).unsigned_abs()
                }
                (2, Raw::Bytes(text)) => message = String::from_utf8_lossy(text).into_owned(),
                _ => {}
            }
        }
    }
    (rejected, message)
}

#[cfg(test)]
mod tests;
