use std::net::SocketAddr;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::*;

struct Server {
    address: SocketAddr,
    _ready: watch::Sender<bool>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

async fn start(ready: bool) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (_ready, is_ready) = watch::channel(ready);
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(serve(listener, Metrics::new(), is_ready, stopped));
    Server { address, _ready, stop, task }
}

async fn ask(request: &str, ready: bool) -> String {
    let server = start(ready).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    server.stop.send_replace(true);
    server.task.await.unwrap();
    text
}

#[tokio::test]
async fn every_path_answers_as_documented() {
    for (request, ready, status) in [
        ("GET /livez", false, "200"),
        ("GET /readyz", false, "503"),
        ("GET /readyz", true, "200"),
        ("GET /metrics?x=1", false, "200"),
        ("GET /", true, "404"),
        ("GET /metrics/", true, "404"),
        ("POST /metrics", true, "405"),
        ("DELETE /readyz", true, "405"),
    ] {
        let text = ask(request, ready).await;
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {text}");
    }
}

#[tokio::test]
async fn metrics_are_openmetrics() {
    let text = ask("GET /metrics", true).await;
    assert!(text.contains("content-type: application/openmetrics-text; version=1.0.0"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test]
async fn a_refused_method_names_the_one_that_is_allowed() {
    assert!(ask("POST /livez", true).await.contains("\r\nallow: GET\r\n"));
}

#[tokio::test]
async fn not_ready_says_why() {
    assert!(ask("GET /readyz", false).await.ends_with("not ready: not everything is listed yet\n"));
}

#[tokio::test]
async fn a_connection_that_asks_nothing_does_not_hold_up_the_stop() {
    let server = start(true).await;
    let mut idle = TcpStream::connect(server.address).await.unwrap();
    idle.write_all(b"GET /livez HTTP/1.1\r\n").await.unwrap();
    // One that is answered, so that the idle one was accepted before the stop.
    let mut other = TcpStream::connect(server.address).await.unwrap();
    other.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    other.read_to_string(&mut String::new()).await.unwrap();
    let before = Instant::now();
    server.stop.send_replace(true);
    server.task.await.unwrap();
    assert!(before.elapsed() < HEADER_TIMEOUT);
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn the_server_ends_with_whoever_could_stop_it() {
    let server = start(true).await;
    drop(server.stop);
    server.task.await.unwrap();
}

#[tokio::test]
async fn more_connections_than_slots_wait_their_turn() {
    let server = start(true).await;
    let mut idle = Vec::new();
    for _ in 0..MAX_CONNECTIONS {
        idle.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut waiting = TcpStream::connect(server.address).await.unwrap();
    waiting.write_all(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut text = String::new();
    let early = tokio::time::timeout(Duration::from_millis(200), waiting.read_to_string(&mut text));
    assert!(early.await.is_err(), "{text}");
    drop(idle.pop());
    waiting.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
}
