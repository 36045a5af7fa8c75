//! Queues that are full: what comes is refused so that clients send it again, or waits; what was
//! acknowledged arrives, once.

use std::time::Duration;

use serde_json::json;

use super::backend::Kind;
use super::run::{Run, quick};
use crate::client::Client;
use crate::telemetry::{names, spans};

/// A queue of one request, with one more under way.
fn short() -> serde_json::Value {
    json!({"queue_size": 1, "num_consumers": 1})
}

#[tokio::test]
async fn a_slow_backends_queue_is_refused_over_http() {
    for kind in [Kind::OtlpHttp, Kind::Loki] {
        let settings = json!({"retry_on_failure": quick(), "sending_queue": short()});
        let mut run = Run::start(kind, settings).await;
        run.fail(usize::MAX, kind.ok().after(Duration::from_secs(2)));
        // One is under way and one waits.
        let refused = loop {
            let response = run.offer(&format!("request{}", run.acknowledged.len()), 0..10).await;
            if response.status != 200 && run.acknowledged.len() >= 20 {
                break response;
            }
        };
        assert_eq!(refused.status, 503, "{refused:?}");
        assert_eq!(refused.headers["retry-after"], "1", "{refused:?}");
        run.heal();
        run.phase(&format!("{kind:?} was slow")).await.complete();
    }
}

#[tokio::test]
async fn a_slow_backends_queue_is_refused_over_grpc() {
    for kind in [Kind::Otlp, Kind::Jaeger] {
        let settings = json!({"retry_on_failure": quick(), "sending_queue": short()});
        let mut run = Run::start(kind, settings).await;
        run.fail(usize::MAX, kind.ok().after(Duration::from_secs(2)));
        let mut client = Client::connect(run.collector.grpc).await;
        // One is under way and one waits.
        let refused = loop {
            let request = spans(&format!("request{}", run.acknowledged.len()), 0..10, 100);
            let status = client.export(&request).await.expect("an answer");
            match status.code {
                0 => run.acknowledged.extend(names(&request)),
                _ if run.acknowledged.len() >= 20 => break status,
                _ => {}
            }
        };
        assert_eq!((refused.code, refused.retry_info), (14, true), "{refused:?}");
        run.heal();
        run.phase(&format!("{kind:?} was slow")).await.complete();
    }
}

/// Several clients against a backend that is down, until each was refused a few times.
#[tokio::test]
async fn what_a_full_queue_took_arrives_when_the_backend_is_back() {
    let batch =
        json!({"batch": {"send_batch_size": 50, "send_batch_max_size": 50, "timeout": "50ms"}});
    for sizer in [
        json!({"queue_size": 3, "num_consumers": 1}),
        json!({"queue_size": 150, "num_consumers": 1, "sizer": "items"}),
        json!({"queue_size": 30_000, "num_consumers": 1, "sizer": "bytes"}),
    ] {
        let what = format!("full: {sizer}");
        let settings = json!({"retry_on_failure": quick(), "sending_queue": sizer});
        let mut run = Run::start_with(Kind::Otlp, settings, &batch, &[]).await;
        run.capture.stop().await;
        run.send("first", 0..10).await;
        run.is_failing().await;
        let mut clients = Vec::new();
        for number in 0..8 {
            let mut client = Client::connect(run.collector.grpc).await;
            clients.push(tokio::spawn(async move {
                let (mut refused, mut taken) = (0, Vec::new());
                for request in 0.. {
                    let request = spans(&format!("client{number}-{request}"), 0..35, 100);
                    let status = client.export(&request).await.expect("an answer");
                    match status.code {
                        0 => taken.extend(names(&request)),
                        14 => refused += 1,
                        _ => panic!("{status:?}"),
                    }
                    if refused == 5 {
                        break;
                    }
                }
                taken
            }));
        }
        for client in clients {
            run.acknowledged.extend(client.await.expect("a client"));
        }
        run.capture.resume().await.expect("the same port");
        run.phase(&what).await.complete();
    }
}
