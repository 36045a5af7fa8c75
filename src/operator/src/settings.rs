//! What the operator was told at its start (flags, set by the chart) that shapes what it renders.
//! Plain values: no environment, no cluster.

use std::collections::BTreeMap;

/// Port of the collector's admin listener: probes, self-metrics and status use only this one.
pub const ADMIN_PORT: u16 = 13134;

/// Settings of rendering, the same for all pipelines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Image of the collector.
    pub collector_image: String,
    /// Labels on every PrometheusRule, for a Prometheus that selects by label.
    pub rule_labels: BTreeMap<String, String>,
    /// Labels on every PodMonitor.
    pub monitor_labels: BTreeMap<String, String>,
    /// Labels on every dashboard ConfigMap.
    pub dashboard_labels: BTreeMap<String, String>,
    /// Annotations on every dashboard ConfigMap.
    pub dashboard_annotations: BTreeMap<String, String>,
    /// Namespace of the operator itself.
    pub operator_namespace: String,
    /// Namespaces whose pods may scrape the admin listener; empty for all.
    pub scrape_namespaces: Vec<String>,
    /// Whether collectors get a NetworkPolicy.
    pub network_policies: bool,
    /// Whether pipelines may define data sources in a Grafana that others share.
    pub allow_datasources: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            collector_image: format!("obspipe/collector:{}", env!("CARGO_PKG_VERSION")),
            rule_labels: BTreeMap::new(),
            monitor_labels: BTreeMap::new(),
            dashboard_labels: BTreeMap::new(),
            dashboard_annotations: BTreeMap::new(),
            operator_namespace: "default".to_owned(),
            scrape_namespaces: Vec::new(),
            network_policies: true,
            allow_datasources: false,
        }
    }
}
