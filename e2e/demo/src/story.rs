//! What is shown, in order.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use local_cluster::Spinner;
use obspipe_e2e::{Namespace, Stack};
use serde_json::{Value, json};

use crate::Output;
use crate::operator::{self, root};
use crate::picture::{self, Seen};
use crate::show;
use crate::stage::Stage;
use crate::telling::{say, step};

const NAMESPACE: &str = "observability";
const PIPELINE: [&str; 4] = ["obspipe", "otel", "-n", NAMESPACE];

/// What was asked for.
pub(crate) struct Wish {
    /// Go ahead on somebody's own cluster.
    pub(crate) yes: bool,
    /// Install there even where the CRD is served already.
    pub(crate) force: bool,
    /// What is printed.
    pub(crate) output: Output,
    /// Wait until the alert fires.
    pub(crate) wait: bool,
}

/// What a program that calls the demo wants to know.
struct Summary {
    seconds: f64,
    children: Vec<Value>,
    repaired_deleted: Duration,
    repaired_edited: Duration,
    /// Nothing where no pods run.
    seen: Option<Seen>,
}

/// Brings everything up, shows it, and leaves it up.
pub(crate) async fn tell(wish: &Wish) -> Result<ExitCode> {
    let start = Instant::now();
    say!("{}", show::ANNOUNCEMENT);
    say!("1. A Kubernetes cluster");
    let stage = Stage::enter(wish).await?;
    say!("  ✓ up at {} ({:.1} s)", stage.target.server(), start.elapsed().as_secs_f64());
    let namespace = match stage.node {
        true => Some(install_all(&stage).await?),
        false => {
            install_definitions(&stage).await?;
            run_operator(&stage)?;
            None
        }
    };
    let children = reconcile(&stage)?;
    let (repaired_deleted, repaired_edited) = repair(&stage)?;
    refuse(&stage)?;
    let seen = match &namespace {
        Some(namespace) => {
            step("every collector is ready", || stage.wait_condition("Ready", "True"))?;
            Some(picture::show(namespace, wish.wait).await?)
        }
        None => None,
    };
    let seconds = start.elapsed().as_secs_f64();
    let summary = Summary { seconds, children, repaired_deleted, repaired_edited, seen };
    finish(&stage, &summary, wish.output)?;
    Ok(ExitCode::SUCCESS)
}

/// With a node: everything as its users install it.
async fn install_all(stage: &Stage) -> Result<Namespace> {
    let spinner = Spinner::new();
    let stack = Stack::on(Arc::clone(&stage.target), &spinner).await?;
    spinner.finish();
    picture::install(&stack, NAMESPACE).await
}

/// Without a node: what the operator needs of the chart, without its Deployment.
async fn install_definitions(stage: &Stage) -> Result<()> {
    say!("\n2. What the operator needs in it");
    let spinner = Spinner::new();
    let helm = local_cluster::helm(&spinner).await?;
    let crds = local_cluster::prometheus_operator_crds(&spinner).await?;
    spinner.finish();
    step("the chart's CustomResourceDefinition and RBAC", || stage.install_chart(&helm))?;
    step("prometheus-operator's own definitions", || stage.install_monitoring(&crds))?;
    stage.namespace(NAMESPACE)
}

fn run_operator(stage: &Stage) -> Result<()> {
    say!("\n3. The operator");
    let kubeconfig = stage.operator_kubeconfig()?;
    step("started with the chart's rights, and no more", || operator::start(&kubeconfig))
}

fn reconcile(stage: &Stage) -> Result<Vec<Value>> {
    say!("\n4. One object: config/samples/otel.yaml");
    let sample = root().join("config/samples/otel.yaml");
    let sample = sample.display().to_string();
    step("applied", || stage.kubectl(&["apply", "-f", &sample], None))?;
    step("its configuration is valid", || stage.wait_condition("ConfigValid", "True"))?;
    step("its rules are applied", || stage.wait_condition("RulesReady", "True"))?;
    let pipeline = stage.get(&PIPELINE)?;
    let children = children(stage, &pipeline)?;
    say!("\n{}", show::tree(&pipeline, &children));
    say!("{}", show::conditions(&pipeline));
    Ok(children)
}

