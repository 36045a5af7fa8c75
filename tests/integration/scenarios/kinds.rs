//! Definitions that come and go while the operator runs, each on a control plane of its own:
//! definitions are the whole cluster's.

use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};

use crate::environment::{Environment, eventually};
use crate::fixtures::{minimal, otel};

const RULES: &str = "prometheusrules.monitoring.coreos.com";

/// PrometheusRule absent, then added, then removed, without a restart.
pub(crate) async fn come_and_go() {
    let env = Environment::start(false).await;
    let namespace = env.namespace("kinds").await;
    let operator = env.operator_for(&namespace).await;
    env.apply(&otel(&namespace, "otel")).await;
    let place = (namespace.as_str(), "otel");
    let message = env.wait_condition(place, "RulesReady", ("False", "KindNotServed")).await;
    assert!(message.contains("prometheus-operator"), "{message}");
    env.wait_for(Kind::DaemonSet, &namespace, "otel-collector").await;
    env.install_monitoring().await;
    env.wait_condition(place, "RulesReady", ("True", "Applied")).await;
    env.wait_for(Kind::PrometheusRule, &namespace, "otel-rules").await;
    env.wait_for(Kind::PodMonitor, &namespace, "otel-collector").await;
    // The new kind is watched as well.
    env.kubectl_ok(&["delete", "prometheusrule", "otel-rules", "-n", &namespace]).await;
    env.wait_for(Kind::PrometheusRule, &namespace, "otel-rules").await;
    env.kubectl_ok(&["delete", "crd", RULES]).await;
    env.wait_condition(place, "RulesReady", ("False", "KindNotServed")).await;
    env.install_monitoring().await;
    env.wait_condition(place, "RulesReady", ("True", "Applied")).await;
    env.wait_for(Kind::PrometheusRule, &namespace, "otel-rules").await;
    assert_eq!(operator.stop().await, Some(0));
}

/// An object that an older or laxer schema let in: it is reported, what ran goes on, and the
/// others are served.
pub(crate) async fn an_unreadable_pipeline() {
    let env = Environment::start(true).await;
    let namespace = env.namespace("unreadable").await;
    let operator = env.operator_for(&namespace).await;
    env.apply(&minimal(&namespace, "was-good")).await;
    env.wait_condition((&namespace, "was-good"), "ConfigValid", ("True", "Valid")).await;
    env.wait_for(Kind::DaemonSet, &namespace, "was-good-collector").await;
    let lax = json!([{
        "op": "replace",
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec",
        "value": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
    }])
    .to_string();
    let crd = "observabilitypipelines.obspipe.dev";
    env.kubectl_ok(&["patch", "crd", crd, "--type=json", "-p", &lax]).await;
    let mut bad = minimal(&namespace, "never-good");
    bad["spec"]["collector"]["mode"] = json!(["no", "mode"]);
    eventually("the lax schema", || async {
        env.kubectl(&["apply", "-f", "-"], Some(&bad.to_string())).await.map(|_| ())
    })
    .await;
    let mut turned = minimal(&namespace, "was-good");
    turned["spec"]["collector"]["env"] = json!({"not": "a list"});
    env.apply(&turned).await;
    for name in ["never-good", "was-good"] {
        let message =
            env.wait_condition((&namespace, name), "ConfigValid", ("False", "InvalidConfig")).await;
        assert!(message.contains("spec: "), "{message}");
    }
    env.kubectl_ok(&["delete", "daemonset", "was-good-collector", "-n", &namespace]).await;
    env.wait_for(Kind::DaemonSet, &namespace, "was-good-collector").await;
    env.apply(&minimal(&namespace, "other")).await;
    env.wait_condition((&namespace, "other"), "ConfigValid", ("True", "Valid")).await;
    env.wait_for(Kind::DaemonSet, &namespace, "other-collector").await;
    let list: Value = serde_json::from_str(
        &env.kubectl_ok(&["get", "daemonsets", "-n", &namespace, "-o", "json"]).await,
    )
    .expect("JSON");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(operator.stop().await, Some(0));
}
