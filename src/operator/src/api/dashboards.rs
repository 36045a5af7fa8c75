//! `spec.dashboards` and `spec.grafana`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Grafana dashboard: exactly one of `panels`, `json` and `jsonFrom`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dashboard {
    /// Name of the dashboard, unique within the pipeline.
    #[schemars(length(min = 1, max = 63), regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"))]
    pub name: String,
    /// Title in Grafana. Default: the dashboard's name, or the title inside `json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub title: Option<String>,
    /// Description in Grafana.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub description: Option<String>,
    /// Tags in Grafana.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20), inner(length(min = 1, max = 63)))]
    pub tags: Vec<String>,
    /// How often the dashboard reloads, as Grafana writes it (`30s`, `1m`). Default 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8), regex(pattern = r"^([1-9][0-9]*[smhd])?$"))]
    pub refresh: Option<String>,
    /// The panels, laid out from left to right and from top to bottom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 60))]
    pub panels: Option<Vec<Panel>>,
    /// A whole dashboard in Grafana's JSON, at most 200 KiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 204_800))]
    pub json: Option<String>,
    /// A whole dashboard in Grafana's JSON, in a ConfigMap of the same namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json_from: Option<JsonFrom>,
}

/// Where a dashboard's JSON is found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct JsonFrom {
    /// A key of a ConfigMap in the pipeline's namespace. It is read again every minute.
    pub config_map_key_ref: ConfigMapKeyRef,
}

/// A key of a ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigMapKeyRef {
    /// Name of the ConfigMap.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// Key in its `data`.
    #[schemars(length(min = 1, max = 253))]
    pub key: String,
}

/// One panel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Panel {
    /// Title of the panel.
    #[schemars(length(max = 200))]
    pub title: String,
    /// How the panel draws.
    #[serde(rename = "type")]
    pub kind: PanelKind,
    /// The query: PromQL for metrics, LogQL for logs, a trace id or search for traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    pub expr: Option<String>,
    /// Several queries, instead of `expr`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub targets: Vec<Target>,
    /// Legend of the series that `expr` yields, as a Grafana legend format (`{{service}}`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub legend: Option<String>,
    /// What the panel reads. Default: logs for a `logs` panel, else metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasource: Option<Datasource>,
    /// Unit of the values, a Grafana unit id (`reqps`, `percent`, `s`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64))]
    pub unit: Option<String>,
    /// Text behind the panel's information mark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 2048))]
    pub description: Option<String>,
    /// Where the colour changes, in ascending order of value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub thresholds: Vec<Threshold>,
    /// Lowest value of the axis or gauge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Highest value of the axis or gauge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// Number of decimals shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 10))]
    pub decimals: Option<u8>,
    /// Width in Grafana's 24 columns. Default by type: 12 for time series, tables, heatmaps and
    /// logs, 6 for single values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 24))]
    pub width: Option<u8>,
    /// Height in Grafana's rows of 30 pixels. Default 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 40))]
    pub height: Option<u8>,
}

/// One query of a panel.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// The query.
    #[schemars(length(min = 1, max = 8192))]
    pub expr: String,
    /// Legend of its series.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 256))]
    pub legend: Option<String>,
}

/// How a panel draws. `graph` is the old name of `timeseries` and is rendered as such: Grafana
/// removed the former in version 11.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PanelKind {
    /// Lines over time.
    #[default]
    Timeseries,
    /// The old name of `timeseries`.
    Graph,
    /// One big number.
    Stat,
    /// A gauge.
    Gauge,
    /// Bars, one per series.
    Bargauge,
    /// Rows and columns.
    Table,
    /// Buckets over time.
    Heatmap,
    /// Log lines.
    Logs,
}

/// What a panel reads: one of the three data sources of the dashboard's variables.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Datasource {
    /// Prometheus.
    Metrics,
    /// Loki.
    Logs,
    /// Jaeger or Tempo.
    Traces,
}

/// A colour from a value on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Threshold {
    /// The value from which the colour holds; absent for the base colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// A Grafana colour (`green`, `#d44a3a`).
    #[schemars(length(min = 1, max = 64))]
    pub color: String,
}

/// Where dashboards appear in Grafana and what they read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrafanaSpec {
    /// Folder of the dashboards. Default: the namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 200))]
    pub folder: Option<String>,
    /// Labels added to the dashboards' ConfigMaps, for a Grafana that selects by its own label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// The data sources that dashboards start with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datasources: Option<Datasources>,
}

/// The data sources of the three signals.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Datasources {
    /// Prometheus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<DatasourceSpec>,
    /// Loki.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<DatasourceSpec>,
    /// Jaeger or Tempo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<TracesDatasourceSpec>,
}

/// A data source: the uid by which Grafana knows it and, when the pipeline is to define it, its
/// query address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DatasourceSpec {
    /// Grafana's uid of the data source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[a-zA-Z0-9_-]+$"))]
    pub uid: Option<String>,
    /// Query address. With it the data source itself is provisioned, if the operator allows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub url: Option<String>,
}

/// The data source of traces.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TracesDatasourceSpec {
    /// Grafana's uid of the data source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 40), regex(pattern = r"^[a-zA-Z0-9_-]+$"))]
    pub uid: Option<String>,
    /// Query address. With it the data source itself is provisioned, if the operator allows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 2048), regex(pattern = r"^https?://[^\s]+$"))]
    pub url: Option<String>,
    /// `jaeger` (default) or `tempo`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<TracesKind>,
}

/// Which program answers queries for traces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TracesKind {
    /// Jaeger.
    #[default]
    Jaeger,
    /// Grafana Tempo.
    Tempo,
}
