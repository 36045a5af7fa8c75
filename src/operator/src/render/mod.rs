//! Stage three: the objects that a validated pipeline asks for. Total and pure: no client, no
//! Result, no clock; whatever can fail was checked before. One file per kind of object.

mod autoscaler;
mod config_map;
pub mod dashboard;
pub mod datasources;
mod disruption_budget;
mod network_policy;
mod pod;
mod pod_monitor;
mod prometheus_rule;
mod revision;
mod service;
mod service_account;
mod workload;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api::Mode;
use crate::api::collector::CollectorSpec;
use crate::kinds::Kind;
use crate::names::{Identity, ROLLOUT_ANNOTATION, hash};
use crate::settings::Settings;
use crate::upgrade::Mark;
use crate::validate::Validated;

pub use prometheus_rule::MAX_RULE_OBJECT_BYTES;
pub use revision::spec_hash;
pub use workload::effective_replicas;

/// One object as it will be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Its kind.
    pub kind: Kind,
    /// Its name; the namespace is the pipeline's.
    pub name: String,
    /// The whole manifest.
    pub body: Value,
}

impl Object {
    /// A hash of the manifest, to tell whether what was verified is still what is wanted.
    #[must_use]
    pub fn hash(&self) -> String {
        hash(self.body.to_string().as_bytes(), 16)
    }
}

/// What the status says about what was rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What runs the collector.
    pub mode: Mode,
    /// Hash of the configuration file.
    pub config_hash: String,
    /// The collector's image.
    pub image: String,
    /// Number of rules declared.
    pub rules: usize,
    /// Number of dashboards declared.
    pub dashboards: usize,
    /// Kinds that were wanted but are not served by this cluster.
    pub unserved: BTreeSet<Kind>,
}

/// The objects of one pipeline, ready to be applied in this order.
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    /// Whose they are.
    pub identity: Identity,
    /// What is wanted.
    pub objects: Vec<Object>,
    /// The workload's place among the children: also where it is left as it is.
    pub workload: (Kind, String),
    /// Objects that are neither applied nor deleted, because what they hold cannot be read now.
    pub untouched: BTreeSet<(Kind, String)>,
    /// What the status says about it.
    pub summary: Summary,
}

impl Prepared {
    /// What the workload would be rolled out with, if it were now and at its user's wish.
    #[must_use]
    pub fn mark(&self, collector: &CollectorSpec) -> Mark {
        let workload = self.objects.iter().find(|object| object.kind.is_workload());
        let template = workload.map(|object| object.body["spec"]["template"].to_string());
        let spec = json!(collector).to_string();
        Mark {
            spec: hash(spec.as_bytes(), 10),
            template: hash(template.unwrap_or_default().as_bytes(), 10),
            upgrade: None,
            image: self.summary.image.clone(),
        }
    }

    /// Writes on the workload what it is rolled out with.
    pub fn put_mark(&mut self, mark: &Mark) {
        for object in self.objects.iter_mut().filter(|object| object.kind.is_workload()) {
            object.body["metadata"]["annotations"][ROLLOUT_ANNOTATION] = json!(mark.to_string());
        }
    }

    /// Leaves the workload as it is.
    pub fn leave_workload(&mut self) {
        self.objects.retain(|object| !object.kind.is_workload());
        self.untouched.insert(self.workload.clone());
    }
}

/// What rendering knows besides the pipeline.
pub struct Surroundings<'a> {
    /// The operator's settings.
    pub settings: &'a Settings,
    /// Optional kinds that the API server serves.
    pub served: &'a BTreeSet<Kind>,
    /// In which PrometheusRule each rule group stands now, so that it keeps its place.
    pub placement: &'a BTreeMap<String, usize>,
    /// The number of this spec among the accepted ones.
    pub revision: i64,
}

