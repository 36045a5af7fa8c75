//! Grafana's data sources and the links between them: from a metric's exemplar to its trace, from
//! a log line to its trace, from a span to its logs and metrics. Serialised from types
//! (Grafana documentation, "Provision Grafana" and each data source's "Provision").
//!
//! Grafana replaces `$NAME` and `${NAME}` in provisioning files by its own environment, where its
//! secrets are: every `$` of a value is doubled here, so that no address can read them and
//! `${__value.raw}` reaches the browser.

use serde::Serialize;

use crate::api::dashboards::{Datasource, Datasources, TracesKind};
use crate::names::{Identity, hash};

/// The label of exemplars that the prometheus exporter writes.
const EXEMPLAR_LABEL: &str = "trace_id";
/// How the loki exporter's JSON line spells the trace id.
const TRACE_IN_LINE: &str = r#""traceid":"(\w+)""#;
/// The label that the loki exporter puts on every stream. Nothing narrower is known of a span:
/// Jaeger keeps the service's name outside the tags, and `job` carries the namespace as well.
const LOGS_OF_SPAN: &str = r#"{exporter="OTLP"} |= "${__span.traceId}""#;
/// Logs are stamped before or after the span that they belong to.
const LOG_SHIFT: &str = "5m";
/// Metrics are scraped, and rates look back: a span's own seconds would show nothing.
const METRIC_SHIFT: &str = "15m";

/// Series that count requests: the name most services use, and OpenTelemetry's semantic conventions
/// for HTTP servers, stable and before.
const REQUEST_SERIES: [&str; 3] = [
    "http_requests_total",
    "http_server_request_duration_seconds_count",
    "http_server_duration_milliseconds_count",
];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct File {
    api_version: u8,
    datasources: Vec<Source>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    name: String,
    uid: String,
    #[serde(rename = "type")]
    kind: &'static str,
    access: &'static str,
    url: String,
    editable: bool,
    json_data: Settings,
}

/// `jsonData` of all three; what a source does not have is left out.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    http_method: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exemplar_trace_id_destinations: Vec<Exemplar>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    derived_fields: Vec<DerivedField>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traces_to_logs_v2: Option<TracesToLogs>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traces_to_metrics: Option<TracesToMetrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_graph: Option<NodeGraph>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Exemplar {
    name: &'static str,
    datasource_uid: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DerivedField {
    name: &'static str,
    matcher_type: &'static str,
    matcher_regex: String,
    /// With a data source's uid this is the query sent to it, not an address.
    url: String,
    datasource_uid: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TracesToLogs {
    datasource_uid: String,
    span_start_time_shift: String,
    span_end_time_shift: String,
    custom_query: bool,
    query: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TracesToMetrics {
    datasource_uid: String,
    span_start_time_shift: String,
    span_end_time_shift: String,
    queries: Vec<Query>,
}

#[derive(Serialize)]
struct Query {
    name: &'static str,
    query: String,
}

#[derive(Serialize)]
struct NodeGraph {
    enabled: bool,
}

/// The uid under which a signal's data source is known to Grafana: the spec's, or one that follows
/// from the pipeline where the spec gives an address. `None`: the reader chooses in Grafana.
#[must_use]
pub fn uid(datasources: &Datasources, signal: Datasource, identity: &Identity) -> Option<String> {
    let uid = match signal {
        Datasource::Metrics => datasources.metrics.as_ref()?.uid.clone(),
        Datasource::Logs => datasources.logs.as_ref()?.uid.clone(),
        Datasource::Traces => datasources.traces.as_ref()?.uid.clone(),
    };
    let owner = format!("{}/{}", identity.namespace, identity.name);
    let default = || format!("op-{}-{}", word(signal), hash(owner.as_bytes(), 16));
    uid.or_else(|| is_provisioned(datasources, signal).then(default))
}

/// Whether the pipeline defines the data source itself, having its address.
#[must_use]
pub fn is_provisioned(datasources: &Datasources, signal: Datasource) -> bool {
    url(datasources, signal).is_some()
}

/// Name of the data source that the pipeline provisions. Names are unique in Grafana.
#[must_use]
pub fn title(signal: Datasource, identity: &Identity) -> String {
    format!("{}/{} {}", identity.namespace, identity.name, word(signal))
}

/// Grafana's plugin id of a signal's data source.
#[must_use]
pub fn plugin(signal: Datasource, datasources: Option<&Datasources>) -> &'static str {
    match (signal, datasources.and_then(|d| d.traces.as_ref()?.kind)) {
        (Datasource::Metrics, _) => "prometheus",
        (Datasource::Logs, _) => "loki",
        (Datasource::Traces, Some(TracesKind::Tempo)) => "tempo",
        (Datasource::Traces, _) => "jaeger",
    }
}

/// The signal's name, which is also that of its dashboard variable.
#[must_use]
pub fn word(signal: Datasource) -> &'static str {
    match signal {
        Datasource::Metrics => "metrics",
        Datasource::Logs => "logs",
        Datasource::Traces => "traces",
    }
}

