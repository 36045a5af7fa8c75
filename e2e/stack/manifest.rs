//! Plain manifests, and the few things that are filled in: the namespace, environment variables,
//! arguments. Pure.

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::error::{Error, Result};

/// The objects of a YAML text.
///
/// # Errors
/// It is no YAML.
pub fn parse(text: &str) -> Result<Vec<Value>> {
    let documents = serde_yaml::Deserializer::from_str(text);
    let objects = documents.map(Value::deserialize).collect::<Result<Vec<_>, _>>();
    let mut objects = objects.map_err(Error::format("a manifest"))?;
    objects.retain(|object| !object.is_null());
    Ok(objects)
}

/// Puts objects into a namespace, and names it where a binding names its accounts.
pub fn place(objects: &mut [Value], namespace: &str) {
    for object in objects {
        if !object["kind"].as_str().is_some_and(|kind| kind.starts_with("Cluster")) {
            object["metadata"]["namespace"] = json!(namespace);
        }
        // Not by index: that would add the field to objects that have none.
        let subjects = object.get_mut("subjects").and_then(Value::as_array_mut);
        for subject in subjects.into_iter().flatten() {
            subject["namespace"] = json!(namespace);
        }
    }
}

/// The object of this kind and name.
pub fn find<'a>(objects: &'a mut [Value], kind: &str, name: &str) -> Option<&'a mut Value> {
    objects.iter_mut().find(|it| it["kind"] == kind && it["metadata"]["name"] == name)
}

/// Sets an environment variable of a workload's only container, over one that is there.
pub fn set_environment(workload: &mut Value, name: &str, value: &str) {
    let container = &mut workload["spec"]["template"]["spec"]["containers"][0];
    if !container["env"].is_array() {
        container["env"] = json!([]);
    }
    if let Some(variables) = container["env"].as_array_mut() {
        variables.retain(|variable| variable["name"] != name);
        variables.push(json!({"name": name, "value": value}));
    }
}

#[cfg(test)]
mod tests;
