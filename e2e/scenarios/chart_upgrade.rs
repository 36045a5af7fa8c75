//! The chart from one version to the next, back, and away. What leaves the rendered objects as they
//! are restarts nobody; a new collector image rolls every pipeline; without the operator everything
//! stays, and goes when it is deleted. On a cluster of its own: everybody would notice.

mod pods;
mod version;

use std::path::PathBuf;

use local_cluster::Silent;
use obspipe_e2e::{Chart, Kubectl, Namespace, Stack, WITHIN, eventually, images, root};
use serde_json::Value;

use pods::lives;

const NAMESPACE: &str = "upgraded";
/// A version of which only the chart differs.
const CHART_ONLY: &str = "0.1.1-chart";
/// A version with images of its own.
const NEXT: &str = "0.2.0-next";
/// The pipelines roll one after the other.
const ONE: &str = "upgrade.maxConcurrentPipelines=1";
const COLLECTOR: &str = "obspipe/collector";
/// Pipelines by their mode; each is one collector.
const PIPELINES: [(&str, &str); 3] =
    [("daemon", "DaemonSet"), ("gateway", "Deployment"), ("stateful", "StatefulSet")];

/// Reports itself delivered to nobody: nothing else is needed.
const PIPELINE: &str = "
apiVersion: obspipe.dev/v1alpha1
kind: ObservabilityPipeline
metadata: {name: NAME}
spec:
  collector:
    mode: MODE
    config:
      receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}}
      exporters: {debug: {}}
      service: {pipelines: {traces: {receivers: [otlp], exporters: [debug]}}}
  dashboards:
  - {name: one, title: One, panels: [{title: Up, type: timeseries, expr: up}]}
";

/// Every kind that a pipeline has children of, and the pipelines.
const OWNED: &str = "obspipe,configmaps,services,serviceaccounts,daemonsets,deployments,statefulsets,\
    controllerrevisions,networkpolicies,poddisruptionbudgets,horizontalpodautoscalers,pods";

struct Upgraded {
    chart: Chart,
    kubectl: Kubectl,
    namespace: Namespace,
    /// Charts of the other versions.
    chart_only: PathBuf,
    next: PathBuf,
    /// The tag of this version.
    tag: String,
}

pub(crate) async fn run() {
    let stack = Stack::bare(Silent).await.expect("a cluster with a node");
    let directory = tempfile::tempdir().expect("a directory");
    let upgraded = prepare(&stack, directory.path()).await;
    upgraded.another_chart_restarts_nobody().await;
    upgraded.another_operator_restarts_no_collector().await;
    upgraded.another_collector_rolls_all().await;
    upgraded.one_that_does_not_come_up_stops_the_others().await;
    upgraded.and_back().await;
    upgraded.uninstalled().await;
    drop(upgraded);
    stack.down().await.expect("the cluster ends");
}

/// This version installed, with three pipelines that are Ready; and all versions' images.
async fn prepare(stack: &Stack, directory: &std::path::Path) -> Upgraded {
    let own = images::own().expect("our images");
    let mut archives = own.clone();
    archives.extend(own.iter().map(|it| version::image(it, NEXT, directory).expect("an image")));
    let kubectl = stack.kubectl().clone();
    kubectl.target().import_images(&archives).await.expect("images in the node");

    let ours = root().join("charts/obspipe");
    let copy = |name| version::chart(&ours, name, &directory.join(name)).expect("a chart");
    let (chart_only, next) = (copy(CHART_ONLY), copy(NEXT));
    let chart = stack.chart();
    chart.install(&[]).await.expect("the chart");
    let namespace = stack.namespace(NAMESPACE).await.expect("a namespace");
    for (name, mode) in PIPELINES {
        namespace.apply(&PIPELINE.replace("NAME", name).replace("MODE", mode)).await.expect(name);
    }
    for (name, _) in PIPELINES {
        namespace.ready(name).await.expect("a pipeline that is Ready");
    }
    let operator = pods::operator(&kubectl).await;
    let image = operator.values().next().expect("an operator").image.clone();
    let tag = image.rsplit(':').next().unwrap_or_default().to_owned();
    Upgraded { chart, kubectl, namespace, chart_only, next, tag }
}