/// Renders everything that a pipeline owns.
#[must_use]
pub fn render(pipeline: &Validated, surroundings: &Surroundings<'_>) -> Prepared {
    let mut prepared = Prepared {
        identity: pipeline.identity().clone(),
        objects: Vec::new(),
        workload: (
            workload::kind(pipeline.spec().collector.mode.unwrap_or_default()),
            pipeline.identity().collector(),
        ),
        untouched: BTreeSet::new(),
        summary: summary(pipeline, surroundings),
    };
    let objects = &mut prepared.objects;
    objects.push(revision::revision(pipeline, surroundings.revision));
    objects.push(service_account::service_account(pipeline));
    objects.push(config_map::configuration(pipeline));
    objects.extend(service::service(pipeline));
    objects.push(workload::workload(pipeline, surroundings.settings));
    objects.extend(autoscaler::autoscaler(pipeline));
    objects.extend(disruption_budget::disruption_budget(pipeline));
    objects.extend(network_policy::network_policy(pipeline, surroundings.settings));
    let rules = prometheus_rule::prometheus_rules(pipeline, surroundings);
    objects.extend(rules);
    objects.push(pod_monitor::pod_monitor(pipeline, surroundings.settings));
    for dashboard in pipeline.dashboards() {
        match config_map::dashboard(pipeline, dashboard, surroundings.settings) {
            Some(object) => objects.push(object),
            None => {
                let name = pipeline.identity().dashboard(&dashboard.name);
                prepared.untouched.insert((Kind::ConfigMap, name));
            }
        }
    }
    objects.extend(config_map::datasources(pipeline, surroundings.settings));
    objects.retain(|object| {
        !object.kind.info().optional || surroundings.served.contains(&object.kind)
    });
    prepared
}

fn summary(pipeline: &Validated, surroundings: &Surroundings<'_>) -> Summary {
    let spec = pipeline.spec();
    let mut wanted = BTreeSet::from([Kind::PodMonitor]);
    if !spec.rule_groups.is_empty() {
        wanted.insert(Kind::PrometheusRule);
    }
    Summary {
        mode: spec.collector.mode.unwrap_or_default(),
        config_hash: pipeline.config_hash(),
        image: surroundings.settings.collector_image.clone(),
        rules: spec.rule_groups.iter().map(|group| group.rules.len()).sum(),
        dashboards: pipeline.dashboards().len(),
        unserved: wanted.difference(surroundings.served).copied().collect(),
    }
}

/// A child of the pipeline: its labels and owner reference are the same for all.
fn child(pipeline: &Validated, kind: Kind, name: String, meta: Meta, content: Value) -> Object {
    let identity = pipeline.identity();
    let mut labels = meta.labels;
    labels.extend(identity.labels());
    let mut metadata = json!({
        "name": name,
        "namespace": identity.namespace,
        "labels": labels,
    });
    if !meta.annotations.is_empty() {
        metadata["annotations"] = json!(meta.annotations);
    }
    if !identity.uid.is_empty() {
        metadata["ownerReferences"] = json!([identity.owner_reference()]);
    }
    let mut body = Map::new();
    body.insert("apiVersion".into(), json!(kind.api_version()));
    body.insert("kind".into(), json!(kind.info().name));
    body.insert("metadata".into(), metadata);
    if let Value::Object(content) = without_nulls(content) {
        body.extend(content);
    }
    Object { kind, name, body: Value::Object(body) }
}

/// Labels and annotations beside those of every child, which win.
#[derive(Default)]
struct Meta {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// Fields rendered as null are those that the spec does not ask for.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, value)| !value.is_null())
                .map(|(key, value)| (key, without_nulls(value)))
                .collect(),
        ),
        Value::Array(list) => Value::Array(list.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// A list or map, or null where it is empty.
fn unless_empty<T: Serialize>(value: &T) -> Value {
    let value = json!(value);
    let empty = match &value {
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    };
    if empty { Value::Null } else { value }
}

#[cfg(test)]
mod tests;
