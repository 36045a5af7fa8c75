//! Requests that are no OTLP: cut short, with lengths that lie, nested without end; and requests to
//! where there is nothing. What protobuf itself says of a prefix of a message is prost's word.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::{
    INVALID_ARGUMENT, OK, RESOURCE_EXHAUSTED, UNIMPLEMENTED, Victim, assert_refused, framed,
};
use crate::frames::{self, Wire};
use crate::telemetry::spans;
use crate::web::Version;

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
/// Deeper than any parser should follow.
const DEEP: usize = 10_000;

/// A request within 300 bytes, with something in every field that matters here.
fn small() -> Vec<u8> {
    spans("small", 0..2, 20)
}

fn is_otlp(message: &[u8]) -> bool {
    ExportTraceServiceRequest::decode(message).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_short_at_every_byte() {
    let victim = Victim::start().await;
    let whole = small();
    assert!(is_otlp(&whole));
    let mut grpc = victim.grpc().await;
    let mut refused = 0;
    for length in 0..whole.len() {
        let message = &whole[..length];
        let status = grpc.export(message).await.expect("an answer");
        if is_otlp(message) {
            assert_eq!(status.code, OK, "{length} bytes: {status:?}");
        } else {
            assert_refused(&status, INVALID_ARGUMENT, &format!("{length} bytes"));
            refused += 1;
        }
        // The whole message is announced.
        let body = Bytes::from(framed(0, whole.len(), message));
        let status = grpc.send(body, &[]).await.expect("an answer");
        assert_refused(&status, INVALID_ARGUMENT, &format!("{length} bytes of those announced"));
    }
    assert!(refused > whole.len() / 2);
    for version in Version::ALL {
        let mut web = victim.web(version);
        for length in 0..whole.len() {
            let message = whole[..length].to_vec();
            let expected = if is_otlp(&message) { 200 } else { 400 };
            let answer = web.post("/v1/traces", &[PROTOBUF], message).await.expect("an answer");
            assert_eq!(answer.status, expected, "{version:?}, {length} bytes");
            assert_eq!(answer.headers["content-type"], "application/x-protobuf");
        }
    }
    victim.was_well().await;
}

/// The prefix of a message cut short, and messages after the first.
#[tokio::test(flavor = "multi_thread")]
async fn frames_that_are_no_call() {
    let victim = Victim::start().await;
    let mut grpc = victim.grpc().await;
    let whole = framed(0, small().len(), &small());
    for length in 0..5 {
        let body = Bytes::copy_from_slice(&whole[..length]);
        let status = grpc.send(body, &[]).await.expect("an answer");
        assert_refused(&status, INVALID_ARGUMENT, "no whole prefix");
    }
    let twice = Bytes::from([whole.as_slice(), &whole].concat());
    let status = grpc.send(twice, &[]).await.expect("an answer");
    assert_refused(&status, INVALID_ARGUMENT, "two messages");
    let more = Bytes::from(framed(0, small().len() - 1, &small()));
    let status = grpc.send(more, &[]).await.expect("an answer");
    assert_refused(&status, INVALID_ARGUMENT, "more than announced");
    let large = vec![0; (20 << 20) + 1];
    let status = grpc.send(framed(0, large.len(), &large).into(), &[]).await.expect("an answer");
    assert_refused(&status, RESOURCE_EXHAUSTED, "more than max_recv_msg_size_mib");
    for flag in [2, 255] {
        let body = Bytes::from(framed(flag, small().len(), &small()));
        let status = grpc.send(body, &[]).await.expect("an answer");
        assert_refused(&status, INVALID_ARGUMENT, "a flag that does not exist");
    }
    let body = Bytes::from(framed(1, small().len(), &small()));
    let status = grpc.send(body, &[]).await.expect("an answer");
    assert_refused(&status, INVALID_ARGUMENT, "compressed, nobody says how");
    victim.was_well().await;
}

/// A length-delimited field whose length is these bytes.
fn lying(field: u8, length: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2], length, payload].concat()
}

/// A field with its true length.
fn field(number: u8, payload: &[u8]) -> Vec<u8> {
    let mut length = Vec::new();
    prost::encoding::encode_varint(payload.len() as u64, &mut length);
    lying(number, &length, payload)
}

#[tokio::test(flavor = "multi_thread")]
async fn lengths_that_lie() {
    let victim = Victim::start().await;
    let lengths: [&[u8]; 8] = [
        &[0x05],
        &[0x7f],
        // 2 GiB - 1, 4 GiB - 1, 2^63 - 1, 2^64 - 1.
        &[0xff, 0xff, 0xff, 0xff, 0x07],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        // Too long for a number; without an end.
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        &[0xff, 0xff],
    ];
    let mut messages = Vec::new();
    for length in lengths {
        let lie = lying(5, length, b"name");
        // In a span, its scope, its resource, the request; what follows is within the buffer.
        let span = field(2, &lie);
        let scope = field(2, &span);
        messages.extend([lying(1, length, b"rest"), field(1, &lying(2, length, b"rest"))]);
        messages.extend([field(1, &scope), [field(1, &scope), small()].concat()]);
    }
    let mut grpc = victim.grpc().await;
    for message in &messages {
        assert!(!is_otlp(message), "{message:02x?}");
        let status = grpc.export(message).await.expect("an answer");
        assert_refused(&status, INVALID_ARGUMENT, &format!("{message:02x?}"));
    }
    for version in Version::ALL {
        let mut web = victim.web(version);
        for message in &messages {
            let answer = web.post("/v1/traces", &[PROTOBUF], message.clone()).await;
            assert_eq!(answer.expect("an answer").status, 400, "{message:02x?}");
        }
    }
    victim.was_well().await;
}

