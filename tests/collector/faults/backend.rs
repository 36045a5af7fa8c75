//! The backends that exporters send to, as captures: how each is configured, what it answers, and
//! the names of the items in what it was sent.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use obspipe_backends::{Answer, Capture, Reset};
use prost::Message;
use serde_json::{Value, json};

use crate::telemetry;

/// gRPC's codes.
pub(super) const CANCELLED: u16 = 1;
pub(super) const UNKNOWN: u16 = 2;
pub(super) const INVALID_ARGUMENT: u16 = 3;
pub(super) const DEADLINE_EXCEEDED: u16 = 4;
pub(super) const PERMISSION_DENIED: u16 = 7;
pub(super) const RESOURCE_EXHAUSTED: u16 = 8;
pub(super) const ABORTED: u16 = 10;
pub(super) const OUT_OF_RANGE: u16 = 11;
pub(super) const UNIMPLEMENTED: u16 = 12;
pub(super) const INTERNAL: u16 = 13;
pub(super) const UNAVAILABLE: u16 = 14;
pub(super) const DATA_LOSS: u16 = 15;
pub(super) const UNAUTHENTICATED: u16 = 16;

/// An exporter with its backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Otlp,
    OtlpHttp,
    Jaeger,
    Loki,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Otlp, Self::OtlpHttp, Self::Jaeger, Self::Loki];

    /// What the exporter is called in a configuration.
    pub(super) fn id(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::OtlpHttp => "otlphttp",
            Self::Jaeger => "jaeger",
            Self::Loki => "loki",
        }
    }

    /// The signal it is tested with.
    pub(super) fn signal(self) -> &'static str {
        if self == Self::Loki { "logs" } else { "traces" }
    }

    pub(super) fn is_grpc(self) -> bool {
        matches!(self, Self::Otlp | Self::Jaeger)
    }

    /// A backend that takes everything.
    pub(super) async fn capture(self) -> Capture {
        let ok = self.ok();
        let capture = match self.is_grpc() {
            true => Capture::grpc(move |_| ok.clone()).await,
            false => Capture::http(move |_| ok.clone()).await,
        };
        capture.expect("a port")
    }

    /// All taken.
    pub(super) fn ok(self) -> Answer {
        match self {
            Self::Otlp | Self::Jaeger => Answer::grpc_ok(),
            Self::OtlpHttp => Answer::http_ok(),
            Self::Loki => Answer::status(204),
        }
    }

    /// The exporter's settings, with these besides.
    pub(super) fn exporter(self, backend: SocketAddr, more: &Value) -> Value {
        let mut settings = match self {
            Self::Otlp | Self::Jaeger => {
                json!({"endpoint": backend.to_string(), "tls": {"insecure": true}})
            }
            Self::OtlpHttp => json!({"endpoint": format!("http://{backend}")}),
            Self::Loki => json!({"endpoint": format!("http://{backend}/loki/api/v1/push")}),
        };
        if self == Self::OtlpHttp {
            settings["compression"] = "none".into();
        }
        for (key, value) in more.as_object().expect("settings") {
            settings[key] = value.clone();
        }
        settings
    }

    /// A client's request of items called `<service>-<number>`.
    pub(super) fn request(self, service: &str, numbers: std::ops::Range<usize>) -> Vec<u8> {
        match self {
            Self::Loki => telemetry::logs(service, numbers),
            _ => telemetry::spans(service, numbers, 100),
        }
    }

    /// The names of the items of a client's request.
    pub(super) fn offered(self, body: &[u8]) -> Vec<String> {
        match self {
            Self::Loki => telemetry::log_names(body),
            _ => telemetry::names(body),
        }
    }

    /// The names of the items that a backend was sent.
    pub(super) fn names(self, body: &[u8]) -> Vec<String> {
        match self {
            Self::Otlp | Self::OtlpHttp => telemetry::names(body),
            Self::Jaeger => {
                let batch = PostSpans::decode(body).expect("PostSpansRequest").batch;
                let spans = batch.expect("a batch").spans;
                spans.into_iter().map(|span| span.operation_name).collect()
            }
            Self::Loki => {
                let bytes = snap::raw::Decoder::new().decompress_vec(body).expect("snappy");
                let push = Push::decode(&bytes[..]).expect("PushRequest");
                let entries = push.streams.into_iter().flat_map(|stream| stream.entries);
                entries.map(|entry| said(&entry.line)).collect()
            }
        }
    }

    /// Whether a backend that answers so has what it was sent, as far as anybody can tell: an HTTP
    /// status of success says so even where the rest of the answer is lost. An answer after
    /// [`NEVER`] is none.
    pub(super) fn takes(self, answer: &Answer) -> bool {
        let success = match self.is_grpc() {
            true => answer.status == 0,
            false => (200..300).contains(&answer.status),
        };
        match answer.reset {
            None => success && answer.delay < NEVER,
            Some(Reset::InAnswer) => success && !self.is_grpc(),
            Some(_) => false,
        }
    }

    /// A success that breaks off.
    pub(super) fn half(self) -> Answer {
        let ok = if self.is_grpc() { Answer::grpc_ok() } else { Answer::http_ok() };
        ok.body("half of it").reset(Reset::InAnswer)
    }
}

/// Longer than anybody waits for an answer.
pub(super) const NEVER: Duration = Duration::from_secs(3600);

/// A log line's body.
fn said(line: &str) -> String {
    let line: Value = serde_json::from_str(line).expect("JSON");
    line["body"].as_str().expect("a body").to_owned()
}

/// gRPC's status with google.rpc.RetryInfo among its details.
pub(super) fn retry_info(code: u16, delay: Duration) -> Answer {
    let delay =
        Delay { seconds: delay.as_secs().cast_signed(), nanos: delay.subsec_nanos().cast_signed() };
    let info = RetryInfo { retry_delay: Some(delay) };
    let detail = Any {
        type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
        value: info.encode_to_vec(),
    };
    let status = Status { code: code.into(), message: "later".to_owned(), details: vec![detail] };
    let details = STANDARD_NO_PAD.encode(status.encode_to_vec());
    Answer::status(code).header("grpc-status-details-bin", &details)
}

/// jaeger.api_v2.PostSpansRequest, as far as it is looked at.
#[derive(Clone, PartialEq, Message)]
struct PostSpans {
    #[prost(message, optional, tag = "1")]
    batch: Option<Batch>,
}

#[derive(Clone, PartialEq, Message)]
struct Batch {
    #[prost(message, repeated, tag = "1")]
    spans: Vec<Span>,
}

#[derive(Clone, PartialEq, Message)]
struct Span {
    #[prost(string, tag = "3")]
    operation_name: String,
}

/// logproto.PushRequest.
#[derive(Clone, PartialEq, Message)]
struct Push {
    #[prost(message, repeated, tag = "1")]
    streams: Vec<Stream>,
}

#[derive(Clone, PartialEq, Message)]
struct Stream {
    #[prost(message, repeated, tag = "2")]
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(string, tag = "2")]
    line: String,
}

/// google.rpc.Status.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
