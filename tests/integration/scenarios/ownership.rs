//! What is not ours is left alone, and it is said whose it is.

use std::sync::Arc;

use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};

use super::lifecycle::{CHILDREN, settled};
use crate::audit::DENIAL;
use crate::document;
use crate::environment::{Environment, eventually};
use crate::fixtures::{minimal, otel};

/// The document's own DaemonSet is the likely case.
pub(crate) async fn a_foreign_object(env: Arc<Environment>) {
    let namespace = env.namespace("foreign").await;
    let theirs = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "otel-collector", "namespace": namespace},
        "spec": {
            "selector": {"matchLabels": {"app": "otel-collector"}},
            "template": {
                "metadata": {"labels": {"app": "otel-collector"}},
                "spec": {"containers": [{"name": "collector", "image": "theirs"}]},
            },
        },
    });
    env.apply(&theirs).await;
    let before = env.wait_for(Kind::DaemonSet, &namespace, "otel-collector").await;
    let _operator = env.operator_for(&namespace).await;
    env.apply(&otel(&namespace, "otel")).await;
    let message = env
        .wait_condition((&namespace, "otel"), "CollectorAvailable", ("False", "NameConflict"))
        .await;
    let way_out = format!("kubectl delete daemonset otel-collector -n {namespace}");
    assert!(message.contains(&way_out), "{message}");
    for (kind, name) in CHILDREN {
        if kind != Kind::DaemonSet {
            env.wait_for(kind, &namespace, name).await;
        }
    }
    let after = env.wait_for(Kind::DaemonSet, &namespace, "otel-collector").await;
    assert_eq!(before["spec"], after["spec"], "it was left alone");
    assert_eq!(before["metadata"]["uid"], after["metadata"]["uid"]);
    env.kubectl_ok(&["delete", "daemonset", "otel-collector", "-n", &namespace]).await;
    eventually("our own", || async {
        let now = env.get(Kind::DaemonSet, &namespace, "otel-collector").await.ok_or("gone")?;
        let ours = now["metadata"]["ownerReferences"][0]["kind"] == "ObservabilityPipeline";
        if ours { Ok(()) } else { Err("still theirs".to_owned()) }
    })
    .await;
}

/// Somebody followed the document first, and then installs us: both objects are named, and the
/// commands of the message, taken as they are, hand them over.
pub(crate) async fn the_documents_own_objects(env: Arc<Environment>) {
    let namespace = env.namespace("document").await;
    let theirs = document::objects(&namespace);
    for object in &theirs {
        env.apply(object).await;
    }
    let kinds = [(Kind::ConfigMap, "otel-collector-config"), (Kind::DaemonSet, "otel-collector")];
    let content = |object: &Value| (object["data"].clone(), object["spec"]["template"].clone());
    let mut before = Vec::new();
    for (kind, name) in kinds {
        before.push(content(&env.wait_for(kind, &namespace, name).await));
    }
    let _operator = env.operator_for(&namespace).await;
    env.apply(&otel(&namespace, "otel")).await;
    let place = (namespace.as_str(), "otel");
    let message = env.wait_condition(place, "CollectorAvailable", ("False", "NameConflict")).await;
    for ((kind, name), before) in kinds.into_iter().zip(&before) {
        let after = env.wait_for(kind, &namespace, name).await;
        assert_eq!(content(&after), *before, "{kind} {name} was left alone");
        assert!(after["metadata"]["ownerReferences"].is_null());
    }
    let commands = commands(&message);
    assert_eq!(commands.len(), 2, "one for each object: {message}");
    for command in commands {
        let arguments: Vec<&str> = command.split(' ').skip(1).collect();
        env.kubectl_ok(&arguments).await;
    }
    settled(&env, &namespace).await;
    let config = env.wait_for(Kind::ConfigMap, &namespace, "otel-collector-config").await;
    assert_eq!(config["metadata"]["ownerReferences"][0]["name"], "otel");
}

