//! Bad input: refused with the right code, within the memory limit, while a healthy client is served.

use std::io::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::Compression;
use flate2::write::GzEncoder;
use obspipe_backends::http;

use crate::client::Client;
use crate::collector::Collector;
use crate::telemetry::spans;

const CONFIGURATION: &str = "receivers: {otlp: {protocols: {grpc: {endpoint: '{grpc}'}, http: {endpoint: '{http}'}}}}\n\
    processors: {memory_limiter: {check_interval: 1s, limit_mib: 100}}\n\
    exporters: {nop: , prometheus: {endpoint: '{page}'}}\n\
    service:\n  pipelines:\n\
    \x20   traces: {receivers: [otlp], processors: [memory_limiter], exporters: [nop]}\n\
    \x20   metrics: {receivers: [otlp], exporters: [prometheus]}\n";

type Headers<'a> = &'a [(&'a str, &'a str)];

/// A gRPC body: whether it is compressed, the length said, the message.
fn framed(compressed: bool, length: u32, message: &[u8]) -> Bytes {
    let mut body = BytesMut::new();
    body.put_u8(u8::from(compressed));
    body.put_u32(length);
    body.extend_from_slice(message);
    body.freeze()
}

/// So many bytes of zeros, in gzip.
fn bomb(mib: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![0u8; 1024 * 1024];
    (0..mib).for_each(|_| encoder.write_all(&zeros).expect("memory"));
    encoder.finish().expect("memory")
}

async fn healthy(collector: &Collector) {
    let mut client = Client::connect(collector.grpc).await;
    let status = client.export(&spans("healthy", 0..10, 10)).await.expect("an answer");
    assert_eq!(status.code, 0, "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_none_are_refused_with_the_right_code() {
    let collector = Collector::start(CONFIGURATION).await;
    let mut client = Client::connect(collector.grpc).await;
    let request = spans("cut", 0..3, 10);
    let length = u32::try_from(request.len()).expect("a length");
    let bomb = bomb(32);
    let bomb_length = u32::try_from(bomb.len()).expect("a length");
    let gzip: &[(&str, &str)] = &[("grpc-encoding", "gzip")];
    let cases: [(&str, Bytes, Headers<'_>, i32); 8] = [
        ("a header of 4 GiB", framed(false, u32::MAX, b"x"), &[], 8),
        ("more than 4 MiB", framed(false, 5 << 20, &vec![0; 5 << 20]), &[], 8),
        ("less than said", framed(false, length + 1, &request), &[], 3),
        ("more than said", framed(false, length - 1, &request), &[], 3),
        ("no prefix", Bytes::from_static(b"\0\0"), &[], 3),
        ("no OTLP", framed(false, 4, b"\x0a\x7fzz"), &[], 3),
        ("a bomb", framed(true, bomb_length, &bomb), gzip, 8),
        ("an encoding nobody knows", framed(true, 1, b"x"), &[("grpc-encoding", "br")], 12),
    ];
    for (what, body, headers, code) in cases {
        let status = client.send(body, headers).await.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(status.code, code, "{what}: {status:?}");
        assert!(!status.retry_info, "{what}: it would be no better the next time");
        healthy(&collector).await;
    }
    let (_, peak) = collector.resident();
    assert!(peak < 100 << 20, "{peak} bytes were in memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_truncation_of_a_request_is_answered() {
    let collector = Collector::start(CONFIGURATION).await;
    let mut client = Client::connect(collector.grpc).await;
    let request = spans("whole", 0..2, 10);
    let mut refused = 0;
    for end in 0..request.len() {
        let part = &request[..end];
        let body = framed(false, u32::try_from(part.len()).expect("a length"), part);
        let status = client.send(body, &[]).await.expect("an answer");
        assert!([0, 3].contains(&status.code), "{end}: {status:?}");
        refused += usize::from(status.code == 3);
    }
    assert_eq!(refused, request.len() - 1, "all but the empty one");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_over_http_are_refused_with_the_right_code() {
    let collector = Collector::start(CONFIGURATION).await;
    let list = "{\"arrayValue\":{\"values\":[".repeat(10_000);
    let nested = format!(
        "{{\"resourceSpans\":[{{\"resource\":{{\"attributes\":[{{\"key\":\"a\",\"value\":{list}"
    );
    let protobuf = ("content-type", "application/x-protobuf");
    let json = ("content-type", "application/json");
    let bomb = bomb(32);
    let cases: [(&str, &str, Headers<'_>, &[u8], u16); 9] = [
        ("no OTLP", "/v1/traces", &[protobuf], b"zzzz", 400),
        ("no JSON", "/v1/traces", &[json], b"{", 400),
        ("JSON of another shape", "/v1/traces", &[json], b"{\"resourceSpans\":5}", 400),
        ("nesting", "/v1/traces", &[json], nested.as_bytes(), 400),
        ("no content type", "/v1/traces", &[], b"", 415),
        ("another type", "/v1/traces", &[("content-type", "text/plain")], b"", 415),
        ("chained", "/v1/traces", &[protobuf, ("content-encoding", "gzip, gzip")], b"", 415),
        ("another path", "/v2/traces", &[protobuf], b"", 404),
        ("a bomb", "/v1/traces", &[protobuf, ("content-encoding", "gzip")], &bomb, 413),
    ];
    for (what, path, headers, body, code) in cases {
        let answer = http::post(collector.http, path, headers, body.to_vec()).await;
        let answer = answer.unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(answer.status.as_u16(), code, "{what}");
        healthy(&collector).await;
    }
    let (_, peak) = collector.resident();
    assert!(peak < 100 << 20, "{peak} bytes were in memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_without_series_is_a_page() {
    let collector = Collector::start(CONFIGURATION).await;
    http::get(collector.page, "/metrics").await.expect("a page");
}
