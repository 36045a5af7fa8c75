//! Whether the schema that the API server publishes for pipelines is the one of this program. Pure.

use serde_json::Value;

use crate::api::schema::custom_resource_definition;

/// What the API server publishes about the object itself, beside the definition's schema.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];
/// Differences told; more of them say no more.
const MOST: usize = 5;

/// Where the published OpenAPI document differs from this program's schema, at most [`MOST`] places;
/// empty if nowhere.
pub(super) fn differences(document: &Value) -> Vec<String> {
    let Some(definition) = wanted() else {
        return vec!["this program's own schema cannot be written".to_owned()];
    };
    let Some(published) = published(document) else {
        return vec!["its schema is not published".to_owned()];
    };
    let mut found = Vec::new();
    compare("", &definition, published, &mut found);
    found.truncate(MOST);
    found
}

fn wanted() -> Option<Value> {
    let definition = serde_json::to_value(custom_resource_definition()).ok()?;
    Some(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone())
}

fn published(document: &Value) -> Option<&Value> {
    let schemas = document["components"]["schemas"].as_object()?;
    let found = schemas.iter().find(|(name, _)| name.ends_with(".ObservabilityPipeline"));
    found.map(|(_, schema)| schema)
}

/// What the definition says must be published as it is. The API server adds to it (`anyOf` of an
/// int-or-string, fields of every object), so only further fields count as a difference.
fn compare(path: &str, wanted: &Value, published: &Value, found: &mut Vec<String>) {
    let (Some(wanted), Some(there)) = (wanted.as_object(), published.as_object()) else {
        if !same(wanted, published) {
            found.push(format!("{} differs", shown(path)));
        }
        return;
    };
    for (key, value) in wanted {
        match (key.as_str(), there.get(key)) {
            // Another wording is no other schema.
            ("description", _) => {}
            ("properties", other) => properties(path, value, other.unwrap_or(&Value::Null), found),
            (_, Some(other)) => compare(path, value, other, found),
            (_, None) => found.push(format!("{} lacks {key}", shown(path))),
        }
    }
}

/// A bound that was sent as `1.0` is published as `1`.
fn same(wanted: &Value, published: &Value) -> bool {
    match (wanted.as_f64(), published.as_f64()) {
        (Some(wanted), Some(published)) => wanted.to_bits() == published.to_bits(),
        _ => wanted == published,
    }
}

fn properties(path: &str, wanted: &Value, published: &Value, found: &mut Vec<String>) {
    let names = |value: &Value| -> Vec<String> {
        value.as_object().into_iter().flat_map(|map| map.keys().cloned()).collect()
    };
    for name in names(wanted) {
        let at = format!("{path}.{name}");
        match published.get(&name) {
            Some(other) => compare(&at, &wanted[&name], other, found),
            None => found.push(format!("{} is not there", shown(&at))),
        }
    }
    for name in names(published) {
        let of_every_object = path.is_empty() && OF_EVERY_OBJECT.contains(&name.as_str());
        if wanted.get(&name).is_none() && !of_every_object {
            found.push(format!("{} is unknown to this program", shown(&format!("{path}.{name}"))));
        }
    }
}

fn shown(path: &str) -> &str {
    match path.trim_start_matches('.') {
        "" => "the object",
        path => path,
    }
}
