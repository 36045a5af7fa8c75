//! The CustomResourceDefinition in `crds/` and in the chart is what the types say.

use std::path::{Path, PathBuf};

use obspipe_operator::api::schema::custom_resource_definition;

use crate::golden::updating;

/// What `kubectl apply` can keep in its annotation, with room for the metadata.
const MAX_BYTES: usize = 200 * 1024;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

fn copies() -> [PathBuf; 2] {
    [
        root().join("crds/obspipe.dev_observabilitypipelines.yaml"),
        root().join("charts/obspipe/files/crd.yaml"),
    ]
}

fn generated() -> String {
    let yaml = serde_yaml::to_string(&custom_resource_definition()).expect("YAML");
    format!("# Generated from src/operator/src/api by `make crds`; do not edit.\n{yaml}")
}

pub(crate) fn the_definitions_do_not_drift_from_the_types() {
    let text = generated();
    for copy in copies() {
        if updating() {
            std::fs::write(&copy, &text).expect("writable");
        }
        let present = std::fs::read_to_string(&copy).unwrap_or_default();
        assert!(present == text, "{} differs: run `make crds`", copy.display());
    }
}

pub(crate) fn the_definition_fits_client_side_apply() {
    let json = serde_json::to_string(&custom_resource_definition()).expect("JSON");
    assert!(json.len() < MAX_BYTES, "{} bytes", json.len());
}

pub(crate) fn the_schema_holds_no_default_and_bounds_everything() {
    let value = serde_json::to_value(custom_resource_definition()).expect("JSON");
    let schema = &value["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"];
    let mut unbounded = Vec::new();
    walk(&schema["spec"], "spec".into(), &mut unbounded);
    assert!(unbounded.is_empty(), "{unbounded:#?}");
}

fn walk(schema: &serde_json::Value, path: String, unbounded: &mut Vec<String>) {
    if schema.get("default").is_some() {
        unbounded.push(format!("{path}: has a default"));
    }
    let has = |key: &str| schema.get(key).is_some();
    match schema["type"].as_str() {
        Some("string") if !has("maxLength") && !has("enum") && !has("format") => {
            unbounded.push(format!("{path}: a string without maxLength"));
        }
        Some("array") if !has("maxItems") => {
            unbounded.push(format!("{path}: a list without maxItems"));
        }
        _ => {}
    }
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            walk(property, format!("{path}.{name}"), unbounded);
        }
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            walk(&schema[key], format!("{path}.*"), unbounded);
        }
    }
}
