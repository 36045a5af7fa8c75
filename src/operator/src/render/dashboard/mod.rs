//! A dashboard's JSON model for Grafana 10 and later. Total: what could be wrong was found before.
//! `model` builds the frame (identity, variables, layout); `panel` draws one panel.

mod panel;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::datasources::{plugin, title, uid, word};
use crate::api::dashboards::{Datasource, Datasources, Panel, PanelKind};
use crate::names::{Identity, hash};
use crate::validate::dashboards::{Content, ValidatedDashboard, reads};

/// The schema of Grafana 10.4 and 11. Later releases migrate it when they load it.
const SCHEMA_VERSION: u32 = 39;
/// Columns of Grafana's grid.
const COLUMNS: u32 = 24;
/// Height of a panel, in Grafana's rows of 30 pixels.
const HEIGHT: u32 = 8;
/// How often a dashboard reloads.
const REFRESH: &str = "30s";

/// The dashboard as Grafana reads it; `None` where its content cannot be read now.
#[must_use]
pub fn model(
    dashboard: &ValidatedDashboard,
    identity: &Identity,
    datasources: Option<&Datasources>,
) -> Option<Value> {
    match &dashboard.content {
        Content::Panels(panels) => Some(from_panels(dashboard, panels, identity, datasources)),
        Content::Json(model) => Some(from_json(dashboard, model, identity)),
        Content::Unavailable => None,
    }
}

/// The key of the dashboard in its ConfigMap. Grafana's sidecar writes the dashboards of all
/// namespaces into one directory under this name, so it names the whole triple and ends in its
/// hash: `a-b/c` and `a/b-c` differ.
#[must_use]
pub fn data_key(identity: &Identity, dashboard: &str) -> String {
    let Identity { namespace, name, .. } = identity;
    let fits = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }
    };
    let mut key: String = format!("{namespace}-{name}-{dashboard}").chars().map(fits).collect();
    // A key has at most 253 characters; the API's limits leave 170, a file checked offline may not.
    key.truncate(200);
    format!("{key}-{}.json", hash(triple(identity, dashboard).as_bytes(), 8))
}

fn triple(identity: &Identity, dashboard: &str) -> String {
    format!("{}/{}/{dashboard}", identity.namespace, identity.name)
}

/// Grafana's uid of a dashboard, at most 40 characters: links to it survive a new installation.
fn dashboard_uid(identity: &Identity, dashboard: &str) -> String {
    format!("op-{}", hash(triple(identity, dashboard).as_bytes(), 32))
}

fn from_panels(
    dashboard: &ValidatedDashboard,
    panels: &[Panel],
    identity: &Identity,
    datasources: Option<&Datasources>,
) -> Value {
    let mut tags = dashboard.tags.clone();
    if !tags.iter().any(|tag| tag == "obspipe") {
        tags.push("obspipe".into());
    }
    let signals: BTreeSet<Datasource> = panels.iter().map(reads).collect();
    let variables: Vec<Value> =
        signals.into_iter().map(|signal| variable(signal, identity, datasources)).collect();
    json!({
        "annotations": { "list": [] },
        "description": dashboard.description.as_deref().unwrap_or_default(),
        "editable": true,
        "fiscalYearStartMonth": 0,
        "graphTooltip": 1,
        "links": [],
        "panels": laid_out(panels, datasources),
        "refresh": dashboard.refresh.as_deref().unwrap_or(REFRESH),
        "schemaVersion": SCHEMA_VERSION,
        "tags": tags,
        "templating": { "list": variables },
        "time": { "from": "now-1h", "to": "now" },
        "timepicker": {},
        "timezone": "browser",
        "title": dashboard.title.as_deref().unwrap_or(&dashboard.name),
        "uid": dashboard_uid(identity, &dashboard.name),
        "weekStart": "",
    })
}

/// The user's own JSON. What identifies a dashboard in Grafana's database is ours to say: an `id`
/// belongs to the installation it was exported from, a `version` makes Grafana refuse older ones.
fn from_json(
    dashboard: &ValidatedDashboard,
    model: &Map<String, Value>,
    identity: &Identity,
) -> Value {
    let mut model = model.clone();
    model.remove("id");
    model.remove("version");
    model.insert("uid".into(), json!(dashboard_uid(identity, &dashboard.name)));
    let title = dashboard.title.as_deref();
    if let Some(title) = title.or((!model.contains_key("title")).then_some(&dashboard.name)) {
        model.insert("title".into(), json!(title));
    }
    if let Some(description) = &dashboard.description {
        model.insert("description".into(), json!(description));
    }
    if !dashboard.tags.is_empty() {
        model.insert("tags".into(), json!(dashboard.tags));
    }
    if let Some(refresh) = &dashboard.refresh {
        model.insert("refresh".into(), json!(refresh));
    }
    Value::Object(model)
}

/// A variable by which the reader chooses among the data sources of one type.
fn variable(signal: Datasource, identity: &Identity, datasources: Option<&Datasources>) -> Value {
    let current = datasources.and_then(|all| uid(all, signal, identity)).map_or_else(
        || json!({}),
        |uid| {
            // Only of a data source that we define is the name known.
            let ours =
                datasources.is_some_and(|all| super::datasources::is_provisioned(all, signal));
            let text = if ours { title(signal, identity) } else { uid.clone() };
            json!({ "selected": true, "text": text, "value": uid })
        },
    );
    let label = match signal {
        Datasource::Metrics => "Metrics",
        Datasource::Logs => "Logs",
        Datasource::Traces => "Traces",
    };
    json!({
        "current": current,
        "hide": 0,
        "includeAll": false,
        "label": label,
        "multi": false,
        "name": word(signal),
        "options": [],
        "query": plugin(signal, datasources),
        "refresh": 1,
        "regex": "",
        "skipUrlSync": false,
        "type": "datasource",
    })
}

/// The panels from left to right; a panel that does not fit its row begins the next, below the
/// highest of this one.
fn laid_out(panels: &[Panel], datasources: Option<&Datasources>) -> Vec<Value> {
    let (mut x, mut y, mut tallest) = (0, 0, 0);
    let mut drawn = Vec::new();
    for (index, panel) in panels.iter().enumerate() {
        let (width, height) = size(panel);
        if x + width > COLUMNS {
            (x, y, tallest) = (0, y + tallest, 0);
        }
        let place = json!({ "h": height, "w": width, "x": x, "y": y });
        drawn.push(panel::panel(panel, index + 1, place, datasources));
        x += width;
        tallest = tallest.max(height);
    }
    drawn
}

fn size(panel: &Panel) -> (u32, u32) {
    let width = match panel.kind {
        PanelKind::Stat | PanelKind::Gauge | PanelKind::Bargauge => COLUMNS / 4,
        _ => COLUMNS / 2,
    };
    let width = panel.width.map_or(width, u32::from).clamp(1, COLUMNS);
    (width, panel.height.map_or(HEIGHT, u32::from).max(1))
}

#[cfg(test)]
mod tests;
