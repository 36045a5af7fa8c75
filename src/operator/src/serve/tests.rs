//! Tests against a listening server. The clients block, so the server has threads of its own.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream as Client};
use std::time::Instant;

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

fn send(address: SocketAddr, text: &str) -> Client {
    let mut stream = Client::connect(address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream
}

fn answer_on(mut stream: Client) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

async fn ask(request: &str, ready: bool) -> String {
    let server = start(ready).await;
    answer_on(send(server.address, &format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n")))
}

#[tokio::test(flavor = "multi_thread")]
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

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_openmetrics() {
    let text = ask("GET /metrics", true).await;
    assert!(text.contains("content-type: application/openmetrics-text; version=1.0.0"), "{text}");
    assert!(text.ends_with("# EOF\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_why() {
    assert!(ask("POST /livez", true).await.contains("\r\nallow: GET\r\n"));
    assert!(ask("GET /readyz", false).await.ends_with("not ready: not everything is listed yet\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_does_not_hold_up_the_stop() {
    let server = start(true).await;
    let _idle = send(server.address, "GET /livez HTTP/1.1\r\n");
    // Connections are accepted in their order: once this one is answered, the idle one was taken.
    let whole = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    assert!(answer_on(send(server.address, whole)).starts_with("HTTP/1.1 200 "));
    let before = Instant::now();
    server.stop.send_replace(true);
    server.task.await.unwrap();
    assert!(before.elapsed() < HEADER_TIMEOUT);
    assert!(Client::connect(server.address).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_ends_with_whoever_could_stop_it() {
    let server = start(true).await;
    drop(server.stop);
    server.task.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_slots_wait_their_turn() {
    let server = start(true).await;
    let mut idle: Vec<Client> = (0..MAX_CONNECTIONS).map(|_| send(server.address, "")).collect();
    let mut waiting = send(server.address, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n");
    waiting.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    assert_eq!(waiting.read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    idle.pop();
    waiting.set_read_timeout(None).unwrap();
    assert!(answer_on(waiting).starts_with("HTTP/1.1 200 "));
}