/// A span whose attribute is a list in a list in a list …
fn nested_values(depth: usize) -> Vec<u8> {
    let mut value = Vec::new();
    for _ in 0..depth {
        let mut around = Vec::with_capacity(value.len() + 16);
        // AnyValue.array_value = 5, ArrayValue.values = 1.
        for number in [1u8, 5] {
            around.clear();
            around.push(number << 3 | 2);
            prost::encoding::encode_varint(value.len() as u64, &mut around);
            around.extend_from_slice(&value);
            value.clone_from(&around);
        }
    }
    let attribute = [field(1, b"key"), field(2, &value)].concat();
    let span = [field(5, b"name"), field(9, &attribute)].concat();
    field(1, &field(2, &field(2, &span)))
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_without_end() {
    let victim = Victim::start().await;
    let groups = [vec![0x7b; DEEP], vec![0x7c; DEEP]].concat();
    let messages = [nested_values(DEEP), vec![0x7b; DEEP], groups, vec![0x0b; DEEP]];
    let mut grpc = victim.grpc().await;
    for message in &messages {
        let status = grpc.export(message).await.expect("an answer");
        assert_refused(&status, INVALID_ARGUMENT, "nested");
        for version in Version::ALL {
            let answer = victim.web(version).post("/v1/traces", &[PROTOBUF], message.clone()).await;
            assert_eq!(answer.expect("an answer").status, 400);
        }
    }
    // What people write passes.
    let status = grpc.export(&nested_values(10)).await.expect("an answer");
    assert_eq!(status.code, OK, "{status:?}");
    victim.was_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_that_do_not_exist() {
    let victim = Victim::start().await;
    for version in Version::ALL {
        let mut web = victim.web(version);
        for path in ["/", "/v1/trace", "/v1/traces/", "/V1/TRACES", "/v1/traces/../logs", "/%00"] {
            let answer = web.post(path, &[PROTOBUF], small()).await.expect("an answer");
            assert_eq!(answer.status, 404, "{path}");
        }
        for method in ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"] {
            let body = Bytes::new();
            let answer = web.request(method, "/v1/traces", &[PROTOBUF], body).await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.headers["allow"], "POST");
        }
        for kind in ["text/plain", "application/xml", "", "application/grpc"] {
            let answer = web.post("/v1/traces", &[("content-type", kind)], small()).await;
            assert_eq!(answer.expect("an answer").status, 415, "{kind}");
        }
        let answer = web.post("/v1/traces", &[], small()).await.expect("an answer");
        assert_eq!(answer.status, 415, "no content type");
    }
    unknown_methods_of_grpc(&victim).await;
    victim.was_well().await;
}

/// Over gRPC the path is the method; and HTTP that is no gRPC at all is answered as HTTP.
async fn unknown_methods_of_grpc(victim: &Victim) {
    let mut web = crate::web::Web::new(victim.collector.grpc, Version::Two);
    let grpc = ("content-type", "application/grpc");
    let service = "/opentelemetry.proto.collector.trace.v1.TraceService";
    for path in ["/", service, &format!("{service}/Import"), &format!("{service}/Export/"), "/x/y"]
    {
        let answer = web.post(path, &[grpc], framed(0, 0, &[])).await.expect("an answer");
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.headers["grpc-status"], UNIMPLEMENTED.to_string().as_str(), "{path}");
    }
    let export = format!("{service}/Export");
    let answer = web.post(&export, &[PROTOBUF], small()).await.expect("an answer");
    assert_eq!(answer.status, 415);
    let answer = web.request("GET", &export, &[grpc], Bytes::new()).await.expect("an answer");
    assert_eq!(answer.status, 405);
}

/// What is no HTTP ends the connection.
#[tokio::test(flavor = "multi_thread")]
async fn no_http_at_all() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let victim = Victim::start().await;
    let nonsense: [&[u8]; 4] = [
        b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        b"HELO collector\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nthis is no frame, it is far too long",
        b"GET / HTTP/9.9\r\n\r\n",
    ];
    for address in [victim.collector.grpc, victim.collector.http] {
        for bytes in nonsense {
            let mut stream = tokio::net::TcpStream::connect(address).await.expect("a connection");
            stream.write_all(bytes).await.expect("sent");
            let mut said = Vec::new();
            let ended =
                tokio::time::timeout(crate::collector::PATIENCE, stream.read_to_end(&mut said));
            // Closed or reset: either way it is over.
            let _ = ended.await.expect("the connection ends");
        }
    }
    // A client that takes itself for a server.
    let mut wire = Wire::connect(victim.collector.grpc).await.expect("a connection");
    wire.send(&frames::frame(5, 4, 1, &[0, 0, 0, 2])).await.expect("sent");
    assert!(wire.end(1).await.is_some_and(|frame| frame.kind == frames::GOAWAY));
    victim.was_well().await;
}
