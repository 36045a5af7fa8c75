//! Several replicas: one leads, and one that only thinks it does writes nothing.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::lifecycle::settled;
use crate::audit::requests;
use crate::environment::{Environment, SYSTEM, eventually};
use crate::fixtures::otel;

async fn lease(env: &Environment, name: &str) -> Value {
    let arguments = ["get", "lease", name, "-n", SYSTEM, "-o", "json", "--ignore-not-found"];
    serde_json::from_str(&env.kubectl_ok(&arguments).await).unwrap_or_default()
}

/// The leader is stopped like a frozen node's process, the other takes over, and the first, when
/// it goes on, ends without having written anything.
pub(crate) async fn one_leads_and_a_resumed_one_writes_nothing(env: Arc<Environment>) {
    let namespace = env.namespace("election").await;
    let arguments = ["--namespace", &namespace];
    let mut first = env.operator(&arguments).await;
    settled(&env, &namespace).await;
    let second = env.operator(&arguments).await;
    let holder = lease(&env, "obspipe-operator").await["spec"]["holderIdentity"].clone();
    first.signal("STOP");
    eventually("another holder", || async {
        let now = lease(&env, "obspipe-operator").await["spec"]["holderIdentity"].clone();
        if now != holder && now.as_str().is_some_and(|now| !now.is_empty()) {
            Ok(())
        } else {
            Err(now.to_string())
        }
    })
    .await;
    second.wait_log("all listed, reconciling").await;
    // Something for the first to repair, done by the second.
    let mut changed = otel(&namespace, "otel");
    changed["spec"]["collector"]["config"]["processors"]["batch"]["timeout"] = json!("2s");
    env.apply(&changed).await;
    env.wait_condition((&namespace, "otel"), "ConfigValid", ("True", "Valid")).await;
    second.signal("STOP");
    // What the second had under way is answered and logged without it.
    tokio::time::sleep(Duration::from_secs(3)).await;
    // Only the first runs now, and it does not lead any more.
    let before = requests(&env).len();
    let mut again = otel(&namespace, "otel");
    again["spec"]["collector"]["config"]["processors"]["batch"]["timeout"] = json!("7s");
    env.apply(&again).await;
    first.signal("CONT");
    assert_eq!(first.ended().await, Some(1), "it says that it lost and ends");
    let written: Vec<String> = requests(&env)[before..]
        .iter()
        .filter(|request| request.namespace == namespace)
        .filter(|request| !matches!(request.verb.as_str(), "get" | "list" | "watch"))
        .map(|request| format!("{} {}", request.verb, request.resource))
        .collect();
    assert!(written.is_empty(), "{written:?}");
    second.signal("CONT");
}

pub(crate) async fn a_graceful_end_gives_the_lease_back(env: Arc<Environment>) {
    let namespace = env.namespace("graceful").await;
    // The chart's Role names the one lease; an administrator's rights are not needed for another
    // namespace's election because each scenario has a watch of its own.
    let first =
        env.operator(&["--namespace", &namespace, "--lease-name", "obspipe-operator"]).await;
    settled(&env, &namespace).await;
    assert_eq!(first.stop().await, Some(0));
    let second =
        env.operator(&["--namespace", &namespace, "--lease-name", "obspipe-operator"]).await;
    let start = std::time::Instant::now();
    second.wait_log("all listed, reconciling").await;
    assert!(start.elapsed() < Duration::from_secs(60));
    assert_eq!(second.stop().await, Some(0));
}
