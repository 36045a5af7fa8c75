//! What the demo prints: pure text from objects.

use serde_json::Value;

/// What is about to happen, before it does.
pub(crate) const ANNOUNCEMENT: &str = "\
obspipe demo

It builds and starts a real Kubernetes control plane (etcd, kube-apiserver, kube-controller-manager,
kube-scheduler) from Go modules, about five minutes and 130 MB the first time and seconds after that,
and helm if there is none. Everything lies below target/; nothing is installed on the machine, and no
root is needed. There is no node yet in this release: every object is real, and no pod runs.
";

/// Kind and name.
pub(crate) fn name(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

/// The pipeline and what it became.
pub(crate) fn tree(pipeline: &Value, children: &[Value]) -> String {
    let mut text = format!("  {}\n", name(pipeline));
    for (index, child) in children.iter().enumerate() {
        let branch = if index + 1 == children.len() { "└─" } else { "├─" };
        let about = about(child);
        let about = if about.is_empty() { about } else { format!("  ({about})") };
        text.push_str(&format!("  {branch} {}{about}\n", name(child)));
    }
    text
}

fn about(object: &Value) -> String {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let keys = |value: &Value| {
        let keys: Vec<&str> =
            value.as_object().into_iter().flatten().map(|(k, _)| k.as_str()).collect();
        keys.join(", ")
    };
    match object["kind"].as_str().unwrap_or_default() {
        "ConfigMap" => keys(&object["data"]),
        "Service" => {
            let ports = list(&object["spec"]["ports"]);
            let ports = ports.iter().map(|p| format!("{} {}", text(&p["name"]), p["port"]));
            ports.collect::<Vec<_>>().join(", ")
        }
        "DaemonSet" => text(&object["spec"]["template"]["spec"]["containers"][0]["image"]),
        "PrometheusRule" => {
            let groups = list(&object["spec"]["groups"]);
            let rules = groups.iter().flat_map(|group| list(&group["rules"]));
            let names =
                rules.map(|r| text(if r["alert"].is_null() { &r["record"] } else { &r["alert"] }));
            names.collect::<Vec<_>>().join(", ")
        }
        "PodMonitor" => {
            let endpoints = list(&object["spec"]["podMetricsEndpoints"]);
            endpoints.iter().map(|e| text(&e["port"])).collect::<Vec<_>>().join(", ")
        }
        "ControllerRevision" => "the accepted spec".to_owned(),
        _ => String::new(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// The conditions as a table.
pub(crate) fn conditions(pipeline: &Value) -> String {
    let mut out = String::new();
    for condition in pipeline["status"]["conditions"].as_array().into_iter().flatten() {
        let (kind, status) = (text(&condition["type"]), text(&condition["status"]));
        let message = text(&condition["message"]);
        let line = message.lines().next().unwrap_or_default();
        let reason = text(&condition["reason"]);
        out.push_str(&format!("  {kind:<19} {status:<6} {reason:<16} {line}\n"));
    }
    out
}

/// Where to look and how to stop it.
pub(crate) fn farewell(kubeconfig: &str, kubectl: &str, log: &str, seconds: f64) -> String {
    format!(
        "Done in {seconds:.0} s. The cluster and the operator stay up. Look around:\n\n\
         \x20 export KUBECONFIG={kubeconfig}\n\
         \x20 {kubectl} get obspipe -A\n\
         \x20 {kubectl} describe obspipe otel -n observability\n\
         \x20 {kubectl} get prometheusrule otel-rules -n observability -o yaml\n\
         \x20 tail -f {log}\n\n\
         Stop everything: make demo-down"
    )
}

#[cfg(test)]
mod tests;
