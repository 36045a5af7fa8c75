//! One panel: its queries, how values are shown, and the options of its type
//! (Grafana documentation, "Panels and visualizations"; @grafana/schema for the field names).

use serde_json::{Map, Value, json};

use crate::api::dashboards::{Datasource, Datasources, Panel, PanelKind, Threshold};
use crate::render::datasources::{plugin, word};
use crate::validate::dashboards::reads;

/// The colour below the first threshold.
const BASE_COLOR: &str = "green";

/// A panel at its place in the grid.
pub(super) fn panel(
    panel: &Panel,
    id: usize,
    place: Value,
    datasources: Option<&Datasources>,
) -> Value {
    let signal = reads(panel);
    let source =
        json!({ "type": plugin(signal, datasources), "uid": format!("${{{}}}", word(signal)) });
    json!({
        "datasource": source,
        "description": panel.description.as_deref().unwrap_or_default(),
        "fieldConfig": { "defaults": defaults(panel), "overrides": [] },
        "gridPos": place,
        "id": id,
        "options": options(panel),
        "targets": targets(panel, &source),
        "title": panel.title,
        "type": kind(panel.kind),
    })
}

/// Grafana's id of the panel's type.
fn kind(kind: PanelKind) -> &'static str {
    match kind {
        PanelKind::Timeseries | PanelKind::Graph => "timeseries",
        PanelKind::Stat => "stat",
        PanelKind::Gauge => "gauge",
        PanelKind::Bargauge => "bargauge",
        PanelKind::Table => "table",
        PanelKind::Heatmap => "heatmap",
        PanelKind::Logs => "logs",
    }
}

/// The queries, named A, B, C and so on.
fn targets(panel: &Panel, source: &Value) -> Vec<Value> {
    let single = panel.expr.iter().map(|expr| (expr, &panel.legend));
    let several = panel.targets.iter().map(|target| (&target.expr, &target.legend));
    let named = single.chain(several).zip('A'..='Z');
    named
        .map(|((expr, legend), name)| {
            let mut target = match reads(panel) {
                Datasource::Metrics => metrics_target(panel.kind, expr, legend.as_deref()),
                Datasource::Logs => logs_target(expr, legend.as_deref()),
                Datasource::Traces => traces_target(expr, source["type"] == "tempo"),
            };
            target.insert("datasource".into(), source.clone());
            target.insert("refId".into(), json!(name));
            target
        })
        .map(Value::Object)
        .collect()
}

/// The expression is kept to the letter. Exemplars make a trace one click away from a line.
fn metrics_target(kind: PanelKind, expr: &str, legend: Option<&str>) -> Map<String, Value> {
    let table = kind == PanelKind::Table;
    let format = match kind {
        PanelKind::Table => "table",
        PanelKind::Heatmap => "heatmap",
        _ => "time_series",
    };
    let lines = matches!(kind, PanelKind::Timeseries | PanelKind::Graph | PanelKind::Heatmap);
    object(json!({
        "editorMode": "code",
        "exemplar": lines,
        "expr": expr,
        "format": format,
        "instant": table,
        "legendFormat": legend.unwrap_or("__auto"),
        "range": !table,
    }))
}

fn logs_target(expr: &str, legend: Option<&str>) -> Map<String, Value> {
    object(json!({
        "editorMode": "code",
        "expr": expr,
        "legendFormat": legend.unwrap_or_default(),
        "queryType": "range",
    }))
}

/// Tempo takes TraceQL, of which a trace id is a case. Jaeger takes a trace id, or searches: then
/// the expression is a service's name.
fn traces_target(expr: &str, tempo: bool) -> Map<String, Value> {
    let hex = !expr.is_empty() && expr.len() <= 32 && expr.bytes().all(|b| b.is_ascii_hexdigit());
    let id = expr.contains('$') || (hex && expr.len() >= 16);
    object(match (tempo, id) {
        (true, _) => {
            json!({ "limit": 20, "query": expr, "queryType": "traceql", "tableType": "traces" })
        }
        (false, true) => json!({ "query": expr }),
        (false, false) => json!({ "limit": 20, "queryType": "search", "service": expr }),
    })
}

