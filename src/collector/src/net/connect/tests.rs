use std::convert::Infallible;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::server::conn::{http1 as server1, http2 as server2};
use hyper::service::service_fn;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::*;

/// A server of hyper's, and what it saw.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// Told: a connection ends gracefully.
    end: Notify,
    /// Whether answers are held back.
    silent: AtomicBool,
    /// Whether connections are closed unanswered.
    rude: AtomicBool,
}

impl Seen {
    fn counts(&self) -> (usize, usize) {
        (self.connections.load(Relaxed), self.requests.load(Relaxed))
    }
}

/// Answers `/slow` after a second, anything else at once, with the request's body.
async fn answer(
    request: Request<Incoming>,
    seen: Arc<Seen>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    seen.requests.fetch_add(1, Relaxed);
    if request.uri().path() == "/slow" {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    if seen.silent.load(Relaxed) {
        std::future::pending::<()>().await;
    }
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    Ok(Response::new(Full::new(body)))
}

async fn server(http2: bool) -> (Destination, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, seen) = (listener.local_addr().unwrap().port(), Arc::new(Seen::default()));
    let shared = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            shared.connections.fetch_add(1, Relaxed);
            if shared.rude.load(Relaxed) {
                continue;
            }
            tokio::spawn(connection(stream, http2, shared.clone()));
        }
    });
    (to("127.0.0.1", port), seen)
}

async fn connection(stream: TcpStream, http2: bool, seen: Arc<Seen>) {
    let shared = seen.clone();
    let service = service_fn(move |request| answer(request, shared.clone()));
    if http2 {
        let builder = server2::Builder::new(TokioExecutor::new());
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = seen.end.notified() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    } else {
        let builder = server1::Builder::new();
        let mut connection =
            std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = seen.end.notified() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }
}

fn to(host: &str, port: u16) -> Destination {
    let resolver = Resolver::system().unwrap();
    Destination { host: host.to_owned(), port, tls: None, resolver }
}

fn post(path: &str) -> Request<Pieces> {
    let body = Pieces::new([Bytes::from_static(b"one "), Bytes::from_static(b"two")]);
    Request::post(path).header("host", "test").body(body).unwrap()
}

