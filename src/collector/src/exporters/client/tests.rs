use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Method, Request, Response, StatusCode, Version};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use obspipe_model::components::network::{Compression, ServerTls};
use obspipe_model::settings::{Secret, Target};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::grpc::CONNECTIONS;
use super::http1::{MAX_WAIT, basic};
use super::*;
use crate::flow::scope::Scope;
use crate::net::body::Pieces;
use crate::net::compress::{Encoding, inflate};
use crate::net::grpc::{Code, PREFIX, Status, prefix};
use crate::net::resolve::Resolver;
use crate::net::serve::{Answering, From, Service, Serving, serve};
use crate::testing::Authority;

/// A request as a backend got it.
#[derive(Clone, Debug)]
struct Got {
    head: http::request::Parts,
    body: Bytes,
    port: u16,
}

/// A backend that answers by a function.
struct Backend<F> {
    answer: F,
    got: Mutex<Vec<Got>>,
}

impl<F: Fn(usize) -> Response<Pieces> + Send + Sync + 'static> Service for Backend<F> {
    fn answer(self: Arc<Self>, request: Request<Incoming>, from: From) -> Answering {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let number = {
                let mut got = self.got.lock().unwrap();
                got.push(Got { head, body, port: from.address.port() });
                got.len() - 1
            };
            (self.answer)(number)
        })
    }
}

/// A backend at work: its port, what it got, and what ends it when dropped.
struct Running<F> {
    port: u16,
    backend: Arc<Backend<F>>,
    _scope: Scope,
}

impl<F> Running<F> {
    fn got(&self) -> Vec<Got> {
        self.backend.got.lock().unwrap().clone()
    }

    /// How many connections requests came on.
    fn connections(&self) -> usize {
        let ports: std::collections::BTreeSet<u16> =
            self.got().iter().map(|got| got.port).collect();
        ports.len()
    }
}

async fn backend<F>(serving: Serving, answer: F) -> Running<F>
where
    F: Fn(usize) -> Response<Pieces> + Send + Sync + 'static,
{
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    let (backend, scope) = (Arc::new(Backend { answer, got: Mutex::default() }), Scope::default());
    serve(listener, serving, Arc::new(backend.clone()), &scope);
    Running { port, backend, _scope: scope }
}

fn insecure() -> ClientTls {
    ClientTls { insecure: true, ..ClientTls::default() }
}

fn target(port: u16) -> Target {
    Target { host: "127.0.0.1".into(), port, ..Target::required() }
}

fn grpc_with(port: u16, tls: &ClientTls, compression: Compression) -> GrpcClient {
    let headers = Headers::from([("x-tenant".into(), Secret("blue".into()))]);
    let settings = GrpcSettings {
        endpoint: &target(port),
        tls,
        headers: &headers,
        authority: None,
        compression,
        keepalive: None,
        timeout: Duration::from_millis(500),
    };
    GrpcClient::new(&settings, &Resolver::system().unwrap()).unwrap()
}

fn grpc(port: u16) -> GrpcClient {
    grpc_with(port, &insecure(), Compression::None)
}

const PATH: &str = "/test.Service/Export";

async fn call(client: &GrpcClient) -> Answer {
    let body = client.body(vec![Bytes::from_static(b"one "), Bytes::from_static(b"two")]).await;
    client.call(PATH, &body).await
}

/// An answer of trailers alone.
fn status(status: &Status) -> Response<Pieces> {
    let mut response = Response::new(Pieces::default());
    response.headers_mut().extend(status.trailers());
    response
}

/// A message, and a status behind it.
fn message(message: &'static [u8], status: &Status) -> Response<Pieces> {
    let pieces = [prefix(false, message.len()), Bytes::from_static(message)];
    Response::new(Pieces::new(pieces).trailers(status.trailers()))
}

fn ok() -> Status {
    Status::new(Code::Ok, "")
}

fn taken(rejected: usize, message: &str) -> Answer {
    Answer::Taken { rejected, message: message.into() }
}

