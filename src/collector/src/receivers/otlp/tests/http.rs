use ::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use obspipe_model::components::otlp_receiver::Cors;
use prost::Message as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::net::body::Pieces;

const PROTOBUF: &str = "application/x-protobuf";

/// An answer.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Code and message of an error in protobuf.
    fn rpc(&self) -> (i32, String) {
        assert_eq!(self.header("content-type"), Some(PROTOBUF));
        let status = RpcStatus::decode(self.body.clone()).unwrap();
        (status.code, status.message)
    }
}

async fn send(address: SocketAddr, request: Request<Pieces>) -> Answer {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: head.status.as_u16(), headers: head.headers, body }
}

fn post_to(path: &str, headers: &[(&str, &str)], body: Bytes) -> Request<Pieces> {
    let mut request = Request::post(path).header("host", "test");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Pieces::from(body)).unwrap()
}

fn post(headers: &[(&str, &str)], body: Bytes) -> Request<Pieces> {
    post_to("/v1/traces", headers, body)
}

fn protobuf(body: Bytes) -> Request<Pieces> {
    post(&[("content-type", PROTOBUF)], body)
}

#[tokio::test]
async fn protobuf_is_taken_as_it_arrived() {
    let receiver = start();
    let answer = send(receiver.http, protobuf(traces(3))).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some(PROTOBUF)));
    assert_eq!(answer.body, "", "an empty ExportTraceServiceResponse");
    assert_eq!(receiver.kept.take()[0].bytes, traces(3));
}

#[tokio::test]
async fn json_is_taken_and_answered_in_json() {
    let receiver = start();
    let json = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"span-0"}]}]}]}"#;
    let kind = ("content-type", "application/json; charset=utf-8");
    let answer = send(receiver.http, post(&[kind], json.into())).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert_eq!(answer.body, "{\"partialSuccess\":{}}");
    assert_eq!(receiver.kept.names(), ["span-0"]);
    let answer = send(receiver.http, post(&[kind], "{\"resourceSpans\":[".into())).await;
    assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/json")));
    let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(said["code"], 3);
    assert!(said["message"].as_str().is_some_and(|text| !text.is_empty()), "{said}");
}

#[tokio::test]
async fn paths_are_those_configured_and_only_those_with_a_pipeline() {
    let settings = HttpServer { traces_url_path: "/spans".into(), ..HttpServer::default() };
    let receiver = start_with(GrpcServer::default(), settings, ROOM, None);
    let kind = [("content-type", PROTOBUF)];
    let status = async |path: &str, body: Bytes| {
        send(receiver.http, post_to(path, &kind, body)).await.status
    };
    assert_eq!(status("/spans", traces(1)).await, 200);
    assert_eq!(status("/v1/logs", request(Signal::Logs, &["line"])).await, 200);
    assert_eq!(status("/v1/traces", traces(1)).await, 404);
    assert_eq!(status("/v1/metrics", Bytes::new()).await, 404, "no pipeline takes metrics");
    assert_eq!(status("/", Bytes::new()).await, 404);
    assert_eq!(receiver.kept.loads(), 2);
}

#[tokio::test]
async fn other_methods_are_not_allowed() {
    let receiver = start();
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let mut request = protobuf(traces(1));
        *request.method_mut() = method;
        let answer = send(receiver.http, request).await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("POST")));
        assert_eq!(answer.body, "405 method not allowed, supported: [POST]\n");
    }
}

#[tokio::test]
async fn other_content_types_are_not_supported() {
    let receiver = start();
    for kind in ["text/plain", "application/protobuf", "application/jsonx", ""] {
        let answer = send(receiver.http, post(&[("content-type", kind)], traces(1))).await;
        assert_eq!(answer.status, 415, "{kind}");
    }
    assert_eq!(send(receiver.http, post(&[], traces(1))).await.status, 415);
    let kind = [("content-type", "Application/X-Protobuf")];
    assert_eq!(send(receiver.http, post(&kind, traces(1))).await.status, 200);
}

#[tokio::test]
async fn every_content_encoding() {
    let receiver = start();
    let encodings = [
        ("gzip", Encoding::Gzip),
        ("zstd", Encoding::Zstd),
        ("zlib", Encoding::Zlib),
        ("deflate", Encoding::Zlib),
        ("snappy", Encoding::Snappy),
        ("lz4", Encoding::Lz4),
        ("identity", Encoding::Identity),
        ("", Encoding::Identity),
    ];
    for (name, encoding) in encodings {
        let body = packed(encoding, &traces(500)).await;
        let headers = [("content-type", PROTOBUF), ("content-encoding", name)];
        let answer = send(receiver.http, post(&headers, body)).await;
        assert_eq!(answer.status, 200, "{name}: {:?}", answer.rpc());
        assert_eq!(receiver.kept.take()[0].bytes, traces(500), "{name}");
    }
    assert_eq!(receiver.account.used(), 0);
}

