//! A room of its own on the cluster: backends, application, pipeline and customers by the names the
//! document gives them, so that two namespaces never see each other's telemetry.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::dashboard::{self, Panel};
use crate::error::{Error, Result};
use crate::kubectl::Kubectl;
use crate::ledger::{Kept, Ledger};
use crate::load::{Load, Running};
use crate::query::{Alertmanager, Jaeger, Loki, Prometheus, Proxy};
use crate::wait::{WITHIN, eventually};
use crate::{findings, manifest, parts};

/// A namespace of a [`crate::Stack`].
#[derive(Debug, Clone)]
pub struct Namespace {
    kubectl: Kubectl,
    name: String,
}

/// How the application behaves. Unset is as the manifest says: 5 % of the payments fail, 2 % take
/// 0.4 s longer.
#[derive(Debug, Clone, Default)]
pub struct Shop {
    /// Pods of the shop; each is two writers.
    pub replicas: Option<u32>,
    /// Share of payments that fail.
    pub error_share: Option<f64>,
    /// Share of payments that are slow.
    pub slow_share: Option<f64>,
    /// How much longer those take.
    pub slow: Option<Duration>,
    /// More environment variables of both services, such as the SDK's.
    pub environment: Vec<(&'static str, String)>,
}

/// What the application answers to an order.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Order {
    /// Its id.
    pub order: String,
    /// What it costs.
    pub total: f64,
    /// Id of its trace, hex.
    pub trace: String,
    /// Spans of that trace.
    pub spans: usize,
}

impl Namespace {
    pub(crate) fn new(kubectl: Kubectl, name: &str) -> Self {
        Self { kubectl, name: name.to_owned() }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster.
    #[must_use]
    pub fn kubectl(&self) -> &Kubectl {
        &self.kubectl
    }

    /// Jaeger and Loki, ready.
    ///
    /// # Errors
    /// They do not come up.
    pub async fn backends(&self) -> Result<()> {
        self.apply(parts::JAEGER).await?;
        self.apply(parts::LOKI).await?;
        self.rolled_out("deployment/jaeger").await?;
        self.rolled_out("deployment/loki").await
    }

    /// Jaeger alone, ready.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn tracing_backend(&self) -> Result<()> {
        self.apply(parts::JAEGER).await?;
        self.rolled_out("deployment/jaeger").await
    }

    /// A ledger that has begun to send.
    ///
    /// # Errors
    /// It does not start.
    pub async fn ledger(&self, ledger: &Ledger) -> Result<Kept> {
        self.explained(ledger.start(&self.kubectl, &self.name).await).await
    }

    /// A Prometheus and an Alertmanager, run by prometheus-operator, which take every
    /// PrometheusRule and PodMonitor of this namespace, ready.
    ///
    /// # Errors
    /// They do not come up.
    pub async fn monitoring(&self) -> Result<()> {
        self.apply(parts::PROMETHEUS).await?;
        self.run_by_operator("alertmanager").await?;
        self.run_by_operator("prometheus").await
    }

    /// The application, ready to take orders.
    ///
    /// # Errors
    /// It does not come up.
    pub async fn shop(&self, shop: &Shop) -> Result<()> {
        let mut objects = manifest::parse(parts::SHOP)?;
        shop.fill_in(&mut objects);
        self.apply_objects(objects).await?;
        self.rolled_out("deployment/payment").await?;
        self.rolled_out("deployment/shop").await
    }

    /// One order, placed through the API server. Takes its id and total.
    ///
    /// # Errors
    /// It was not answered with success.
    pub async fn order(&self, id: &str, total: f64) -> Result<Order> {
        let path = format!(
            "/api/v1/namespaces/{}/services/shop:http/proxy/order?id={id}&total={total}",
            self.name
        );
        let text = self.kubectl.feed(&["create", "--raw", &path, "-f", "-"], "").await?;
        serde_json::from_str(&text).map_err(Error::format("the answer to an order"))
    }

