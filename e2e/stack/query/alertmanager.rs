//! Alertmanager's API.

use std::time::Duration;

use serde_json::Value;

use super::{Proxy, so_far};
use crate::error::Result;
use crate::wait::eventually;

/// The Alertmanager of a namespace.
#[derive(Debug, Clone)]
pub struct Alertmanager(pub(crate) Proxy);

const ALERTS: &str = "/api/v2/alerts";

impl Alertmanager {
    /// Every alert it was told of: `labels`, `annotations`, `status`.
    ///
    /// # Errors
    /// It did not answer.
    pub async fn alerts(&self) -> Result<Vec<Value>> {
        Ok(self.0.get(ALERTS, &[]).await?.as_array().cloned().unwrap_or_default())
    }

    /// The command that shows them.
    #[must_use]
    pub fn command(&self) -> String {
        self.0.command(ALERTS, &[])
    }

    /// Waits until it has an alert of this name.
    ///
    /// # Errors
    /// It had none in time.
    pub async fn alert(&self, name: &str, within: Duration) -> Result<Value> {
        let what = format!("the alert {name} at Alertmanager");
        eventually(&what, within, async || {
            let alerts = self.alerts().await;
            let wanted = |it: &&Value| it["labels"]["alertname"] == name;
            match alerts.as_deref().ok().and_then(|all| all.iter().find(wanted)) {
                Some(found) => Ok(found.clone()),
                None => Err(so_far(alerts)),
            }
        })
        .await
    }
}
