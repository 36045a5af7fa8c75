//! Which optional kinds the API server serves: their definitions come and go with other operators.

use std::collections::BTreeSet;
use std::time::Duration;

use kube::{Client, Error as KubeError};
use tokio::sync::watch;

use crate::kinds::{KINDS, Kind};

/// The optional kinds that are served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    optional: BTreeSet<Kind>,
}

impl Served {
    /// Exactly these optional kinds are served. Kinds that are not optional always are.
    #[must_use]
    pub fn from_kinds(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self { optional: kinds.into_iter().filter(|kind| kind.info().optional).collect() }
    }

    /// Whether objects of this kind can be written.
    #[must_use]
    pub fn has(&self, kind: Kind) -> bool {
        !kind.info().optional || self.optional.contains(&kind)
    }
}

impl std::fmt::Display for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.optional.is_empty() {
            return f.write_str("none");
        }
        let names: Vec<String> = self.optional.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

/// Asks the API server, one request per group of optional kinds.
///
/// # Errors
/// No answer, or one that is neither a list nor "not found".
pub async fn discover(client: &Client) -> Result<Served, KubeError> {
    let optional: Vec<Kind> =
        KINDS.iter().filter(|info| info.optional).map(|info| info.kind).collect();
    let groups: BTreeSet<String> = optional.iter().map(|kind| kind.api_version()).collect();
    let mut served = BTreeSet::new();
    for group in groups {
        let listed = match client.list_api_group_resources(&group).await {
            Ok(list) => list.resources,
            Err(KubeError::Api(status)) if status.code == 404 => continue,
            Err(error) => return Err(error),
        };
        let names: BTreeSet<&str> = listed.iter().map(|resource| resource.name.as_str()).collect();
        let of_group = optional.iter().filter(|kind| kind.api_version() == group);
        served.extend(of_group.filter(|kind| names.contains(kind.info().plural)).copied());
    }
    Ok(Served { optional: served })
}

/// Asks every `interval` for ever and tells of changes. Without an answer the last one stands.
pub async fn follow(client: Client, interval: Duration, sender: watch::Sender<Served>) {
    let mut failing = false;
    loop {
        tokio::time::sleep(interval).await;
        match discover(&client).await {
            Ok(now) => {
                failing = false;
                let text = now.to_string();
                let changed = sender.send_if_modified(|last| {
                    let changed = *last != now;
                    *last = now;
                    changed
                });
                if changed {
                    tracing::info!(served = text, "optional kinds changed");
                }
            }
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(%error, "cannot ask which kinds are served: the last answer stands");
            }
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_optional_kinds_matter() {
        let served = Served::from_kinds([Kind::PodMonitor, Kind::Service]);
        assert!(served.has(Kind::PodMonitor));
        assert!(!served.has(Kind::PrometheusRule));
        assert!(served.has(Kind::ConfigMap));
        assert_eq!(served, Served::from_kinds([Kind::PodMonitor]));
        assert_eq!(served.to_string(), "PodMonitor");
        assert_eq!(Served::default().to_string(), "none");
    }
}