/// How values are shown, whatever the type.
fn defaults(panel: &Panel) -> Value {
    let mode = match panel.kind {
        PanelKind::Stat | PanelKind::Gauge | PanelKind::Bargauge => "thresholds",
        _ => "palette-classic",
    };
    let mut defaults = object(json!({
        "color": { "mode": mode },
        "custom": custom(panel),
        "mappings": [],
        "thresholds": { "mode": "absolute", "steps": steps(&panel.thresholds) },
    }));
    let set = [
        ("unit", panel.unit.as_ref().map(|unit| json!(unit))),
        ("decimals", panel.decimals.map(|decimals| json!(decimals))),
        ("min", panel.min.map(|min| json!(min))),
        ("max", panel.max.map(|max| json!(max))),
    ];
    defaults.extend(set.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Value::Object(defaults)
}

/// The steps, base first: Grafana takes the first one's value as minus infinity.
fn steps(thresholds: &[Threshold]) -> Vec<Value> {
    let base = thresholds.iter().find(|step| step.value.is_none());
    let color = base.map_or(BASE_COLOR, |step| step.color.as_str());
    let mut steps = vec![json!({ "color": color, "value": null })];
    let valued = thresholds.iter().filter(|step| step.value.is_some());
    steps.extend(valued.map(|step| json!({ "color": step.color, "value": step.value })));
    steps
}

/// Settings of the fields that only one type of panel reads.
fn custom(panel: &Panel) -> Value {
    match panel.kind {
        PanelKind::Timeseries | PanelKind::Graph => json!({
            "drawStyle": "line",
            "fillOpacity": 10,
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "showPoints": "never",
            "spanNulls": false,
            "stacking": { "group": "A", "mode": "none" },
            "thresholdsStyle": { "mode": if panel.thresholds.is_empty() { "off" } else { "line" } },
        }),
        PanelKind::Table => json!({ "align": "auto", "filterable": true }),
        _ => json!({}),
    }
}

fn options(panel: &Panel) -> Value {
    match panel.kind {
        PanelKind::Timeseries | PanelKind::Graph => json!({
            "legend": { "calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": true },
            "tooltip": { "mode": "multi", "sort": "desc" },
        }),
        PanelKind::Stat => json!({
            "colorMode": "value",
            "graphMode": "area",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": last_value(),
            "textMode": "auto",
        }),
        PanelKind::Gauge => json!({
            "orientation": "auto",
            "reduceOptions": last_value(),
            "showThresholdLabels": false,
            "showThresholdMarkers": true,
        }),
        PanelKind::Bargauge => json!({
            "displayMode": "gradient",
            "orientation": "horizontal",
            "reduceOptions": last_value(),
            "showUnfilled": true,
        }),
        PanelKind::Table => json!({ "cellHeight": "sm", "showHeader": true }),
        PanelKind::Heatmap => heatmap(panel),
        PanelKind::Logs => json!({
            "dedupStrategy": "none",
            "enableLogDetails": true,
            "prettifyLogMessage": false,
            "showCommonLabels": false,
            "showLabels": false,
            "showTime": true,
            "sortOrder": "Descending",
            "wrapLogMessage": true,
        }),
    }
}

/// Prometheus' buckets are drawn as they are; the unit is that of their bounds.
fn heatmap(panel: &Panel) -> Value {
    let axis = panel.unit.as_ref().map_or(json!({}), |unit| json!({ "unit": unit }));
    json!({
        "calculate": false,
        "cellGap": 1,
        "color": { "mode": "scheme", "scheme": "Oranges", "steps": 64 },
        "exemplars": { "color": "rgba(255,0,255,0.7)" },
        "legend": { "show": true },
        "showValue": "never",
        "tooltip": { "mode": "single", "showColorScale": false, "yHistogram": false },
        "yAxis": axis,
    })
}

/// One number per series: the last that is one.
fn last_value() -> Value {
    json!({ "calcs": ["lastNotNull"], "fields": "", "values": false })
}

/// The fields of an object literal.
fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
