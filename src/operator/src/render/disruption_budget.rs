//! The PodDisruptionBudget of two or more replicas. Never for a DaemonSet, whose pods a drain does
//! not evict, nor for a single replica, whose node could then never be drained.

use serde_json::json;

use super::{Meta, Object, child, effective_replicas};
use crate::kinds::Kind;
use crate::validate::Validated;

pub(super) fn disruption_budget(pipeline: &Validated) -> Option<Object> {
    if effective_replicas(&pipeline.spec().collector)? < 2 {
        return None;
    }
    let content = json!({"spec": {
        "maxUnavailable": 1,
        "selector": {"matchLabels": pipeline.identity().selector()},
    }});
    let name = pipeline.identity().collector();
    Some(child(pipeline, Kind::PodDisruptionBudget, name, Meta::default(), content))
}
