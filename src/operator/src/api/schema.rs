//! The CustomResourceDefinition as it is installed: what the derived schema says, plus the bounds
//! and CEL rules by which the API server refuses what it can, minus the descriptions of embedded
//! core types, so that plain `kubectl apply` takes the file.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;
use serde_json::{Map, Value, json};

use super::ObservabilityPipeline;

/// Longest pipeline name: a StatefulSet's name must stay below 53, and `-collector` is added.
pub const MAX_NAME: usize = 42;
/// Bound of strings that state none of their own: no Kubernetes name, path or annotation used here
/// is longer.
const MAX_STRING: u64 = 1024;
/// Bound of lists that state none of their own.
const MAX_ITEMS: u64 = 64;
/// Bound of maps that state none of their own.
const MAX_PROPERTIES: u64 = 64;

/// A CEL rule at a place of the schema. Places are property names; `*` enters a list's items.
struct Rule {
    at: &'static str,
    rule: &'static str,
    message: &'static str,
    /// Field that the message is about, where it is not the place itself.
    field: Option<&'static str>,
}

/// Everything that the API server checks beyond shape. Append here.
const RULES: &[Rule] = &[
    Rule {
        at: "",
        rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$') && self.metadata.name.size() <= 42",
        message: "metadata.name must be at most 42 characters of a-z, 0-9 and '-', begin with a letter and end with a letter or digit",
        field: None,
    },
    Rule {
        at: "spec.collector",
        rule: "!has(self.replicas) || (has(self.mode) && self.mode != 'DaemonSet')",
        message: "replicas is for Deployment and StatefulSet: a DaemonSet runs one collector on every node",
        field: Some(".replicas"),
    },
    Rule {
        at: "spec.collector",
        rule: "!has(self.autoscaling) || (has(self.mode) && self.mode == 'Deployment')",
        message: "autoscaling is for mode Deployment",
        field: Some(".autoscaling"),
    },
    Rule {
        at: "spec.collector",
        rule: "!has(self.autoscaling) || !has(self.replicas)",
        message: "autoscaling decides the number of replicas: remove replicas",
        field: Some(".replicas"),
    },
    Rule {
        at: "spec.collector",
        rule: "!has(self.storage) || (has(self.mode) && self.mode == 'StatefulSet')",
        message: "storage is for mode StatefulSet",
        field: Some(".storage"),
    },
    Rule {
        at: "spec.collector",
        rule: "!has(self.mode) || self.mode != 'StatefulSet' || !has(oldSelf.mode) || oldSelf.mode != 'StatefulSet' || (has(self.storage) == has(oldSelf.storage) && (!has(self.storage) || self.storage == oldSelf.storage))",
        message: "storage of a StatefulSet cannot be changed",
        field: Some(".storage"),
    },
    Rule {
        at: "spec.collector",
        rule: "!has(self.topologySpreadConstraints) || size(self.topologySpreadConstraints) == 0 || (has(self.mode) && self.mode != 'DaemonSet')",
        message: "topologySpreadConstraints are for Deployment and StatefulSet",
        field: Some(".topologySpreadConstraints"),
    },
    Rule {
        at: "spec.collector",
        rule: "!has(self.updateStrategy) || !has(self.updateStrategy.type) || self.updateStrategy.type != 'Recreate' || (has(self.mode) && self.mode == 'Deployment')",
        message: "updateStrategy Recreate is for mode Deployment",
        field: Some(".updateStrategy"),
    },
    Rule {
        at: "spec.collector",
        rule: "!has(self.updateStrategy) || !has(self.updateStrategy.type) || self.updateStrategy.type != 'OnDelete' || !has(self.mode) || self.mode != 'Deployment'",
        message: "updateStrategy OnDelete is for DaemonSet and StatefulSet",
        field: Some(".updateStrategy"),
    },
    Rule {
        at: "spec.collector.podLabels",
        rule: "!('app.kubernetes.io/name' in self) && !('app.kubernetes.io/instance' in self) && !('app.kubernetes.io/component' in self) && !('app.kubernetes.io/managed-by' in self) && !('app.kubernetes.io/part-of' in self)",
        message: "podLabels cannot set app.kubernetes.io/{name,instance,component,managed-by,part-of}: they select the pods",
        field: None,
    },
    Rule {
        at: "spec.collector.volumeMounts.*",
        rule: "self.mountPath != '/conf' && !self.mountPath.startsWith('/conf/')",
        message: "/conf holds the collector's configuration: mount elsewhere",
        field: Some(".mountPath"),
    },
    Rule {
        at: "spec.collector.volumes.*",
        rule: "[has(self.secret), has(self.configMap), has(self.projected), has(self.emptyDir)].filter(s, s).size() == 1",
        message: "exactly one of secret, configMap, projected and emptyDir",
        field: None,
    },
    Rule {
        at: "spec.collector.volumes.*",
        rule: "self.name != 'config' && self.name != 'data'",
        message: "the volume names config and data are the operator's own",
        field: Some(".name"),
    },
    Rule {
        at: "spec.collector.env.*",
        rule: "!has(self.value) || !has(self.valueFrom)",
        message: "value or valueFrom, not both",
        field: None,
    },
    Rule {
        at: "spec.collector.env.*",
        rule: "!(self.name in ['K8S_NODE_NAME', 'POD_NAME', 'POD_NAMESPACE', 'POD_IP', 'OBSPIPE_ADMIN_LISTEN'])",
        message: "K8S_NODE_NAME, POD_NAME, POD_NAMESPACE, POD_IP and OBSPIPE_ADMIN_LISTEN are set by the operator",
        field: Some(".name"),
    },
    Rule {
        at: "spec.collector.env.*.valueFrom",
        rule: "[has(self.secretKeyRef), has(self.configMapKeyRef), has(self.fieldRef)].filter(s, s).size() == 1",
        message: "exactly one of secretKeyRef, configMapKeyRef and fieldRef",
        field: None,
    },
    Rule {
        at: "spec.collector.autoscaling",
        rule: "!has(self.minReplicas) || self.minReplicas <= self.maxReplicas",
        message: "minReplicas must not exceed maxReplicas",
        field: Some(".minReplicas"),
    },
    Rule {
        at: "spec.ruleGroups.*.rules.*",
        rule: "has(self.record) != has(self.alert)",
        message: "exactly one of record and alert",
        field: None,
    },
    Rule {
        at: "spec.dashboards.*",
        rule: "[has(self.panels), has(self.json), has(self.jsonFrom)].filter(s, s).size() == 1",
        message: "exactly one of panels, json and jsonFrom",
        field: None,
    },
    Rule {
        at: "spec.dashboards.*.panels.*",
        rule: "has(self.expr) != (has(self.targets) && size(self.targets) > 0)",
        message: "either expr or targets",
        field: None,
    },
];