async fn text(response: Response<Incoming>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

/// One request on HTTP/1.1, its connection kept.
async fn ask(client: &Http1, path: &str) -> Result<Bytes, ConnectError> {
    let (response, connection) = client.send(post(path)).await?;
    let text = text(response).await;
    client.keep(connection);
    Ok(text)
}

async fn ask2(client: &Http2, path: &str) -> Result<Bytes, ConnectError> {
    Ok(text(client.send(post(&format!("http://test{path}"))).await?).await)
}

const LONG: Duration = Duration::from_secs(90);

#[tokio::test]
async fn http1_requests_one_after_the_other_share_a_connection() {
    let (to, seen) = server(false).await;
    let client = Http1::new(to, 10, LONG);
    for _ in 0..20 {
        assert_eq!(ask(&client, "/").await.unwrap(), "one two");
    }
    assert_eq!(seen.counts(), (1, 20));
}

#[tokio::test]
async fn http1_requests_at_once_have_a_connection_each_and_so_many_are_kept() {
    let (to, seen) = server(false).await;
    let client = Http1::new(to, 2, LONG);
    let three = || futures::future::join_all((0..3).map(|_| ask(&client, "/slow")));
    assert!(three().await.iter().all(Result::is_ok));
    assert_eq!(seen.counts(), (3, 3));
    assert!(three().await.iter().all(Result::is_ok));
    assert_eq!(seen.counts(), (4, 6), "two were kept");
}

#[tokio::test]
async fn http1_a_connection_closed_by_the_server_while_idle_is_no_error() {
    let (to, seen) = server(false).await;
    let client = Http1::new(to, 10, LONG);
    for round in 1..=5 {
        ask(&client, "/").await.unwrap();
        assert_eq!(seen.counts().0, round);
        // Sometimes the request is quicker than the news of the end.
        seen.end.notify_waiters();
        if round % 2 == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        } else {
            tokio::task::yield_now().await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn http1_an_old_idle_connection_is_not_used() {
    let (to, seen) = server(false).await;
    let client = Http1::new(to, 10, Duration::from_millis(20));
    ask(&client, "/").await.unwrap();
    tokio::time::sleep(Duration::from_millis(40)).await;
    ask(&client, "/").await.unwrap();
    assert_eq!(seen.counts(), (2, 2));
}

#[tokio::test]
async fn http1_a_server_that_hangs_up_is_an_error_and_the_next_request_works() {
    let (to, seen) = server(false).await;
    let client = Http1::new(to, 10, LONG);
    seen.rude.store(true, Relaxed);
    let error = ask(&client, "/").await.unwrap_err();
    assert!(matches!(error, ConnectError::Http(_)), "{error}");
    seen.rude.store(false, Relaxed);
    ask(&client, "/").await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_told_with_the_address() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = ask(&Http1::new(to("127.0.0.1", free.port()), 1, LONG), "/").await.unwrap_err();
    let expected = format!("cannot connect to {free}: Connection refused (os error 111)");
    assert_eq!(error.to_string(), expected);
    let error = ask2(&Http2::new(to("127.0.0.1", free.port()), 1, None), "/").await.unwrap_err();
    assert_eq!(error.to_string(), expected);
}

/// localhost is both addresses; the server listens on one of them.
#[tokio::test]
async fn all_addresses_of_a_name_are_tried() {
    let (at, seen) = server(false).await;
    let client = Http1::new(to("localhost", at.port), 0, LONG);
    for _ in 0..4 {
        ask(&client, "/").await.unwrap();
    }
    assert_eq!(seen.counts(), (4, 4));
}

#[tokio::test]
async fn http2_requests_share_so_many_connections() {
    let (to, seen) = server(true).await;
    let client = Http2::new(to, 2, None);
    let many = futures::future::join_all((0..30).map(|_| ask2(&client, "/"))).await;
    assert!(many.iter().all(|text| text.as_ref().unwrap() == "one two"));
    assert_eq!(seen.counts(), (2, 30));
}

#[tokio::test]
async fn http2_after_a_close_the_next_request_opens_a_new_connection() {
    let (to, seen) = server(true).await;
    let client = Http2::new(to, 1, None);
    for round in 1..=3 {
        ask2(&client, "/").await.unwrap();
        assert_eq!(seen.counts(), (round, round));
        seen.end.notify_waiters();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// GOAWAY while a request is under way (max_connection_age of gRPC servers): that one is answered,
/// and the next ones go out on a new connection, none fails.
#[tokio::test]
async fn http2_a_connection_that_is_ending_takes_nothing_more_and_no_request_fails() {
    let (to, seen) = server(true).await;
    let client = Arc::new(Http2::new(to, 1, None));
    let slow = tokio::spawn({
        let client = client.clone();
        async move { ask2(&client, "/slow").await }
    });
    while seen.counts().1 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    seen.end.notify_waiters();
    for _ in 0..30 {
        ask2(&client, "/").await.unwrap();
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(slow.await.unwrap().unwrap(), "one two");
    assert_eq!(seen.counts(), (2, 31));
}

/// A machine that is gone says nothing at all: whoever gave up waiting does not use it again.
#[tokio::test]
async fn http2_after_a_request_was_given_up_the_next_has_a_new_connection() {
    let (to, seen) = server(true).await;
    let client = Http2::new(to, 1, None);
    ask2(&client, "/").await.unwrap();
    seen.silent.store(true, Relaxed);
    let given_up = timeout(Duration::from_millis(50), ask2(&client, "/")).await;
    assert!(given_up.is_err());
    seen.silent.store(false, Relaxed);
    ask2(&client, "/").await.unwrap();
    assert_eq!(seen.counts(), (2, 3));
}

#[tokio::test]
async fn http2_a_server_that_hangs_up_is_an_error_and_the_next_request_works() {
    let (to, seen) = server(true).await;
    let client = Http2::new(to, 1, None);
    seen.rude.store(true, Relaxed);
    assert!(ask2(&client, "/").await.is_err());
    seen.rude.store(false, Relaxed);
    ask2(&client, "/").await.unwrap();
}

#[tokio::test]
async fn the_reason_told_is_the_innermost() {
    let inner = io::Error::new(io::ErrorKind::ConnectionReset, "reset by peer");
    let outer = io::Error::other(inner);
    assert_eq!(root(&outer), "reset by peer");
}
