//! Drift: what we want comes back, what others want stays.

use std::sync::Arc;
use std::time::Duration;

use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};

use super::lifecycle::{CHILDREN, settled};
use crate::audit::writes;
use crate::environment::{Environment, eventually};

pub(crate) async fn deleted_children_come_back(env: Arc<Environment>) {
    let namespace = env.namespace("deleted").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    for (kind, name) in CHILDREN {
        let before = env.wait_for(kind, &namespace, name).await;
        env.kubectl_ok(&["delete", &kind.kubectl_name(), name, "-n", &namespace]).await;
        eventually(&format!("{kind} {name} again"), || async {
            let now = env.get(kind, &namespace, name).await.ok_or("gone")?;
            let same = now["metadata"]["uid"] == before["metadata"]["uid"];
            if same { Err("the old one".to_owned()) } else { Ok(()) }
        })
        .await;
    }
}

/// Where each child is bent, and how.
fn bends() -> [(Kind, &'static str, Value, &'static str); 9] {
    [
        (
            Kind::ConfigMap,
            "otel-collector-config",
            json!({"data": {"config.yaml": "bent"}}),
            "/data/config.yaml",
        ),
        (
            Kind::DaemonSet,
            "otel-collector",
            json!({"spec": {"template": {"spec": {"terminationGracePeriodSeconds": 1}}}}),
            "/spec/template/spec/terminationGracePeriodSeconds",
        ),
        (
            Kind::DaemonSet,
            "otel-collector",
            json!({"metadata": {"labels": {"app.kubernetes.io/managed-by": null}}}),
            "/metadata/labels",
        ),
        (
            Kind::Service,
            "otel-collector",
            json!({"spec": {"internalTrafficPolicy": "Cluster"}}),
            "/spec/internalTrafficPolicy",
        ),
        (
            Kind::ServiceAccount,
            "otel-collector",
            json!({"automountServiceAccountToken": true}),
            "/automountServiceAccountToken",
        ),
        (Kind::PrometheusRule, "otel-rules", json!({"spec": {"groups": []}}), "/spec/groups"),
        (
            Kind::PodMonitor,
            "otel-collector",
            json!({"spec": {"podMetricsEndpoints": []}}),
            "/spec/podMetricsEndpoints",
        ),
        (
            Kind::ConfigMap,
            "otel-dashboard-service-overview",
            json!({"metadata": {"labels": {"grafana_dashboard": "0"}}}),
            "/metadata/labels",
        ),
        (
            Kind::ConfigMap,
            "otel-dashboard-service-overview",
            json!({"metadata": {"annotations": {"grafana_folder": "Elsewhere"}}}),
            "/metadata/annotations/grafana_folder",
        ),
    ]
}

pub(crate) async fn edited_children_are_repaired(env: Arc<Environment>) {
    let namespace = env.namespace("edited").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    for (kind, name, patch, place) in bends() {
        let before = env.wait_for(kind, &namespace, name).await;
        let arguments = [
            "patch",
            &kind.kubectl_name(),
            name,
            "-n",
            &namespace,
            "--type=merge",
            "-p",
            &patch.to_string(),
        ];
        env.kubectl_ok(&arguments).await;
        eventually(&format!("{kind} {name} {place} as before"), || async {
            let now = env.get(kind, &namespace, name).await.ok_or("gone")?;
            let moved = now["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"];
            let same = now.pointer(place) == before.pointer(place);
            if moved && same { Ok(()) } else { Err(format!("{:?}", now.pointer(place))) }
        })
        .await;
    }
}

pub(crate) async fn what_others_add_survives(env: Arc<Environment>) {
    let namespace = env.namespace("others").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    env.kubectl_ok(&["rollout", "restart", "daemonset/otel-collector", "-n", &namespace]).await;
    for (kind, name) in CHILDREN {
        let kind = kind.kubectl_name();
        env.kubectl_ok(&["label", &kind, name, "-n", &namespace, "team=theirs"]).await;
        env.kubectl_ok(&["annotate", &kind, name, "-n", &namespace, "note=theirs"]).await;
    }
    let patch = json!({"data": {"theirs": "x"}}).to_string();
    let arguments = [
        "patch",
        "configmap",
        "otel-collector-config",
        "-n",
        &namespace,
        "--type=merge",
        "-p",
        &patch,
    ];
    env.kubectl_ok(&arguments).await;
    // Long enough for every event to have been looked at.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let seen = writes(&env).into_iter().filter(|write| write.namespace == namespace).count();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let later = writes(&env).into_iter().filter(|write| write.namespace == namespace).count();
    assert_eq!(seen, later, "what others add is nothing to write about");
    for (kind, name) in CHILDREN {
        let child = env.wait_for(kind, &namespace, name).await;
        assert_eq!(child["metadata"]["labels"]["team"], "theirs", "{kind} {name}");
        assert_eq!(child["metadata"]["annotations"]["note"], "theirs", "{kind} {name}");
    }
    let restarted = env.wait_for(Kind::DaemonSet, &namespace, "otel-collector").await;
    let annotations = &restarted["spec"]["template"]["metadata"]["annotations"];
    assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string(), "{annotations}");
    let config = env.wait_for(Kind::ConfigMap, &namespace, "otel-collector-config").await;
    assert_eq!(config["data"]["theirs"], "x");
}

/// Somebody's tool strips managedFields: one apply records them again, and then there is rest.
pub(crate) async fn a_lost_record_of_ownership(env: Arc<Environment>) {
    let namespace = env.namespace("stripped").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let patch = json!([{"op": "replace", "path": "/metadata/managedFields", "value": [{}]}]);
    let arguments = [
        "patch",
        "service",
        "otel-collector",
        "-n",
        &namespace,
        "--type=json",
        "-p",
        &patch.to_string(),
    ];
    env.kubectl_ok(&arguments).await;
    eventually("our record again", || async {
        let arguments = [
            "get",
            "service",
            "otel-collector",
            "-n",
            &namespace,
            "-o",
            "json",
            "--show-managed-fields",
        ];
        let text = env.kubectl_ok(&arguments).await;
        let service: Value = serde_json::from_str(&text).expect("JSON");
        let managers = service["metadata"]["managedFields"].to_string();
        if managers.contains("\"obspipe\"") { Ok(()) } else { Err(managers) }
    })
    .await;
}
