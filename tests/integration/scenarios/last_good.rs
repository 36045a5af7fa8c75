//! A spec that turns invalid changes nothing that runs.

use std::sync::Arc;

use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};

use super::lifecycle::{CHILDREN, settled};
use crate::environment::{Environment, eventually};
use crate::fixtures::{minimal, otel};

/// The document's pipeline with a mistake in each of its three parts, and one more change that
/// must not take effect.
fn broken(namespace: &str) -> Value {
    let mut pipeline = otel(namespace, "otel");
    let spec = &mut pipeline["spec"];
    spec["collector"]["config"]["exporters"]["jaeger"]["endpont"] = json!("x:1");
    spec["collector"]["config"]["processors"]["batch"]["timeout"] = json!("99s");
    spec["ruleGroups"][0]["rules"][0]["expr"] = json!("sum(rate(x[5m])");
    spec["dashboards"][0]["panels"][0]["expr"] = json!("rate(x[5m]");
    pipeline
}

async fn snapshot(env: &Environment, namespace: &str) -> Vec<Value> {
    let mut all = Vec::new();
    for (kind, name) in CHILDREN {
        let child = env.wait_for(kind, namespace, name).await;
        all.push(json!([child["metadata"]["resourceVersion"], child["metadata"]["uid"]]));
    }
    all
}

async fn wait_broken(env: &Environment, namespace: &str) {
    let place = (namespace, "otel");
    let message = env.wait_condition(place, "ConfigValid", ("False", "InvalidConfig")).await;
    assert!(message.contains("exporters.jaeger.endpont"), "{message}");
    assert!(message.contains("did you mean \"endpoint\"?"), "{message}");
    let message = env.wait_condition(place, "RulesReady", ("False", "InvalidExpression")).await;
    assert!(message.contains("slo-alerts") && message.contains("HighErrorRate"), "{message}");
    let message = env.wait_condition(place, "DashboardsReady", ("False", "InvalidDashboard")).await;
    assert!(message.contains("Request Rate"), "{message}");
    env.wait_condition(place, "Ready", ("False", "InvalidConfig")).await;
}

pub(crate) async fn invalid_and_back(env: Arc<Environment>) {
    let namespace = env.namespace("invalid").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let before = snapshot(&env, &namespace).await;
    env.apply(&broken(&namespace)).await;
    wait_broken(&env, &namespace).await;
    assert_eq!(before, snapshot(&env, &namespace).await, "nothing changed");
    let mut mended = otel(&namespace, "otel");
    mended["spec"]["collector"]["config"]["processors"]["batch"]["timeout"] = json!("4s");
    // `kubectl apply` removes what the mended one does not have.
    env.apply(&mended).await;
    env.wait_condition((&namespace, "otel"), "ConfigValid", ("True", "Valid")).await;
    eventually("the mended configuration", || async {
        let config = env.wait_for(Kind::ConfigMap, &namespace, "otel-collector-config").await;
        let text = config["data"]["config.yaml"].to_string();
        if text.contains("4s") { Ok(()) } else { Err(text) }
    })
    .await;
}

pub(crate) async fn survives_a_restart_and_the_loss_of_every_child(env: Arc<Environment>) {
    let namespace = env.namespace("lastgood").await;
    let operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let before = env.wait_for(Kind::ConfigMap, &namespace, "otel-collector-config").await;
    env.apply(&broken(&namespace)).await;
    wait_broken(&env, &namespace).await;
    assert_eq!(operator.stop().await, Some(0));
    for (kind, name) in CHILDREN {
        env.kubectl_ok(&["delete", &kind.kubectl_name(), name, "-n", &namespace]).await;
    }
    let _operator = env.operator_for(&namespace).await;
    for (kind, name) in CHILDREN {
        env.wait_for(kind, &namespace, name).await;
    }
    let after = env.wait_for(Kind::ConfigMap, &namespace, "otel-collector-config").await;
    assert_eq!(before["data"], after["data"], "the last good one, not the broken one");
    wait_broken(&env, &namespace).await;
    env.apply(&otel(&namespace, "otel")).await;
    env.wait_condition((&namespace, "otel"), "RulesReady", ("True", "Applied")).await;
}

/// `batch:` and the like are null in the spec, and must come back so from the revision.
pub(crate) async fn keeps_null_bodies(env: Arc<Environment>) {
    let namespace = env.namespace("lastnull").await;
    let operator = env.operator_for(&namespace).await;
    let mut pipeline = minimal(&namespace, "p");
    let config = &mut pipeline["spec"]["collector"]["config"];
    config["receivers"]["otlp"]["protocols"] = json!({"grpc": null});
    config["processors"] = json!({"batch": null});
    config["exporters"]["debug"] = json!(null);
    config["service"]["pipelines"]["traces"]["processors"] = json!(["batch"]);
    let create = ["create", "-f", "-"];
    env.kubectl(&create, Some(&pipeline.to_string())).await.expect("created");
    env.wait_condition((&namespace, "p"), "ConfigValid", ("True", "Valid")).await;
    let before = env.wait_for(Kind::ConfigMap, &namespace, "p-collector-config").await;
    assert_eq!(operator.stop().await, Some(0));
    let broken =
        r#"{"spec":{"collector":{"config":{"exporters":{"debug":{"verbosty":"basic"}}}}}}"#;
    let patch = ["patch", "obspipe", "p", "-n", &namespace, "--type=merge", "-p", broken];
    env.kubectl_ok(&patch).await;
    env.kubectl_ok(&["delete", "configmap", "p-collector-config", "-n", &namespace]).await;
    let _operator = env.operator_for(&namespace).await;
    let after = env.wait_for(Kind::ConfigMap, &namespace, "p-collector-config").await;
    assert_eq!(before["data"], after["data"], "the last good one, its null bodies with it");
    env.wait_condition((&namespace, "p"), "ConfigValid", ("False", "InvalidConfig")).await;
}

pub(crate) async fn keeps_two_revisions(env: Arc<Environment>) {
    let namespace = env.namespace("revisions").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let mut last = String::new();
    for seconds in 1..=4 {
        let mut pipeline = otel(&namespace, "otel");
        let timeout = format!("{seconds}s");
        pipeline["spec"]["collector"]["config"]["processors"]["batch"]["timeout"] = json!(timeout);
        env.apply(&pipeline).await;
        env.wait_condition((&namespace, "otel"), "ConfigValid", ("True", "Valid")).await;
        last = timeout;
    }
    let selector = "app.kubernetes.io/managed-by=obspipe";
    let arguments = ["get", "controllerrevisions", "-n", &namespace, "-l", selector, "-o", "json"];
    eventually("two revisions", || async {
        let list: Value = serde_json::from_str(&env.kubectl_ok(&arguments).await).expect("JSON");
        let items = list["items"].as_array().expect("a list");
        let newest = items.iter().max_by_key(|item| item["revision"].as_i64());
        let text = newest.map(|newest| newest["data"].to_string()).unwrap_or_default();
        match items.len() {
            2 if text.contains(&last) => Ok(()),
            n => Err(format!("{n}: {text}")),
        }
    })
    .await;
}
