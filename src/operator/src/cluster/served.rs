//! Which optional kinds the API server serves: their definitions come and go with other operators.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::APIResource;
use kube::{Client, Error as KubeError};
use tokio::sync::watch;

use crate::kinds::{KINDS, Kind};

#[cfg(test)]
mod tests;

/// A question not answered by then is given up: on a connection that died silently the last answer
/// would stand for as long as the client keeps the connection.
const PATIENCE: Duration = Duration::from_secs(10);

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
    let groups: BTreeSet<String> = optional().map(Kind::api_version).collect();
    let mut served = BTreeSet::new();
    for group in groups {
        let asked = client.list_api_group_resources(&group);
        let answer = tokio::time::timeout(PATIENCE, asked).await;
        match answer.unwrap_or_else(|late| Err(KubeError::Service(Box::new(late)))) {
            Ok(list) => served.extend(of_group(&group, &list.resources)),
            Err(KubeError::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Served { optional: served })
}

fn optional() -> impl Iterator<Item = Kind> {
    KINDS.iter().filter(|info| info.optional).map(|info| info.kind)
}

/// The optional kinds of a group version that are among its resources.
fn of_group<'a>(group: &'a str, listed: &'a [APIResource]) -> impl Iterator<Item = Kind> + 'a {
    optional()
        .filter(move |kind| kind.api_version() == group)
        .filter(|kind| listed.iter().any(|resource| resource.name == kind.info().plural))
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
