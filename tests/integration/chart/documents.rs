//! What of the chart is written by `make golden`: the table of its values, and the operator's own
//! dashboard.

use std::fmt::Write as _;

use obspipe_operator::api::ObservabilityPipeline;
use obspipe_operator::kinds::Kind;
use obspipe_operator::metrics::Metrics;
use obspipe_operator::names::Identity;
use obspipe_operator::render::{Surroundings, render};
use obspipe_operator::settings::Settings;
use obspipe_operator::validate::{External, validate};
use serde_json::{Value, json};

use super::directory;
use crate::golden::updating;

const BEGIN: &str =
    "<!-- The table is written by `make golden` from values.yaml; do not edit it. -->\n";
const END: &str = "<!-- End of the table. -->\n";

/// A value of values.yaml: its path, the text of its default, what its comment says.
struct Documented {
    path: String,
    default: String,
    about: String,
}

/// Every value that is no section. Sections are indented by two; a value stands on one line.
fn documented(text: &str) -> Vec<Documented> {
    let mut all = Vec::new();
    let mut sections: Vec<String> = Vec::new();
    let mut comment = String::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        if let Some(words) = trimmed.strip_prefix('#') {
            comment = format!("{comment} {}", words.trim()).trim().to_owned();
            continue;
        }
        let about = std::mem::take(&mut comment);
        let Some((key, value)) = trimmed.split_once(':') else { continue };
        sections.truncate((line.len() - trimmed.len()) / 2);
        sections.push(key.to_owned());
        if !value.trim().is_empty() {
            let (path, default) = (sections.join("."), value.trim().to_owned());
            all.push(Documented { path, default, about });
        }
    }
    all
}

fn table() -> String {
    let values = std::fs::read_to_string(directory().join("values.yaml")).expect("values.yaml");
    let all = documented(&values);
    assert!(all.len() >= 50, "{} values", all.len());
    let mut text = "\n| Value | Default | Meaning |\n|---|---|---|\n".to_owned();
    for Documented { path, default, about } in all {
        assert!(!about.is_empty(), "{path} has no comment");
        let about = about.replace('|', "\\|");
        writeln!(text, "| `{path}` | `{default}` | {} |", about.trim_end_matches('.'))
            .expect("memory");
    }
    text.push('\n');
    text
}

pub(crate) fn the_table_of_values_does_not_drift() {
    let path = directory().join("README.md");
    let present = std::fs::read_to_string(&path).expect("README.md");
    let (head, rest) = present.split_once(BEGIN).expect("a mark");
    let (_, tail) = rest.split_once(END).expect("the end mark");
    written(&path, &present, &format!("{head}{BEGIN}{}{END}{tail}", table()));
}

fn written(path: &std::path::Path, present: &str, wanted: &str) {
    if updating() {
        std::fs::write(path, wanted).expect("writable");
        return;
    }
    assert!(present == wanted, "{} differs: run `make golden`", path.display());
}

/// The dashboard as the operator itself would render it for a pipeline.
pub(crate) fn the_dashboard_does_not_drift() {
    let source = directory().join("files/dashboard.yaml");
    let source = std::fs::read_to_string(source).expect("dashboard.yaml");
    let dashboard: Value = serde_yaml::from_str(&source).expect("YAML");
    let pipeline: ObservabilityPipeline = serde_json::from_value(json!({
        "apiVersion": "obspipe.dev/v1alpha1",
        "kind": "ObservabilityPipeline",
        "metadata": {"name": "obspipe", "namespace": "obspipe-system"},
        "spec": {"collector": {"config": {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}},
            "exporters": {"debug": {}},
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
        }}, "dashboards": [dashboard]},
    }))
    .expect("a pipeline");
    let identity =
        Identity { namespace: "obspipe-system".into(), name: "obspipe".into(), uid: String::new() };
    let verdict = validate(&identity, &pipeline.spec, &External::new());
    let problems: Vec<&String> = verdict.problems().chain(&verdict.warnings).collect();
    assert!(problems.is_empty(), "{problems:?}");
    let surroundings = Surroundings {
        settings: &Settings::default(),
        served: &std::collections::BTreeSet::new(),
        placement: &std::collections::BTreeMap::new(),
        revision: 1,
    };
    let objects = render(&verdict.validated.expect("valid"), &surroundings).objects;
    let name = identity.dashboard("operator");
    let map = objects.iter().find(|object| object.kind == Kind::ConfigMap && object.name == name);
    let map = map.expect("a ConfigMap");
    let data = map.body["data"].as_object().expect("data");
    let (_, model) = data.iter().next().expect("one dashboard");
    let wanted = format!("{}\n", model.as_str().expect("text").trim_end());
    let path = directory().join("files/dashboard.json");
    let present = std::fs::read_to_string(&path).expect("dashboard.json");
    written(&path, &present, &wanted);
}

/// The names of series that the operator has.
pub(crate) fn series() -> Vec<String> {
    let metrics = Metrics::new();
    metrics.api_request("patch", "services", "ok");
    metrics.reconciled("ok", std::time::Duration::from_millis(3));
    metrics.pipelines("True", 4);
    let text = metrics.encode();
    let named = text.lines().filter(|line| !line.starts_with('#'));
    named.filter_map(|line| line.split(['{', ' ']).next()).map(str::to_owned).collect()
}
