//! ConfigMaps: the collector's configuration, the dashboards and the data sources. Labels and
//! annotations of the latter two are those by which Grafana's sidecar finds them.

use serde_json::json;

use super::{Meta, Object, child, dashboard as model, datasources as provisioning};
use crate::kinds::Kind;
use crate::settings::Settings;
use crate::validate::Validated;
use crate::validate::dashboards::ValidatedDashboard;

/// Key of the configuration, and so its file name below `/conf`.
pub(super) const CONFIG_KEY: &str = "config.yaml";

pub(super) fn configuration(pipeline: &Validated) -> Object {
    let data = json!({"data": {CONFIG_KEY: pipeline.config_yaml()}});
    let name = pipeline.identity().config();
    child(pipeline, Kind::ConfigMap, name, Meta::default(), data)
}

/// None where the dashboard's JSON cannot be read now.
pub(super) fn dashboard(
    pipeline: &Validated,
    dashboard: &ValidatedDashboard,
    settings: &Settings,
) -> Option<Object> {
    let identity = pipeline.identity();
    let grafana = pipeline.spec().grafana.as_ref();
    let datasources = grafana.and_then(|grafana| grafana.datasources.as_ref());
    let model = model::model(dashboard, identity, datasources)?;
    let mut meta = Meta {
        labels: settings.dashboard_labels.clone(),
        annotations: settings.dashboard_annotations.clone(),
    };
    meta.labels.insert("grafana_dashboard".into(), "1".into());
    let mut folder = identity.namespace.clone();
    if let Some(grafana) = grafana {
        meta.labels.extend(grafana.labels.clone());
        folder = grafana.folder.clone().unwrap_or(folder);
    }
    meta.annotations.insert("grafana_folder".into(), folder);
    let text = format!("{model:#}\n");
    let key = model::data_key(identity, &dashboard.name);
    let name = identity.dashboard(&dashboard.name);
    Some(child(pipeline, Kind::ConfigMap, name, meta, json!({"data": {key: text}})))
}

/// None unless the pipeline defines data sources and the operator lets it.
pub(super) fn datasources(pipeline: &Validated, settings: &Settings) -> Option<Object> {
    let grafana = pipeline.spec().grafana.as_ref()?;
    if !settings.allow_datasources {
        return None;
    }
    let identity = pipeline.identity();
    let text = provisioning::provisioning(grafana.datasources.as_ref()?, identity)?;
    let mut meta = Meta::default();
    meta.labels.insert("grafana_datasource".into(), "1".into());
    // The sidecar writes keys as file names into one directory for all namespaces.
    let key = format!("{}-{}-datasources.yaml", identity.namespace, identity.name);
    let data = json!({"data": {key: text}});
    Some(child(pipeline, Kind::ConfigMap, identity.datasources(), meta, data))
}
