use opentelemetry_proto::tonic::collector::{
    logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse},
    metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse},
    trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse},
};
use proptest::prelude::*;
use prost::Message as _;

use super::*;

/// google.rpc.Status and what is in it, as the originals say (googleapis, rpc/status.proto,
/// rpc/error_details.proto): the other side of the encoding.
mod google {
    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Status {
        #[prost(int32, tag = "1")]
        pub(super) code: i32,
        #[prost(string, tag = "2")]
        pub(super) message: String,
        #[prost(message, repeated, tag = "3")]
        pub(super) details: Vec<Any>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Any {
        #[prost(string, tag = "1")]
        pub(super) type_url: String,
        #[prost(bytes = "vec", tag = "2")]
        pub(super) value: Vec<u8>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        pub(super) retry_delay: Option<Duration>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub(super) struct Duration {
        #[prost(int64, tag = "1")]
        pub(super) seconds: i64,
        #[prost(int32, tag = "2")]
        pub(super) nanos: i32,
    }
}

const URL: &str = "type.googleapis.com/google.rpc.RetryInfo";

fn retry_info(seconds: i64, nanos: i32) -> Vec<u8> {
    let retry_delay = Some(google::Duration { seconds, nanos });
    google::RetryInfo { retry_delay }.encode_to_vec()
}

fn details(type_url: &str, value: Vec<u8>) -> google::Status {
    let any = google::Any { type_url: type_url.to_owned(), value };
    google::Status { code: 14, message: "m".into(), details: vec![any] }
}

fn trailers(pairs: &[(&'static str, String)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn unavailable() -> Status {
    let retry_after = Some(Duration::from_millis(1500));
    Status { code: Code::Unavailable, message: "memory is short".into(), retry_after }
}

#[test]
fn the_status_is_what_google_says() {
    let read = google::Status::decode(&unavailable().encode()[..]).unwrap();
    assert_eq!((read.code, read.message.as_str()), (14, "memory is short"));
    assert_eq!(read.details[0].type_url, URL);
    assert_eq!(read.details[0].value, retry_info(1, 500_000_000));
    let plain = Status::new(Code::InvalidArgument, "no").encode();
    assert!(google::Status::decode(&plain[..]).unwrap().details.is_empty());
}

#[test]
fn both_trailers_carry_the_delay_and_only_where_there_is_one() {
    let trailers = unavailable().trailers();
    assert_eq!(trailers["grpc-status"], "14");
    assert_eq!(trailers["grpc-message"], "memory is short");
    let decoded = |name: &str| STANDARD_NO_PAD.decode(trailers[name].as_bytes()).unwrap();
    assert_eq!(decoded("grpc-status-details-bin"), unavailable().encode());
    assert_eq!(decoded("google.rpc.retryinfo-bin"), retry_info(1, 500_000_000));
    let without = Status::new(Code::ResourceExhausted, "too large").trailers();
    assert_eq!(without.len(), 2);
}

#[test]
fn either_form_alone_is_enough_padded_or_not() {
    let whole = details(URL, retry_info(7, 0)).encode_to_vec();
    let alone = retry_info(7, 0);
    for (name, bytes) in [("grpc-status-details-bin", whole), ("google.rpc.retryinfo-bin", alone)] {
        for text in [STANDARD.encode(&bytes), STANDARD_NO_PAD.encode(&bytes)] {
            let read = Status::read(&trailers(&[("grpc-status", "8".into()), (name, text)]));
            assert_eq!(read.unwrap().retry_after, Some(Duration::from_secs(7)), "{name}");
        }
    }
}

#[test]
fn a_delay_that_is_none_or_absurd() {
    let delay = |status: google::Status| {
        let text = STANDARD.encode(status.encode_to_vec());
        let pairs = [("grpc-status", "14".to_owned()), ("grpc-status-details-bin", text)];
        Status::read(&trailers(&pairs)).unwrap().retry_after
    };
    assert_eq!(delay(details(URL, retry_info(-5, 0))), Some(Duration::ZERO));
    assert_eq!(delay(details(URL, Vec::new())), Some(Duration::ZERO));
    let day = Duration::from_secs(86_400);
    assert_eq!(delay(details(URL, retry_info(i64::MAX, 0))), Some(day));
    assert_eq!(delay(details(URL, retry_info(0, -1))), Some(Duration::ZERO));
    assert_eq!(delay(details("type.googleapis.com/google.rpc.Help", retry_info(7, 0))), None);
    assert_eq!(delay(google::Status::default()), None);
    let mut second = details("type.googleapis.com/google.rpc.Help", vec![1, 2, 3]);
    second.details.extend(details(URL, retry_info(3, 1)).details);
    assert_eq!(delay(second), Some(Duration::new(3, 1)));
    let nonsense = [("grpc-status", "14".into()), ("grpc-status-details-bin", "!!!".into())];
    assert_eq!(Status::read(&trailers(&nonsense)).unwrap().retry_after, None);
}

#[test]
fn no_status_is_none_and_an_unknown_one_unknown() {
    assert_eq!(Status::read(&HeaderMap::new()), None);
    assert_eq!(Status::read(&trailers(&[("grpc-status", "x".into())])), None);
    let code = |text: &str| Status::read(&trailers(&[("grpc-status", text.into())])).unwrap().code;
    assert_eq!((code("0"), code("16")), (Code::Ok, Code::Unauthenticated));
    assert_eq!(
        (code("17"), code("-1"), code("99999")),
        (Code::Unknown, Code::Unknown, Code::Unknown)
    );
    for number in 0..=16 {
        assert_eq!(Code::of(number) as i32, number);
    }
}

/// grpc.io, http-grpc-status-mapping.
#[test]
fn http_statuses_mean() {
    let of = |status: u16| Code::of_http(http::StatusCode::from_u16(status).unwrap());
    assert_eq!(of(400), Code::Internal);
    assert_eq!(of(401), Code::Unauthenticated);
    assert_eq!(of(403), Code::PermissionDenied);
    assert_eq!(of(404), Code::Unimplemented);
    for status in [429, 502, 503, 504] {
        assert_eq!(of(status), Code::Unavailable);
    }
    assert_eq!((of(200), of(500), of(415)), (Code::Unknown, Code::Unknown, Code::Unknown));
}

#[test]
fn what_is_not_printable_is_percent_encoded() {
    assert_eq!(percent_encoded("50 % of ü\n~"), "50 %25 of %C3%BC%0A~");
    assert_eq!(percent_decoded(b"50 %25 of %c3%bc%0a~"), "50 % of ü\n~");
    // What is no encoding stays as it is (PROTOCOL-HTTP2: decoders must not fail).
    assert_eq!(percent_decoded(b"100% %zz %+1 %4"), "100% %zz %+1 %4");
    assert_eq!(percent_decoded(b"%ff"), "\u{fffd}");
}

#[test]
fn the_five_bytes() {
    assert_eq!(prefix(true, 0x0102_0304)[..], [1, 1, 2, 3, 4]);
    assert_eq!(prefix(false, 0)[..], [0; 5]);
}

#[test]
fn partial_success_of_all_three_signals() {
    let error_message = String::from("too old");
    let message = error_message.clone();
    let traces = ExportTraceServiceResponse {
        partial_success: Some(ExportTracePartialSuccess { rejected_spans: 3, error_message }),
    };
    assert_eq!(partial_success(&traces.encode_to_vec()), (3, message.clone()));
    let metrics = ExportMetricsServiceResponse {
        partial_success: Some(ExportMetricsPartialSuccess {
            rejected_data_points: i64::MAX,
            error_message: String::new(),
        }),
    };
    assert_eq!(partial_success(&metrics.encode_to_vec()), (i64::MAX as u64, String::new()));
    let logs = |rejected_log_records, error_message: &str| {
        let error_message = error_message.to_owned();
        let partial = ExportLogsPartialSuccess { rejected_log_records, error_message };
        ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec()
    };
    assert_eq!(partial_success(&logs(0, "careful")), (0, "careful".into()));
    assert_eq!(partial_success(&logs(-4, "")), (0, String::new()));
    assert_eq!(partial_success(&[]), (0, String::new()));
    assert_eq!(partial_success(&[0x0a, 200, 1]), (0, String::new()));
}

proptest! {
    #[test]
    fn a_status_there_and_back(
        code in 1i32..17,
        message in ".{0,40}",
        delay in proptest::option::of((0u64..86_400, 0u32..1_000_000_000)),
    ) {
        let retry_after = delay.map(|(seconds, nanos)| Duration::new(seconds, nanos));
        let status = Status { code: Code::of(code), message, retry_after };
        prop_assert_eq!(Status::read(&status.trailers()), Some(status));
    }

    #[test]
    fn hostile_trailers_do_not_panic(
        details in proptest::collection::vec(any::<u8>(), 0..60),
        message in proptest::collection::vec(0x20u8..0x7f, 0..40),
    ) {
        let message = String::from_utf8(message).unwrap();
        let pairs = [
            ("grpc-status", "14".to_owned()),
            ("grpc-message", message),
            ("grpc-status-details-bin", STANDARD.encode(&details)),
            ("google.rpc.retryinfo-bin", STANDARD.encode(&details)),
        ];
        let read = Status::read(&trailers(&pairs)).unwrap();
        prop_assert!(read.retry_after.is_none_or(|delay| delay <= Duration::from_secs(86_401)));
        let _ = partial_success(&details);
    }
}
