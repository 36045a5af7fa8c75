//! A pod that sends spans through the SDK, writes down which were accepted, and looks for each of
//! them in Jaeger (`e2e/app/ledger.py`).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::Result;
use crate::kubectl::Kubectl;
use crate::wait::{WITHIN, eventually};
use crate::{manifest, parts};

/// What is sent.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// Name of the pod.
    pub name: String,
    /// Spans in a second.
    pub rate: u32,
    /// How long.
    pub lasts: Duration,
}

/// The account at the end, in spans. `made = accepted + failed + dropped`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// That were made.
    pub made: u64,
    /// Of which the exporter was told that they were accepted.
    pub accepted: u64,
    /// Of exports that failed after every retry.
    pub failed: u64,
    /// That the SDK had no room for.
    pub dropped: u64,
    /// Accepted ones that Jaeger does not have.
    pub missing: u64,
}

/// A ledger that was started.
#[derive(Debug, Clone)]
pub struct Kept {
    kubectl: Kubectl,
    namespace: String,
    pod: String,
    lasts: Duration,
}

impl Ledger {
    pub(crate) async fn start(&self, kubectl: &Kubectl, namespace: &str) -> Result<Kept> {
        let mut objects = manifest::parse(parts::LEDGER)?;
        manifest::place(&mut objects, namespace);
        for pod in &mut objects {
            pod["metadata"]["name"] = json!(self.name);
            pod["spec"]["containers"][0]["args"] = json!([
                format!("--rate={}", self.rate),
                format!("--seconds={}", self.lasts.as_secs()),
            ]);
        }
        kubectl.apply(&objects).await?;
        let (kubectl, namespace) = (kubectl.clone(), namespace.to_owned());
        let kept = Kept { kubectl, namespace, pod: self.name.clone(), lasts: self.lasts };
        kept.event("started", WITHIN).await?;
        Ok(kept)
    }
}

impl Kept {
    /// Tells it to end as the end of its pod does: what it made is exported and accounted for.
    ///
    /// # Errors
    /// It does not run.
    pub async fn terminate(&self) -> Result<()> {
        let end = "import os; os.kill(1, 15)";
        let exec = ["exec", &self.pod, "-n", &self.namespace, "--", "python3", "-c", end];
        self.kubectl.run(&exec).await.map(|_| ())
    }

    /// The account, once everything was sent and looked for.
    ///
    /// # Errors
    /// It does not come.
    pub async fn account(&self) -> Result<Account> {
        let done = self.event("done", self.lasts + WITHIN).await?;
        serde_json::from_value(done).map_err(crate::Error::format("the ledger's account"))
    }

    /// Everything it said, for who reads a failure.
    ///
    /// # Errors
    /// The pod is gone.
    pub async fn said(&self) -> Result<String> {
        self.kubectl.run(&["logs", &self.pod, "-n", &self.namespace]).await
    }

    async fn event(&self, event: &str, within: Duration) -> Result<Value> {
        let what = format!("the ledger {}/{} to have {event}", self.namespace, self.pod);
        eventually(&what, within, async || match self.said().await {
            Ok(log) => find(&log, event).ok_or(log),
            Err(error) => Err(error.to_string()),
        })
        .await
    }
}

/// The line of an event; lines of the SDK stand between.
fn find(log: &str, event: &str) -> Option<Value> {
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line["event"] == event)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_found_between_other_lines() {
        let log = "Transient error\n{\"event\": \"started\"}\n{\"event\": \"done\", \"made\": 3}\n";
        assert_eq!(find(log, "done"), Some(json!({"event": "done", "made": 3})));
        assert_eq!(find(log, "sent"), None);
    }
}