/// Lists whose elements are known by a field: merged by server-side apply, duplicates refused.
const LIST_MAPS: &[(&str, &str)] = &[
    ("spec.ruleGroups", "name"),
    ("spec.dashboards", "name"),
    ("spec.collector.env", "name"),
    ("spec.collector.volumes", "name"),
    ("spec.collector.volumeMounts", "mountPath"),
    ("status.conditions", "type"),
];

/// Places below which the schema is a core type's: its descriptions are Kubernetes' own and long.
const EMBEDDED: &[&str] = &[
    "spec.collector.affinity",
    "spec.collector.tolerations",
    "spec.collector.topologySpreadConstraints",
    "spec.collector.volumeMounts",
    "spec.collector.imagePullSecrets",
    "spec.collector.resources",
    "spec.collector.storage.size",
    "spec.collector.volumes.*.secret",
    "spec.collector.volumes.*.configMap",
    "spec.collector.volumes.*.projected.sources",
    "spec.collector.volumes.*.emptyDir.sizeLimit",
    "spec.collector.updateStrategy.rollingUpdate",
    "spec.ruleGroups.*.rules.*.expr",
];

/// The definition as it stands in `crds/` and in the chart.
#[must_use]
pub fn custom_resource_definition() -> CustomResourceDefinition {
    let crd = ObservabilityPipeline::crd();
    let Ok(mut value) = serde_json::to_value(&crd) else {
        return crd;
    };
    if let Some(root) = value.pointer_mut("/spec/versions/0/schema/openAPIV3Schema") {
        complete(root);
    }
    serde_json::from_value(value).unwrap_or(crd)
}

fn complete(root: &mut Value) {
    for place in EMBEDDED {
        if let Some(schema) = locate(root, place) {
            let own = schema.get("description").cloned();
            strip_descriptions(schema);
            if let (Some(description), Some(map)) = (own, schema.as_object_mut()) {
                map.insert("description".into(), description);
            }
        }
    }
    for (place, key) in LIST_MAPS {
        if let Some(Value::Object(schema)) = locate(root, place) {
            schema.insert("x-kubernetes-list-type".into(), json!("map"));
            schema.insert("x-kubernetes-list-map-keys".into(), json!([key]));
        }
    }
    for rule in RULES {
        if let Some(Value::Object(schema)) = locate(root, rule.at) {
            add_rule(schema, rule);
        }
    }
    bound(root);
}

fn add_rule(schema: &mut Map<String, Value>, rule: &Rule) {
    let mut entry =
        json!({"rule": rule.rule, "message": rule.message, "reason": "FieldValueInvalid"});
    if let (Some(field), Some(map)) = (rule.field, entry.as_object_mut()) {
        map.insert("fieldPath".into(), json!(field));
    }
    if let Some(list) =
        schema.entry("x-kubernetes-validations").or_insert_with(|| json!([])).as_array_mut()
    {
        list.push(entry);
    }
}

fn locate<'a>(root: &'a mut Value, place: &str) -> Option<&'a mut Value> {
    let mut at = root;
    for step in place.split('.').filter(|step| !step.is_empty()) {
        at = match step {
            "*" => at.get_mut("items")?,
            name => at.get_mut("properties")?.get_mut(name)?,
        };
    }
    Some(at)
}

fn strip_descriptions(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else {
        return;
    };
    map.remove("description");
    for child in children(map) {
        strip_descriptions(child);
    }
}

/// Every string, list and map has a bound, or the cost of a CEL rule below it could not be told.
fn bound(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else {
        return;
    };
    match map.get("type").and_then(Value::as_str) {
        Some("string") if !map.contains_key("enum") && !map.contains_key("format") => {
            map.entry("maxLength").or_insert(json!(MAX_STRING));
        }
        Some("array") => {
            map.entry("maxItems").or_insert(json!(MAX_ITEMS));
        }
        Some("object") if map.contains_key("additionalProperties") => {
            map.entry("maxProperties").or_insert(json!(MAX_PROPERTIES));
        }
        _ => {}
    }
    for child in children(map) {
        bound(child);
    }
}

/// The schemas directly inside one.
fn children(map: &mut Map<String, Value>) -> Vec<&mut Value> {
    let mut found = Vec::new();
    for (name, value) in map.iter_mut() {
        match (name.as_str(), value) {
            ("properties", Value::Object(properties)) => found.extend(properties.values_mut()),
            ("items" | "additionalProperties", value @ Value::Object(_)) => found.push(value),
            _ => {}
        }
    }
    found
}