/// The commands in a message: from `kubectl` to the namespace, which is their last word.
fn commands(message: &str) -> Vec<String> {
    let rest = message.split("kubectl ").skip(1);
    rest.filter_map(|text| {
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let flag = words.iter().position(|word| *word == "-n")?;
        words.truncate(flag + 2);
        let clean = |word: &&str| word.trim_end_matches(['.', ',', ';', ')', '`']).to_owned();
        let words: Vec<String> = words.iter().map(clean).collect();
        Some(format!("kubectl {}", words.join(" ")))
    })
    .collect()
}

pub(crate) async fn another_pipelines_child(env: Arc<Environment>) {
    let namespace = env.namespace("rival").await;
    let _operator = env.operator_for(&namespace).await;
    let panel = json!({"title": "t", "type": "stat", "expr": "vector(1)"});
    let mut first = minimal(&namespace, "a");
    first["spec"]["dashboards"] = json!([{"name": "b-dashboard-c", "panels": [panel]}]);
    env.apply(&first).await;
    env.wait_condition((&namespace, "a"), "DashboardsReady", ("True", "Applied")).await;
    let mut second = minimal(&namespace, "a-dashboard-b");
    second["spec"]["dashboards"] = json!([{"name": "c", "panels": [panel]}]);
    env.apply(&second).await;
    let place = (namespace.as_str(), "a-dashboard-b");
    let message = env.wait_condition(place, "DashboardsReady", ("False", "NameConflict")).await;
    assert!(message.contains("belongs to ObservabilityPipeline a"), "{message}");
    let shared = env.wait_for(Kind::ConfigMap, &namespace, "a-dashboard-b-dashboard-c").await;
    assert_eq!(shared["metadata"]["ownerReferences"][0]["name"], "a");
    // When the first gives it up, the second gets it.
    env.kubectl_ok(&["delete", "obspipe", "a", "-n", &namespace]).await;
    env.wait_condition(place, "DashboardsReady", ("True", "Applied")).await;
}

/// The condition names verb and resource; the rest of the pipeline is applied all the same.
pub(crate) async fn a_missing_right(env: Arc<Environment>) {
    let namespace = env.namespace(DENIAL).await;
    // An admission policy denies what the Role allows: the answer is the same 403.
    env.apply_text(&format!(
        r#"{{"apiVersion": "v1", "kind": "List", "items": [
        {{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
          "metadata": {{"name": "no-services-{namespace}"}},
          "spec": {{"failurePolicy": "Fail",
            "matchConstraints": {{"namespaceSelector": {{"matchLabels": {{"kubernetes.io/metadata.name": "{namespace}"}}}},
              "resourceRules": [{{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["services"]}}]}},
            "validations": [{{"expression": "false", "reason": "Forbidden", "message": "no services here"}}]}}}},
        {{"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
          "metadata": {{"name": "no-services-{namespace}"}},
          "spec": {{"policyName": "no-services-{namespace}", "validationActions": ["Deny"]}}}}]}}"#
    ))
    .await;
    let probe = json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": {"name": "probe", "namespace": namespace},
        "spec": {"ports": [{"port": 1}]},
    })
    .to_string();
    eventually("the policy", || async {
        let arguments = ["create", "--dry-run=server", "-f", "-"];
        match env.kubectl(&arguments, Some(&probe)).await {
            Err(error) if error.contains("no services here") => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    let _operator = env.operator_for(&namespace).await;
    env.apply(&otel(&namespace, "otel")).await;
    let message = env
        .wait_condition((&namespace, "otel"), "CollectorAvailable", ("False", "Forbidden"))
        .await;
    assert!(message.contains("cannot patch services"), "{message}");
    env.wait_for(Kind::DaemonSet, &namespace, "otel-collector").await;
    let policy = format!("no-services-{namespace}");
    env.kubectl_ok(&["delete", "validatingadmissionpolicybinding", &policy]).await;
    env.wait_for(Kind::Service, &namespace, "otel-collector").await;
    settled(&env, &namespace).await;
}