fn why(answer: &Answer) -> &str {
    match answer {
        Answer::Taken { message: why, .. }
        | Answer::Later { why, .. }
        | Answer::Content(why)
        | Answer::Never(why) => why,
    }
}

#[tokio::test]
async fn grpc_a_call_is_what_grpc_says() {
    let backend = backend(Serving::default(), |_| message(b"", &ok())).await;
    assert_eq!(call(&grpc(backend.port)).await, taken(0, ""));
    let got = &backend.got()[0];
    assert_eq!(got.head.method, Method::POST);
    assert_eq!(got.head.version, Version::HTTP_2);
    let uri = format!("http://127.0.0.1:{}{PATH}", backend.port);
    assert_eq!(got.head.uri.to_string(), uri);
    let header = |name: &str| got.head.headers[name].to_str().unwrap();
    assert_eq!((header("content-type"), header("te")), ("application/grpc", "trailers"));
    assert_eq!((header("grpc-timeout"), header("x-tenant")), ("500m", "blue"));
    assert!(header("user-agent").starts_with("obspipe-collector/"));
    assert!(!got.head.headers.contains_key("grpc-encoding"));
    assert_eq!(got.body, &b"\0\0\0\0\x07one two"[..]);
}

#[tokio::test]
async fn grpc_compressed_bodies_say_so() {
    let backend = backend(Serving::default(), |_| message(b"", &ok())).await;
    for (compression, name, encoding) in [
        (Compression::Gzip, "gzip", Encoding::Gzip),
        (Compression::Zstd, "zstd", Encoding::Zstd),
        (Compression::Snappy, "snappy", Encoding::Snappy),
    ] {
        call(&grpc_with(backend.port, &insecure(), compression)).await;
        let got = backend.got().pop().unwrap();
        assert_eq!(got.head.headers["grpc-encoding"], name);
        let (head, packed) = got.body.split_at(PREFIX);
        assert_eq!(head[..], prefix(true, packed.len())[..]);
        let body = inflate(encoding, packed, 100, |_| Ok::<_, ()>(())).await.unwrap();
        assert_eq!(body, "one two");
    }
}

#[tokio::test]
async fn grpc_partial_success_is_read() {
    // partial_success {1: 3, 2: "old"}; then a message alone.
    let backend = backend(Serving::default(), |n| match n {
        0 => message(b"\x0a\x07\x08\x03\x12\x03old", &ok()),
        _ => message(b"\x0a\x05\x12\x03new", &ok()),
    })
    .await;
    let client = grpc(backend.port);
    assert_eq!(call(&client).await, taken(3, "old"));
    assert_eq!(call(&client).await, taken(0, "new"));
}

/// The OTLP specification, OTLP/gRPC Response: which codes are retryable.
#[tokio::test]
async fn grpc_codes_mean() {
    let backend = backend(Serving::default(), |n| {
        let code = Code::of(i32::try_from(n / 2).unwrap() + 1);
        let retry_after = (n % 2 == 1).then_some(Duration::from_secs(7));
        status(&Status { code, message: "says".into(), retry_after })
    })
    .await;
    let client = grpc(backend.port);
    for number in 1..=16 {
        let code = Code::of(number);
        for after in [None, Some(Duration::from_secs(7))] {
            let answer = call(&client).await;
            assert_eq!(why(&answer), format!("{code:?}: says"));
            let expected = match number {
                1 | 4 | 10 | 11 | 14 | 15 => "later",
                8 if after.is_some() => "later",
                3 | 8 => "content",
                _ => "never",
            };
            let found = match answer {
                Answer::Later { after: asked, .. } => {
                    assert_eq!(asked, after, "{code:?}");
                    "later"
                }
                Answer::Content(_) => "content",
                Answer::Never(_) => "never",
                Answer::Taken { .. } => "taken",
            };
            assert_eq!(found, expected, "{code:?} {after:?}");
        }
    }
}

#[tokio::test]
async fn grpc_a_status_behind_a_message_counts() {
    let unavailable = Status::new(Code::Unavailable, "draining");
    let backend = backend(Serving::default(), move |_| message(b"", &unavailable)).await;
    let answer = call(&grpc(backend.port)).await;
    assert_eq!(answer, Answer::Later { after: None, why: "Unavailable: draining".into() });
}

