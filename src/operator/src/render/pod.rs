//! The collector's pod template, the same for the three kinds of workload. It meets the Pod
//! Security Standard `restricted`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::config_map::CONFIG_KEY;
use super::{effective_replicas, unless_empty};
use crate::api::collector::{CollectorSpec, EnvVar};
use crate::names::CONFIG_HASH_ANNOTATION;
use crate::settings::{ADMIN_PORT, Settings};
use crate::validate::Validated;

/// The image's user: `nonroot` of the distroless images, which runs as no one.
const UID: i64 = 65532;
/// Seconds a pod may take to stop: five while endpoints lag, thirty to drain, five to spare.
const TERMINATION_GRACE_SECONDS: i64 = 40;
/// Seconds in which a collector that is told to stop still takes telemetry: so long may it take
/// until every node's proxy and every client's resolver knows.
const LINGER_SECONDS: i64 = 5;
/// Where a StatefulSet's volume is mounted.
const DATA_DIRECTORY: &str = "/var/lib/obspipe";

pub(super) fn template(pipeline: &Validated, settings: &Settings) -> Value {
    let collector = &pipeline.spec().collector;
    let identity = pipeline.identity();
    let mut labels = collector.pod_labels.clone();
    // Not the label by which children are watched: a DaemonSet's own revisions copy the labels of
    // its pods.
    labels.extend(identity.selector());
    labels.insert("app.kubernetes.io/part-of".into(), "obspipe".into());
    let mut annotations = collector.pod_annotations.clone();
    annotations.insert(CONFIG_HASH_ANNOTATION.into(), pipeline.config_hash());
    json!({
        "metadata": {"labels": labels, "annotations": annotations},
        "spec": {
            "serviceAccountName": identity.collector(),
            "automountServiceAccountToken": false,
            "enableServiceLinks": false,
            "terminationGracePeriodSeconds": grace_seconds(collector),
            "securityContext": {
                "runAsNonRoot": true,
                "runAsUser": UID,
                "runAsGroup": UID,
                "fsGroup": UID,
                // Not each file anew with each start.
                "fsGroupChangePolicy": collector.storage.as_ref().map(|_| "OnRootMismatch"),
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container(pipeline, settings)],
            "volumes": volumes(pipeline),
            "nodeSelector": unless_empty(&collector.node_selector),
            "tolerations": unless_empty(&collector.tolerations),
            "affinity": collector.affinity,
            "topologySpreadConstraints": spread(pipeline),
            "priorityClassName": collector.priority_class_name,
            "imagePullSecrets": unless_empty(&collector.image_pull_secrets),
        },
    })
}

fn container(pipeline: &Validated, settings: &Settings) -> Value {
    json!({
        "name": "collector",
        "image": settings.collector_image,
        "imagePullPolicy": "IfNotPresent",
        "args": [format!("--config=/conf/{CONFIG_KEY}")],
        "env": environment(&pipeline.spec().collector),
        "ports": ports(pipeline),
        "resources": resources(pipeline),
        "securityContext": {
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        },
        // It listens within milliseconds: a pod is ready as soon as it is asked.
        "startupProbe": {
            "httpGet": {"path": "/readyz", "port": "admin"},
            "periodSeconds": 1,
            "failureThreshold": 60,
        },
        "readinessProbe": {
            "httpGet": {"path": "/readyz", "port": "admin"},
            "periodSeconds": 5,
        },
        "livenessProbe": {
            "httpGet": {"path": "/livez", "port": "admin"},
            "periodSeconds": 10,
            "timeoutSeconds": 5,
        },
        "volumeMounts": mounts(&pipeline.spec().collector),
    })
}

fn grace_seconds(collector: &CollectorSpec) -> i64 {
    collector.termination_grace_period_seconds.unwrap_or(TERMINATION_GRACE_SECONDS)
}

