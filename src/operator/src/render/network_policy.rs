//! The NetworkPolicy of the collectors: other pods reach the ports of the configuration's listening
//! components, and nothing else. What leaves is not restricted: exporters go wherever the
//! configuration sends them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Meta, Object, child};
use crate::kinds::Kind;
use crate::settings::{ADMIN_PORT, Settings};
use crate::validate::Validated;

/// Set on every namespace by the API server (well-known labels).
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// None where the operator is told to make none.
pub(super) fn network_policy(pipeline: &Validated, settings: &Settings) -> Option<Object> {
    if !settings.network_policies {
        return None;
    }
    let content = json!({"spec": {
        "podSelector": {"matchLabels": pipeline.identity().selector()},
        "policyTypes": ["Ingress"],
        "ingress": ingress(pipeline, settings),
    }});
    let name = pipeline.identity().collector();
    Some(child(pipeline, Kind::NetworkPolicy, name, Meta::default(), content))
}

/// Telemetry comes from every namespace, and from outside the cluster. The admin listener is for
/// the operator and for what scrapes; the kubelet's probes are not subject to a NetworkPolicy.
fn ingress(pipeline: &Validated, settings: &Settings) -> Value {
    let numbers: BTreeSet<u16> = pipeline.ports().iter().map(|port| port.number).collect();
    let mut rules = Vec::new();
    if !numbers.is_empty() {
        rules.push(json!({"ports": numbers.into_iter().map(port).collect::<Vec<_>>()}));
    }
    rules.push(json!({"ports": [port(ADMIN_PORT)], "from": admin_peers(settings)}));
    Value::Array(rules)
}

fn port(number: u16) -> Value {
    json!({"port": number, "protocol": "TCP"})
}

/// Null, which is everybody, where nobody said where Prometheus is: metrics that are silently not
/// scraped are worse than counts that a neighbour can read.
fn admin_peers(settings: &Settings) -> Value {
    if settings.scrape_namespaces.is_empty() {
        return Value::Null;
    }
    let own = std::iter::once(&settings.operator_namespace);
    let names: BTreeSet<&String> = own.chain(&settings.scrape_namespaces).collect();
    json!([{"namespaceSelector": {
        "matchExpressions": [{"key": NAMESPACE_NAME, "operator": "In", "values": names}],
    }}])
}

#[cfg(test)]
mod tests;
