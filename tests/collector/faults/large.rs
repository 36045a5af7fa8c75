//! A batch of many bytes and a backend that takes 4 MiB at once, as gRPC servers do unless told
//! otherwise.

use obspipe_backends::Answer;
use serde_json::json;

use super::backend::{Kind, RESOURCE_EXHAUSTED};
use super::run::{Run, quick};
use crate::client::Client;
use crate::telemetry::{names, spans_of};

const LIMIT: usize = 4 << 20;
/// 20 MB in spans of 2 KB, in requests of 100.
const REQUESTS: usize = 100;

#[tokio::test]
async fn a_batch_of_20_mb_reaches_a_backend_with_a_limit_of_4_mib() {
    for kind in [Kind::Otlp, Kind::Jaeger] {
        let batch = json!({"batch": {"send_batch_size": REQUESTS * 100, "timeout": "3600s"}});
        let settings = json!({"retry_on_failure": quick(), "timeout": "60s"});
        let mut run = Run::start_with(kind, settings, &batch, &[]).await;
        run.capture.judge(|received| {
            let message = "grpc: received message larger than max";
            let refusal = Answer::status(RESOURCE_EXHAUSTED).header("grpc-message", message);
            (received.body.len() > LIMIT).then_some(refusal)
        });
        let mut client = Client::connect(run.collector.grpc).await;
        for request in 0..REQUESTS {
            let request = spans_of("shop", &format!("request{request}"), 0..100, 1900);
            client.deliver(&request).await;
            run.acknowledged.extend(names(&request));
        }
        let phase = run.phase(&format!("{kind:?}, 20 MB")).await;
        phase.complete();
        assert!(phase.largest <= LIMIT, "{kind:?}: {} bytes", phase.largest);
        // It was one batch, and its requests are nearly full.
        assert!((5..=10).contains(&phase.requests), "{kind:?}: {} requests", phase.requests);
    }
}
