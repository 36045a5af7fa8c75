//! From the first apply to the last object's end.

use std::sync::Arc;
use std::time::Duration;

use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};

use crate::environment::{Environment, eventually, root};
use crate::fixtures::{minimal, otel, samples};

/// The children of the document's pipeline.
pub(crate) const CHILDREN: [(Kind, &str); 8] = [
    (Kind::ConfigMap, "otel-collector-config"),
    (Kind::DaemonSet, "otel-collector"),
    (Kind::Service, "otel-collector"),
    (Kind::ServiceAccount, "otel-collector"),
    (Kind::NetworkPolicy, "otel-collector"),
    (Kind::PrometheusRule, "otel-rules"),
    (Kind::PodMonitor, "otel-collector"),
    (Kind::ConfigMap, "otel-dashboard-service-overview"),
];

/// Applies the document's pipeline and waits for all its children.
pub(crate) async fn settled(env: &Environment, namespace: &str) {
    env.apply(&otel(namespace, "otel")).await;
    env.wait_condition((namespace, "otel"), "RulesReady", ("True", "Applied")).await;
    for (kind, name) in CHILDREN {
        env.wait_for(kind, namespace, name).await;
    }
}

pub(crate) async fn create(env: Arc<Environment>) {
    let namespace = env.namespace("create").await;
    let operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let pipeline = env.pipeline(&namespace, "otel").await.expect("it is there");
    for (kind, name) in CHILDREN {
        let child = env.wait_for(kind, &namespace, name).await;
        let owner = &child["metadata"]["ownerReferences"][0];
        assert_eq!(owner["uid"], pipeline["metadata"]["uid"], "{kind} {name}");
        assert_eq!(owner["controller"], true, "{kind} {name}");
        assert_eq!(child["metadata"]["labels"]["app.kubernetes.io/managed-by"], "obspipe");
    }
    let daemon_set = env.wait_for(Kind::DaemonSet, &namespace, "otel-collector").await;
    let container = &daemon_set["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["args"], json!(["--config=/conf/config.yaml"]));
    let config = env.wait_for(Kind::ConfigMap, &namespace, "otel-collector-config").await;
    let written: Value =
        serde_yaml::from_str(config["data"]["config.yaml"].as_str().expect("text")).expect("YAML");
    assert_eq!(written, pipeline["spec"]["collector"]["config"], "the operator never edits it");
    let status = &pipeline["status"];
    assert_eq!((&status["rules"], &status["dashboards"]), (&json!(2), &json!(1)));
    assert_eq!(status["collectors"], "0/0");
    let events = env.kubectl_ok(&["get", "events", "-n", &namespace, "-o", "name"]).await;
    assert!(events.contains("event"), "a change of condition leaves an event: {events}");
    assert_eq!(operator.stop().await, Some(0));
}

pub(crate) async fn update(env: Arc<Environment>) {
    let namespace = env.namespace("update").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let before = env.pipeline(&namespace, "otel").await.expect("it is there");
    let mut changed = otel(&namespace, "otel");
    changed["spec"]["collector"]["config"]["processors"]["batch"]["timeout"] = json!("3s");
    changed["spec"]["ruleGroups"][0]["rules"][1]["expr"] = json!("vector(1) > 2");
    env.apply(&changed).await;
    eventually("the new configuration", || async {
        let config = env.get(Kind::ConfigMap, &namespace, "otel-collector-config").await;
        let text = config.expect("a ConfigMap")["data"]["config.yaml"].to_string();
        if text.contains("3s") { Ok(()) } else { Err(text) }
    })
    .await;
    eventually("the new rule and hash", || async {
        let rule = env.wait_for(Kind::PrometheusRule, &namespace, "otel-rules").await;
        let after = env.pipeline(&namespace, "otel").await.expect("it is there");
        let new_rule = rule["spec"]["groups"][0]["rules"][1]["expr"] == "vector(1) > 2";
        let new_hash = after["status"]["configHash"] != before["status"]["configHash"];
        if new_rule && new_hash { Ok(()) } else { Err(format!("{new_rule} {new_hash}")) }
    })
    .await;
}

pub(crate) async fn shrink(env: Arc<Environment>) {
    let namespace = env.namespace("shrink").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let mut smaller = otel(&namespace, "otel");
    let spec = smaller["spec"].as_object_mut().expect("a spec");
    spec.remove("ruleGroups");
    spec.remove("dashboards");
    let config = &mut spec["collector"]["config"];
    config["receivers"]["otlp"]["protocols"] = json!({"grpc": {"endpoint": "0.0.0.0:4317"}});
    env.apply(&smaller).await;
    env.wait_gone(Kind::PrometheusRule, &namespace, "otel-rules").await;
    env.wait_gone(Kind::ConfigMap, &namespace, "otel-dashboard-service-overview").await;
    eventually("the port to go", || async {
        let service = env.wait_for(Kind::Service, &namespace, "otel-collector").await;
        let ports = service["spec"]["ports"].to_string();
        if ports.contains("4318") { Err(ports) } else { Ok(()) }
    })
    .await;
    env.wait_condition((&namespace, "otel"), "RulesReady", ("True", "NoneDeclared")).await;
    // Nothing listens for others any more: no Service.
    let protocols = json!({"grpc": {"endpoint": "localhost:4317"}});
    smaller["spec"]["collector"]["config"]["receivers"]["otlp"]["protocols"] = protocols;
    smaller["spec"]["collector"]["config"]["exporters"]["prometheus"]["endpoint"] =
        json!("localhost:8889");
    env.apply(&smaller).await;
    env.wait_gone(Kind::Service, &namespace, "otel-collector").await;
    let message = env.wait_condition((&namespace, "otel"), "ConfigValid", ("True", "Valid")).await;
    assert!(message.contains("no other pod can reach"), "{message}");
}

/// Plays the kubelet for pods that no node runs: the control plane alone has none.
async fn pods_become_ready(env: &Environment, namespace: &str) {
    let selector = "app.kubernetes.io/name=obspipe-collector";
    eventually("pods", || async {
        let arguments = ["get", "pods", "-n", namespace, "-l", selector, "-o", "name"];
        let pods = env.kubectl_ok(&arguments).await;
        for pod in pods.lines() {
            let patch = json!({"status": {"phase": "Running", "conditions": [
                {"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"},
            ]}})
            .to_string();
            let patch = [
                "patch",
                pod,
                "-n",
                namespace,
                "--subresource=status",
                "--type=merge",
                "-p",
                &patch,
            ];
            env.kubectl(&patch, None).await?;
        }
        if pods.is_empty() { Err("none".to_owned()) } else { Ok(()) }
    })
    .await;
}

pub(crate) async fn switch_mode(env: Arc<Environment>) {
    let namespace = env.namespace("mode").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let mut pipeline = otel(&namespace, "otel");
    for (mode, kind, old) in [
        ("Deployment", Kind::Deployment, Kind::DaemonSet),
        ("StatefulSet", Kind::StatefulSet, Kind::Deployment),
        ("Deployment", Kind::Deployment, Kind::StatefulSet),
        ("StatefulSet", Kind::StatefulSet, Kind::Deployment),
    ] {
        pipeline["spec"]["collector"]["mode"] = json!(mode);
        env.apply(&pipeline).await;
        env.wait_for(kind, &namespace, "otel-collector").await;
        env.wait_condition((&namespace, "otel"), "CollectorAvailable", ("False", "SwitchingMode"))
            .await;
        assert!(
            env.get(old, &namespace, "otel-collector").await.is_some(),
            "the old collectors stay until the new ones are available"
        );
        eventually("the old workload to go", || async {
            pods_become_ready(&env, &namespace).await;
            match env.get(old, &namespace, "otel-collector").await {
                None => Ok(()),
                Some(_) => Err("still there".to_owned()),
            }
        })
        .await;
        env.wait_condition((&namespace, "otel"), "Ready", ("True", "ReadyUnobserved")).await;
    }
    pipeline["spec"]["collector"]["mode"] = json!("DaemonSet");
    env.apply(&pipeline).await;
    env.wait_for(Kind::DaemonSet, &namespace, "otel-collector").await;
    // Without a node the new DaemonSet never becomes available.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(env.get(Kind::StatefulSet, &namespace, "otel-collector").await.is_some());
    // Turning back: the StatefulSet is wanted again, and the DaemonSet goes.
    pipeline["spec"]["collector"]["mode"] = json!("StatefulSet");
    env.apply(&pipeline).await;
    env.wait_gone(Kind::DaemonSet, &namespace, "otel-collector").await;
}

pub(crate) async fn suspend(env: Arc<Environment>) {
    let namespace = env.namespace("suspend").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let mut pipeline = otel(&namespace, "otel");
    pipeline["spec"]["suspend"] = json!(true);
    env.apply(&pipeline).await;
    env.wait_condition((&namespace, "otel"), "Ready", ("Unknown", "Suspended")).await;
    let target = ["delete", "configmap", "otel-collector-config", "-n", &namespace];
    env.kubectl_ok(&target).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let left = env.get(Kind::ConfigMap, &namespace, "otel-collector-config").await;
    assert!(left.is_none(), "a suspended pipeline's objects are left alone");
    env.apply(&otel(&namespace, "otel")).await;
    env.wait_for(Kind::ConfigMap, &namespace, "otel-collector-config").await;
}

pub(crate) async fn delete(env: Arc<Environment>) {
    let namespace = env.namespace("delete").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    env.kubectl_ok(&["delete", "obspipe", "otel", "-n", &namespace]).await;
    for (kind, name) in CHILDREN {
        env.wait_gone(kind, &namespace, name).await;
    }
    let revisions = ["get", "controllerrevisions", "-n", &namespace, "-o", "name"];
    eventually("no revision", || async {
        let left = env.kubectl_ok(&revisions).await;
        if left.is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}

pub(crate) async fn delete_and_recreate(env: Arc<Environment>) {
    let namespace = env.namespace("recreate").await;
    let _operator = env.operator_for(&namespace).await;
    settled(&env, &namespace).await;
    let first = env.pipeline(&namespace, "otel").await.expect("it is there");
    // Orphaned owner references of the first are still there when the second comes.
    env.kubectl_ok(&["delete", "obspipe", "otel", "-n", &namespace]).await;
    env.apply(&otel(&namespace, "otel")).await;
    let second = env.pipeline(&namespace, "otel").await.expect("it is there");
    assert_ne!(first["metadata"]["uid"], second["metadata"]["uid"]);
    for (kind, name) in CHILDREN {
        eventually(&format!("{kind} {name} of the second"), || async {
            let child = env.get(kind, &namespace, name).await.ok_or("not there")?;
            let owner = &child["metadata"]["ownerReferences"][0]["uid"];
            if *owner == second["metadata"]["uid"] { Ok(()) } else { Err(owner.to_string()) }
        })
        .await;
    }
    env.wait_condition((&namespace, "otel"), "RulesReady", ("True", "Applied")).await;
}

/// Deleted at every moment of its reconcile: nothing of it is left behind, and the operator goes on.
pub(crate) async fn delete_in_the_middle(env: Arc<Environment>) {
    let namespace = env.namespace("middle").await;
    let operator = env.operator_for(&namespace).await;
    for pause in [0, 5, 10, 20, 30, 40, 60, 90] {
        env.apply(&otel(&namespace, "otel")).await;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        env.kubectl_ok(&["delete", "obspipe", "otel", "-n", &namespace, "--wait=false"]).await;
    }
    for (kind, name) in CHILDREN {
        env.wait_gone(kind, &namespace, name).await;
    }
    settled(&env, &namespace).await;
    assert_eq!(operator.stop().await, Some(0));
}

pub(crate) async fn scale_subresource(env: Arc<Environment>) {
    let namespace = env.namespace("scaling").await;
    let _operator = env.operator_for(&namespace).await;
    let mut pipeline = minimal(&namespace, "gateway");
    pipeline["spec"]["collector"]["mode"] = json!("Deployment");
    pipeline["spec"]["collector"]["replicas"] = json!(2);
    env.apply(&pipeline).await;
    env.wait_for(Kind::PodDisruptionBudget, &namespace, "gateway-collector").await;
    env.kubectl_ok(&["scale", "obspipe", "gateway", "-n", &namespace, "--replicas=1"]).await;
    eventually("one replica", || async {
        let workload = env.wait_for(Kind::Deployment, &namespace, "gateway-collector").await;
        let replicas = &workload["spec"]["replicas"];
        if *replicas == 1 { Ok(()) } else { Err(replicas.to_string()) }
    })
    .await;
    env.wait_gone(Kind::PodDisruptionBudget, &namespace, "gateway-collector").await;
    // An autoscaler decides now: the operator lets go of the number.
    let collector = pipeline["spec"]["collector"].as_object_mut().expect("a map");
    collector.remove("replicas");
    collector.insert("autoscaling".into(), json!({"minReplicas": 1, "maxReplicas": 4}));
    env.replace(&pipeline).await;
    env.wait_for(Kind::HorizontalPodAutoscaler, &namespace, "gateway-collector").await;
    env.kubectl_ok(&["scale", "deployment", "gateway-collector", "-n", &namespace, "--replicas=3"])
        .await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let workload = env.wait_for(Kind::Deployment, &namespace, "gateway-collector").await;
    assert_eq!(workload["spec"]["replicas"], 3, "the autoscaler's number stands");
    let collector = pipeline["spec"]["collector"].as_object_mut().expect("a map");
    collector.remove("autoscaling");
    env.replace(&pipeline).await;
    env.wait_gone(Kind::HorizontalPodAutoscaler, &namespace, "gateway-collector").await;
}

pub(crate) async fn samples_are_applied(env: Arc<Environment>) {
    let namespace = env.namespace("samples").await;
    let _operator = env.operator_for(&namespace).await;
    let samples = samples();
    assert!(samples.len() >= 5, "{} samples", samples.len());
    for (file, mut sample) in samples {
        sample["metadata"]["namespace"] = json!(namespace);
        env.apply(&sample).await;
        let name = sample["metadata"]["name"].as_str().expect("a name");
        let place = (namespace.as_str(), name);
        env.wait_condition(place, "ConfigValid", ("True", "Valid")).await;
        eventually(&format!("{}: dashboards", file.display()), || async {
            let found = env.condition(&namespace, name, "DashboardsReady").await;
            let found = found.ok_or("no condition")?;
            if found["status"] == "True" { Ok(()) } else { Err(found.to_string()) }
        })
        .await;
    }
}

/// No field that we render is unknown to the API server.
pub(crate) async fn goldens_are_strictly_valid(env: Arc<Environment>) {
    let mut checked = 0;
    let entries = std::fs::read_dir(root().join("tests/golden")).expect("goldens");
    for entry in entries {
        let case = entry.expect("an entry").path();
        let Ok(text) = std::fs::read_to_string(case.join("out.yaml")) else {
            continue;
        };
        let documents: Vec<&str> =
            text.split("---\n").filter(|document| document.contains("kind:")).collect();
        for document in documents {
            let object: Value = serde_yaml::from_str(document).expect("YAML");
            let mut object = object;
            object["metadata"]["namespace"] = json!("default");
            let arguments = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
            if let Err(error) = env.kubectl(&arguments, Some(&object.to_string())).await {
                panic!("{}: {error}\n{document}", case.display());
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked} objects");
}

pub(crate) async fn dashboard_from_a_config_map(env: Arc<Environment>) {
    let namespace = env.namespace("jsonfrom").await;
    let _operator = env.operator_for(&namespace).await;
    let mut pipeline = minimal(&namespace, "p");
    pipeline["spec"]["dashboards"] = json!([{"name": "d", "jsonFrom": {"configMapKeyRef": {"name": "theirs", "key": "d.json"}}}]);
    env.apply(&pipeline).await;
    let message = env
        .wait_condition((&namespace, "p"), "DashboardsReady", ("False", "InvalidDashboard"))
        .await;
    assert!(message.contains("theirs"), "{message}");
    // The collector does not wait for a dashboard's text.
    env.wait_for(Kind::DaemonSet, &namespace, "p-collector").await;
    env.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "theirs", "namespace": namespace},
        "data": {"d.json": "{\"title\": \"Theirs\", \"panels\": []}"},
    }))
    .await;
    // It is read again every minute; a change of the pipeline is quicker.
    pipeline["spec"]["dashboards"][0]["tags"] = json!(["now"]);
    env.apply(&pipeline).await;
    let dashboard = env.wait_for(Kind::ConfigMap, &namespace, "p-dashboard-d").await;
    assert!(dashboard["data"].to_string().contains("Theirs"), "{dashboard}");
    env.kubectl_ok(&["delete", "configmap", "theirs", "-n", &namespace]).await;
    pipeline["spec"]["dashboards"][0]["tags"] = json!(["later"]);
    env.apply(&pipeline).await;
    env.wait_condition((&namespace, "p"), "DashboardsReady", ("False", "InvalidDashboard")).await;
    let kept = env.get(Kind::ConfigMap, &namespace, "p-dashboard-d").await;
    assert!(kept.is_some(), "what people look at stays while its source is away");
}

pub(crate) async fn many_rules(env: Arc<Environment>) {
    let namespace = env.namespace("manyrules").await;
    let _operator = env.operator_for(&namespace).await;
    let group = |name: &str| {
        let rules: Vec<Value> = (0..100)
            .map(|n| json!({"record": format!("r{n}"), "expr": format!("vector({n}) # {}", "x".repeat(2000))}))
            .collect();
        json!({"name": name, "rules": rules})
    };
    let mut pipeline = minimal(&namespace, "p");
    pipeline["spec"]["ruleGroups"] = json!([group("a"), group("b"), group("c")]);
    env.kubectl(&["create", "-f", "-"], Some(&pipeline.to_string())).await.expect("created");
    for name in ["p-rules", "p-rules-1", "p-rules-2"] {
        env.wait_for(Kind::PrometheusRule, &namespace, name).await;
    }
    let third = env.wait_for(Kind::PrometheusRule, &namespace, "p-rules-2").await;
    pipeline["spec"]["ruleGroups"] = json!([group("b"), group("c")]);
    env.replace(&pipeline).await;
    env.wait_gone(Kind::PrometheusRule, &namespace, "p-rules").await;
    let after = env.wait_for(Kind::PrometheusRule, &namespace, "p-rules-2").await;
    assert_eq!(
        third["metadata"]["resourceVersion"], after["metadata"]["resourceVersion"],
        "a group keeps its object"
    );
}