    /// Customers.
    ///
    /// # Errors
    /// The API server refused.
    pub async fn load(&self, load: &Load) -> Result<Running> {
        load.start(&self.kubectl, &self.name).await
    }

    /// Applies the pipelines (and what else) of a text into this namespace, and waits until each is
    /// Ready.
    ///
    /// # Errors
    /// One was refused or does not become Ready.
    pub async fn pipeline(&self, text: &str) -> Result<()> {
        let objects = manifest::parse(text)?;
        let pipelines: Vec<Value> =
            objects.iter().filter(|it| it["kind"] == "ObservabilityPipeline").cloned().collect();
        self.apply_objects(objects).await?;
        for pipeline in pipelines {
            self.ready(pipeline["metadata"]["name"].as_str().unwrap_or_default()).await?;
        }
        Ok(())
    }

    /// Waits until a pipeline is Ready for the spec as it is now; returns it.
    ///
    /// # Errors
    /// It does not become so; the error quotes its conditions and pods.
    pub async fn ready(&self, pipeline: &str) -> Result<Value> {
        self.condition(pipeline, "Ready", "True").await
    }

    /// The same for any condition and status.
    ///
    /// # Errors
    /// As [`Self::ready`].
    pub async fn condition(&self, pipeline: &str, kind: &str, status: &str) -> Result<Value> {
        let what = format!("{kind} of pipeline {}/{pipeline} to be {status}", self.name);
        let look = async || match self.kubectl.get(&["obspipe", pipeline, "-n", &self.name]).await {
            Ok(Some(found)) if holds(&found, kind, status) => Ok(found),
            Ok(found) => Err(found.unwrap_or_default()["status"]["conditions"].to_string()),
            Err(error) => Err(error.to_string()),
        };
        self.explained(eventually(&what, WITHIN, look).await).await
    }

    /// Waits until a workload (`deployment/jaeger`) has as many ready pods as it wants, of its
    /// newest template.
    ///
    /// # Errors
    /// It has not in time; the error tells what its pods say.
    pub async fn rolled_out(&self, workload: &str) -> Result<()> {
        let timeout = format!("--timeout={}s", WITHIN.as_secs());
        let status = ["rollout", "status", workload, "-n", &self.name, &timeout];
        self.explained(self.kubectl.run(&status).await.map(|_| ())).await
    }

    /// Waits until prometheus-operator says that what it runs is available.
    async fn run_by_operator(&self, kind: &str) -> Result<()> {
        let object = format!("{kind}.monitoring.coreos.com/{kind}");
        let timeout = format!("--timeout={}s", WITHIN.as_secs());
        let wait = ["wait", "--for=condition=Available", &object, "-n", &self.name, &timeout];
        self.explained(self.kubectl.run(&wait).await.map(|_| ())).await
    }

    /// Applies a manifest into this namespace.
    ///
    /// # Errors
    /// The API server refused an object.
    pub async fn apply(&self, text: &str) -> Result<()> {
        self.apply_objects(manifest::parse(text)?).await
    }

    /// The same with objects.
    ///
    /// # Errors
    /// The API server refused one.
    pub async fn apply_objects(&self, mut objects: Vec<Value>) -> Result<()> {
        manifest::place(&mut objects, &self.name);
        self.kubectl.apply(&objects).await
    }

    /// Its Jaeger.
    #[must_use]
    pub fn jaeger(&self) -> Jaeger {
        Jaeger::new(&self.kubectl, &self.name)
    }

    /// Its Loki.
    #[must_use]
    pub fn loki(&self) -> Loki {
        Loki(self.proxy("loki:http"))
    }

    /// Its Prometheus.
    #[must_use]
    pub fn prometheus(&self) -> Prometheus {
        Prometheus(self.proxy("prometheus-operated:web"))
    }

    /// Its Alertmanager.
    #[must_use]
    pub fn alertmanager(&self) -> Alertmanager {
        Alertmanager(self.proxy("alertmanager-operated:web"))
    }