#[tokio::test]
async fn unknown_chained_and_forbidden_encodings_are_not_supported() {
    let settings = HttpServer {
        compression_algorithms: vec!["gzip".into(), "zstd".into()],
        ..HttpServer::default()
    };
    let receiver = start_with(GrpcServer::default(), settings, ROOM, None);
    let body = packed(Encoding::Gzip, &traces(1)).await;
    for encodings in [&["br"][..], &["gzip, gzip"], &["gzip", "gzip"], &["snappy"], &["GZIP"]] {
        let mut headers = vec![("content-type", PROTOBUF)];
        headers.extend(encodings.iter().map(|name| ("content-encoding", *name)));
        let answer = send(receiver.http, post(&headers, body.clone())).await;
        assert_eq!(answer.status, 415, "{encodings:?}");
        let said = "unsupported Content-Encoding; supported: gzip zstd".to_owned();
        assert_eq!(answer.rpc(), (3, said));
    }
    assert_eq!(receiver.kept.loads(), 0);
}

#[tokio::test]
async fn what_is_no_otlp_or_not_inflated_is_a_bad_request() {
    let receiver = start();
    let answer = send(receiver.http, protobuf(traces(10).slice(..20))).await;
    assert_eq!(answer.status, 400);
    let (code, message) = answer.rpc();
    assert!(code == 3 && message.starts_with("the request is no OTLP: "), "{message}");
    assert_eq!(answer.header("retry-after"), None);

    let packed = packed(Encoding::Gzip, &traces(10)).await;
    let behind = [&packed[..], b"garbage"].concat();
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    for body in [packed.slice(..packed.len() / 2), behind.into(), traces(1)] {
        let answer = send(receiver.http, post(&headers, body)).await;
        assert_eq!((answer.status, answer.rpc().0), (400, 3));
    }
    // Several members are one body (RFC 1952, 2.2).
    let two = [&packed[..], &packed[..]].concat();
    assert_eq!(send(receiver.http, post(&headers, two.into())).await.status, 200);
    assert_eq!(receiver.kept.take()[0].items, 20);
    assert_eq!((refused(&receiver)[1], receiver.account.used()), ((0, 4), 0));
}

#[tokio::test]
async fn a_request_that_is_too_large() {
    let large = traces(1000);
    let limit = large.len() as u64;
    let settings = HttpServer { max_request_body_size: limit, ..HttpServer::default() };
    let receiver = start_with(GrpcServer::default(), settings, ROOM, None);
    assert_eq!(send(receiver.http, protobuf(large.clone())).await.status, 200);
    let more = [&large[..], &traces(1)].concat();
    let answer = send(receiver.http, protobuf(more.clone().into())).await;
    assert_eq!((answer.status, answer.rpc().0), (413, 8));
    assert_eq!(answer.header("retry-after"), None);
    // Not announced: in chunks.
    let mut stream = TcpStream::connect(receiver.http).await.unwrap();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: t\r\ncontent-type: {PROTOBUF}\r\n\
         transfer-encoding: chunked\r\n\r\n{:x}\r\n",
        more.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&more).await.unwrap();
    let mut said = [0; 12];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 413");
    // Small on the wire.
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    let bomb = packed(Encoding::Gzip, &more.into()).await;
    assert_eq!(send(receiver.http, post(&headers, bomb)).await.status, 413);
    receiver.kept.take();
    assert_eq!((refused(&receiver)[1], receiver.account.used()), ((0, 3), 0));
}

/// It is answered, though the client has not sent all of it.
#[tokio::test]
async fn a_request_announced_too_large_is_refused_unread() {
    let receiver = start();
    let mut stream = TcpStream::connect(receiver.http).await.unwrap();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: t\r\ncontent-type: {PROTOBUF}\r\n\
         content-length: 99999999999\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut said = [0; 12];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 413");
}

#[tokio::test]
async fn short_of_memory_is_unavailable_for_a_second() {
    let body = traces(1000);
    let room = body.len() * 2;
    let receiver = start_with(GrpcServer::default(), HttpServer::default(), room, None);
    let held = receiver.account.charge(body.len() + 1);
    let gzip = packed(Encoding::Gzip, &body).await;
    let headers = [("content-type", PROTOBUF), ("content-encoding", "gzip")];
    for request in [protobuf(body.clone()), post(&headers, gzip)] {
        let answer = send(receiver.http, request).await;
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
        let (code, message) = answer.rpc();
        assert!(code == 14 && message.starts_with("memory is short: "), "{message}");
    }
    assert_eq!(refused(&receiver)[1], (2, 0));
    drop(held);
    assert_eq!(send(receiver.http, protobuf(body.clone())).await.status, 200);
}

#[tokio::test]
async fn a_full_queue_is_unavailable_for_a_second() {
    let queue = small_queue(false, false);
    let to = Some(To::Queue(queue.clone()));
    let receiver = start_with(GrpcServer::default(), HttpServer::default(), ROOM, to);
    assert_eq!(send(receiver.http, protobuf(traces(1))).await.status, 200);
    let answer = send(receiver.http, protobuf(traces(1))).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    assert_eq!(answer.rpc(), (14, "the queue of exporter otlp is full".into()));
}

