//! NOTES.txt on a cluster with Prometheus objects: it says which of them does not see what pipelines
//! declare, and what it says helps.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{directory, helm};
use crate::environment::{Environment, eventually};

/// What helm prints after an installation that it does not do.
async fn notes(env: &Environment, namespace: &str, further: &[&str]) -> String {
    let chart = directory().display().to_string();
    let mut arguments = vec!["install", "noted", &chart, "--namespace", namespace];
    arguments.extend(["--dry-run=server", "--set", "crds.install=false"]);
    arguments.extend(further);
    let text = helm(&arguments, Some(env.cluster.kubeconfig())).await.expect("it would install");
    text.split_once("\nNOTES:\n").expect("notes").1.to_owned()
}

fn prometheus(namespace: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": "main", "namespace": namespace},
        "spec": spec,
    })
}

pub(super) async fn labels_are_compared_with_selectors(env: Arc<Environment>) {
    let namespace = env.namespace("notes").await;
    let without = notes(&env, &namespace, &[]).await;
    assert!(without.contains("helm test noted"), "{without}");
    assert!(!without.contains("Prometheus "), "{without}");

    let definitions = local_cluster::prometheus_operator_all_crds(&local_cluster::Silent).await;
    let file = definitions.expect("definitions").join("monitoring.coreos.com_prometheuses.yaml");
    let file = file.display().to_string();
    env.kubectl_ok(&["apply", "--server-side", "-f", &file]).await;
    // As kube-prometheus-stack makes it by default.
    let release = json!({"matchLabels": {"release": "x"}});
    let stock = json!({"ruleSelector": release, "podMonitorSelector": release});
    eventually("the definition", || async {
        let text = prometheus(&namespace, &stock).to_string();
        env.kubectl(&["apply", "-f", "-"], Some(&text)).await
    })
    .await;
    let warned = eventually("a warning", || async {
        // What is served reaches helm a little later.
        let text = notes(&env, &namespace, &[]).await;
        if text.contains("WARNING") { Ok(text) } else { Err(text) }
    })
    .await;
    let at = format!("Prometheus {namespace}/main");
    for part in [
        format!("{at} does not select these rules: its ruleSelector is"),
        format!("{at} does not select these monitors: its podMonitorSelector is"),
        "--set-string prometheus.ruleLabels.release=x".to_owned(),
        "--set-string prometheus.monitorLabels.release=x".to_owned(),
    ] {
        assert!(warned.contains(&part), "{part} not in\n{warned}");
    }
    // What it advises is what helps.
    let advised: Vec<&str> =
        warned.lines().filter_map(|line| line.trim().strip_prefix("--set-string ")).collect();
    let further: Vec<&str> = advised.iter().flat_map(|set| ["--set-string", *set]).collect();
    let heeded = notes(&env, &namespace, &further).await;
    assert!(heeded.contains("Every Prometheus that is here selects"), "{heeded}");

    let cases = [
        (json!({"ruleSelector": {}, "podMonitorSelector": {}}), true),
        (json!({"ruleSelector": {}}), false),
        (
            json!({"ruleSelector": {"matchExpressions": [
            {"key": "release", "operator": "DoesNotExist"},
            {"key": "app.kubernetes.io/managed-by", "operator": "In", "values": ["obspipe"]},
        ]}, "podMonitorSelector": {}}),
            true,
        ),
        (
            json!({"ruleSelector": {"matchExpressions": [
            {"key": "release", "operator": "Exists"},
        ]}, "podMonitorSelector": {}}),
            false,
        ),
    ];
    for (spec, good) in cases {
        let text = prometheus(&namespace, &spec).to_string();
        env.kubectl_ok(&["delete", "prometheus", "main", "-n", &namespace]).await;
        env.apply_text(&text).await;
        let told = notes(&env, &namespace, &[]).await;
        assert_eq!(!told.contains("WARNING"), good, "{spec}: {told}");
    }
    env.kubectl_ok(&["delete", "prometheus", "main", "-n", &namespace]).await;
}
