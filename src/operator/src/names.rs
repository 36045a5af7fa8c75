//! Every object name, label and port name is made here and nowhere else.
//! Names follow from the pipeline alone, so that two operators or two runs never disagree.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Prefix of our own labels and annotations.
pub const PREFIX: &str = "obspipe.dev/";
/// Annotation on the pod template that carries the configuration's hash.
pub const CONFIG_HASH_ANNOTATION: &str = "obspipe.dev/config-hash";
/// Annotation that repeats a ControllerRevision's number, which its metadata does not show.
pub const REVISION_ANNOTATION: &str = "obspipe.dev/revision";
/// Annotation on a workload: what it was last rolled out with (`upgrade`).
pub const ROLLOUT_ANNOTATION: &str = "obspipe.dev/rollout";
/// Label that all children carry, and by which they are watched.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "obspipe");
/// Longest container port name (core/v1 ContainerPort: an IANA_SVC_NAME).
const MAX_PORT_NAME: usize = 15;

/// Who a pipeline is: what names and owner references are made of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// Namespace of the pipeline and of all its children.
    pub namespace: String,
    /// Name of the pipeline.
    pub name: String,
    /// Its uid; empty when rendered without a cluster.
    pub uid: String,
}

impl Identity {
    /// Workload, Service, ServiceAccount, PodMonitor, autoscaler, disruption budget and network policy.
    #[must_use]
    pub fn collector(&self) -> String {
        format!("{}-collector", self.name)
    }

    /// ConfigMap of the collector's configuration.
    #[must_use]
    pub fn config(&self) -> String {
        format!("{}-collector-config", self.name)
    }

    /// PrometheusRule number `index`: `otel-rules`, `otel-rules-1`, …
    #[must_use]
    pub fn rules(&self, index: usize) -> String {
        match index {
            0 => format!("{}-rules", self.name),
            n => format!("{}-rules-{n}", self.name),
        }
    }

    /// ConfigMap of a dashboard.
    #[must_use]
    pub fn dashboard(&self, dashboard: &str) -> String {
        format!("{}-dashboard-{dashboard}", self.name)
    }

    /// ConfigMap of the data sources.
    #[must_use]
    pub fn datasources(&self) -> String {
        format!("{}-datasources", self.name)
    }

    /// ControllerRevision of an accepted spec.
    #[must_use]
    pub fn revision(&self, spec_hash: &str) -> String {
        format!("{}-{spec_hash}", self.name)
    }

    /// The labels that select the collector's pods. They never change: a selector is immutable.
    #[must_use]
    pub fn selector(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            ("app.kubernetes.io/name".into(), "obspipe-collector".into()),
            ("app.kubernetes.io/instance".into(), self.name.clone()),
            ("app.kubernetes.io/component".into(), "collector".into()),
        ])
    }

    /// The selector as the scale subresource wants it.
    #[must_use]
    pub fn selector_text(&self) -> String {
        let pairs: Vec<String> = self.selector().iter().map(|(k, v)| format!("{k}={v}")).collect();
        pairs.join(",")
    }

    /// The labels of every child.
    #[must_use]
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = self.selector();
        labels.insert("app.kubernetes.io/part-of".into(), "obspipe".into());
        labels.insert(MANAGED_BY.0.into(), MANAGED_BY.1.into());
        labels
    }

    /// The controller owner reference of every child, by which "ours" is told.
    #[must_use]
    pub fn owner_reference(&self) -> Value {
        json!({
            "apiVersion": "obspipe.dev/v1alpha1",
            "kind": "ObservabilityPipeline",
            "name": self.name,
            "uid": self.uid,
            "controller": true,
            "blockOwnerDeletion": true,
        })
    }
}

/// A container port name: the wanted one in an IANA service name's alphabet; where it is too long,
/// its first 8 characters and 6 digits of its hash.
#[must_use]
pub fn port_name(wanted: &str) -> String {
    let mapped: String = wanted
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let clean = squeeze(&mapped);
    let plain = clean == wanted && clean.bytes().any(|b| b.is_ascii_lowercase());
    if plain && clean.len() <= MAX_PORT_NAME {
        return clean;
    }
    let head: String = clean.chars().take(8).collect();
    let head = head.trim_matches('-');
    let head = if head.is_empty() { "p" } else { head };
    format!("{head}-{}", hash(wanted.as_bytes(), 6))
}

/// Without leading, trailing or doubled hyphens, which a port name may not have.
fn squeeze(text: &str) -> String {
    let parts: Vec<&str> = text.split('-').filter(|part| !part.is_empty()).collect();
    parts.join("-")
}

/// The first `digits` hexadecimal digits of SHA-256.
#[must_use]
pub fn hash(bytes: &[u8], digits: usize) -> String {
    let digest = Sha256::digest(bytes);
    let mut text: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(digits);
    text
}

#[cfg(test)]
mod tests;
