//! `spec.ruleGroups` and `spec.rules`: what `PrometheusRule.spec.groups` takes
//! (prometheus-operator API reference, `RuleGroup` and `Rule`).

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A group of rules that Prometheus evaluates one after the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleGroup {
    /// Name of the group, unique within the pipeline.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// How often the group is evaluated, as a Prometheus duration (`30s`). Default: Prometheus' own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub interval: Option<String>,
    /// Offset of the evaluation timestamp into the past, as a Prometheus duration.
    #[serde(default, rename = "query_offset", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub query_offset: Option<String>,
    /// Labels added to every series and alert of the group (Prometheus 3).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Largest number of alerts or series that a rule may produce; 0 is no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub limit: Option<i32>,
    /// For Thanos Ruler only: `warn` or `abort`.
    #[serde(
        default,
        rename = "partial_response_strategy",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(regex(pattern = r"^(?i)(abort|warn)?$"), length(max = 5))]
    pub partial_response_strategy: Option<String>,
    /// The rules, in the order in which they are evaluated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500))]
    pub rules: Vec<Rule>,
}

/// A recording rule (`record`) or an alerting rule (`alert`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Name of the series that a recording rule writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub record: Option<String>,
    /// Name of the alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub alert: Option<String>,
    /// PromQL expression. A bare number is taken as written.
    pub expr: IntOrString,
    /// How long the expression must hold before the alert fires, as a Prometheus duration.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub for_: Option<String>,
    /// How long the alert goes on firing after the expression stopped holding.
    #[serde(default, rename = "keep_firing_for", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub keep_firing_for: Option<String>,
    /// Labels added to the alert or the recorded series.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the alert.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// Settings of the PrometheusRule objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RulesSpec {
    /// Labels added to the PrometheusRule objects, for a Prometheus that selects by label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}
