//! Stage one: reads what the stages after it need and only that. The children themselves are read
//! where they are compared (`apply`); here is what validation and rendering depend on.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::api::ObservabilityPipelineSpec;
use crate::cluster::cache::{ChildRef, Children, Seen};
use crate::cluster::{Cluster, RequestError};
use crate::kinds::Kind;
use crate::names::Identity;
use crate::render::{MAX_RULE_OBJECT_BYTES, spec_hash};
use crate::validate::External;

/// What was read for one pipeline.
#[derive(Debug, Default)]
pub struct Observed {
    /// The dashboards' JSON that stands in other ConfigMaps.
    pub external: External,
    /// In which PrometheusRule each rule group stands.
    pub placement: BTreeMap<String, usize>,
    /// The accepted specs, newest first: name and number.
    pub revisions: Vec<(String, i64)>,
}

impl Observed {
    /// The number that the revision of this spec has or will have: the newest keeps its number,
    /// any other becomes the newest.
    #[must_use]
    pub fn revision_of(&self, identity: &Identity, spec: &ObservabilityPipelineSpec) -> i64 {
        let name = identity.revision(&spec_hash(spec));
        match self.revisions.first() {
            Some((newest, number)) if *newest == name => *number,
            Some((_, number)) => number + 1,
            None => 1,
        }
    }

    /// The name of the accepted spec before the one of this name: it is kept beside the current.
    #[must_use]
    pub fn previous_revision(&self, current: &str) -> Option<&str> {
        self.revisions.iter().map(|(name, _)| name.as_str()).find(|name| *name != current)
    }
}

/// Reads for a pipeline of this spec.
///
/// # Errors
/// See [`RequestError`]: nothing can be decided without an answer.
pub async fn observe(
    cluster: &Cluster,
    children: &Children,
    identity: &Identity,
    spec: Option<&ObservabilityPipelineSpec>,
) -> Result<Observed, RequestError> {
    let owned = children.of_owner(&identity.uid);
    let mut observed = Observed { revisions: revisions(&owned), ..Observed::default() };
    if let Some(spec) = spec {
        observed.external = external(cluster, identity, spec).await?;
        observed.placement = placement(cluster, identity, spec, &owned).await?;
    }
    Ok(observed)
}

/// The last accepted spec.
///
/// # Errors
/// See [`RequestError`]. A revision that cannot be understood is as good as none.
pub async fn last_good(
    cluster: &Cluster,
    identity: &Identity,
    observed: &Observed,
) -> Result<Option<ObservabilityPipelineSpec>, RequestError> {
    let Some((name, _)) = observed.revisions.first() else {
        return Ok(None);
    };
    let found = cluster.read(Kind::ControllerRevision, &identity.namespace, name).await?;
    let Some(revision) = found else {
        return Ok(None);
    };
    match serde_json::from_str(revision["data"]["spec"].as_str().unwrap_or_default()) {
        Ok(spec) => Ok(Some(spec)),
        Err(error) => {
            tracing::warn!(revision = name, %error, "last good spec cannot be read");
            Ok(None)
        }
    }
}

fn revisions(owned: &BTreeMap<ChildRef, Seen>) -> Vec<(String, i64)> {
    let mut found: Vec<(String, i64)> = owned
        .iter()
        .filter(|(at, _)| at.kind == Kind::ControllerRevision)
        .map(|(at, seen)| (at.name.clone(), seen.revision.unwrap_or(0)))
        .collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found
}

async fn external(
    cluster: &Cluster,
    identity: &Identity,
    spec: &ObservabilityPipelineSpec,
) -> Result<External, RequestError> {
    let mut found = External::new();
    let references = spec.dashboards.iter().filter_map(|d| d.json_from.as_ref());
    for reference in references {
        let (name, key) = (&reference.config_map_key_ref.name, &reference.config_map_key_ref.key);
        let object = cluster.read(Kind::ConfigMap, &identity.namespace, name).await?;
        let text = object.and_then(|object| object["data"][key].as_str().map(ToOwned::to_owned));
        found.insert((name.clone(), key.clone()), text);
    }
    Ok(found)
}

/// Where all groups fit one object, each is in it; only otherwise is it worth reading.
async fn placement(
    cluster: &Cluster,
    identity: &Identity,
    spec: &ObservabilityPipelineSpec,
    owned: &BTreeMap<ChildRef, Seen>,
) -> Result<BTreeMap<String, usize>, RequestError> {
    let objects: BTreeSet<&ChildRef> =
        owned.keys().filter(|at| at.kind == Kind::PrometheusRule).collect();
    let bytes = serde_json::to_string(&spec.rule_groups).map_or(0, |text| text.len());
    let mut placement = BTreeMap::new();
    if objects.len() < 2 && bytes <= MAX_RULE_OBJECT_BYTES {
        return Ok(placement);
    }
    for index in 0..=objects.len() {
        let name = identity.rules(index);
        if !objects.iter().any(|at| at.name == name) {
            continue;
        }
        let object = cluster.read(Kind::PrometheusRule, &identity.namespace, &name).await?;
        let groups = object.map(|mut object| object["spec"]["groups"].take());
        for group in groups.iter().filter_map(Value::as_array).flatten() {
            if let Some(group) = group["name"].as_str() {
                placement.insert(group.to_owned(), index);
            }
        }
    }
    Ok(placement)
}
