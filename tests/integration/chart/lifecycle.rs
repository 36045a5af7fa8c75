//! The chart from its installation to its removal, by helm, on a control plane of its own.

use std::path::Path;

use serde_json::Value;

use super::render::{PINNED, release};
use super::{directory, helm};
use crate::environment::{Environment, SYSTEM, eventually, root};
use crate::fixtures::minimal;

const CRD: &str = "observabilitypipelines.obspipe.dev";
const KINDS: &str = "deployments,pods,serviceaccounts,roles,rolebindings,clusterroles,\
                     clusterrolebindings,poddisruptionbudgets,configmaps,leases";

async fn run(env: &Environment, arguments: &[&str]) -> Result<String, String> {
    let all = [arguments, &["--namespace", SYSTEM]].concat();
    helm(&all, Some(env.cluster.kubeconfig())).await
}

/// `helm upgrade --install` with images pinned and two replicas.
async fn upgrade(env: &Environment, chart: &Path) {
    let chart = chart.display().to_string();
    let arguments = ["upgrade", "--install", "obspipe", &chart, "--create-namespace"];
    let set = ["--set", "replicaCount=2,crds.keep=true"];
    run(env, &[&arguments[..], &set, &PINNED].concat()).await.expect("helm upgrade");
}

/// The commands of the guide that begin with these words.
fn guide(words: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs/user-guide.md")).expect("the guide");
    let commands = text.lines().filter_map(|line| line.strip_prefix("    "));
    let found: Vec<String> =
        commands.filter(|line| line.starts_with(words)).map(str::to_owned).collect();
    assert!(!found.is_empty(), "no {words} in the guide");
    found
}

/// What its controller has done with the Deployment: its generation counts changes of its spec, its
/// ReplicaSets the pod templates that it had.
async fn rollouts(env: &Environment) -> (Value, usize) {
    let get = |kind: &'static str| async move {
        let text = env.kubectl_ok(&["get", kind, "-n", SYSTEM, "-o", "json"]).await;
        serde_json::from_str::<Value>(&text).expect("JSON")["items"].clone()
    };
    eventually("the Deployment's ReplicaSet", || async {
        let (deployments, sets) = (get("deployments").await, get("replicasets").await);
        let deployment = &deployments[0];
        let seen = &deployment["status"]["observedGeneration"];
        let sets = sets.as_array().map_or(0, Vec::len);
        if sets > 0 && *seen == deployment["metadata"]["generation"] {
            Ok((seen.clone(), sets))
        } else {
            Err(deployment.to_string())
        }
    })
    .await
}

pub(super) async fn adopt_upgrade_downgrade_and_uninstall() {
    let env = Environment::bare().await;
    env.kubectl_ok(&["create", "namespace", SYSTEM]).await;
    let crds = root().join("crds").display().to_string();
    env.kubectl_ok(&["apply", "-f", &crds]).await;
    let chart = directory().display().to_string();
    let refusal = run(&env, &["install", "obspipe", &chart]).await.expect_err("not helm's");
    assert!(refusal.contains("invalid ownership metadata"), "{refusal}");
    for command in guide("kubectl label crd").iter().chain(&guide("kubectl annotate crd")) {
        let words: Vec<&str> = command.split_whitespace().skip(1).collect();
        env.kubectl_ok(&words).await;
    }
    upgrade(&env, &directory()).await;
    env.apply(&minimal(SYSTEM, "kept")).await;

    let before = rollouts(&env).await;
    assert_eq!(before.1, 1);
    for version in ["9.9.9", "0.0.1"] {
        let other = release(version);
        upgrade(&env, other.path()).await;
        let label = env.kubectl_ok(&["get", "deployments,crds", "-A", "--show-labels"]).await;
        assert_eq!(
            label.matches(&format!("helm.sh/chart=obspipe-{version}")).count(),
            2,
            "{label}"
        );
        assert_eq!(rollouts(&env).await, before, "{version} started pods anew");
    }

    run(&env, &["uninstall", "obspipe", "--wait"]).await.expect("helm uninstall");
    let selector = "app.kubernetes.io/instance=obspipe";
    let everything = ["get", KINDS, "-A", "-l", selector, "-o", "name"];
    eventually("nothing left", || async {
        let left = env.kubectl_ok(&everything).await;
        if left.trim().is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
    assert!(env.pipeline(SYSTEM, "kept").await.is_some(), "the pipeline stays");

    // Installed again it goes on; told not to keep the definition, it takes everything with it.
    upgrade(&env, &directory()).await;
    let free = ["upgrade", "obspipe", &chart, "--set", "crds.keep=false"];
    run(&env, &free).await.expect("helm upgrade");
    run(&env, &["uninstall", "obspipe", "--wait"]).await.expect("helm uninstall");
    eventually("no definition", || async {
        let left = env.kubectl_ok(&["get", "crd", CRD, "--ignore-not-found", "-o", "name"]).await;
        if left.trim().is_empty() { Ok(()) } else { Err(left) }
    })
    .await;
}