impl Upgraded {
    async fn another_chart_restarts_nobody(&self) {
        let (operator, collectors) = (self.operator().await, self.collectors().await);
        let pins = [format!("image.tag={}", self.tag), format!("collector.image.tag={}", self.tag)];
        self.chart.install_from(&self.chart_only, &[&pins[0], &pins[1]]).await.expect("an upgrade");
        assert_eq!(self.installed().await, format!("obspipe-{CHART_ONLY}"));
        assert_eq!(lives(&self.operator().await), lives(&operator));
        assert_eq!(lives(&self.collectors().await), lives(&collectors));
    }

    async fn another_operator_restarts_no_collector(&self) {
        let (operator, collectors) = (self.operator().await, self.collectors().await);
        let pin = format!("collector.image.tag={}", self.tag);
        self.chart.install_from(&self.next, &[&pin]).await.expect("an upgrade");
        assert_ne!(lives(&self.operator().await), lives(&operator), "the operator is another");
        // It works through all pipelines before a change of any of them is repaired.
        for (name, _) in PIPELINES {
            self.repaired(name).await;
        }
        assert_eq!(lives(&self.collectors().await), lives(&collectors));
    }

    async fn another_collector_rolls_all(&self) {
        let before = self.collectors().await;
        self.chart.install_from(&self.next, &[ONE]).await.expect("an upgrade");
        self.all_run(NEXT).await;
        let after = self.collectors().await;
        assert!(after.keys().all(|pod| !before.contains_key(pod)), "{before:#?}\n{after:#?}");
        assert!(pods::one_after_the_other(&after), "{after:#?}");
    }

    async fn one_that_does_not_come_up_stops_the_others(&self) {
        let before = self.collectors().await;
        let missing = [ONE, "collector.image.tag=missing"];
        self.chart.install_from(&self.next, &missing).await.expect("the operator has its image");
        let look = async || {
            let reasons = self.reasons().await?;
            let (halted, rolled): (Vec<_>, Vec<_>) =
                reasons.iter().partition(|it| it.upgraded == "UpgradeHalted");
            match &rolled[..] {
                [one] if halted.len() == 2 && one.available == "PodsFailing" => {
                    Ok(one.name.clone())
                }
                _ => Err(format!("{reasons:?}")),
            }
        };
        let look = eventually("one pipeline to fail and stop the others", WITHIN, look);
        let failing = look.await.expect("it is said");
        // A surge comes up beside the old one; only a StatefulSet has to end it first.
        let mut stay = before;
        if failing == "stateful" {
            stay.retain(|(pipeline, _), _| *pipeline != failing);
        }
        let missing = format!("{COLLECTOR}:missing");
        let mut now = self.collectors().await;
        now.retain(|(pipeline, _), pod| *pipeline != failing || pod.image != missing);
        assert_eq!(lives(&now), lives(&stay), "{failing} fails");
    }

    async fn and_back(&self) {
        self.chart.install(&[ONE]).await.expect("a downgrade");
        self.all_run(&self.tag).await;
    }

    async fn uninstalled(&self) {
        let (before, owned) = (self.collectors().await, self.owned().await);
        let finalizers = owned.iter().filter(|it| !it["metadata"]["finalizers"].is_null());
        let finalizers: Vec<&Value> = finalizers.collect();
        assert!(finalizers.is_empty(), "{finalizers:#?}");
        self.chart.uninstall().await.expect("it ends");
        assert!(self.operator().await.is_empty(), "the operator is gone");
        assert_eq!(lives(&self.collectors().await), lives(&before));
        assert_eq!(names(&self.owned().await), names(&owned));

        let all = ["delete", "obspipe", "--all", "-n", NAMESPACE, "--timeout=60s"];
        self.kubectl.run(&all).await.expect("nothing holds a pipeline");
        let gone = async || match names(&self.owned().await) {
            left if left.is_empty() => Ok(()),
            left => Err(format!("{left:?}")),
        };
        eventually("every child to be collected", WITHIN, gone).await.expect("they go");
        let namespace = ["delete", "namespace", NAMESPACE, "--timeout=120s"];
        self.kubectl.run(&namespace).await.expect("nothing holds the namespace");
        let definition = ["delete", "crd", "observabilitypipelines.obspipe.dev", "--timeout=60s"];
        self.kubectl.run(&definition).await.expect("nothing holds the definition");
    }
}

