//! A name with two addresses, as a headless Service has: what is dead is passed by, and what takes
//! its place is found, without a restart.

use std::net::{Ipv4Addr, SocketAddr};

use obspipe_backends::Capture;
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::backend::Kind;
use super::run::{configuration, is_failing, quick, same};
use crate::client::Client;
use crate::collector::Collector;
use crate::telemetry::{names, spans};

/// The second address; a capture has the first.
const SECOND: Ipv4Addr = Ipv4Addr::new(127, 0, 77, 2);

/// The second address leads to a capture, on another's port. Ended with its connections.
async fn lead(port: u16, to: SocketAddr) -> JoinHandle<()> {
    let listener = TcpListener::bind((SECOND, port)).await.expect("the port");
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((mut from, _)) = listener.accept().await {
            connections.spawn(async move {
                if let Ok(mut to) = TcpStream::connect(to).await {
                    let _ = tokio::io::copy_bidirectional(&mut from, &mut to).await;
                }
            });
        }
    })
}

async fn send(collector: &Collector, name: &str) -> Vec<String> {
    let mut client = Client::connect(collector.grpc).await;
    let mut sent = Vec::new();
    for request in 0..10 {
        let request = spans(&format!("{name}-{request}"), 0..10, 100);
        client.deliver(&request).await;
        sent.extend(names(&request));
    }
    sent
}

fn taken(kind: Kind, capture: &Capture) -> Vec<String> {
    capture.received().iter().flat_map(|received| kind.names(&received.body)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_addresses_is_dead() {
    for kind in [Kind::Otlp, Kind::OtlpHttp, Kind::Jaeger] {
        let mut first = kind.capture().await;
        let second = kind.capture().await;
        let port = first.address().port();
        let hosts = format!("127.0.0.1 localhost\n127.0.0.1 backends\n{SECOND} backends\n");
        let mut settings = kind.exporter(first.address(), &json!({"retry_on_failure": quick()}));
        let endpoint = settings["endpoint"].as_str().expect("an endpoint");
        settings["endpoint"] = endpoint.replace("127.0.0.1", "backends").into();
        let exporters = json!({kind.id(): settings});
        let text = configuration(&exporters, &json!({}), &[("traces", &[kind.id()])]);
        let collector = Collector::start_among(&hosts, &text).await;

        // Only the first is alive.
        let sent = send(&collector, "first").await;
        let flow = collector.settled("traces", kind.id(), 100).await;
        assert_eq!(flow.sent, 100, "{kind:?}: {flow:?}");
        same("to the first", &taken(kind, &first), &sent);

        // None is.
        first.stop().await;
        first.forget();
        let mut sent = send(&collector, "second").await;
        is_failing(&collector, kind.id()).await;

        // Only the second.
        let led = lead(port, second.address()).await;
        collector.settled("traces", kind.id(), 200).await;
        sent.extend(send(&collector, "second more").await);
        let flow = collector.settled("traces", kind.id(), 300).await;
        assert_eq!(flow.sent, 300, "{kind:?}: {flow:?}");
        same("to the second", &taken(kind, &second), &sent);
        second.forget();

        // Both; then the second is gone again while telemetry comes.
        first.resume().await.expect("the same port");
        let mut sent = send(&collector, "both").await;
        led.abort();
        sent.extend(send(&collector, "first again").await);
        let flow = collector.settled("traces", kind.id(), 500).await;
        assert_eq!(flow.sent, 500, "{kind:?}: {flow:?}");
        // What was under way when the second went may be there twice.
        let both = [taken(kind, &first), taken(kind, &second)].concat();
        let twice = both.len() - sent.len();
        assert!(twice <= 10 * 10, "{kind:?}: {twice} items twice");
        let mut both = both;
        both.sort();
        both.dedup();
        same("to both", &both, &sent);
    }
}
