use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep};

use super::*;
use crate::testing::Authority;

/// Answers with its path; `/slow` after 300 ms, `/never` never.
struct Echo;

impl Service for Echo {
    fn answer(self: Arc<Self>, request: Request<Incoming>, from: From) -> Answering {
        Box::pin(async move {
            assert!(from.address.ip().is_loopback());
            match request.uri().path() {
                "/slow" => sleep(Duration::from_millis(300)).await,
                "/never" => std::future::pending().await,
                _ => {}
            }
            Response::new(Pieces::from(request.uri().path().to_owned()))
        })
    }
}

async fn started(serving: Serving) -> (SocketAddr, Scope) {
    let listener = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let (address, scope) = (listener.local_addr().unwrap(), Scope::default());
    serve(listener, serving, Arc::new(Arc::new(Echo)), &scope);
    (address, scope)
}

type Http1 = http1::SendRequest<Empty<Bytes>>;
type Http2 = http2::SendRequest<Empty<Bytes>>;

async fn over_http1(address: SocketAddr) -> Http1 {
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

async fn over_http2(address: SocketAddr) -> Http2 {
    let stream = TcpStream::connect(address).await.unwrap();
    let io = TokioIo::new(stream);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    Request::get(path).header("host", "test").body(Empty::new()).unwrap()
}

async fn text(response: hyper::Result<Response<Incoming>>) -> hyper::Result<Bytes> {
    Ok(response?.into_body().collect().await?.to_bytes())
}

async fn ask(client: &mut Http1, path: &str) -> hyper::Result<Bytes> {
    client.ready().await?;
    text(client.send_request(get(path)).await).await
}

async fn ask2(client: &mut Http2, path: &str) -> hyper::Result<Bytes> {
    client.ready().await?;
    text(client.send_request(get(&format!("http://test{path}"))).await).await
}

/// Whether the other side closes without a word, and after how long.
async fn closed(mut stream: TcpStream) -> (Vec<u8>, Duration) {
    let (began, mut said) = (Instant::now(), Vec::new());
    // A reset is a close as well.
    let _ = stream.read_to_end(&mut said).await;
    (said, began.elapsed())
}

#[tokio::test]
async fn both_versions_on_one_port() {
    let (address, _scope) = started(Serving::default()).await;
    let mut one = over_http1(address).await;
    let mut two = over_http2(address).await;
    for _ in 0..3 {
        assert_eq!(ask(&mut one, "/a").await.unwrap(), "/a");
        assert_eq!(ask2(&mut two, "/b").await.unwrap(), "/b");
    }
}

#[tokio::test]
async fn a_port_of_grpc_speaks_http2_alone() {
    let (address, _scope) = started(Serving { http2_only: true, ..Serving::default() }).await;
    assert_eq!(ask2(&mut over_http2(address).await, "/b").await.unwrap(), "/b");
    assert!(ask(&mut over_http1(address).await, "/a").await.is_err());
}

#[tokio::test]
async fn a_client_that_speaks_tls_to_a_plain_port_is_turned_away_at_once() {
    let (address, scope) = started(Serving::default()).await;
    let connector = tokio_rustls::TlsConnector::from(
        crate::net::tls::client(&Default::default(), &[b"h2"]).unwrap(),
    );
    let began = Instant::now();
    let stream = TcpStream::connect(address).await.unwrap();
    let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
    assert!(connector.connect(name, stream).await.is_err());
    assert!(began.elapsed() < Duration::from_secs(5));
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(&[0x16, 0x03, 0x01, 0x02, 0x00, 0x01]).await.unwrap();
    assert_eq!(closed(stream).await.0, b"");
    while scope.running() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn silence_is_waited_out_for_the_greeting_and_no_longer() {
    let (address, scope) = started(Serving::default()).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let (said, after) = closed(stream).await;
    assert_eq!(said, b"");
    assert!((GREETING..GREETING * 2).contains(&after), "{after:?}");
    while scope.running() > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn headers_that_do_not_come_are_not_waited_for() {
    let serving = Serving { header_timeout: Duration::from_millis(100), ..Serving::default() };
    let (address, _scope) = started(serving).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: te").await.unwrap();
    let (_, after) = closed(stream).await;
    assert!(after < Duration::from_secs(5), "{after:?}");
}

#[tokio::test]
async fn what_is_no_http_is_turned_away() {
    let (address, _scope) = started(Serving::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"\x00\x01\x02 nonsense\r\n\r\n").await.unwrap();
    let (said, _) = closed(stream).await;
    assert!(said.is_empty() || said.starts_with(b"HTTP/1.1 400"), "{said:?}");
}

#[tokio::test]
async fn headers_have_a_limit() {
    let (address, _scope) = started(Serving::default()).await;
    let mut client = over_http2(address).await;
    let mut request = get("http://test/");
    for n in 0..50 {
        let name = http::HeaderName::try_from(format!("x-{n}")).unwrap();
        request.headers_mut().insert(name, "v".repeat(1000).parse().unwrap());
    }
    let status = client.send_request(request).await.map(|response| response.status());
    assert!(status.as_ref().map_or(true, |status| status.as_u16() == 431), "{status:?}");
    let mut client = over_http1(address).await;
    let mut request = get("/");
    request.headers_mut().insert("x", "v".repeat(600_000).parse().unwrap());
    let status = client.send_request(request).await.map(|response| response.status());
    assert!(status.as_ref().map_or(true, |status| status.as_u16() == 431), "{status:?}");
}

#[tokio::test]
async fn ending_lets_requests_finish_and_closes_what_is_idle() {
    let (address, scope) = started(Serving::default()).await;
    let (mut one, mut two) = (over_http1(address).await, over_http2(address).await);
    let (mut idle, mut idle2) = (over_http1(address).await, over_http2(address).await);
    ask(&mut idle, "/").await.unwrap();
    ask2(&mut idle2, "/").await.unwrap();
    let silent = TcpStream::connect(address).await.unwrap();
    let slow = tokio::spawn(async move { (ask(&mut one, "/slow").await, one) });
    let slow2 = tokio::spawn(async move { (ask2(&mut two, "/slow").await, two) });
    sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    scope.ending.cancel();
    assert_eq!(closed(silent).await.0, b"");
    assert!(idle.ready().await.is_err() || ask(&mut idle, "/").await.is_err());
    assert!(began.elapsed() < Duration::from_millis(150), "idle ones do not wait for the slow");
    assert_eq!(slow.await.unwrap().0.unwrap(), "/slow");
    assert_eq!(slow2.await.unwrap().0.unwrap(), "/slow");
    timeout(Duration::from_secs(5), scope.finished()).await.expect("nothing is left running");
    assert!(ask2(&mut idle2, "/").await.is_err());
}

#[tokio::test]
async fn an_old_connection_is_asked_to_end_and_its_request_finishes() {
    let serving = Serving { max_age: Some(Duration::from_millis(100)), ..Serving::default() };
    let (address, scope) = started(serving).await;
    let mut client = over_http2(address).await;
    assert_eq!(ask2(&mut client, "/slow").await.unwrap(), "/slow");
    while scope.running() > 1 {
        sleep(Duration::from_millis(5)).await;
    }
    assert!(ask2(&mut client, "/").await.is_err());
    // Grace is how long requests still have.
    let serving = Serving {
        max_age: Some(Duration::from_millis(50)),
        age_grace: Some(Duration::from_millis(50)),
        ..Serving::default()
    };
    let (address, _scope) = started(serving).await;
    assert!(ask2(&mut over_http2(address).await, "/slow").await.is_err());
}

#[tokio::test]
async fn an_idle_connection_ends_and_a_busy_one_does_not() {
    let serving = Serving { max_idle: Some(Duration::from_millis(100)), ..Serving::default() };
    let (address, scope) = started(serving).await;
    let (mut idle, mut busy) = (over_http2(address).await, over_http2(address).await);
    ask2(&mut idle, "/").await.unwrap();
    assert_eq!(ask2(&mut busy, "/slow").await.unwrap(), "/slow");
    assert!(ask2(&mut idle, "/").await.is_err());
    // A request that its client gave up keeps no connection.
    let mut given_up = over_http2(address).await;
    let asked = timeout(Duration::from_millis(50), ask2(&mut given_up, "/never")).await;
    assert!(asked.is_err());
    let ended = timeout(Duration::from_secs(5), async {
        while scope.running() > 1 {
            sleep(Duration::from_millis(5)).await;
        }
    });
    ended.await.expect("all connections end");
}

#[tokio::test]
async fn without_keep_alives_a_connection_has_one_request() {
    let (address, _scope) = started(Serving { keep_alives: false, ..Serving::default() }).await;
    let mut client = over_http1(address).await;
    ask(&mut client, "/").await.unwrap();
    assert!(ask(&mut client, "/").await.is_err());
}

#[tokio::test]
async fn over_tls_both_versions_are_agreed_on() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("localhost");
    let settings = obspipe_model::components::network::ServerTls {
        cert_pem: Some(obspipe_model::settings::Secret(certificate)),
        key_pem: Some(obspipe_model::settings::Secret(key)),
        ..Default::default()
    };
    let make = move || crate::net::tls::server(&settings, &[b"h2", b"http/1.1"]);
    let tls = Some(Arc::new(Reloading::new([], make).unwrap()));
    let (address, _scope) = started(Serving { tls, ..Serving::default() }).await;
    let trusting = obspipe_model::components::network::ClientTls {
        ca_pem: Some(obspipe_model::settings::Secret(authority.pem.clone())),
        ..Default::default()
    };
    let secure = async |alpn: &[u8]| {
        let config = crate::net::tls::client(&trusting, &[alpn]).unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let name = rustls_pki_types::ServerName::try_from("localhost").unwrap();
        tokio_rustls::TlsConnector::from(config).connect(name, stream).await.unwrap()
    };
    let io = TokioIo::new(secure(b"h2").await);
    let (mut two, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(ask2(&mut two, "/b").await.unwrap(), "/b");
    let (mut one, connection) =
        http1::handshake(TokioIo::new(secure(b"http/1.1").await)).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(ask(&mut one, "/a").await.unwrap(), "/a");
    // Plain HTTP to a port of TLS is turned away.
    assert!(ask(&mut over_http1(address).await, "/").await.is_err());
}
