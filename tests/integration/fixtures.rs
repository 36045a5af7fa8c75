//! Pipelines that scenarios start from.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::environment::root;

/// The document's pipeline, in a namespace and under a name.
pub(crate) fn otel(namespace: &str, name: &str) -> Value {
    let text =
        std::fs::read_to_string(root().join("config/samples/otel.yaml")).expect("the sample");
    let mut pipeline: Value = serde_yaml::from_str(&text).expect("YAML");
    pipeline["metadata"] = json!({"name": name, "namespace": namespace});
    pipeline
}

/// The smallest pipeline.
pub(crate) fn minimal(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "obspipe.dev/v1alpha1",
        "kind": "ObservabilityPipeline",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"collector": {"config": {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}},
            "exporters": {"debug": {}},
            "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
        }}},
    })
}

/// All samples, by file name.
pub(crate) fn samples() -> Vec<(PathBuf, Value)> {
    let directory = root().join("config/samples");
    let entries = std::fs::read_dir(directory).expect("samples");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).expect("readable");
            let value = serde_yaml::from_str(&text).expect("YAML");
            (file, value)
        })
        .collect()
}
