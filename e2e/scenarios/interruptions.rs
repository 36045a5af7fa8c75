//! What breaks on any cluster one day: the node's services are restarted, the operator is killed.
//! Telemetry flows on, and what drifted meanwhile is repaired. Alone on the cluster.

use std::time::Duration;

use obspipe_e2e::{Ledger, SYSTEM, Stack, WITHIN, eventually};

use crate::delivery::{PIPELINE, collector, complete};

pub(crate) async fn run(stack: &Stack) {
    let namespace = stack.namespace("interruptions").await.expect("a namespace");
    namespace.tracing_backend().await.expect("Jaeger");
    namespace.pipeline(PIPELINE).await.expect("a pipeline that is Ready");
    let lasts = Duration::from_secs(40);
    let ledger = Ledger { name: "ledger".to_owned(), rate: 200, lasts };
    let ledger = namespace.ledger(&ledger).await.expect("a ledger");
    let pod = collector(&namespace).await;

    stack.kubectl().target().restart_node().await.expect("containerd and kubelet start again");
    stack.stop_operator().await.expect("the operator is killed");
    let config = ["configmap", "otel-collector-config", "-n", namespace.name()];
    let mut delete = vec!["delete"];
    delete.extend(config);
    stack.kubectl().run(&delete).await.expect("a child is deleted while nobody looks");
    let back = async || match stack.kubectl().get(&config).await {
        Ok(Some(_)) => Ok(()),
        other => Err(format!("{other:?}")),
    };
    eventually("the ConfigMap to come back", WITHIN, back).await.expect("it is repaired");
    namespace.ready("otel").await.expect("the pipeline is Ready again");
    let restarts = "jsonpath={.status.containerStatuses[0].restartCount}";
    let restarts = ["get", "pod", &pod, "-n", namespace.name(), "-o", restarts];
    let restarts = stack.kubectl().run(&restarts).await.expect("the pod is the same");
    assert_eq!(restarts, "0", "the collector did not notice");

    // The node takes new pods.
    let second = PIPELINE.replace("name: otel", "name: second");
    namespace.pipeline(&second).await.expect("a second pipeline is Ready");
    complete(&namespace, "the load", &ledger).await;
    let operator = ["rollout", "status", "deployment", "-n", SYSTEM, "--timeout=120s"];
    stack.kubectl().run(&operator).await.expect("the operator runs again");
    namespace.delete().await.expect("it goes");
}
