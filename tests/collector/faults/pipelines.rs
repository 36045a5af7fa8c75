//! Two pipelines with an exporter each, from one receiver: a request is taken by both or by none, so
//! that a client that sends it again duplicates nothing.

use std::time::Duration;

use serde_json::json;

use super::backend::Kind;
use super::run::{configuration, quick, same};
use crate::client::Client;
use crate::collector::Collector;
use crate::telemetry::{names, spans};

const REQUESTS: usize = 30;

#[tokio::test]
async fn a_client_that_tries_again_duplicates_nothing() {
    let kinds = [Kind::Otlp, Kind::OtlpHttp];
    let captures = [kinds[0].capture().await, kinds[1].capture().await];
    // The second is slow, and alive.
    captures[1].answer(|_| Kind::OtlpHttp.ok().after(Duration::from_millis(500)));
    let short = json!({"queue_size": 2, "num_consumers": 1});
    let settings = json!({"retry_on_failure": quick(), "sending_queue": short});
    let exporters = json!({
        "otlp": kinds[0].exporter(captures[0].address(), &json!({})),
        "otlphttp": kinds[1].exporter(captures[1].address(), &settings),
    });
    let pipelines: [(&str, &[&str]); 2] = [("traces/a", &["otlp"]), ("traces/b", &["otlphttp"])];
    let collector = Collector::start(&configuration(&exporters, &json!({}), &pipelines)).await;
    let mut client = Client::connect(collector.grpc).await;
    let (mut acknowledged, mut refused) = (Vec::new(), 0);
    for request in 0..REQUESTS {
        let request = spans(&format!("request{request}"), 0..10, 100);
        loop {
            let status = client.export(&request).await.expect("an answer");
            if status.code == 0 {
                break;
            }
            assert_eq!((status.code, status.retry_info), (14, true), "{status:?}");
            assert!(status.message.contains("otlphttp"), "{status:?}");
            refused += 1;
            if refused == 5 {
                captures[1].answer(|_| Kind::OtlpHttp.ok());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        acknowledged.extend(names(&request));
    }
    assert!(refused >= 5, "{refused}");
    let all = acknowledged.len() as u64;
    for (index, (pipeline, to)) in pipelines.into_iter().enumerate() {
        let flow = collector.settled(pipeline, to[0], all).await;
        assert_eq!((flow.entered, flow.sent), (all, all), "{pipeline}: {flow:?}");
        let received = captures[index].received().into_iter();
        let taken = received.filter(|it| kinds[index].takes(&it.answer));
        let taken: Vec<String> = taken.flat_map(|it| kinds[index].names(&it.body)).collect();
        same(pipeline, &taken, &acknowledged);
    }
}