/// Everything whose controller the pipeline is.
fn children(stage: &Stage, pipeline: &Value) -> Result<Vec<Value>> {
    let kinds = "configmaps,services,serviceaccounts,daemonsets,networkpolicies,prometheusrules,podmonitors,controllerrevisions";
    let all = stage.get(&[kinds, "-n", NAMESPACE])?;
    let items = all["items"].as_array().cloned().unwrap_or_default();
    let uid = &pipeline["metadata"]["uid"];
    Ok(items.into_iter().filter(|i| i["metadata"]["ownerReferences"][0]["uid"] == *uid).collect())
}

/// Breaks two children and waits for them to be as before.
fn repair(stage: &Stage) -> Result<(Duration, Duration)> {
    say!("5. Something breaks");
    let config = ["configmap", "otel-collector-config", "-n", NAMESPACE];
    let before = stage.get(&config)?;
    stage.kubectl(&["delete", "configmap", "otel-collector-config", "-n", NAMESPACE], None)?;
    let deleted = stage.until("the ConfigMap to come back", || {
        let now = stage.get(&config)?;
        Ok(!now.is_null() && now["metadata"]["uid"] != before["metadata"]["uid"])
    })?;
    say!("  ✓ ConfigMap otel-collector-config deleted: back after {} ms", deleted.as_millis());
    let workload = ["daemonset", "otel-collector", "-n", NAMESPACE];
    let image =
        |object: &Value| object["spec"]["template"]["spec"]["containers"][0]["image"].clone();
    let wanted = image(&stage.get(&workload)?);
    let arguments = [
        "set",
        "image",
        "daemonset/otel-collector",
        "collector=somebody/elses:latest",
        "-n",
        NAMESPACE,
    ];
    stage.kubectl(&arguments, None)?;
    let edited = stage
        .until("the DaemonSet to be mended", || Ok(image(&stage.get(&workload)?) == wanted))?;
    say!(
        "  ✓ DaemonSet otel-collector edited to another image: mended after {} ms",
        edited.as_millis()
    );
    Ok((deleted, edited))
}

/// A mistake in the spec: it is told, and nothing that runs changes.
fn refuse(stage: &Stage) -> Result<()> {
    say!("\n6. Somebody makes a mistake");
    let before = stage.get(&["configmap", "otel-collector-config", "-n", NAMESPACE])?;
    let patch = |value: Value| {
        let body = json!({"spec": {"collector": {"config": {"exporters": {"jaeger": {"endpont": value}}}}}});
        let body = body.to_string();
        let arguments = ["patch", "obspipe", "otel", "-n", NAMESPACE, "--type=merge", "-p", &body];
        stage.kubectl(&arguments, None)
    };
    patch(json!("jaeger:14250"))?;
    let condition = stage.wait_condition("ConfigValid", "False")?;
    for line in condition["message"].as_str().unwrap_or_default().lines() {
        say!("  {line}");
    }
    let after = stage.get(&["configmap", "otel-collector-config", "-n", NAMESPACE])?;
    ensure!(
        after["data"] == before["data"],
        "the configuration changed although the spec is invalid"
    );
    patch(Value::Null)?;
    stage.wait_condition("ConfigValid", "True").context("after the mistake was taken back")?;
    say!("  ✓ nothing that runs was touched; taken back, it is valid again");
    Ok(())
}

fn finish(stage: &Stage, summary: &Summary, output: Output) -> Result<()> {
    // Somebody's own cluster is reached as before; our copy of the kubeconfig goes with us.
    let ours = stage.target.is_throw_away();
    let kubeconfig = ours.then(|| stage.target.kubeconfig().display().to_string());
    let kubectl = stage.target.kubectl().get_program().to_string_lossy().into_owned();
    let log = match stage.node {
        true => "kubectl logs -f deployment/obspipe-operator -n obspipe-system".to_owned(),
        false => format!("tail -f {}", operator::log()?.display()),
    };
    say!(
        "\n{}",
        show::farewell(kubeconfig.as_deref().map(|it| (it, &*kubectl)), &log, summary.seconds)
    );
    if output == Output::Json {
        let children: Vec<String> = summary.children.iter().map(show::name).collect();
        let body = json!({
            "seconds": summary.seconds,
            "kubeconfig": kubeconfig,
            "node": stage.node,
            "operatorLog": log,
            "children": children,
            "repairedAfterDeletionMs": u64::try_from(summary.repaired_deleted.as_millis())?,
            "repairedAfterEditMs": u64::try_from(summary.repaired_edited.as_millis())?,
            "seen": summary.seen,
        });
        println!("{body:#}");
    }
    Ok(())
}
