//! The expressions of a dashboard, read from the ConfigMap that Grafana's sidecar would read.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::kubectl::Kubectl;

/// A panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Panel {
    /// What stands above it.
    pub title: String,
    /// What it draws.
    pub expression: String,
    /// Grafana's name of the unit, such as `reqps`; empty for none.
    pub unit: String,
}

/// The panels of the dashboard in a ConfigMap.
///
/// # Errors
/// It is not there, or holds no dashboard.
pub(crate) async fn read(kubectl: &Kubectl, namespace: &str, name: &str) -> Result<Vec<Panel>> {
    let found = kubectl.get(&["configmap", name, "-n", namespace]).await?;
    panels(&found.unwrap_or_default()).ok_or_else(|| Error::Format {
        what: format!("the dashboard in ConfigMap {namespace}/{name}"),
        reason: "there is none".to_owned(),
    })
}

/// Of each panel its first expression. None where there are no panels.
fn panels(config_map: &Value) -> Option<Vec<Panel>> {
    let files = config_map["data"].as_object()?;
    let text = files.iter().find(|(name, _)| name.ends_with(".json"))?.1.as_str()?;
    let dashboard: Value = serde_json::from_str(text).ok()?;
    let panels = dashboard["panels"].as_array()?.iter().filter_map(|panel| {
        Some(Panel {
            title: panel["title"].as_str()?.to_owned(),
            expression: panel["targets"][0]["expr"].as_str()?.to_owned(),
            unit: panel["fieldConfig"]["defaults"]["unit"].as_str().unwrap_or_default().to_owned(),
        })
    });
    Some(panels.collect()).filter(|panels: &Vec<Panel>| !panels.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn panels_are_read_from_the_configmap() {
        let dashboard = json!({"panels": [{"title": "Rate", "targets": [{"expr": "up"}],
            "fieldConfig": {"defaults": {"unit": "reqps"}}}]});
        let map = json!({"data": {"observability-otel-x-12345678.json": dashboard.to_string()}});
        let expected = Panel {
            title: "Rate".to_owned(),
            expression: "up".to_owned(),
            unit: "reqps".to_owned(),
        };
        assert_eq!(panels(&map), Some(vec![expected]));
        assert_eq!(panels(&json!({"data": {"a.txt": ""}})), None);
        assert_eq!(panels(&Value::Null), None);
    }
}
