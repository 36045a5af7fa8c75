//! Asking the backends, each through the API server's proxy: it works from wherever kubectl does,
//! and every answer comes with the command that shows it again.

mod alertmanager;
mod jaeger;
mod loki;
mod prometheus;
mod trace;

pub use alertmanager::Alertmanager;
pub use jaeger::Jaeger;
pub use loki::{Line, Loki};
pub use prometheus::{Alert, Prometheus, Sample};
pub use trace::{Span, Trace};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::kubectl::Kubectl;

/// A port of a Service, as the API server passes requests on to it.
#[derive(Debug, Clone)]
pub(crate) struct Proxy {
    kubectl: Kubectl,
    namespace: String,
    /// `<service>:<port>`.
    service: &'static str,
}

impl Proxy {
    pub(crate) fn new(kubectl: Kubectl, namespace: &str, service: &'static str) -> Self {
        Self { kubectl, namespace: namespace.to_owned(), service }
    }

    /// A GET, read as JSON.
    async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        let text = self.text(path, parameters).await?;
        serde_json::from_str(&text).map_err(Error::format(format!("the answer of {path}")))
    }

    /// A GET.
    async fn text(&self, path: &str, parameters: &[(&str, &str)]) -> Result<String> {
        self.kubectl.run(&["get", "--raw", &self.path(path, parameters)]).await
    }

    fn path(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        let Self { namespace, service, .. } = self;
        let base = format!("/api/v1/namespaces/{namespace}/services/{service}/proxy{path}");
        if parameters.is_empty() {
            return base;
        }
        let query =
            form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        format!("{base}?{query}")
    }

    /// The command that a person repeats it with.
    fn command(&self, path: &str, parameters: &[(&str, &str)]) -> String {
        format!("kubectl get --raw '{}'", self.path(path, parameters).replace('\'', "%27"))
    }
}

/// What is there instead, for a wait that goes on.
fn so_far<T: std::fmt::Debug>(found: Result<T>) -> String {
    match found {
        Ok(found) => format!("{found:?}"),
        Err(error) => error.to_string(),
    }
}
