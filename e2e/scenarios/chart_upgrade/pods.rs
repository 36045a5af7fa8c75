//! Which pods there are, so that two looks can be compared: a pod that was restarted is another, or
//! counts a restart.

use std::collections::BTreeMap;

use obspipe_e2e::{Kubectl, SYSTEM};
use serde_json::Value;

/// Pods that are not on their way out, by the pipeline or release they belong to and their uid.
pub(super) type Pods = BTreeMap<(String, String), Pod>;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pod {
    pub(super) image: String,
    pub(super) restarts: i64,
    pub(super) ready: bool,
}

/// The operator's.
pub(super) async fn operator(kubectl: &Kubectl) -> Pods {
    pods(kubectl, SYSTEM, "app.kubernetes.io/name=obspipe-operator").await
}

/// All collectors of a namespace.
pub(super) async fn collectors(kubectl: &Kubectl, namespace: &str) -> Pods {
    pods(kubectl, namespace, "app.kubernetes.io/name=obspipe-collector").await
}

async fn pods(kubectl: &Kubectl, namespace: &str, selector: &str) -> Pods {
    let list = kubectl.list(&["pods", "-n", namespace, "-l", selector]).await.expect("pods");
    let stays = |pod: &&Value| pod["metadata"]["deletionTimestamp"].is_null();
    list.iter().filter(stays).map(|pod| (key(pod), read(pod))).collect()
}

fn key(pod: &Value) -> (String, String) {
    let instance = &pod["metadata"]["labels"]["app.kubernetes.io/instance"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(instance), text(&pod["metadata"]["uid"]))
}

fn read(pod: &Value) -> Pod {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|it| it["type"] == "Ready");
    Pod {
        image: pod["spec"]["containers"][0]["image"].as_str().unwrap_or_default().to_owned(),
        restarts: pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap_or(0),
        ready: ready.any(|it| it["status"] == "True"),
    }
}
