//! The HorizontalPodAutoscaler of a Deployment. It targets the workload, never the pipeline: two
//! writers of `spec.collector.replicas` would fight.

use serde_json::json;

use super::{Meta, Object, child};
use crate::kinds::Kind;
use crate::validate::Validated;

/// Average CPU use aimed at, in percent of the request.
const TARGET_CPU_UTILIZATION: i32 = 80;

pub(super) fn autoscaler(pipeline: &Validated) -> Option<Object> {
    let wanted = pipeline.spec().collector.autoscaling.as_ref()?;
    let name = pipeline.identity().collector();
    let content = json!({"spec": {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": wanted.min_replicas.unwrap_or(1),
        "maxReplicas": wanted.max_replicas,
        "metrics": [{
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {
                    "type": "Utilization",
                    "averageUtilization":
                        wanted.target_cpu_utilization.unwrap_or(TARGET_CPU_UTILIZATION),
                },
            },
        }],
    }});
    Some(child(pipeline, Kind::HorizontalPodAutoscaler, name, Meta::default(), content))
}
