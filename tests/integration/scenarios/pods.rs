//! What the pods and their surroundings are allowed, asked of the real API server.

use std::sync::Arc;

use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::fixtures::{minimal, samples};

/// Where the Pod Security Standard `restricted` is enforced, workloads are only warned about: so
/// the pods that they would make are asked for by themselves.
pub(crate) async fn are_admitted_where_only_restricted_ones_are(env: Arc<Environment>) {
    let namespace = env.namespace("restricted").await;
    let label = "pod-security.kubernetes.io/enforce=restricted";
    env.kubectl_ok(&["label", "namespace", &namespace, label]).await;
    let _operator = env.operator_for(&namespace).await;
    let mut asked = 0;
    for (file, mut sample) in samples() {
        sample["metadata"]["namespace"] = json!(namespace);
        let name = sample["metadata"]["name"].as_str().expect("a name").to_owned();
        env.apply(&sample).await;
        let kind = match sample["spec"]["collector"]["mode"].as_str() {
            Some("Deployment") => Kind::Deployment,
            Some("StatefulSet") => Kind::StatefulSet,
            _ => Kind::DaemonSet,
        };
        let workload = format!("{name}-collector");
        let object = env.wait_for(kind, &namespace, &workload).await;
        let mut pod = pod(&object["spec"]["template"], &workload);
        // What the StatefulSet's controller would add for each claim.
        for claim in object["spec"]["volumeClaimTemplates"].as_array().into_iter().flatten() {
            let name = &claim["metadata"]["name"];
            let volumes = pod["spec"]["volumes"].as_array_mut().expect("volumes");
            volumes.push(json!({"name": name, "persistentVolumeClaim": {"claimName": "c"}}));
        }
        if let Err(error) = dry_run(&env, &namespace, &pod).await {
            panic!("{}: {error}", file.display());
        }
        asked += 1;
    }
    assert!(asked >= 5, "{asked} samples");
    let mut privileged = pod(&json!({"spec": {"containers": [{"name": "c", "image": "i"}]}}), "p");
    privileged["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    let refused = dry_run(&env, &namespace, &privileged).await.expect_err("it is refused");
    assert!(refused.contains("violates PodSecurity"), "{refused}");
}

/// A pod of a template, with the account that is there in every namespace.
fn pod(template: &Value, name: &str) -> Value {
    let mut spec = template["spec"].clone();
    spec["serviceAccountName"] = json!("default");
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
}

async fn dry_run(env: &Environment, namespace: &str, pod: &Value) -> Result<String, String> {
    let arguments = ["create", "--dry-run=server", "-n", namespace, "-f", "-"];
    env.kubectl(&arguments, Some(&pod.to_string())).await
}

pub(crate) async fn network_policies_go_when_they_are_not_wanted(env: Arc<Environment>) {
    let namespace = env.namespace("policies").await;
    let operator = env.operator_for(&namespace).await;
    env.apply(&minimal(&namespace, "p")).await;
    let policy = env.wait_for(Kind::NetworkPolicy, &namespace, "p-collector").await;
    assert_eq!(policy["spec"]["ingress"][0]["ports"][0]["port"], 4317);
    operator.stop().await;
    let arguments =
        ["--namespace", &namespace, "--leader-elect", "false", "--network-policies", "false"];
    let _operator = env.operator(&arguments).await;
    env.wait_gone(Kind::NetworkPolicy, &namespace, "p-collector").await;
}
