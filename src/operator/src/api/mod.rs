//! The custom resource `ObservabilityPipeline` (`obspipe.dev/v1alpha1`) as users write it.
//! Types only: nothing here reads a cluster, applies a default or decides what is valid beyond
//! what the schema itself can refuse (`schema`).

// The derive takes one `printcolumn(type_ = …)` for each column.
#![allow(clippy::duplicated_attributes)]

pub mod collector;
pub mod dashboards;
pub mod offline;
pub mod rules;
pub mod schema;
pub mod status;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use collector::{CollectorSpec, Mode};
pub use dashboards::{Dashboard, GrafanaSpec};
pub use rules::{RuleGroup, RulesSpec};
pub use status::{Condition, PipelineStatus};

/// API group of the custom resources.
pub const GROUP: &str = "obspipe.dev";
/// The field manager of every server-side apply, and the product's short name.
pub const FIELD_MANAGER: &str = "obspipe";

/// What a namespace's telemetry does: how it travels (a collector), what is promised about it
/// (rules) and where people look (dashboards).
///
/// Nothing is ever written into a spec by the operator, and absent fields get their defaults when
/// objects are rendered, so that an upgrade can change a default.
#[derive(CustomResource, Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "obspipe.dev",
    version = "v1alpha1",
    kind = "ObservabilityPipeline",
    plural = "observabilitypipelines",
    shortname = "obspipe",
    category = "observability",
    namespaced,
    status = "PipelineStatus",
    derive = "PartialEq",
    doc = "Declares how a namespace's metrics, logs and traces travel (a collector), what is promised about them (rules) and where people look (dashboards).",
    scale(
        spec_replicas_path = ".spec.collector.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(name = "Mode", type_ = "string", json_path = ".status.mode"),
    printcolumn(name = "Collectors", type_ = "string", json_path = ".status.collectors"),
    printcolumn(name = "Rules", type_ = "integer", json_path = ".status.rules"),
    printcolumn(name = "Dashboards", type_ = "integer", json_path = ".status.dashboards"),
    printcolumn(
        name = "Reason",
        type_ = "string",
        priority = 1,
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason"
    ),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp")
)]
#[serde(rename_all = "camelCase")]
pub struct ObservabilityPipelineSpec {
    /// The collector: its OpenTelemetry configuration and how it runs.
    pub collector: CollectorSpec,
    /// Prometheus rule groups, in Prometheus' own words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub rule_groups: Vec<RuleGroup>,
    /// Settings of the PrometheusRule objects that carry the rule groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<RulesSpec>,
    /// Grafana dashboards.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    pub dashboards: Vec<Dashboard>,
    /// Where the dashboards appear in Grafana and what they read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grafana: Option<GrafanaSpec>,
    /// Stop reconciling: the objects are left as they are, status is still written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,
}
