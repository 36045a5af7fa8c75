//! Telemetry while collectors come and go: under two thousand spans a second, nothing that a client
//! was told is accepted is lost, and no client's export fails after its retries.

use std::time::Duration;

use obspipe_e2e::{Account, Kept, Ledger, Namespace, Stack};
use serde_json::Value;

const RATE: u32 = 2000;
const LASTS: Duration = Duration::from_secs(90);
/// The pod that an application restarts meanwhile.
const RESTARTED_RATE: u32 = 200;

/// The document's traces pipeline, alone.
pub(crate) const PIPELINE: &str = "
apiVersion: obspipe.dev/v1alpha1
kind: ObservabilityPipeline
metadata: {name: otel}
spec:
  collector:
    config:
      receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}}
      processors:
        batch: {timeout: 10s}
        memory_limiter: {check_interval: 1s, limit_mib: 1000}
      exporters:
        jaeger: {endpoint: 'jaeger:14250', tls: {insecure: true}}
      service:
        pipelines:
          traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [jaeger]}
";

pub(crate) async fn run(stack: &Stack) {
    let namespace = stack.namespace("delivery").await.expect("a namespace");
    namespace.tracing_backend().await.expect("Jaeger");
    namespace.pipeline(PIPELINE).await.expect("a pipeline that is Ready");
    let ledger = |name: &str, rate| Ledger { name: name.to_owned(), rate, lasts: LASTS };
    let main = namespace.ledger(&ledger("ledger", RATE)).await.expect("a ledger");
    let restarted = namespace.ledger(&ledger("restarted", RESTARTED_RATE)).await.expect("another");

    let first = collector(&namespace).await;
    change(
        &namespace,
        "{\"spec\":{\"collector\":{\"config\":{\"processors\":{\"batch\":{\"timeout\":\"5s\"}}}}}}",
    )
    .await;
    let second = replaced(&namespace, &first).await;
    change(&namespace, "{\"spec\":{\"collector\":{\"podAnnotations\":{\"rolled\":\"again\"}}}}")
        .await;
    let third = replaced(&namespace, &second).await;
    restarted.terminate().await.expect("it ends");
    let again = namespace.ledger(&ledger("again", RESTARTED_RATE)).await.expect("a third");
    namespace
        .kubectl()
        .run(&["delete", "pod", &third, "-n", namespace.name(), "--wait=false"])
        .await
        .expect("it is told to end");
    replaced(&namespace, &third).await;

    let sent = complete(&namespace, "the application that was ended", &restarted).await;
    assert!(sent.made > 0);
    complete(&namespace, "its successor", &again).await;
    let sent = complete(&namespace, "the load", &main).await;
    let asked = u64::from(RATE) * LASTS.as_secs();
    assert!(sent.made * 10 >= asked * 9, "{sent:?} is not the load that was asked for: {asked}");
    namespace.delete().await.expect("it goes");
}

/// Nothing failed, nothing was dropped, and everything accepted is in Jaeger.
pub(crate) async fn complete(namespace: &Namespace, what: &str, ledger: &Kept) -> Account {
    let account = ledger.account().await.expect("an account");
    println!("{what}: {account:?}");
    let wanted = Account { made: account.made, accepted: account.made, ..Account::default() };
    if account != wanted {
        let said = ledger.said().await.unwrap_or_default();
        let saved = namespace.jaeger().saved().await;
        let collectors = namespace.collectors("otel").await;
        panic!("{what}: {account:?}; Jaeger saved {saved:?} spans; {collectors:#?}; {said}");
    }
    account
}

async fn change(namespace: &Namespace, patch: &str) {
    let patch = ["patch", "obspipe", "otel", "-n", namespace.name(), "--type=merge", "-p", patch];
    namespace.kubectl().run(&patch).await.expect("the pipeline is changed");
}

/// The name of the collector's pod that is not on its way out.
pub(crate) async fn collector(namespace: &Namespace) -> String {
    running(namespace).await.into_iter().next().expect("a collector")
}

async fn running(namespace: &Namespace) -> Vec<String> {
    let selector = "app.kubernetes.io/instance=otel";
    let pods = namespace.kubectl().list(&["pods", "-n", namespace.name(), "-l", selector]).await;
    let stays = |pod: &Value| pod["metadata"]["deletionTimestamp"].is_null();
    let pods = pods.expect("pods").into_iter().filter(stays);
    pods.filter_map(|pod| pod["metadata"]["name"].as_str().map(str::to_owned)).collect()
}

/// Waits until another pod than this one is the only one and ready; returns its name.
async fn replaced(namespace: &Namespace, old: &str) -> String {
    let gone =
        ["wait", "--for=delete", &format!("pod/{old}"), "-n", namespace.name(), "--timeout=180s"];
    namespace.kubectl().run(&gone).await.expect("the old collector ends");
    namespace.rolled_out("daemonset/otel-collector").await.expect("the new one is ready");
    namespace.ready("otel").await.expect("the pipeline is Ready again");
    collector(namespace).await
}
