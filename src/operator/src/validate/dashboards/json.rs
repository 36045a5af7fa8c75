//! A dashboard in Grafana's JSON: is it one, and can it be provisioned as it is?

use serde_json::{Map, Value};

/// Largest JSON. A ConfigMap holds 1 MiB, but the pipeline that carries the text must fit etcd's
/// 1.5 MiB with all its other dashboards.
const MAX_BYTES: usize = 200 * 1024;

/// Reads a dashboard. Each problem begins with `: ` or ` at line:column: `.
///
/// The API's wrapper (`{"dashboard": {…}, "meta": {…}}`) is taken off: it is what Grafana's HTTP
/// API answers, and provisioning reads only what is inside. Depth is bounded by `serde_json` (128).
pub(super) fn model(text: &str) -> Result<Map<String, Value>, Vec<String>> {
    if text.len() > MAX_BYTES {
        return Err(vec![format!(": {} bytes are more than {MAX_BYTES}", text.len())]);
    }
    let value: Value = serde_json::from_str(text).map_err(|error| vec![place(&error)])?;
    let Value::Object(map) = value else {
        return Err(vec![": a dashboard is a JSON object".into()]);
    };
    let model = unwrapped(map);
    let problems = problems(&model);
    if problems.is_empty() { Ok(model) } else { Err(problems) }
}

/// The error with its position in front; `serde_json` writes it behind.
fn place(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message);
    format!(" at {line}:{column}: {message}")
}

fn unwrapped(mut map: Map<String, Value>) -> Map<String, Value> {
    if map.contains_key("panels") {
        return map;
    }
    match map.remove("dashboard") {
        Some(Value::Object(inner)) => inner,
        Some(other) => {
            map.insert("dashboard".into(), other);
            map
        }
        None => map,
    }
}

fn problems(model: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    if model.contains_key("apiVersion") && model.contains_key("spec") {
        found.push(
            ": this is a Kubernetes resource of Grafana; give the dashboard's classic JSON model"
                .into(),
        );
        return found;
    }
    if model.get("title").is_some_and(|title| !title.is_string()) {
        found.push(": title must be a string".into());
    }
    if model.get("panels").is_some_and(|panels| !panels.is_array()) {
        found.push(": panels must be a list".into());
    }
    if !model.contains_key("panels") && !model.contains_key("title") && !model.contains_key("rows")
    {
        found.push(": neither title nor panels: this is not a dashboard".into());
    }
    found.extend(inputs(model.get("__inputs")));
    found
}

/// Inputs are asked for by Grafana's import dialog alone; a provisioned dashboard keeps `${DS_X}`.
fn inputs(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let name = |input: &Value| input.get("name").and_then(Value::as_str).unwrap_or("?").to_owned();
    list.iter()
        .map(|input| {
            format!(
                ": __inputs: {:?} would stay unset, since a provisioned dashboard is never asked; \
                 export it without \"Export for sharing externally\"",
                name(input)
            )
        })
        .collect()
}
