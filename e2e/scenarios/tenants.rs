//! Two tenants of one operator, each with a namespace that admits only restricted pods: the
//! telemetry of one is never in the other's backend, a mistake of one does not hold up the other,
//! and the end of one is not noticed by the other.

use std::time::Duration;

use obspipe_e2e::{Kubectl, Ledger, Namespace, Stack, WITHIN, eventually};

use crate::delivery::complete;

const RATE: u32 = 100;
const LASTS: Duration = Duration::from_secs(45);
const AFTERWARDS: Duration = Duration::from_secs(5);
/// Alike for both, so that nothing but the namespace keeps them apart. Spans tell by an attribute
/// which configuration they went through.
const PIPELINE: &str = "
apiVersion: obspipe.dev/v1alpha1
kind: ObservabilityPipeline
metadata: {name: otel}
spec:
  collector:
    mode: MODE
    config:
      receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}}
      processors:
        resource: {attributes: [{key: paint, value: PAINT, action: upsert}]}
      exporters:
        jaeger: {endpoint: 'jaeger:14250', tls: {insecure: true}}
      service:
        pipelines:
          traces: {receivers: [otlp], processors: [resource], exporters: [jaeger]}
";

pub(crate) async fn run(stack: &Stack) {
    let red = tenant(stack, "red", "DaemonSet").await;
    let blue = tenant(stack, "blue", "Deployment").await;
    let sent_by_red = red.ledger(&ledger("red", LASTS)).await.expect("a ledger");
    let sent_by_blue = blue.ledger(&ledger("blue", LASTS)).await.expect("another");
    painted(&red, "red", "red").await;
    painted(&blue, "blue", "blue").await;

    paint(&red, "action", "splash").await;
    let refused = red.condition("otel", "ConfigValid", "False").await.expect("it is refused");
    assert!(refused["status"]["conditions"].to_string().contains("InvalidConfig"), "{refused}");
    paint(&blue, "value", "azure").await;
    blue.ready("otel").await.expect("Ready, whatever the other does");
    painted(&blue, "blue", "azure").await;
    // The last good configuration runs on.
    complete(&red, "the tenant with the mistake", &sent_by_red).await;
    assert_eq!(red.jaeger().services().await.expect("an answer"), ["red"]);

    let end = ["delete", "namespace", red.name(), "--timeout=180s"];
    stack.kubectl().run(&end).await.expect("nothing holds it");
    let afterwards = blue.ledger(&ledger("blue-afterwards", AFTERWARDS)).await.expect("a third");
    complete(&blue, "the other tenant, afterwards", &afterwards).await;
    complete(&blue, "the other tenant, all the time", &sent_by_blue).await;
    let mut services = blue.jaeger().services().await.expect("an answer");
    services.sort();
    assert_eq!(services, ["blue", "blue-afterwards"]);
    blue.delete().await.expect("it goes");
}

/// A namespace with a backend and a pipeline that is Ready.
async fn tenant(stack: &Stack, name: &str, mode: &str) -> Namespace {
    let namespace = stack.namespace(&format!("tenant-{name}")).await.expect("a namespace");
    admits_only_restricted(stack.kubectl(), namespace.name()).await;
    namespace.tracing_backend().await.expect("Jaeger");
    let pipeline = PIPELINE.replace("MODE", mode).replace("PAINT", name);
    namespace.pipeline(&pipeline).await.expect("a pipeline that is Ready");
    namespace
}

async fn admits_only_restricted(kubectl: &Kubectl, namespace: &str) {
    let image = "--image=obspipe-e2e/shop:1";
    let run = ["run", "unrestricted", image, "--privileged", "--dry-run=server", "-n", namespace];
    let refused = kubectl.run(&run).await.expect_err("a privileged pod is refused").to_string();
    assert!(refused.contains("violates PodSecurity \"restricted"), "{refused}");
}

fn ledger(name: &str, lasts: Duration) -> Ledger {
    Ledger { name: name.to_owned(), rate: RATE, lasts }
}

/// Changes a key of the only action on attributes.
async fn paint(namespace: &Namespace, key: &str, value: &str) {
    let path = "/spec/collector/config/processors/resource/attributes/0";
    let patch = format!(r#"[{{"op": "replace", "path": "{path}/{key}", "value": "{value}"}}]"#);
    let patch = ["patch", "obspipe", "otel", "-n", namespace.name(), "--type=json", "-p", &patch];
    namespace.kubectl().run(&patch).await.expect("the pipeline is changed");
}

/// Waits until the tenant's Jaeger has spans of this sender that went through this configuration.
async fn painted(namespace: &Namespace, sender: &str, value: &str) {
    let jaeger = namespace.jaeger();
    let look = async || match jaeger.find_by_tag(sender, ("paint", value), 1).await {
        Ok(found) if !found.is_empty() => Ok(()),
        other => Err(format!("{other:?}")),
    };
    let what = format!("spans of {sender} with paint={value} in {}", namespace.name());
    eventually(&what, WITHIN, look).await.expect("they arrive");
}