/// What a proxy answers in place of a backend (grpc.io, http-grpc-status-mapping).
#[tokio::test]
async fn grpc_answers_that_are_none() {
    let backend = backend(Serving::default(), |n| {
        let mut response = Response::new(Pieces::from(String::from("<html>")));
        *response.status_mut() = [503, 404, 401, 200].map(|s| StatusCode::from_u16(s).unwrap())[n];
        response
    })
    .await;
    let client = grpc(backend.port);
    assert!(matches!(call(&client).await, Answer::Later { .. }));
    assert_eq!(call(&client).await, Answer::Never("Unimplemented: HTTP 404 Not Found".into()));
    assert!(matches!(call(&client).await, Answer::Never(_)));
    assert!(matches!(call(&client).await, Answer::Never(_)));
}

/// A backend that reads a request and says only this, byte by byte.
async fn raw(says: &'static [u8], then_closes: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _ = stream.read(&mut buffer).await;
            let _ = stream.write_all(says).await;
            if !then_closes {
                kept.push(stream);
            }
        }
    });
    port
}

#[tokio::test]
async fn grpc_no_answer_in_time_nobody_there_and_nonsense_are_later() {
    let silent = raw(b"", false).await;
    let answer = call(&grpc(silent)).await;
    assert_eq!(answer, Answer::Later { after: None, why: "no answer within 500ms".into() });
    let nonsense = raw(b"HTTP/1.1 400 Bad Request\r\n\r\n", true).await;
    let answer = call(&grpc(nonsense)).await;
    assert!(matches!(&answer, Answer::Later { .. }), "{answer:?}");
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let answer = call(&grpc(nobody.port())).await;
    assert!(why(&answer).starts_with(&format!("cannot connect to {nobody}")), "{answer:?}");
    assert!(matches!(answer, Answer::Later { after: None, .. }));
}

/// A backend that breaks off in the middle of its answer may have taken the request or not: again.
#[tokio::test]
async fn grpc_a_broken_off_answer_is_later() {
    let port = raw(
        // SETTINGS, then HEADERS of stream 1 (:status 200), then the end without a word.
        b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x04\0\0\0\x01\x88",
        true,
    )
    .await;
    let answer = call(&grpc(port)).await;
    assert!(matches!(answer, Answer::Later { .. }), "{answer:?}");
}

#[tokio::test]
async fn grpc_over_tls_with_a_ca() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("127.0.0.1");
    let settings = ServerTls {
        cert_pem: Some(Secret(certificate)),
        key_pem: Some(Secret(key)),
        ..ServerTls::default()
    };
    let tls = Reloading::new([], move || tls::server(&settings, &[b"h2"])).unwrap();
    let serving = Serving { tls: Some(Arc::new(tls)), ..Serving::default() };
    let backend = backend(serving, |_| message(b"", &ok())).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.crt");
    std::fs::write(&file, &authority.pem).unwrap();
    let ca_file = Some(file.display().to_string());
    let tls = ClientTls { ca_file, ..ClientTls::default() };
    assert_eq!(call(&grpc_with(backend.port, &tls, Compression::None)).await, taken(0, ""));
    assert_eq!(backend.got()[0].head.uri.scheme_str(), Some("https"));
    let named = ClientTls { server_name_override: Some("other".into()), ..tls };
    let answer = call(&grpc_with(backend.port, &named, Compression::None)).await;
    assert!(matches!(answer, Answer::Later { .. }) && why(&answer).contains("certificate"));
    let plain = call(&grpc(backend.port)).await;
    assert!(matches!(plain, Answer::Later { .. }), "{plain:?}");
}

