//! Why something in a namespace does not come up, as far as the cluster tells: pods that are not
//! ready, the ends of their logs, warnings.

use serde_json::Value;

use crate::error::Error;
use crate::kubectl::Kubectl;

/// How many lines of a log, and how many warnings, are repeated.
const LINES: usize = 8;

/// The error together with what the cluster says of the namespace.
pub(crate) async fn explain(kubectl: &Kubectl, namespace: &str, source: Error) -> Error {
    let pods = kubectl.list(&["pods", "-n", namespace]).await.unwrap_or_default();
    let events = kubectl.list(&["events", "-n", namespace]).await.unwrap_or_default();
    let mut findings = String::new();
    for pod in pods.iter().filter(|pod| !is_ready(pod)) {
        findings.push_str(&told(pod));
        for container in containers(pod) {
            findings.push_str(&log(kubectl, namespace, pod, &container).await);
        }
    }
    findings.push_str(&warnings(&events));
    let command = format!(
        "KUBECONFIG={} {} describe pods -n {namespace}",
        kubectl.target().kubeconfig().display(),
        kubectl.path().display(),
    );
    Error::Pods { source: Box::new(source), findings, command }
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
    let ready = |it: &Value| it["type"] == "Ready" && it["status"] == "True";
    pod["status"]["phase"] == "Succeeded" || conditions.into_iter().any(ready)
}

/// A line for the pod and one for each reason it gives.
fn told(pod: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let status = &pod["status"];
    let mut told =
        format!("  pod {} is {}\n", text(&pod["metadata"]["name"]), text(&status["phase"]));
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let lists = ["initContainerStatuses", "containerStatuses"];
    let states = lists.iter().flat_map(|list| status[*list].as_array().into_iter().flatten());
    let states = states.flat_map(|it| [&it["state"]["waiting"], &it["state"]["terminated"]]);
    for reason in conditions.filter(|it| it["status"] != "True").chain(states) {
        let (reason, message) = (text(&reason["reason"]), text(&reason["message"]));
        if !reason.is_empty() {
            told.push_str(&format!("    {reason} {message}\n"));
        }
    }
    told
}

fn containers(pod: &Value) -> Vec<String> {
    let all = pod["spec"]["containers"].as_array().into_iter().flatten();
    all.filter_map(|it| it["name"].as_str()).map(ToOwned::to_owned).collect()
}

async fn log(kubectl: &Kubectl, namespace: &str, pod: &Value, container: &str) -> String {
    let name = pod["metadata"]["name"].as_str().unwrap_or_default();
    let tail = format!("--tail={LINES}");
    let last = kubectl.run(&["logs", name, "-n", namespace, "-c", container, &tail]).await;
    let last = last.unwrap_or_default();
    last.lines().map(|line| format!("    {container}: {line}\n")).collect()
}

/// The last ones, each once.
fn warnings(events: &[Value]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for event in events.iter().rev().filter(|event| event["type"] == "Warning") {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let about = &event["involvedObject"];
        let line = format!(
            "  {} {}: {} {}\n",
            text(&about["kind"]),
            text(&about["name"]),
            text(&event["reason"]),
            text(&event["message"])
        );
        if lines.len() < LINES && !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_tells_why_it_waits() {
        let pod = json!({
            "metadata": {"name": "jaeger-1"},
            "status": {
                "phase": "Pending",
                "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}],
                "containerStatuses": [{"state": {"waiting":
                    {"reason": "ImagePullBackOff", "message": "no such image"}}}],
            },
        });
        assert!(!is_ready(&pod));
        let expected = "  pod jaeger-1 is Pending\n    ContainersNotReady \n    \
                        ImagePullBackOff no such image\n";
        assert_eq!(told(&pod), expected);
    }

    #[test]
    fn warnings_are_told_once_the_last_one_last() {
        let event = |kind: &str, message: &str| {
            json!({"type": kind, "reason": "Failed", "message": message,
                   "involvedObject": {"kind": "Pod", "name": "a"}})
        };
        let events = [
            event("Normal", "0"),
            event("Warning", "1"),
            event("Warning", "2"),
            event("Warning", "2"),
        ];
        assert_eq!(warnings(&events), "  Pod a: Failed 1\n  Pod a: Failed 2\n");
    }
}