    /// The panels of the dashboard in a ConfigMap.
    ///
    /// # Errors
    /// It is not there.
    pub async fn dashboard(&self, config_map: &str) -> Result<Vec<Panel>> {
        dashboard::read(&self.kubectl, &self.name, config_map).await
    }

    /// What every pod of a pipeline's collector says of itself: its `/status`, with a ledger for
    /// each pipeline and exporter, by the pod's name.
    ///
    /// # Errors
    /// A pod did not answer.
    pub async fn collectors(&self, pipeline: &str) -> Result<BTreeMap<String, Value>> {
        let selector = format!("app.kubernetes.io/instance={pipeline}");
        let mut statuses = BTreeMap::new();
        for pod in self.kubectl.list(&["pods", "-n", &self.name, "-l", &selector]).await? {
            let name = pod["metadata"]["name"].as_str().unwrap_or_default();
            let path = format!("/api/v1/namespaces/{}/pods/{name}:13134/proxy/status", self.name);
            let text = self.kubectl.run(&["get", "--raw", &path]).await?;
            let status = serde_json::from_str(&text);
            let status = status.map_err(Error::format(format!("the answer of {path}")))?;
            statuses.insert(name.to_owned(), status);
        }
        Ok(statuses)
    }

    /// What the SDK in the application's pods complains of: exports that failed after every retry,
    /// and spans that found no room. Pods that are gone are not heard.
    ///
    /// # Errors
    /// The API server did not answer.
    pub async fn complaints(&self) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        for app in ["shop", "payment"] {
            let selector = format!("app={app}");
            let log = ["logs", "-n", &self.name, "-l", &selector, "--tail=-1", "--prefix"];
            let text = self.kubectl.run(&log).await?;
            let bad =
                |line: &&str| ["Failed to export", "ueue full"].iter().any(|it| line.contains(it));
            complaints.extend(text.lines().filter(bad).map(ToOwned::to_owned));
        }
        Ok(complaints)
    }

    /// Deletes it with everything in it, without waiting.
    ///
    /// # Errors
    /// The API server refused.
    pub async fn delete(&self) -> Result<()> {
        self.kubectl.run(&["delete", "namespace", &self.name, "--wait=false"]).await.map(|_| ())
    }

    fn proxy(&self, service: &'static str) -> Proxy {
        Proxy::new(self.kubectl.clone(), &self.name, service)
    }

    async fn explained<T>(&self, result: Result<T, Error>) -> Result<T> {
        match result {
            Ok(found) => Ok(found),
            Err(error) => Err(findings::explain(&self.kubectl, &self.name, error).await),
        }
    }
}

/// Whether a condition has this status for the spec as it is now.
fn holds(pipeline: &Value, kind: &str, status: &str) -> bool {
    let current = pipeline["status"]["observedGeneration"] == pipeline["metadata"]["generation"];
    let conditions = pipeline["status"]["conditions"].as_array().into_iter().flatten();
    current && conditions.into_iter().any(|it| it["type"] == kind && it["status"] == status)
}

impl Shop {
    fn fill_in(&self, objects: &mut [Value]) {
        let slow = self.slow.map(|slow| slow.as_secs_f64());
        let variables = [
            ("ERROR_SHARE", self.error_share),
            ("SLOW_SHARE", self.slow_share),
            ("SLOW_SECONDS", slow),
        ];
        if let Some(payment) = manifest::find(objects, "Deployment", "payment") {
            for (name, value) in variables {
                if let Some(value) = value {
                    manifest::set_environment(payment, name, &value.to_string());
                }
            }
        }
        for name in ["shop", "payment"] {
            if let Some(workload) = manifest::find(objects, "Deployment", name) {
                for (variable, value) in &self.environment {
                    manifest::set_environment(workload, variable, value);
                }
            }
        }
        if let (Some(replicas), Some(shop)) =
            (self.replicas, manifest::find(objects, "Deployment", "shop"))
        {
            shop["spec"]["replicas"] = json!(replicas);
        }
    }
}
