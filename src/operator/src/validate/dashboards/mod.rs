//! Dashboards: every reason why Grafana could not show one, and what is left to render of those
//! that are right. Pure; the texts that `jsonFrom` names are handed in.

mod json;
mod panels;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::api::dashboards::{Dashboard, Datasource, JsonFrom, Panel, PanelKind};

/// A dashboard in which nothing is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedDashboard {
    /// Name within the pipeline.
    pub name: String,
    /// Title that the spec asks for; absent, that of the JSON holds, else the name.
    pub title: Option<String>,
    /// Description that the spec asks for.
    pub description: Option<String>,
    /// Tags that the spec asks for.
    pub tags: Vec<String>,
    /// How often the dashboard reloads, where the spec says so.
    pub refresh: Option<String>,
    /// What it shows.
    pub content: Content,
}

/// What a dashboard shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Panels in our own words, at least one.
    Panels(Vec<Panel>),
    /// A dashboard in Grafana's JSON, out of its API wrapper.
    Json(Map<String, Value>),
    /// `jsonFrom` could not be read now: the existing object is left as it is.
    Unavailable,
}

/// Text of a ConfigMap's key, by ConfigMap and key. `None`: it was read and there is no such key.
/// An absent entry: it could not be read now.
type External = BTreeMap<(String, String), Option<String>>;

/// The dashboards that are right, and every problem of the others, in the order of the spec.
///
/// A dashboard whose `jsonFrom` is wrong is a problem and stays as [`Content::Unavailable`]: its
/// text is not part of the spec, and a ConfigMap that is being replaced must not take away what
/// people look at.
#[must_use]
pub fn check(
    dashboards: &[Dashboard],
    external: &External,
) -> (Vec<ValidatedDashboard>, Vec<String>) {
    let mut valid = Vec::new();
    let mut problems = Vec::new();
    let mut names = BTreeSet::new();
    for dashboard in dashboards {
        let place = format!("dashboard {:?}", dashboard.name);
        if !names.insert(&dashboard.name) {
            problems.push(format!("{place}: another dashboard has the same name"));
            continue;
        }
        let (content, found) = content(dashboard, external);
        problems.extend(found.into_iter().map(|problem| format!("{place}{problem}")));
        valid.extend(content.map(|content| validated(dashboard, content)));
    }
    (valid, problems)
}

/// What a panel reads, where it does not say so: logs panels read logs, all others metrics.
#[must_use]
pub fn reads(panel: &Panel) -> Datasource {
    let default = match panel.kind {
        PanelKind::Logs => Datasource::Logs,
        _ => Datasource::Metrics,
    };
    panel.datasource.unwrap_or(default)
}

fn validated(dashboard: &Dashboard, content: Content) -> ValidatedDashboard {
    ValidatedDashboard {
        name: dashboard.name.clone(),
        title: dashboard.title.clone(),
        description: dashboard.description.clone(),
        tags: dashboard.tags.clone(),
        refresh: dashboard.refresh.clone(),
        content,
    }
}

/// The content and the problems, each of which begins with `: ` or `, panel …`.
fn content(dashboard: &Dashboard, external: &External) -> (Option<Content>, Vec<String>) {
    match (&dashboard.panels, &dashboard.json, &dashboard.json_from) {
        (Some(list), None, None) => {
            let problems = panels::problems(list);
            (problems.is_empty().then(|| Content::Panels(list.clone())), problems)
        }
        (None, Some(text), None) => match json::model(text) {
            Ok(model) => (Some(Content::Json(model)), Vec::new()),
            Err(problems) => (None, prefixed(": json", problems)),
        },
        (None, None, Some(from)) => referenced(from, external),
        (None, None, None) => (None, vec![": one of panels, json and jsonFrom must be set".into()]),
        _ => (None, vec![": only one of panels, json and jsonFrom may be set".into()]),
    }
}

fn referenced(from: &JsonFrom, external: &External) -> (Option<Content>, Vec<String>) {
    let reference = &from.config_map_key_ref;
    let place = format!(": jsonFrom: ConfigMap {:?}, key {:?}", reference.name, reference.key);
    let unavailable = Some(Content::Unavailable);
    match external.get(&(reference.name.clone(), reference.key.clone())) {
        None => (unavailable, Vec::new()),
        Some(None) => (unavailable, vec![format!("{place}: there is no such ConfigMap or key")]),
        Some(Some(text)) => match json::model(text) {
            Ok(model) => (Some(Content::Json(model)), Vec::new()),
            Err(problems) => (unavailable, prefixed(&place, problems)),
        },
    }
}

fn prefixed(place: &str, problems: Vec<String>) -> Vec<String> {
    problems.into_iter().map(|problem| format!("{place}{problem}")).collect()
}

#[cfg(test)]
mod tests;