impl Upgraded {
    async fn operator(&self) -> pods::Pods {
        pods::operator(&self.kubectl).await
    }

    async fn collectors(&self) -> pods::Pods {
        pods::collectors(&self.kubectl, NAMESPACE).await
    }

    /// The chart that the operator's Deployment is of.
    async fn installed(&self) -> String {
        let deployment = ["deployment", "obspipe-operator", "-n", obspipe_e2e::SYSTEM];
        let deployment = self.kubectl.get(&deployment).await.expect("an answer").expect("one");
        let label = &deployment["metadata"]["labels"]["helm.sh/chart"];
        label.as_str().unwrap_or_default().to_owned()
    }

    /// Deletes a ConfigMap of a pipeline and waits until the operator has made it again.
    async fn repaired(&self, pipeline: &str) {
        let name = format!("{pipeline}-dashboard-one");
        let config_map = ["configmap", &name, "-n", NAMESPACE];
        let mut delete = vec!["delete"];
        delete.extend(config_map);
        self.kubectl.run(&delete).await.expect("it is there");
        let back = async || match self.kubectl.get(&config_map).await {
            Ok(Some(_)) => Ok(()),
            other => Err(format!("{other:?}")),
        };
        eventually("the ConfigMap to come back", WITHIN, back).await.expect("the operator works");
    }

    async fn reasons(&self) -> Result<Vec<Reasons>, String> {
        let pipelines = self.kubectl.list(&["obspipe", "-n", NAMESPACE]).await;
        Ok(pipelines.map_err(|error| error.to_string())?.iter().map(reasons).collect())
    }

    /// Waits until every pipeline says that it runs this version, and each has one pod, of it.
    async fn all_run(&self, tag: &str) {
        let image = format!("{COLLECTOR}:{tag}");
        let wanted = PIPELINES.map(|(name, _)| (name, image.as_str(), 0, true));
        let look = async || {
            let pods = self.collectors().await;
            let found = pods
                .iter()
                .map(|(of, it)| (&*of.0, &*it.image, it.restarts, it.ready_since.is_some()));
            if found.eq(wanted) { Ok(()) } else { Err(format!("{pods:?}")) }
        };
        eventually("one collector each, of that version", WITHIN, look).await.expect("they roll");
        for (name, _) in PIPELINES {
            let pipeline = self.namespace.ready(name).await.expect("Ready again");
            assert_eq!(pipeline["status"]["image"], image.as_str(), "{name}");
        }
    }

    /// The pipelines and what they own, directly or through a workload.
    async fn owned(&self) -> Vec<Value> {
        let list = self.kubectl.list(&[OWNED, "-n", NAMESPACE]).await.expect("objects");
        let ours = |it: &Value| {
            it["kind"] == "ObservabilityPipeline" || it["metadata"]["ownerReferences"].is_array()
        };
        list.into_iter().filter(ours).collect()
    }
}

/// Why a pipeline's collector is available, or not, and of the image that the operator brings.
#[derive(Debug)]
struct Reasons {
    name: String,
    available: String,
    upgraded: String,
}

fn reasons(pipeline: &Value) -> Reasons {
    let reason = |kind: &str| {
        let conditions = pipeline["status"]["conditions"].as_array();
        let mut of_kind = conditions.into_iter().flatten().filter(|it| it["type"] == kind);
        let reason = of_kind.next().and_then(|it| it["reason"].as_str());
        reason.unwrap_or_default().to_owned()
    };
    Reasons {
        name: pipeline["metadata"]["name"].as_str().unwrap_or_default().to_owned(),
        available: reason("CollectorAvailable"),
        upgraded: reason("Upgraded"),
    }
}

fn names(objects: &[Value]) -> Vec<String> {
    let name = |it: &Value| format!("{}/{}", it["kind"], it["metadata"]["name"]);
    objects.iter().map(name).collect()
}
