//! JSON schemas for kubeconform, made from what a real API server publishes (`/openapi/v2`) and from
//! CustomResourceDefinitions: one file for each kind, `<group>/<kind>_<version>.json`, strict.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value, json};

/// Where kubeconform finds a kind; a core kind's group is its version.
pub(super) const PLACE: &str = "{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json";

const DEFINITIONS: &str = "#/definitions/";

/// Writes a schema for every kind of the OpenAPI document; how many.
pub(super) fn of_api_server(openapi: &Value, directory: &Path) -> usize {
    let definitions = openapi["definitions"].as_object().expect("definitions");
    let mut written = 0;
    for (name, definition) in definitions {
        let kinds = definition["x-kubernetes-group-version-kind"].as_array();
        for kind in kinds.into_iter().flatten() {
            let mut schema = json!({"$ref": format!("{DEFINITIONS}{name}")});
            schema["definitions"] = Value::Object(reached(name, definitions));
            let text = |key: &str| kind[key].as_str().unwrap_or_default();
            write(directory, text("group"), text("version"), text("kind"), &schema);
            written += 1;
        }
    }
    written
}

/// Writes a schema for every version of a CustomResourceDefinition.
pub(super) fn of_definition(crd: &Value, directory: &Path) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (group, kind) = (text(&crd["spec"]["group"]), text(&crd["spec"]["names"]["kind"]));
    for version in crd["spec"]["versions"].as_array().expect("versions") {
        let mut schema = version["schema"]["openAPIV3Schema"].clone();
        for key in ["apiVersion", "kind"] {
            schema["properties"][key] = json!({"type": "string"});
        }
        schema["properties"]["metadata"] = json!({"type": "object"});
        write(directory, &group, &text(&version["name"]), &kind, &strict(&schema));
    }
}

fn write(directory: &Path, group: &str, version: &str, kind: &str, schema: &Value) {
    let group = if group.is_empty() { version } else { group };
    let directory = directory.join(group);
    std::fs::create_dir_all(&directory).expect("a directory");
    let file = directory.join(format!("{}_{version}.json", kind.to_ascii_lowercase()));
    std::fs::write(file, schema.to_string()).expect("writable");
}

/// The definitions that one needs, itself included, strict.
fn reached(name: &str, definitions: &Map<String, Value>) -> Map<String, Value> {
    let mut found = Map::new();
    let mut open = BTreeSet::from([name.to_owned()]);
    while let Some(name) = open.pop_first() {
        if found.contains_key(&name) {
            continue;
        }
        let definition = definitions.get(&name).expect("a definition that is referred to");
        references(definition, &mut open);
        found.insert(name.clone(), of_named(&name, definition));
    }
    found
}

fn references(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str) {
                found.insert(name.trim_start_matches(DEFINITIONS).to_owned());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// OpenAPI has one type for what may be written as a number as well.
fn of_named(name: &str, definition: &Value) -> Value {
    match name.rsplit('.').next() {
        Some("IntOrString") => json!({"type": ["integer", "string"]}),
        Some("Quantity") => json!({"type": ["number", "string"]}),
        _ => strict(definition),
    }
}

/// Fields that are not declared are refused, as `kubectl --validate=strict` does; `null` where it is
/// allowed.
fn strict(schema: &Value) -> Value {
    let Value::Object(map) = schema else { return schema.clone() };
    let is = |key: &str| map.get(key).and_then(Value::as_bool).unwrap_or(false);
    if is("x-kubernetes-int-or-string") {
        return json!({"type": ["number", "string"]});
    }
    let mut all: Map<String, Value> =
        map.iter().map(|(key, value)| (key.clone(), below(key, value))).collect();
    let open =
        is("x-kubernetes-preserve-unknown-fields") || map.contains_key("additionalProperties");
    if map.contains_key("properties") && !open {
        all.insert("additionalProperties".to_owned(), json!(false));
    }
    if let (true, Some(one)) = (is("nullable"), map.get("type").cloned()) {
        all.insert("type".to_owned(), json!([one, "null"]));
    }
    Value::Object(all)
}

fn below(key: &str, value: &Value) -> Value {
    match (key, value) {
        ("properties", Value::Object(map)) => {
            map.iter().map(|(name, schema)| (name.clone(), strict(schema))).collect()
        }
        ("items" | "additionalProperties", schema) => strict(schema),
        _ => value.clone(),
    }
}
