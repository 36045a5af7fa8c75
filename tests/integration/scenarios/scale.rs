//! Many pipelines: they converge, and then there is rest.

use std::time::Duration;

use serde_json::{Value, json};

use crate::audit::writes;
use crate::environment::{Environment, Operator, eventually};
use crate::fixtures::otel;

const NAMESPACES: usize = 30;
const PIPELINES: usize = 10;
/// How long a converged cluster must see no write of ours.
const REST: Duration = Duration::from_secs(60);

async fn wait_converged(env: &Environment) {
    let total = NAMESPACES * PIPELINES;
    eventually(&format!("{total} pipelines with their rules"), || async {
        let text = env.kubectl_ok(&["get", "obspipe", "-A", "-o", "json"]).await;
        let list: Value = serde_json::from_str(&text).expect("JSON");
        let done = list["items"].as_array().into_iter().flatten().filter(|item| {
            let current = item["status"]["observedGeneration"] == item["metadata"]["generation"];
            let conditions = item["status"]["conditions"].as_array();
            let applied = conditions.into_iter().flatten().any(|condition| {
                condition["type"] == "RulesReady" && condition["reason"] == "Applied"
            });
            current && applied
        });
        let done = done.count();
        if done == total { Ok(()) } else { Err(format!("{done} of {total}")) }
    })
    .await;
}

/// Waits until what the controllers of Kubernetes themselves do has passed through.
async fn wait_quiet(env: &Environment) {
    let mut before = usize::MAX;
    eventually("five seconds without a write", || {
        let now = writes(env).len();
        let same = now == before;
        before = now;
        async move {
            if same {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_secs(5)).await;
            Err(format!("{now} writes"))
        }
    })
    .await;
}

async fn rest(env: &Environment, operator: &Operator, when: &str) {
    let before = writes(env).len();
    tokio::time::sleep(REST).await;
    let after = writes(env);
    let new: Vec<String> = after[before..]
        .iter()
        .map(|request| format!("{} {} in {}", request.verb, request.resource, request.namespace))
        .collect();
    let log = operator.log();
    let told: Vec<&str> =
        log.lines().filter(|line| line.contains("WARN") || line.contains("condition")).collect();
    let told = &told[told.len().saturating_sub(10)..];
    assert!(new.is_empty(), "{when}: {new:#?}\n{told:#?}");
}

pub(crate) async fn three_hundred_pipelines() {
    let env = Environment::start(true).await;
    let operator = env.operator(&[]).await;
    for namespace in 0..NAMESPACES {
        let namespace = format!("tenant-{namespace}");
        env.kubectl_ok(&["create", "namespace", &namespace]).await;
        let items: Vec<Value> =
            (0..PIPELINES).map(|n| otel(&namespace, &format!("pipeline-{n}"))).collect();
        let list = json!({"apiVersion": "v1", "kind": "List", "items": items});
        env.kubectl(&["create", "-f", "-"], Some(&list.to_string())).await.expect("created");
    }
    wait_converged(&env).await;
    wait_quiet(&env).await;
    wait_converged(&env).await;
    rest(&env, &operator, "after converging").await;
    assert_eq!(operator.stop().await, Some(0));
    let before = writes(&env).len();
    let operator = env.operator(&[]).await;
    operator.wait_log("all listed, reconciling").await;
    rest(&env, &operator, "after a restart").await;
    let after = writes(&env).len();
    assert_eq!(before, after, "a restart writes nothing");
    assert_eq!(operator.stop().await, Some(0));
}
