//! What runs the collector: a DaemonSet, a Deployment or a StatefulSet of the same pod template.

use serde_json::{Value, json};

use super::{Meta, Object, child, pod};
use crate::api::Mode;
use crate::api::collector::{CollectorSpec, UpdateStrategyKind};
use crate::kinds::Kind;
use crate::settings::Settings;
use crate::validate::Validated;

pub(super) fn workload(pipeline: &Validated, settings: &Settings) -> Object {
    let collector = &pipeline.spec().collector;
    let mode = collector.mode.unwrap_or_default();
    let mut spec = json!({
        "selector": {"matchLabels": pipeline.identity().selector()},
        "template": pod::template(pipeline, settings),
    });
    match mode {
        Mode::DaemonSet => spec["updateStrategy"] = daemon_set_strategy(collector),
        Mode::Deployment => {
            spec["replicas"] = fixed_replicas(collector);
            spec["strategy"] = deployment_strategy(collector);
        }
        Mode::StatefulSet => {
            spec["replicas"] = fixed_replicas(collector);
            spec["updateStrategy"] = stateful_set_strategy(collector);
            spec["serviceName"] = json!(pipeline.identity().collector());
            // Collectors do not know each other: no reason to start them one after the other.
            spec["podManagementPolicy"] = json!("Parallel");
            spec["volumeClaimTemplates"] = volume_claims(pipeline);
        }
    }
    let name = pipeline.identity().collector();
    child(pipeline, kind(mode), name, Meta::default(), json!({"spec": spec}))
}

pub(super) fn kind(mode: Mode) -> Kind {
    match mode {
        Mode::DaemonSet => Kind::DaemonSet,
        Mode::Deployment => Kind::Deployment,
        Mode::StatefulSet => Kind::StatefulSet,
    }
}

/// The number of replicas that a spec asks for, at the least; none for a DaemonSet.
#[must_use]
pub fn effective_replicas(collector: &CollectorSpec) -> Option<i32> {
    match (collector.mode.unwrap_or_default(), &collector.autoscaling) {
        (Mode::DaemonSet, _) => None,
        (_, Some(autoscaling)) => Some(autoscaling.min_replicas.unwrap_or(1)),
        (_, None) => Some(collector.replicas.unwrap_or(1)),
    }
}

/// Null where an autoscaler decides: a field that is not applied is not ours.
fn fixed_replicas(collector: &CollectorSpec) -> Value {
    match collector.autoscaling {
        Some(_) => Value::Null,
        None => json!(effective_replicas(collector)),
    }
}

/// The new collector first, so that no node is without one (DaemonSet maxSurge, Kubernetes 1.25).
fn daemon_set_strategy(collector: &CollectorSpec) -> Value {
    let wanted = collector.update_strategy.clone().unwrap_or_default();
    if wanted.kind == Some(UpdateStrategyKind::OnDelete) {
        return json!({"type": "OnDelete"});
    }
    let bounds = match wanted.rolling_update {
        Some(bounds) => json!({
            "maxSurge": bounds.max_surge,
            "maxUnavailable": bounds.max_unavailable,
        }),
        None => json!({"maxSurge": 1, "maxUnavailable": 0}),
    };
    json!({"type": "RollingUpdate", "rollingUpdate": bounds})
}

fn deployment_strategy(collector: &CollectorSpec) -> Value {
    let wanted = collector.update_strategy.clone().unwrap_or_default();
    if wanted.kind == Some(UpdateStrategyKind::Recreate) {
        return json!({"type": "Recreate"});
    }
    daemon_set_strategy(collector)
}

fn stateful_set_strategy(collector: &CollectorSpec) -> Value {
    let wanted = collector.update_strategy.clone().unwrap_or_default();
    let kind = wanted.kind.unwrap_or_default();
    let bounds = wanted.rolling_update.map(|bounds| json!({"partition": bounds.partition}));
    json!({"type": kind.as_str(), "rollingUpdate": bounds})
}

fn volume_claims(pipeline: &Validated) -> Value {
    let Some(storage) = &pipeline.spec().collector.storage else {
        return Value::Null;
    };
    json!([{
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "labels": pipeline.identity().selector()},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage.storage_class_name,
            "resources": {"requests": {"storage": storage.size}},
        },
    }])
}
