//! Customers of the application, as a pod that sends orders at a steady rate and counts each once,
//! by how it was answered (`e2e/app/load.py`).

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use crate::error::Result;
use crate::kubectl::Kubectl;
use crate::wait::{WITHIN, eventually};
use crate::{manifest, parts};

/// What customers do.
#[derive(Debug, Clone)]
pub struct Load {
    /// Name of the pod.
    pub name: String,
    /// Orders in a second.
    pub rate: f64,
    /// How long they come; none: until the pod is deleted.
    pub lasts: Option<Duration>,
    /// Items of an order: each is a span more.
    pub items: u32,
}

impl Default for Load {
    /// Ten orders in a second, four spans each, for ever.
    fn default() -> Self {
        Self { name: "load".to_owned(), rate: 10.0, lasts: None, items: 0 }
    }
}

impl Load {
    fn arguments(&self) -> Vec<String> {
        let url = format!("http://shop:8080/order?items={}", self.items);
        let seconds = self.lasts.unwrap_or_default().as_secs_f64();
        // As many at once as a second's orders, so that slow ones do not hold up the rate.
        let threads = (self.rate.ceil() * 2.0).clamp(4.0, 64.0);
        vec![
            format!("--url={url}"),
            format!("--rate={}", self.rate),
            format!("--seconds={seconds}"),
            format!("--threads={threads}"),
        ]
    }

    /// Starts it, in place of one of the same name.
    pub(crate) async fn start(&self, kubectl: &Kubectl, namespace: &str) -> Result<Running> {
        let mut objects = manifest::parse(parts::LOAD)?;
        manifest::place(&mut objects, namespace);
        for pod in &mut objects {
            pod["metadata"]["name"] = json!(self.name);
            pod["spec"]["containers"][0]["args"] = json!(self.arguments());
        }
        let running = Running {
            kubectl: kubectl.clone(),
            namespace: namespace.to_owned(),
            pod: self.name.clone(),
        };
        running.delete().await?;
        kubectl.apply(&objects).await?;
        Ok(running)
    }
}

/// What was sent and how it was answered, up to `now`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Seconds since 1970, by the customers' clock.
    pub begun: f64,
    /// Seconds since 1970, by the same clock.
    pub now: f64,
    /// Orders sent: answered, failed, or under way.
    pub sent: u64,
    /// Orders answered, whatever the status.
    pub answered: u64,
    /// The same by their status.
    pub by_status: BTreeMap<String, u64>,
    /// Orders without an answer.
    pub failed: u64,
    /// Spans that the application says it made for the orders answered.
    pub spans: u64,
    /// Whether these are the last.
    #[serde(rename = "final")]
    pub is_final: bool,
}

impl Totals {
    /// Orders that were answered with a server's error.
    #[must_use]
    pub fn errors(&self) -> u64 {
        let errors = self.by_status.iter().filter(|(status, _)| status.starts_with('5'));
        errors.map(|(_, count)| count).sum()
    }

    /// Orders answered in a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.answered as f64 / (self.now - self.begun)
    }
}

/// Customers that were sent.
#[derive(Debug, Clone)]
pub struct Running {
    kubectl: Kubectl,
    namespace: String,
    pod: String,
}

impl Running {
    /// What they say so far; nothing in the first seconds.
    ///
    /// # Errors
    /// The pod is gone.
    pub async fn totals(&self) -> Result<Option<Totals>> {
        let log = ["logs", &self.pod, "-n", &self.namespace, "--tail=20"];
        Ok(last(&self.kubectl.run(&log).await?))
    }

    /// What they say at the end of the time they were given, waiting so much longer at most.
    ///
    /// # Errors
    /// They do not end in time.
    pub async fn finish(&self, lasts: Duration) -> Result<Totals> {
        let what = format!("the customers of pod {}/{} to end", self.namespace, self.pod);
        eventually(&what, lasts + WITHIN, async || match self.totals().await {
            Ok(Some(totals)) if totals.is_final => Ok(totals),
            Ok(other) => Err(format!("{other:?}")),
            Err(error) => Err(error.to_string()),
        })
        .await
    }

    /// Sends them home at once.
    ///
    /// # Errors
    /// The API server refused.
    pub async fn delete(&self) -> Result<()> {
        let pod = ["delete", "pod", &self.pod, "-n", &self.namespace, "--ignore-not-found"];
        self.kubectl.run(&pod).await.map(|_| ())
    }

    /// The command that shows what they say.
    #[must_use]
    pub fn command(&self) -> String {
        format!("kubectl logs {} -n {} --tail=1", self.pod, self.namespace)
    }
}

/// The last line that is totals: what else is there was said on standard error.
fn last(log: &str) -> Option<Totals> {
    log.lines().rev().find_map(|line| serde_json::from_str(line).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r#"{"begun": 10.0, "now": 15.0, "sent": 51, "answered": 50, "byStatus": {"200": 47, "502": 2, "503": 1}, "failed": 0, "spans": 200, "final": false}
no answer: timed out
"#;

    #[test]
    fn the_last_totals_are_read() {
        let totals = last(LOG).unwrap();
        assert_eq!((totals.sent, totals.errors(), totals.rate()), (51, 3, 10.0));
        assert!(!totals.is_final);
        assert_eq!(last("no answer: timed out"), None);
    }

    #[test]
    fn customers_are_told_what_to_do() {
        let load = Load { rate: 20.0, lasts: Some(Duration::from_secs(60)), ..Load::default() };
        let expected =
            ["--url=http://shop:8080/order?items=0", "--rate=20", "--seconds=60", "--threads=40"];
        assert_eq!(load.arguments(), expected);
    }
}
