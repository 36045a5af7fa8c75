//! The PodMonitor by which Prometheus scrapes the collectors: what applications sent keeps the
//! labels it came with, the collector's own metrics take those of the scrape.

use serde_json::{Value, json};

use super::{Meta, Object, child};
use crate::kinds::Kind;
use crate::settings::Settings;
use crate::validate::{Purpose, Validated};

pub(super) fn pod_monitor(pipeline: &Validated, settings: &Settings) -> Object {
    let mut endpoints: Vec<Value> = pipeline
        .ports()
        .iter()
        .filter(|port| port.purpose == Purpose::Scrape)
        .map(|port| json!({"port": port.name, "path": "/metrics", "honorLabels": true}))
        .collect();
    endpoints.push(json!({"port": "admin", "path": "/metrics", "honorLabels": false}));
    let content = json!({"spec": {
        "selector": {"matchLabels": pipeline.identity().selector()},
        "podMetricsEndpoints": endpoints,
    }});
    let meta = Meta { labels: settings.monitor_labels.clone(), ..Meta::default() };
    let name = pipeline.identity().collector();
    child(pipeline, Kind::PodMonitor, name, meta, content)
}
