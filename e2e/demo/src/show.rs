//! What the demo prints: pure text from objects.

use serde_json::Value;

/// What is about to happen, before it does.
pub(crate) const ANNOUNCEMENT: &str = "\
obspipe demo

It builds and starts a real Kubernetes cluster from Go modules (five minutes and 130 MB the first time,
seconds after that) and helm if there is none. Where a node can be run, which needs root on Linux, it also
builds the images of obspipe, Jaeger, Loki, Prometheus, Alertmanager and an application, about ten minutes
more, and runs everything as pods. What is built lies below target/; `make demo-down` ends all of it.
";

/// What a panel shows: one value, or what many series come to. None while there is none, or they are
/// all still 0.
pub(crate) fn figure(values: &[f64], unit: &str) -> Option<String> {
    let most = values.iter().copied().reduce(f64::max).filter(|most| *most > 0.0)?;
    let number = |value: f64| match unit {
        "reqps" => format!("{value:.2} requests/s"),
        "percent" => format!("{value:.2} %"),
        "s" => format!("{value:.3} s"),
        _ => value.to_string(),
    };
    Some(match (values.len(), unit) {
        (1, _) => number(most),
        (series, "reqps") => format!("{} in {series} series", number(values.iter().sum())),
        (series, _) => format!("at most {}, of {series} series", number(most)),
    })
}

/// Each line two spaces further to the right.
pub(crate) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

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

/// Where to look and how to stop it. Somebody's own cluster is the one that kubectl finds itself.
pub(crate) fn farewell(ours: Option<(&str, &str)>, log: &str, seconds: f64) -> String {
    let ours = ours.map_or_else(String::new, |(kubeconfig, kubectl)| {
        format!("\x20 export KUBECONFIG={kubeconfig}\n\x20 alias kubectl={kubectl}\n")
    });
    format!(
        "Done in {seconds:.0} s. Everything stays up. Look around, also with the commands above:\n\n\
         {ours}\
         \x20 kubectl get obspipe -A\n\
         \x20 kubectl describe obspipe otel -n observability\n\
         \x20 kubectl get prometheusrule otel-rules -n observability -o yaml\n\
         \x20 {log}\n\n\
         Stop everything: make demo-down"
    )
}

#[cfg(test)]
mod tests;
