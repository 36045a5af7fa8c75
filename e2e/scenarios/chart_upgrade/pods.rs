//! Which pods there are, so that two looks can be compared: a pod that was restarted is another, or
//! counts a restart.

use std::collections::BTreeMap;

use obspipe_e2e::{Kubectl, SYSTEM};
use serde_json::Value;

/// Pods that are not on their way out, by the pipeline or release they belong to and their uid.
pub(super) type Pods = BTreeMap<(String, String), Pod>;

/// What is looked at.
#[derive(Debug, Clone)]
pub(super) struct Pod {
    pub(super) image: String,
    pub(super) restarts: i64,
    /// Both RFC 3339 in UTC, to the second: as text they compare as times.
    pub(super) created: String,
    pub(super) ready_since: Option<String>,
}

/// What a restart changes: pipeline, uid, image, restarts. Being ready may come and go on a loaded
/// machine.
pub(super) fn lives(pods: &Pods) -> Vec<(&str, &str, &str, i64)> {
    pods.iter().map(|((of, uid), pod)| (&**of, &**uid, &*pod.image, pod.restarts)).collect()
}

/// Whether no pod was made before the one made before it was ready.
pub(super) fn one_after_the_other(pods: &Pods) -> bool {
    let mut all: Vec<&Pod> = pods.values().collect();
    all.sort_by_key(|pod| &pod.created);
    let in_turn =
        |pair: &[&Pod]| pair[0].ready_since.as_ref().is_some_and(|ready| *ready <= pair[1].created);
    all.windows(2).all(in_turn)
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
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let mut ready = conditions.filter(|it| it["type"] == "Ready" && it["status"] == "True");
    Pod {
        image: text(&pod["spec"]["containers"][0]["image"]),
        restarts: pod["status"]["containerStatuses"][0]["restartCount"].as_i64().unwrap_or(0),
        created: text(&pod["metadata"]["creationTimestamp"]),
        ready_since: ready.next().map(|it| text(&it["lastTransitionTime"])),
    }
}
