//! One of three exporters whose backend is down for the whole time: the other two do not notice.

use serde_json::{Value, json};

use super::backend::Kind;
use super::run::{configuration, is_failing, quick, same};
use crate::client::Client;
use crate::collector::Collector;
use crate::telemetry::{names, spans};

const CLIENTS: usize = 4;
const REQUESTS: usize = 50;
const ITEMS: usize = 20;

/// Four clients at once. Returns the names of what was taken, which has to be all.
async fn load(collector: &Collector) -> Vec<String> {
    let mut clients = Vec::new();
    for number in 0..CLIENTS {
        let mut client = Client::connect(collector.grpc).await;
        clients.push(tokio::spawn(async move {
            let mut taken = Vec::new();
            for request in 0..REQUESTS {
                let request = spans(&format!("client{number}-{request}"), 0..ITEMS, 100);
                let status = client.export(&request).await.expect("an answer");
                assert_eq!(status.code, 0, "{status:?}");
                taken.extend(names(&request));
            }
            taken
        }));
    }
    let mut taken = Vec::new();
    for client in clients {
        taken.extend(client.await.expect("a client"));
    }
    taken
}

#[tokio::test]
async fn the_other_two_get_everything() {
    let kinds = [("otlp/one", Kind::Otlp), ("otlphttp/two", Kind::OtlpHttp)];
    let one = Kind::Otlp.capture().await;
    let two = Kind::OtlpHttp.capture().await;
    let mut dead = Kind::Otlp.capture().await;
    dead.stop().await;
    let short = json!({"queue_size": 5, "num_consumers": 2});
    let settings = json!({"retry_on_failure": quick(), "sending_queue": short});
    let exporters = json!({
        "otlp/one": Kind::Otlp.exporter(one.address(), &json!({})),
        "otlphttp/two": Kind::OtlpHttp.exporter(two.address(), &json!({})),
        "otlp/dead": Kind::Otlp.exporter(dead.address(), &settings),
    });
    let to = ["otlp/one", "otlphttp/two", "otlp/dead"];
    let text = configuration(&exporters, &json!({}), &[("traces", &to)]);
    let collector = Collector::start(&text).await;
    let mut acknowledged = names(&spans("first", 0..ITEMS, 100));
    Client::connect(collector.grpc).await.deliver(&spans("first", 0..ITEMS, 100)).await;
    is_failing(&collector, "otlp/dead").await;
    acknowledged.extend(load(&collector).await);
    let all = acknowledged.len() as u64;
    for ((id, kind), capture) in kinds.into_iter().zip([&one, &two]) {
        let flow = collector.settled("traces", id, all).await;
        assert_eq!((flow.entered, flow.sent), (all, all), "{id}: {flow:?}");
        let taken = capture.received();
        let taken: Vec<String> = taken.iter().flat_map(|it| kind.names(&it.body)).collect();
        same(id, &taken, &acknowledged);
    }
    let status = collector.status().await;
    let refused: Vec<&Value> = status["receivers"]
        .as_array()
        .expect("receivers")
        .iter()
        .map(|it| &it["refusedRequests"])
        .collect();
    assert!(refused.iter().all(|refused| **refused == 0), "{refused:?}");
    // Nothing of the dead one's is delivered; what does not wait is counted.
    let flow = collector.flow("traces", "otlp/dead").await;
    let waiting = flow.queued + flow.in_flight;
    // Five wait and two are under way; clients that ask at the same moment are all promised the last
    // place, and what was promised stays.
    let requests = waiting / ITEMS as u64;
    assert!((7..7 + CLIENTS as u64).contains(&requests), "{flow:?}");
    assert_eq!(flow.reasons, json!({"queue_full": all - waiting}), "{flow:?}");
    assert_eq!((flow.entered, flow.sent), (all, 0), "{flow:?}");
    // What still waits arrives, without a restart.
    dead.resume().await.expect("the same port");
    let flow = collector.settled("traces", "otlp/dead", all).await;
    assert_eq!(flow.sent, waiting, "{flow:?}");
    let taken = dead.received();
    assert_eq!(taken.iter().flat_map(|it| names(&it.body)).count() as u64, waiting);
}