#[test]
fn what_cannot_be_sent_is_refused_at_the_start_and_no_value_told() {
    let wrong = |name: &str, value: &str| {
        let configured = Headers::from([(name.to_owned(), Secret(value.to_owned()))]);
        headers(&configured).unwrap_err().to_string()
    };
    let said = wrong("authorization", "Bearer secret\n");
    assert!(said.contains("authorization") && !said.contains("secret"), "{said}");
    assert!(wrong("no header", "x").contains("no header"));
    let good = Headers::from([("Authorization".into(), Secret("Bearer secret".into()))]);
    let sent = headers(&good).unwrap();
    assert_eq!(sent["authorization"], "Bearer secret");
    assert!(!format!("{sent:?}").contains("secret"));
}

fn http_with(url: &str, compression: Compression, keep_alive: bool) -> HttpClient {
    let settings = HttpSettings {
        url,
        tls: &ClientTls::default(),
        headers: &Headers::from([("x-tenant".into(), Secret("blue".into()))]),
        compression,
        timeout: Duration::from_millis(500),
        idle: (10, Duration::from_secs(90)),
        keep_alive,
    };
    HttpClient::new(&settings, &Resolver::system().unwrap()).unwrap()
}

fn http(port: u16) -> HttpClient {
    http_with(&format!("http://127.0.0.1:{port}/v1/traces?x=1"), Compression::None, true)
}

async fn post(client: &HttpClient) -> Result<Reply, Answer> {
    let body = client.body(vec![Bytes::from_static(b"one "), Bytes::from_static(b"two")]).await;
    client.post("application/x-protobuf", &body, &BTreeMap::new()).await
}

#[tokio::test]
async fn http_a_post_is_what_was_configured() {
    let backend = backend(Serving::default(), |_| Response::new(Pieces::default())).await;
    let client = http(backend.port);
    let more = BTreeMap::from([("x-scope-orgid", "t1".to_owned())]);
    let reply = client.post("application/json", &[Bytes::from_static(b"{}")], &more).await.unwrap();
    assert_eq!((reply.status, reply.whole), (StatusCode::OK, true));
    let got = &backend.got()[0];
    assert_eq!(got.head.uri, "/v1/traces?x=1");
    assert_eq!(got.head.method, Method::POST);
    let header = |name: &str| got.head.headers[name].to_str().unwrap();
    assert_eq!(header("host"), format!("127.0.0.1:{}", backend.port));
    assert_eq!((header("content-type"), header("content-length")), ("application/json", "2"));
    assert_eq!((header("x-tenant"), header("x-scope-orgid")), ("blue", "t1"));
    assert_eq!(got.body, "{}");
}

#[tokio::test]
async fn http_compressed_bodies_say_so() {
    let backend = backend(Serving::default(), |_| Response::new(Pieces::default())).await;
    for (compression, name) in [
        (Compression::Gzip, "gzip"),
        (Compression::Zstd, "zstd"),
        (Compression::Snappy, "snappy"),
        (Compression::Zlib, "zlib"),
        (Compression::Deflate, "deflate"),
    ] {
        let url = format!("http://127.0.0.1:{}", backend.port);
        post(&http_with(&url, compression, true)).await.unwrap();
        let got = backend.got().pop().unwrap();
        assert_eq!(got.head.headers["content-encoding"], name);
        let encoding = Encoding::named(name).unwrap();
        let body = inflate(encoding, &got.body, 100, |_| Ok::<_, ()>(())).await.unwrap();
        assert_eq!((body, got.head.uri.path()), (Bytes::from("one two"), "/"));
    }
}

#[tokio::test]
async fn http_connections_are_kept_if_wanted() {
    let backend =
        backend(Serving::default(), |_| Response::new(Pieces::from("x".repeat(9999)))).await;
    let client = http(backend.port);
    for _ in 0..10 {
        post(&client).await.unwrap();
    }
    assert_eq!(backend.connections(), 1);
    let url = format!("http://127.0.0.1:{}", backend.port);
    let client = http_with(&url, Compression::None, false);
    for _ in 0..3 {
        post(&client).await.unwrap();
    }
    assert_eq!(backend.connections(), 4);
}

