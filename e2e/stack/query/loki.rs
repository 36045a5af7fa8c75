//! Loki's query API.

use serde_json::Value;

use super::{Proxy, so_far};
use crate::error::Result;
use crate::wait::{WITHIN, eventually};

/// The Loki of a namespace.
#[derive(Debug, Clone)]
pub struct Loki(pub(crate) Proxy);

/// A log line with the labels of its stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Nanoseconds since 1970, as text.
    pub time: String,
    /// Of the stream.
    pub labels: Value,
    /// As it was pushed: JSON of body, traceid, spanid, severity, attributes, resources.
    pub text: String,
}

impl Line {
    /// The line's JSON; null where it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

impl Loki {
    /// The lines that a query of the last hour finds, the oldest first.
    ///
    /// # Errors
    /// Loki did not answer, or refused the query.
    pub async fn lines(&self, logql: &str) -> Result<Vec<Line>> {
        Ok(lines(&self.0.get(RANGE, &parameters(logql)).await?))
    }

    /// The command that shows them.
    #[must_use]
    pub fn command(&self, logql: &str) -> String {
        self.0.command(RANGE, &parameters(logql))
    }

    /// The same, waiting until there are so many.
    ///
    /// # Errors
    /// They did not come in time.
    pub async fn wait(&self, logql: &str, count: usize) -> Result<Vec<Line>> {
        let what = format!("{count} lines of {logql} in Loki");
        eventually(&what, WITHIN, async || match self.lines(logql).await {
            Ok(lines) if lines.len() >= count => Ok(lines),
            other => Err(so_far(other)),
        })
        .await
    }
}

const RANGE: &str = "/loki/api/v1/query_range";

fn parameters(logql: &str) -> [(&str, &str); 4] {
    [("query", logql), ("since", "1h"), ("limit", "5000"), ("direction", "forward")]
}

fn lines(answer: &Value) -> Vec<Line> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut lines = Vec::new();
    for stream in answer["data"]["result"].as_array().into_iter().flatten() {
        for value in stream["values"].as_array().into_iter().flatten() {
            lines.push(Line {
                time: text(&value[0]),
                labels: stream["stream"].clone(),
                text: text(&value[1]),
            });
        }
    }
    lines.sort_by(|a, b| a.time.cmp(&b.time));
    lines
}
