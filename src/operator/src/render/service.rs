//! The Service in front of the collectors: one port per listening component that other pods can
//! reach. The admin listener is not among them.

use serde_json::{Value, json};

use super::{Meta, Object, child, unless_empty};
use crate::api::Mode;
use crate::api::collector::InternalTrafficPolicy;
use crate::kinds::Kind;
use crate::validate::{Port, Validated};

/// None where nothing listens: a Service must have a port.
pub(super) fn service(pipeline: &Validated) -> Option<Object> {
    let ports = pipeline.ports();
    if ports.is_empty() {
        return None;
    }
    let settings = pipeline.spec().collector.service.clone().unwrap_or_default();
    let content = json!({"spec": {
        "type": settings.kind.unwrap_or_default().as_str(),
        "internalTrafficPolicy": traffic_policy(pipeline, settings.internal_traffic_policy).as_str(),
        "selector": pipeline.identity().selector(),
        "ports": unless_empty(&ports.iter().map(port).collect::<Vec<_>>()),
    }});
    let meta = Meta { annotations: settings.annotations, ..Meta::default() };
    let name = pipeline.identity().collector();
    Some(child(pipeline, Kind::Service, name, meta, content))
}

fn port(port: &Port) -> Value {
    json!({
        "name": port.name,
        "port": port.number,
        "targetPort": port.name,
        "protocol": "TCP",
        "appProtocol": port.app_protocol,
    })
}

/// A collector on every node answers its own node's applications; where some nodes may have none,
/// every collector must be reachable from everywhere.
fn traffic_policy(
    pipeline: &Validated,
    wanted: Option<InternalTrafficPolicy>,
) -> InternalTrafficPolicy {
    let collector = &pipeline.spec().collector;
    let everywhere = collector.mode.unwrap_or_default() == Mode::DaemonSet
        && collector.node_selector.is_empty()
        && collector.affinity.is_none();
    wanted.unwrap_or(if everywhere {
        InternalTrafficPolicy::Local
    } else {
        InternalTrafficPolicy::Cluster
    })
}