#[tokio::test]
async fn http_an_answer_that_breaks_off_says_what_became_of_the_request() {
    let port = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart", true).await;
    let reply = post(&http(port)).await.unwrap();
    assert_eq!((reply.status, reply.whole), (StatusCode::OK, false));
    let port = raw(b"HTTP/1.1 200", true).await;
    let answer = post(&http(port)).await.unwrap_err();
    assert!(matches!(answer, Answer::Later { after: None, .. }), "{answer:?}");
    let port = raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n", false).await;
    let answer = post(&http(port)).await.unwrap_err();
    assert_eq!(answer, Answer::Later { after: None, why: "no answer within 500ms".into() });
}

#[tokio::test]
async fn http_an_answer_without_end_is_not_read_to_its_end() {
    let pieces = || Pieces::new((0..100).map(|_| Bytes::from(vec![b'x'; 100_000])));
    let backend = backend(Serving::default(), move |_| Response::new(pieces())).await;
    let client = http(backend.port);
    let reply = post(&client).await.unwrap();
    assert_eq!((reply.status, reply.whole), (StatusCode::OK, false));
    assert!(reply.body.len() <= MAX_ANSWER);
    // Its connection is not used again.
    assert!(post(&client).await.is_ok());
    assert_eq!(backend.connections(), 2);
}

#[tokio::test]
async fn http_a_user_in_the_url_is_sent_as_such_and_not_as_host() {
    let backend = backend(Serving::default(), |_| Response::new(Pieces::default())).await;
    let url = format!("http://us%65r:p%40ss@127.0.0.1:{}/x", backend.port);
    post(&http_with(&url, Compression::None, true)).await.unwrap();
    let got = &backend.got()[0].head;
    assert_eq!(got.headers["host"], format!("127.0.0.1:{}", backend.port));
    assert_eq!(got.uri, "/x");
    // base64 of user:p@ss, and of user:
    assert_eq!(got.headers["authorization"], "Basic dXNlcjpwQHNz");
    assert_eq!(basic("user").unwrap(), "Basic dXNlcjo=");
}

#[test]
fn http_when_to_try_again() {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let after = |value: &str| {
        let headers = [(RETRY_AFTER, value.parse().unwrap())].into_iter().collect();
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Reply { status, headers, body: Bytes::new(), whole: true }.retry_after(now)
    };
    let seconds = |s| Some(Duration::from_secs(s));
    assert_eq!((after("7"), after(" 7 "), after("0")), (seconds(7), seconds(7), seconds(0)));
    assert_eq!(after("99999999999"), Some(MAX_WAIT));
    assert_eq!(after("Sun, 06 Nov 1994 08:50:07 GMT"), seconds(30));
    assert_eq!(after("Sun, 06 Nov 1994 08:49:07 GMT"), seconds(0), "it is past");
    assert_eq!(after("Thu, 06 Nov 2994 08:49:37 GMT"), Some(MAX_WAIT));
    assert_eq!((after("soon"), after("-1"), after("")), (None, None, None));
}

#[test]
fn http_statuses_that_pass() {
    for status in 200..600u16 {
        let reply = Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            whole: true,
        };
        assert_eq!(reply.is_retryable(), [429, 502, 503, 504].contains(&status));
    }
}

#[test]
fn http_why_is_one_short_line() {
    let body = Bytes::from(format!(" a\nb\t{}\x1b[31m", "ü".repeat(1000)));
    let status = StatusCode::BAD_REQUEST;
    let why = Reply { status, headers: HeaderMap::new(), body, whole: true }.why();
    assert!(why.starts_with("HTTP 400: a b ü") && why.chars().count() <= 320, "{why}");
    assert!(!why.contains(|c: char| c.is_control()));
}

/// One request counts however many the machine is asked for at once.
#[tokio::test]
async fn requests_at_once_do_not_mix() {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let backend = backend(Serving::default(), |_| {
        COUNT.fetch_add(1, Relaxed);
        message(b"", &ok())
    })
    .await;
    let client = grpc(backend.port);
    let calls = futures::future::join_all((0..50).map(|_| call(&client))).await;
    assert!(calls.iter().all(|answer| *answer == taken(0, "")));
    assert_eq!((COUNT.load(Relaxed), backend.connections()), (50, CONNECTIONS));
}