/// The provisioning file of those data sources that have an address; `None` where there is none.
#[must_use]
pub fn provisioning(datasources: &Datasources, identity: &Identity) -> Option<String> {
    let signals = [Datasource::Metrics, Datasource::Logs, Datasource::Traces];
    let sources: Vec<Source> =
        signals.into_iter().filter_map(|signal| source(datasources, signal, identity)).collect();
    if sources.is_empty() {
        return None;
    }
    // Strings, numbers and lists of them: there is nothing in it that YAML cannot hold.
    serde_yaml::to_string(&File { api_version: 1, datasources: sources }).ok()
}

fn source(datasources: &Datasources, signal: Datasource, identity: &Identity) -> Option<Source> {
    let url = url(datasources, signal)?;
    Some(Source {
        name: literal(&title(signal, identity)),
        uid: literal(&uid(datasources, signal, identity)?),
        kind: plugin(signal, Some(datasources)),
        access: "proxy",
        url: literal(url),
        editable: false,
        json_data: settings(datasources, signal, identity),
    })
}

fn url(datasources: &Datasources, signal: Datasource) -> Option<&str> {
    match signal {
        Datasource::Metrics => datasources.metrics.as_ref()?.url.as_deref(),
        Datasource::Logs => datasources.logs.as_ref()?.url.as_deref(),
        Datasource::Traces => datasources.traces.as_ref()?.url.as_deref(),
    }
}

fn settings(datasources: &Datasources, signal: Datasource, identity: &Identity) -> Settings {
    let uid_of = |signal| uid(datasources, signal, identity).map(|uid| literal(&uid));
    let none = Settings::default();
    match signal {
        Datasource::Metrics => Settings {
            http_method: Some("POST"),
            exemplar_trace_id_destinations: uid_of(Datasource::Traces)
                .into_iter()
                .map(exemplar)
                .collect(),
            ..none
        },
        Datasource::Logs => Settings {
            derived_fields: uid_of(Datasource::Traces).into_iter().map(derived_field).collect(),
            ..none
        },
        Datasource::Traces => Settings {
            traces_to_logs_v2: uid_of(Datasource::Logs).map(traces_to_logs),
            traces_to_metrics: uid_of(Datasource::Metrics).map(traces_to_metrics),
            node_graph: Some(NodeGraph { enabled: true }),
            ..none
        },
    }
}

fn exemplar(datasource_uid: String) -> Exemplar {
    Exemplar { name: EXEMPLAR_LABEL, datasource_uid }
}

fn derived_field(datasource_uid: String) -> DerivedField {
    DerivedField {
        name: "Trace",
        matcher_type: "regex",
        matcher_regex: literal(TRACE_IN_LINE),
        url: literal("${__value.raw}"),
        datasource_uid,
    }
}

fn traces_to_logs(datasource_uid: String) -> TracesToLogs {
    TracesToLogs {
        datasource_uid,
        span_start_time_shift: format!("-{LOG_SHIFT}"),
        span_end_time_shift: LOG_SHIFT.into(),
        custom_query: true,
        query: literal(LOGS_OF_SPAN),
    }
}

/// A span names no series, so the link shows every service's rate around the span. One `rate` per
/// name: over several at once Prometheus refuses series that differ in their names alone.
fn traces_to_metrics(datasource_uid: String) -> TracesToMetrics {
    let rate = |series: &str| format!("sum by (job) (rate({series}[5m]))");
    let series = REQUEST_SERIES.iter().map(|series| rate(series)).collect::<Vec<_>>();
    TracesToMetrics {
        datasource_uid,
        span_start_time_shift: format!("-{METRIC_SHIFT}"),
        span_end_time_shift: METRIC_SHIFT.into(),
        queries: vec![Query { name: "Requests by service", query: literal(&series.join(" or ")) }],
    }
}

/// A value as it shall arrive: Grafana reads `$$` as `$`.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

#[cfg(test)]
mod tests;
