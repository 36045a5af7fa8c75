//! HTTP/2 as nobody speaks it who means well (RFC 9113, 10.5): frames that announce what never
//! comes, streams opened and reset, header blocks without end, answers that nobody fetches. And the
//! giant headers of HTTP/1.1.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{INVALID_ARGUMENT, RESOURCE_EXHAUSTED, Victim, assert_refused, framed};
use crate::collector::PATIENCE;
use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, Wire,
    block, export, frame,
};
use crate::telemetry::spans;
use crate::web::{Version, Web};

/// How long to press on with something that the collector may stop reading.
const PRESSING: Duration = Duration::from_secs(3);
/// Stream ids of a client, from the first.
fn streams(count: usize) -> impl Iterator<Item = u32> {
    (1..).step_by(2).take(count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_4_gib_is_announced() {
    let victim = Victim::start().await;
    let mut grpc = victim.grpc().await;
    for flag in [0, 1] {
        let body = Bytes::from([&[flag, 0xff, 0xff, 0xff, 0xff], b"some".as_slice()].concat());
        let status = grpc.send(body, &[]).await.expect("an answer");
        assert_refused(&status, RESOURCE_EXHAUSTED, "4 GiB");
    }
    // Refused at once: nothing more has to come.
    let mut wire = Wire::connect(victim.collector.grpc).await.expect("a connection");
    for stream in streams(100) {
        let open = frame(HEADERS, END_HEADERS, stream, &export());
        let head = frame(DATA, 0, stream, &[0, 0xff, 0xff, 0xff, 0xff]);
        wire.send(&[open, head].concat()).await.expect("sent");
        let ended = timeout(PATIENCE, wire.end(stream)).await.expect("an answer in time");
        let ended = ended.expect("the connection lives");
        assert_eq!((ended.kind, ended.error()), (RST_STREAM, Some(0)), "{ended:?}");
    }
    victim.was_well().await;
}

/// 5 000 requests of 19 MiB are announced, as allowed, and one byte of each is sent.
#[tokio::test(flavor = "multi_thread")]
async fn much_is_announced_and_nothing_comes() {
    let victim = Victim::start().await;
    let connections = (0..50).map(|_| async {
        let mut wire = Wire::connect(victim.collector.grpc).await.expect("a connection");
        for stream in streams(100) {
            let open = frame(HEADERS, END_HEADERS, stream, &export());
            let first = frame(DATA, 0, stream, &framed(0, 19 << 20, &[0x0a]));
            wire.send(&[open, first].concat()).await.expect("sent");
        }
        wire
    });
    let connections = join_all(connections).await;
    victim.is_well().await;
    drop(connections);
    victim.was_well().await;
}

/// Streams that are opened and reset at once (CVE-2023-44487), before and after their request.
#[tokio::test(flavor = "multi_thread")]
async fn rapid_resets() {
    let victim = Victim::start().await;
    let message = framed(0, spans("reset", 0..3, 100).len(), &spans("reset", 0..3, 100));
    let attackers = (0..8).map(|number| {
        let message = message.clone();
        let address = victim.collector.grpc;
        tokio::spawn(async move {
            // Connections that are ended are made anew.
            let mut sent = 0;
            while sent < 20_000 {
                let Ok(mut wire) = Wire::connect(address).await else { continue };
                for stream in streams(20_000) {
                    let mut bytes = frame(HEADERS, END_HEADERS, stream, &export());
                    match number % 4 {
                        0 => {}
                        1 => bytes.extend(frame(DATA, 0, stream, &message[..7])),
                        2 => bytes.extend(frame(DATA, END_STREAM, stream, &message)),
                        _ => bytes.extend(frame(DATA, 0, stream, &[])),
                    }
                    bytes.extend(frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]));
                    sent += 1;
                    if wire.send(&bytes).await.is_err() {
                        break;
                    }
                }
            }
        })
    });
    let attackers: Vec<_> = attackers.collect();
    victim.is_well().await;
    for attacker in attackers {
        attacker.await.expect("it attacked");
    }
    victim.is_well().await;
    let Victim { mut collector, healthy, .. } = victim;
    healthy.end().await;
    // What was reset may have been taken or not; whatever was is accounted for.
    collector.settled("traces", "otlp", 0).await;
    assert_eq!(collector.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn giant_headers() {
    let victim = Victim::start().await;
    let huge = "x".repeat(100_000);
    // One too large for the server's taste; the client is told and may go on.
    let mut grpc = victim.grpc().await;
    let message = Bytes::from(framed(0, 0, &[]));
    let mut wire = Wire::connect(victim.collector.grpc).await.expect("a connection");
    let oversized = [export(), block(&[("x-huge", &huge)])].concat();
    let mut bytes = frame(HEADERS, END_STREAM, 1, &oversized[..16_000]);
    let mut rest = oversized[16_000..].chunks(16_000).peekable();
    while let Some(piece) = rest.next() {
        let flags = if rest.peek().is_none() { END_HEADERS } else { 0 };
        bytes.extend(frame(CONTINUATION, flags, 1, piece));
    }
    wire.send(&bytes).await.expect("sent");
    let answer = async {
        loop {
            match wire.next().await {
                Some(next) if next.stream == 1 => break next.kind,
                Some(next) if next.kind == GOAWAY => break next.kind,
                Some(_) => {}
                None => break GOAWAY,
            }
        }
    };
    let kind = timeout(PATIENCE, answer).await.expect("an answer in time");
    assert!([HEADERS, RST_STREAM, GOAWAY].contains(&kind), "{kind}");
    let kind = ("content-type", "application/x-protobuf");
    let many: Vec<_> = (0..1100).map(|number| format!("x-{number}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), "1")).chain([kind]).collect();
    for headers in [vec![kind, ("x-huge", huge.as_str())], many] {
        let answer = victim.web(Version::One).post("/v1/traces", &headers, Bytes::new()).await;
        assert_eq!(answer.expect("an answer").status, 431);
        // Over HTTP/2 the client learns it from the server's settings, or from its answer.
        if let Ok(answer) =
            victim.web(Version::Two).post("/v1/traces", &headers, Bytes::new()).await
        {
            assert_eq!(answer.status, 431);
        }
    }
    let status = grpc.send(message, &[("x-large", &huge[..8000])]).await.expect("an answer");
    assert_eq!(status.code, 0, "{status:?}");
    victim.was_well().await;
}

/// Header blocks that go on and on (CVE-2024-24549 and its kin), on many connections.
#[tokio::test(flavor = "multi_thread")]
async fn header_blocks_without_end() {
    let victim = Victim::start().await;
    let two = (0..100).map(|_| async {
        let mut wire = Wire::connect(victim.collector.grpc).await?;
        wire.send(&frame(HEADERS, 0, 1, &export())).await?;
        let more = frame(CONTINUATION, 0, 1, &block(&[("x", &"y".repeat(10_000))]));
        for _ in 0..1000 {
            wire.send(&more).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let ended = timeout(PATIENCE, join_all(two)).await.expect("ended in time");
    assert!(ended.iter().all(Result::is_err), "10 MB of headers are taken");
    victim.is_well().await;
    let one = (0..100).map(|number| async move {
        let mut stream = TcpStream::connect(victim.collector.http).await?;
        stream.write_all(b"POST /v1/traces HTTP/1.1\r\nhost: collector\r\n").await?;
        let line = match number % 2 {
            0 => format!("x-{number}: {}\r\n", "y".repeat(10_000)),
            // One that never ends.
            _ => "y".repeat(10_000),
        };
        for _ in 0..1000 {
            stream.write_all(line.as_bytes()).await?;
        }
        Ok::<_, std::io::Error>(())
    });
    let ended = timeout(PATIENCE, join_all(one)).await.expect("ended in time");
    assert!(ended.iter().all(Result::is_err), "10 MB of headers are taken");
    victim.was_well().await;
}

/// What a server has to answer, sent by one who does not listen.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_fetches() {
    let victim = Victim::start().await;
    let floods = [
        frame(PING, 0, 0, &[0; 8]).repeat(1000),
        frame(SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0]).repeat(1000),
        frame(DATA, 0, 1, &[]).repeat(1000),
    ];
    let connections = (0..30).map(|number| {
        let flood = &floods[number % floods.len()];
        let address = victim.collector.grpc;
        async move {
            let Ok(mut wire) = Wire::connect(address).await else { return };
            let open = frame(HEADERS, END_HEADERS, 1, &export());
            let press = async { while wire.send(flood).await.is_ok() {} };
            let _ = timeout(PRESSING, press).await;
            let _ = wire.send(&open).await;
        }
    });
    join_all(connections).await;
    victim.is_well().await;
    // Windows of zero: 64 streams each wait to be answered for ever.
    let connections = (0..50).map(|_| async {
        let mut wire = Wire::connect(victim.collector.grpc).await.expect("a connection");
        wire.send(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).await.expect("sent");
        for stream in streams(64) {
            let open = frame(HEADERS, END_HEADERS, stream, &export());
            let empty = frame(DATA, END_STREAM, stream, &framed(0, 0, &[]));
            wire.send(&[open, empty].concat()).await.expect("sent");
        }
        wire
    });
    let connections = join_all(connections).await;
    victim.is_well().await;
    drop(connections);
    victim.was_well().await;
}

/// A body that breaks off: by its length, by its chunks, by its stream.
#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_break_off() {
    let victim = Victim::start().await;
    let head = "POST /v1/traces HTTP/1.1\r\nhost: c\r\ncontent-type: application/x-protobuf\r\n";
    let bodies = [
        "content-length: 100\r\n\r\nshort",
        "content-length: 18446744073709551616\r\n\r\nshort",
        "content-length: -1\r\n\r\nshort",
        "content-length: 5\r\ncontent-length: 6\r\n\r\nshort",
        "transfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
        "transfer-encoding: chunked\r\n\r\nffffffffffffffff\r\nshort\r\n",
        "transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nshort\r\n",
        "transfer-encoding: chunked\r\n\r\nno number\r\nshort\r\n",
        "transfer-encoding: gzip\r\n\r\nshort",
        "content-length: 99999999999\r\n\r\nshort",
    ];
    for body in bodies {
        let mut stream = TcpStream::connect(victim.collector.http).await.expect("a connection");
        stream.write_all(format!("{head}{body}").as_bytes()).await.expect("sent");
        stream.shutdown().await.expect("half closed");
        let mut said = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
        let _ = read.expect("an end in time");
        // Who half-closes may have no answer; whoever has one is told that the request was bad.
        let said = String::from_utf8_lossy(&said);
        let codes = ["HTTP/1.1 400", "HTTP/1.1 413", "HTTP/1.1 501"];
        let told = codes.iter().any(|code| said.starts_with(code));
        assert!(said.is_empty() || told, "{body:?}: {said}");
    }
    // A length (13) that the stream does not keep.
    let mut web = Web::new(victim.collector.grpc, Version::Two);
    let answer = web
        .post(
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            &[("content-type", "application/grpc")],
            framed(0, 1000, b"short"),
        )
        .await
        .expect("an answer");
    assert_eq!(answer.headers["grpc-status"], INVALID_ARGUMENT.to_string().as_str());
    victim.was_well().await;
}
