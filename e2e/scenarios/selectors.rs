//! A Prometheus that selects by its release's label, as kube-prometheus-stack's does unless told
//! otherwise: with the chart's values for it, a pipeline's rules are evaluated and its collectors are
//! scraped; without them nothing is. On a cluster of its own, because the
//! values are the operator's.

use std::path::{Path, PathBuf};

use local_cluster::Silent;
use obspipe_e2e::query::Prometheus;
use obspipe_e2e::{Stack, WITHIN, eventually, images};
use serde_json::Value;

const PIPELINE: &str = "
apiVersion: obspipe.dev/v1alpha1
kind: ObservabilityPipeline
metadata: {name: otel}
spec:
  collector:
    config:
      receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}}
      exporters: {prometheus: {endpoint: 0.0.0.0:8889}}
      service: {pipelines: {metrics: {receivers: [otlp], exporters: [prometheus]}}}
  ruleGroups:
  - {name: selected, rules: [{alert: Selected, expr: vector(1)}]}
";

/// A rule and a target that have the label. Once Prometheus has these, it has looked.
const WITNESS: &str = "
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: witness, labels: {release: monitoring}}
spec: {groups: [{name: witness, rules: [{alert: Witness, expr: vector(1)}]}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: witness, labels: {release: monitoring}}
spec:
  selector: {matchLabels: {app.kubernetes.io/name: prometheus}}
  podMetricsEndpoints: [{port: web}]
";

/// As kube-prometheus-stack of this release name has it.
const SELECT: &str = r#"{"spec": {
    "ruleSelector": {"matchLabels": {"release": "monitoring"}},
    "podMonitorSelector": {"matchLabels": {"release": "monitoring"}}
}}"#;

/// Only these are brought into the node.
const IMAGES: [&str; 4] = ["obspipe-operator", "obspipe-collector", "prometheus", "alertmanager"];

pub(crate) async fn run() {
    let stack = Stack::bare(Silent).await.expect("a cluster with a node");
    let archives = images::provide(&Silent).await.expect("images");
    let needed = |archive: &PathBuf| IMAGES.iter().any(|it| name(archive).contains(it));
    let archives: Vec<PathBuf> = archives.into_iter().filter(needed).collect();
    stack.kubectl().target().import_images(&archives).await.expect("images in the node");
    stack.install_prometheus_operator(&Silent).await.expect("prometheus-operator");
    stack.chart().install(&[]).await.expect("the chart");

    let namespace = stack.namespace("selected").await.expect("a namespace");
    namespace.monitoring().await.expect("Prometheus and Alertmanager");
    let select =
        ["patch", "prometheus.monitoring.coreos.com", "prometheus", "-n", namespace.name()];
    let select = [&select[..], &["--type=merge", "-p", SELECT]].concat();
    stack.kubectl().run(&select).await.expect("it selects");
    namespace.pipeline(PIPELINE).await.expect("a pipeline that is Ready");
    namespace.apply(WITNESS).await.expect("a witness");

    let prometheus = namespace.prometheus();
    evaluates(&prometheus, &["witness"]).await;
    scrapes(&prometheus, &["witness/0"]).await;
    let values =
        ["prometheus.ruleLabels.release=monitoring", "prometheus.monitorLabels.release=monitoring"];
    stack.chart().install(&values).await.expect("the chart with labels");
    evaluates(&prometheus, &["selected", "witness"]).await;
    scrapes(&prometheus, &["otel-collector/0", "otel-collector/1", "witness/0"]).await;
    stack.down().await.expect("the cluster ends");
}

fn name(archive: &Path) -> String {
    archive.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Waits until these are all rule groups that there are.
async fn evaluates(prometheus: &Prometheus, wanted: &[&str]) {
    let look = async || {
        let mut groups = prometheus.rule_groups().await.map_err(|error| error.to_string())?;
        groups.sort();
        if groups == wanted { Ok(()) } else { Err(format!("{groups:?}")) }
    };
    let what = format!("exactly the rule groups {wanted:?}");
    eventually(&what, WITHIN, look).await.expect("they are evaluated");
}

/// Waits until these endpoints of PodMonitors are all that there are, and each has a target that is
/// up.
async fn scrapes(prometheus: &Prometheus, wanted: &[&str]) {
    let look = async || {
        let targets = prometheus.targets().await.map_err(|error| error.to_string())?;
        let read = |target: &Value| {
            let pool = target["scrapePool"].as_str().unwrap_or_default().splitn(3, '/').nth(2);
            (pool.unwrap_or_default().to_owned(), target["health"] == "up")
        };
        let mut found: Vec<(String, bool)> = targets.iter().map(read).collect();
        found.sort();
        let up = found.iter().filter(|it| it.1).map(|it| it.0.as_str());
        if up.eq(wanted.iter().copied()) && found.len() == wanted.len() {
            Ok(())
        } else {
            Err(format!("{found:?}"))
        }
    };
    let what = format!("exactly the targets {wanted:?}, up");
    eventually(&what, WITHIN, look).await.expect("they are scraped");
}
