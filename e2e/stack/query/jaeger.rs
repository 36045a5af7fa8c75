//! Jaeger's query API.

use serde_json::Value;

use super::{Proxy, Trace, so_far};
use crate::error::{Error, Result};
use crate::kubectl::Kubectl;
use crate::wait::{WITHIN, eventually};

/// The Jaeger of a namespace.
#[derive(Debug, Clone)]
pub struct Jaeger {
    query: Proxy,
    admin: Proxy,
}

impl Jaeger {
    pub(crate) fn new(kubectl: &Kubectl, namespace: &str) -> Self {
        let proxy = |service| Proxy::new(kubectl.clone(), namespace, service);
        Self { query: proxy("jaeger:query"), admin: proxy("jaeger:admin") }
    }

    /// Spans that it has saved since it started, by its own count; one sent twice counts twice.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn saved(&self) -> Result<u64> {
        Ok(saved(&self.admin.text("/metrics", &[]).await?))
    }

    /// The trace of this id (hex), as far as it has arrived.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn trace(&self, id: &str) -> Result<Option<Trace>> {
        match self.query.get(&format!("/api/traces/{id}"), &[]).await {
            Ok(answer) => Ok(answer["data"].get(0).map(Trace::read)),
            Err(Error::Command { message, .. }) if message.contains("trace not found") => Ok(None),
            Err(Error::Command { message, .. }) if message.contains("NotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The command that shows it.
    #[must_use]
    pub fn trace_command(&self, id: &str) -> String {
        self.query.command(&format!("/api/traces/{id}"), &[])
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
        let answer = self.query.get("/api/traces", &parameters).await?;
        Ok(answer["data"].as_array().into_iter().flatten().map(Trace::read).collect())
    }

    /// The names of the services it has spans of.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn services(&self) -> Result<Vec<String>> {
        let answer = self.query.get("/api/services", &[]).await?;
        let names = answer["data"].as_array().into_iter().flatten();
        Ok(names.filter_map(Value::as_str).map(ToOwned::to_owned).collect())
    }
}

fn saved(metrics: &str) -> u64 {
    let lines = metrics.lines().filter(|line| {
        line.starts_with("jaeger_collector_spans_saved_by_svc_total{")
            && line.contains("result=\"ok\"")
    });
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum::<f64>() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_saved_are_added_up_over_services() {
        let metrics = "\
# TYPE jaeger_collector_spans_saved_by_svc_total counter
jaeger_collector_spans_saved_by_svc_total{debug=\"false\",result=\"err\",svc=\"shop\"} 5
jaeger_collector_spans_saved_by_svc_total{debug=\"false\",result=\"ok\",svc=\"shop\"} 30
jaeger_collector_spans_saved_by_svc_total{debug=\"false\",result=\"ok\",svc=\"payment\"} 1.2e+06
jaeger_collector_traces_saved_by_svc_total{debug=\"false\",result=\"ok\",svc=\"shop\"} 7
";
        assert_eq!(saved(metrics), 1_200_030);
    }
}
