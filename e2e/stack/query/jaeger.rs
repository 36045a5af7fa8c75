//! Jaeger's query API.

use serde_json::Value;

use super::{Proxy, Trace, so_far};
use crate::error::{Error, Result};
use crate::wait::{WITHIN, eventually};

/// The Jaeger of a namespace.
#[derive(Debug, Clone)]
pub struct Jaeger(pub(crate) Proxy);

impl Jaeger {
    /// The trace of this id (hex), as far as it has arrived.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn trace(&self, id: &str) -> Result<Option<Trace>> {
        match self.0.get(&format!("/api/traces/{id}"), &[]).await {
            Ok(answer) => Ok(answer["data"].get(0).map(Trace::read)),
            Err(Error::Command { message, .. }) if message.contains("trace not found") => Ok(None),
            Err(Error::Command { message, .. }) if message.contains("NotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The command that shows it.
    #[must_use]
    pub fn trace_command(&self, id: &str) -> String {
        self.0.command(&format!("/api/traces/{id}"), &[])
    }

    /// The trace of this id, waiting until it has so many spans and every parent is there.
    ///
    /// # Errors
    /// It did not come in time.
    pub async fn whole(&self, id: &str, spans: usize) -> Result<Trace> {
        let what = format!("the trace {id} with {spans} spans in Jaeger");
        eventually(&what, WITHIN, async || match self.trace(id).await {
            Ok(Some(trace)) if trace.spans.len() >= spans && trace.is_complete() => Ok(trace),
            other => Err(so_far(other)),
        })
        .await
    }

    /// Traces of a service with a span of that name in the last hour, at most `limit`.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn find(&self, service: &str, operation: &str, limit: usize) -> Result<Vec<Trace>> {
        self.search(&[("service", service), ("operation", operation)], limit).await
    }

    /// Traces of a service with a span that has this attribute.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn find_by_tag(
        &self,
        service: &str,
        tag: (&str, &str),
        limit: usize,
    ) -> Result<Vec<Trace>> {
        let tags = serde_json::json!({ tag.0: tag.1 }).to_string();
        self.search(&[("service", service), ("tags", &tags)], limit).await
    }

    async fn search(&self, about: &[(&str, &str)], limit: usize) -> Result<Vec<Trace>> {
        let limit = limit.to_string();
        let mut parameters = about.to_vec();
        parameters.extend([("lookback", "1h"), ("limit", &limit)]);
        let answer = self.0.get("/api/traces", &parameters).await?;
        Ok(answer["data"].as_array().into_iter().flatten().map(Trace::read).collect())
    }

    /// The names of the services it has spans of.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn services(&self) -> Result<Vec<String>> {
        let answer = self.0.get("/api/services", &[]).await?;
        let names = answer["data"].as_array().into_iter().flatten();
        Ok(names.filter_map(Value::as_str).map(ToOwned::to_owned).collect())
    }
}