/// Seconds to linger and to drain, so that the kubelet never kills a collector that still sends:
/// five each before and after draining, a quarter each where the whole time is short.
fn stopping(grace: i64) -> (i64, i64) {
    let linger = LINGER_SECONDS.min(grace / 4);
    (linger, grace - 2 * linger)
}

/// What the spec asks for; else several replicas go to several nodes and zones where they can.
fn spread(pipeline: &Validated) -> Value {
    let collector = &pipeline.spec().collector;
    let several = effective_replicas(collector).is_some_and(|replicas| replicas > 1)
        || collector.autoscaling.is_some();
    let selector = json!({"matchLabels": pipeline.identity().selector()});
    if !collector.topology_spread_constraints.is_empty() || !several {
        let mut wanted = json!(collector.topology_spread_constraints);
        for constraint in wanted.as_array_mut().into_iter().flatten() {
            // Without one it would count no pods, and so spread none.
            if constraint["labelSelector"].is_null() {
                constraint["labelSelector"] = selector.clone();
            }
        }
        return unless_empty(&wanted);
    }
    let over = |key: &str| {
        json!({
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": selector,
        })
    };
    json!([over("kubernetes.io/hostname"), over("topology.kubernetes.io/zone")])
}

fn environment(collector: &CollectorSpec) -> Value {
    let (linger, drain) = stopping(grace_seconds(collector));
    let field = |name: &str, path: &str| json!({"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}});
    let mut list = vec![
        json!({"name": "OBSPIPE_ADMIN_LISTEN", "value": format!("0.0.0.0:{ADMIN_PORT}")}),
        json!({"name": "OBSPIPE_LINGER_SECONDS", "value": linger.to_string()}),
        json!({"name": "OBSPIPE_DRAIN_SECONDS", "value": drain.to_string()}),
        field("K8S_NODE_NAME", "spec.nodeName"),
        field("POD_NAME", "metadata.name"),
        field("POD_NAMESPACE", "metadata.namespace"),
        field("POD_IP", "status.podIP"),
    ];
    list.extend(collector.env.iter().map(variable));
    Value::Array(list)
}

fn variable(variable: &EnvVar) -> Value {
    json!(variable)
}

fn ports(pipeline: &Validated) -> Value {
    let mut list: Vec<Value> = pipeline
        .ports()
        .iter()
        .map(|port| json!({"name": port.name, "containerPort": port.number, "protocol": "TCP"}))
        .collect();
    list.push(json!({"name": "admin", "containerPort": ADMIN_PORT, "protocol": "TCP"}));
    Value::Array(list)
}

/// What the spec asks for; a memory limit that follows memory_limiter where it asks for none.
fn resources(pipeline: &Validated) -> Value {
    let wanted = pipeline.spec().collector.resources.clone().unwrap_or_default();
    let text = |map: BTreeMap<String, _>| -> BTreeMap<String, Value> {
        map.into_iter().map(|(name, quantity)| (name, json!(quantity))).collect()
    };
    let mut limits = text(wanted.limits);
    let mut requests = text(wanted.requests);
    let limit = json!(format!("{}Mi", pipeline.default_memory_limit_mib()));
    limits.entry("memory".into()).or_insert(limit);
    requests.entry("memory".into()).or_insert(json!("64Mi"));
    json!({"limits": limits, "requests": requests})
}

fn mounts(collector: &CollectorSpec) -> Value {
    let mut list = vec![json!({"name": "config", "mountPath": "/conf", "readOnly": true})];
    if collector.storage.is_some() {
        list.push(json!({"name": "data", "mountPath": DATA_DIRECTORY}));
    }
    list.extend(collector.volume_mounts.iter().map(|mount| json!(mount)));
    Value::Array(list)
}

fn volumes(pipeline: &Validated) -> Value {
    let mut list = vec![json!({
        "name": "config",
        "configMap": {"name": pipeline.identity().config()},
    })];
    list.extend(pipeline.spec().collector.volumes.iter().map(|volume| json!(volume)));
    Value::Array(list)
}

#[cfg(test)]
mod tests;