#[tokio::test]
async fn a_request_sent_too_slowly_is_given_up() {
    let settings = HttpServer { read_timeout: Duration::from_millis(100), ..HttpServer::default() };
    let receiver = start_with(GrpcServer::default(), settings, ROOM, None);
    let mut stream = TcpStream::connect(receiver.http).await.unwrap();
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: t\r\ncontent-type: {PROTOBUF}\r\n\
         content-length: 100\r\n\r\npart"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut said = [0; 12];
    stream.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 408");
    assert_eq!(receiver.account.used(), 0);
}

fn from_page(origin: &str, preflight: bool) -> Request<Pieces> {
    let mut request = post(&[("content-type", PROTOBUF), ("origin", origin)], traces(1));
    if preflight {
        *request.method_mut() = Method::OPTIONS;
        let headers = request.headers_mut();
        headers.insert("access-control-request-method", "POST".parse().unwrap());
        headers.insert("access-control-request-headers", "x-tenant".parse().unwrap());
    }
    request
}

fn with_cors(allowed_headers: &[&str]) -> Receiver {
    let cors = Cors {
        allowed_origins: vec!["https://*.example.com".into(), "http://localhost:3000".into()],
        allowed_headers: allowed_headers.iter().map(ToString::to_string).collect(),
        exposed_headers: vec!["X-Trace".into()],
        max_age: 7200,
    };
    let settings = HttpServer { cors: Some(cors), ..HttpServer::default() };
    start_with(GrpcServer::default(), settings, ROOM, None)
}

#[tokio::test]
async fn web_pages_let_in_may_send() {
    let receiver = with_cors(&["X-Tenant"]);
    for origin in ["https://shop.example.com", "http://localhost:3000", "HTTPS://A.EXAMPLE.COM"] {
        let answer = send(receiver.http, from_page(origin, true)).await;
        assert_eq!(answer.status, 204, "{origin}");
        let header = |name| answer.header(name).unwrap();
        assert_eq!(header("access-control-allow-origin"), origin);
        assert_eq!(header("access-control-allow-methods"), "POST");
        let headers = header("access-control-allow-headers");
        assert_eq!(headers, "Content-Type, Content-Encoding, X-Tenant");
        assert_eq!(header("access-control-max-age"), "7200");
        assert_eq!(header("access-control-allow-credentials"), "true");
        assert!(header("vary").contains("Origin"));

        let answer = send(receiver.http, from_page(origin, false)).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-expose-headers"), Some("X-Trace"));
        assert!(answer.header("vary").unwrap().contains("Origin"));
    }
}

#[tokio::test]
async fn other_web_pages_may_not_read_the_answer() {
    let receiver = with_cors(&[]);
    for origin in [
        "https://example.com",
        "http://shop.example.com",
        "https://example.com.evil.org",
        "http://localhost:30000",
        "null",
    ] {
        for preflight in [true, false] {
            let answer = send(receiver.http, from_page(origin, preflight)).await;
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
            assert_eq!(answer.header("access-control-allow-credentials"), None, "{origin}");
        }
    }
    // An error is told to pages that are let in.
    let mut request = from_page("http://localhost:3000", false);
    *request.body_mut() = Pieces::from(String::from("no OTLP"));
    let answer = send(receiver.http, request).await;
    assert_eq!(answer.status, 400);
    assert!(answer.header("access-control-allow-origin").is_some());
}

/// rs/cors: a star among the headers lets in what is asked for; with credentials browsers take no
/// star.
#[tokio::test]
async fn a_star_lets_in_the_headers_asked_for() {
    let receiver = with_cors(&["*"]);
    let answer = send(receiver.http, from_page("http://localhost:3000", true)).await;
    assert_eq!(answer.header("access-control-allow-headers"), Some("x-tenant"));
}

#[tokio::test]
async fn without_cors_nothing_is_said_of_it() {
    let receiver = start();
    let answer = send(receiver.http, from_page("http://localhost:3000", false)).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
    let answer = send(receiver.http, from_page("http://localhost:3000", true)).await;
    assert_eq!(StatusCode::from_u16(answer.status).unwrap(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn ending_lets_requests_finish() {
    let queue = small_queue(true, true);
    let to = Some(To::Queue(queue.clone()));
    let receiver = start_with(GrpcServer::default(), HttpServer::default(), ROOM, to);
    let address = receiver.http;
    let asked = tokio::spawn(async move { send(address, protobuf(traces(1))).await.status });
    while queue.size().0 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    receiver.scope.ending.cancel();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(receiver.scope.running() > 0 && !asked.is_finished());
    drop(queue.pop().await.unwrap());
    assert_eq!(asked.await.unwrap(), 200);
    receiver.scope.finished().await;
}
