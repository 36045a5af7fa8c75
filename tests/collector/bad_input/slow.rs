//! Clients that take their time: connections that say nothing or half of something, headers and
//! bodies a byte at a time, thousands at once.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::join_all;
use obspipe_backends::{Launch, Process, Ready};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Victim, framed, raise_open_files};
use crate::client::Client;
use crate::collector::{PATIENCE, binary};
use crate::frames::{DATA, END_HEADERS, HEADERS, PREFACE, SETTINGS, Wire, export, frame};
use crate::telemetry::spans;

/// Connections that are half open.
const HALF_OPEN: usize = 5000;
/// Slow clients of each kind.
const SLOW: usize = 300;
/// Between two bytes of a slow client.
const PAUSE: Duration = Duration::from_millis(500);

async fn connect(address: SocketAddr, first: &[u8]) -> TcpStream {
    let connecting = timeout(PATIENCE, TcpStream::connect(address)).await;
    let mut stream = connecting.expect("in time").expect("a connection");
    stream.write_all(first).await.expect("sent");
    stream
}

/// Waits until the server ends a connection. Returns what it said.
async fn ended(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    // Closed or reset: either way it is over.
    let _ = read.expect("ended in time");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections() {
    assert!(raise_open_files() > HALF_OPEN as u64 + 1000, "the machine lets too few files be open");
    let victim = Victim::start().await;
    let partial = [PREFACE, &frame(SETTINGS, 0, 0, &[]), &frame(HEADERS, 0, 1, &[0; 500])[..20]];
    let partial = partial.concat();
    let starts: [&[u8]; 5] =
        [b"", b"P", &PREFACE[..20], &partial, b"POST /v1/traces HTTP/1.1\r\nhost: "];
    let mut open = Vec::with_capacity(HALF_OPEN);
    for number in 0..HALF_OPEN / 50 {
        let kind = number % starts.len();
        let address = match kind {
            2 | 3 => victim.collector.grpc,
            4 => victim.collector.http,
            _ if number % 2 == 0 => victim.collector.http,
            _ => victim.collector.grpc,
        };
        let streams = join_all((0..50).map(|_| connect(address, starts[kind]))).await;
        open.extend(streams.into_iter().map(|stream| (kind, stream)));
    }
    victim.is_well().await;
    // Whoever has not said in a while what he speaks, or not asked all of it, is let go.
    let rest: Vec<_> = open.into_iter().filter(|(kind, _)| *kind != 3).collect();
    join_all(rest.into_iter().map(|(_, stream)| ended(stream))).await;
    victim.was_well().await;
}

/// Sends a byte now and then until the server has had enough. Returns what it said.
async fn drip(address: SocketAddr, start: String) -> String {
    let stream = connect(address, start.as_bytes()).await;
    let (mut read, mut write) = stream.into_split();
    let dripping = tokio::spawn(async move {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(PAUSE).await;
        }
    });
    let mut said = Vec::new();
    let _ = timeout(PATIENCE, read.read_to_end(&mut said)).await.expect("ended in time");
    dripping.abort();
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_headers_and_bodies_over_http() {
    let victim = Victim::start().await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: collector\r\n\
                content-type: application/x-protobuf\r\n";
    let http = victim.collector.http;
    let headers = (0..SLOW).map(|_| drip(http, format!("{head}x-slow: ")));
    let bodies = (0..SLOW).map(|_| drip(http, format!("{head}content-length: 1000000\r\n\r\n")));
    let (headers, bodies, ()) = tokio::join!(join_all(headers), join_all(bodies), victim.is_well());
    for said in headers {
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 408"), "{said}");
    }
    for said in bodies {
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
    }
    victim.was_well().await;
}

/// Who says nothing for 30 s in the middle of a request is told that it took too long.
#[tokio::test(flavor = "multi_thread")]
async fn slow_bodies_over_grpc() {
    let victim = Victim::start().await;
    let connections = (0..SLOW).map(|_| async {
        let mut wire = Wire::connect(victim.collector.grpc).await.expect("a connection");
        let open = frame(HEADERS, END_HEADERS, 1, &export());
        let part = frame(DATA, 0, 1, &framed(0, 100_000, &[0x0a; 100]));
        wire.send(&[open, part].concat()).await.expect("sent");
        let ended = timeout(PATIENCE, wire.end(1)).await.expect("an answer in time");
        let ended = ended.expect("the connection lives");
        assert_eq!(ended.error(), Some(0), "{ended:?}");
    });
    let (_, ()) = tokio::join!(join_all(connections), victim.is_well());
    let text = victim.collector.status().await.to_string();
    assert!(text.contains(&format!("\"badRequests\":{SLOW}")), "{text}");
    victim.was_well().await;
}

/// The soft limit on open files, often 1024, is raised to the hard one.
#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_the_soft_limit() {
    const SOFT: usize = 64;
    let started = Process::start("collector", |[grpc, admin], directory| {
        let config = directory.join("config.yaml");
        let text = format!(
            "{{receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{grpc}'}}}}}}}}, \
             exporters: {{debug: {{}}}}, service: {{telemetry: {{metrics: {{level: none}}}}, \
             pipelines: {{traces: {{receivers: [otlp], exporters: [debug]}}}}}}}}"
        );
        std::fs::write(&config, text).expect("writable");
        let (program, config) = (binary().display(), config.display());
        let script = format!(
            "ulimit -Sn {SOFT} && exec '{program}' --config='{config}' --admin-listen={admin}"
        );
        let arguments = vec!["-c".to_owned(), script];
        Ok(Launch { program: "sh".into(), arguments, ready: Ready::Answers(*admin, "/readyz") })
    });
    let (mut collector, [grpc, _]) = started.await.expect("a collector");
    let mut clients = Vec::new();
    for _ in 0..4 * SOFT {
        let mut client = Client::connect(grpc).await;
        client.deliver(&spans("many", 0..1, 10)).await;
        clients.push(client);
    }
    assert!(!collector.log().contains("cannot accept"), "{}", collector.log());
    assert_eq!(collector.terminate(PATIENCE).await.expect("it ends"), Some(0));
}
