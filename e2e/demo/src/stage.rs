//! The cluster that the demo plays on, and everything it asks of it, by kubectl and helm.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use local_cluster::{CurrentCluster, Detached, KUBERNETES_VERSION, Spinner, Target, Wanted};
use serde_json::{Value, json};

use crate::CLUSTER;
use crate::operator::{directory, root};
use crate::story::Wish;
use crate::telling::say;

/// How long anything may take that the operator is expected to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// The cluster.
pub(crate) struct Stage {
    pub(crate) target: Arc<Target>,
    /// Whether pods run on it.
    pub(crate) node: bool,
}

impl Stage {
    /// The demo's own cluster, started if need be, with a node where one can be run; or the
    /// user's, on request.
    pub(crate) async fn enter(wish: &Wish) -> Result<Self> {
        let spinner = Spinner::new();
        let (target, node) = match Wanted::from_env()? {
            Wanted::Own => Self::own(&spinner).await?,
            Wanted::Current => {
                let announce = |context: &str, server: &str| {
                    say!("  the cluster of context {context:?}, server {server}");
                };
                let current = CurrentCluster::connect(None, wish.force, announce, &spinner).await?;
                ensure!(wish.yes, "say --yes (or OBSPIPE_YES=1) to install the demo there");
                (Target::Current(current), false)
            }
        };
        spinner.finish();
        Ok(Self { target: Arc::new(target), node })
    }

    async fn own(spinner: &Spinner) -> Result<(Target, bool)> {
        let node = match local_cluster::node_possible() {
            Ok(()) => true,
            Err(reason) => {
                say!("  {reason}.");
                say!(
                    "  The control plane is shown without one: every object is real, no pod runs."
                );
                false
            }
        };
        let cluster = Detached::find_or_start(CLUSTER, node, spinner).await?;
        Ok((Target::Detached(cluster), node))
    }

    /// Runs kubectl and returns what it prints.
    pub(crate) fn kubectl(&self, arguments: &[&str], input: Option<&str>) -> Result<String> {
        let mut command = self.target.kubectl();
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("kubectl")?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.unwrap_or_default().as_bytes())?;
        }
        let output = child.wait_with_output()?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "kubectl {}: {error}", arguments.join(" "));
        Ok(String::from_utf8(output.stdout)?)
    }

    /// `kubectl get … -o json`; null where it is not there.
    pub(crate) fn get(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = vec!["get"];
        all.extend(arguments);
        all.extend(["-o", "json", "--ignore-not-found"]);
        let text = self.kubectl(&all, None)?;
        if text.trim().is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&text)?) }
    }

    /// Applies CRD and rights as the chart renders them, without the Deployment: it needs a node.
    pub(crate) fn install_chart(&self, helm: &Path) -> Result<()> {
        self.namespace("obspipe-system")?;
        let output = Command::new(helm)
            .args(["template", "obspipe"])
            .arg(root().join("charts/obspipe"))
            .args(["--namespace", "obspipe-system", "--kube-version", KUBERNETES_VERSION])
            .output()
            .with_context(|| helm.display().to_string())?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "helm template: {error}");
        let rendered = String::from_utf8(output.stdout)?;
        let wanted: Vec<&str> =
            rendered.split("\n---\n").filter(|text| !text.contains("kind: Deployment")).collect();
        self.kubectl(&["apply", "-f", "-"], Some(&wanted.join("\n---\n")))?;
        self.established("observabilitypipelines.obspipe.dev")
    }

    pub(crate) fn install_monitoring(&self, crds: &Path) -> Result<()> {
        let path = crds.display().to_string();
        self.kubectl(&["apply", "--server-side", "-f", &path], None)?;
        self.established("prometheusrules.monitoring.coreos.com")
    }

    fn established(&self, crd: &str) -> Result<()> {
        let target = format!("crd/{crd}");
        let arguments = ["wait", "--for=condition=Established", &target, "--timeout=60s"];
        self.kubectl(&arguments, None).map(|_| ())
    }

    pub(crate) fn namespace(&self, name: &str) -> Result<()> {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.kubectl(&["apply", "-f", "-"], Some(&body.to_string())).map(|_| ())
    }

    /// A kubeconfig with the rights of the chart's ServiceAccount and no more.
    pub(crate) fn operator_kubeconfig(&self) -> Result<PathBuf> {
        let arguments =
            ["create", "token", "obspipe-operator", "-n", "obspipe-system", "--duration=24h"];
        let token = self.kubectl(&arguments, None)?;
        let text = std::fs::read_to_string(self.target.kubeconfig())?;
        let mut config: Value = serde_yaml::from_str(&text)?;
        for user in config["users"].as_array_mut().into_iter().flatten() {
            user["user"] = json!({"token": token.trim()});
        }
        let path = directory()?.join("operator.kubeconfig");
        std::fs::write(&path, serde_yaml::to_string(&config)?)?;
        Ok(path)
    }

    /// Waits until a condition of the pipeline has this status, for the spec as it is now.
    pub(crate) fn wait_condition(&self, kind: &str, status: &str) -> Result<Value> {
        let mut last = Value::Null;
        self.until(&format!("{kind} to be {status}"), || {
            let pipeline = self.get(&["obspipe", "otel", "-n", "observability"])?;
            let current =
                pipeline["status"]["observedGeneration"] == pipeline["metadata"]["generation"];
            let conditions = pipeline["status"]["conditions"].as_array().cloned();
            last = conditions.into_iter().flatten().find(|c| c["type"] == kind).unwrap_or_default();
            Ok(current && last["status"] == status)
        })
        .with_context(|| format!("at last: {last}"))?;
        Ok(last)
    }

    /// Tries until it is so.
    pub(crate) fn until(
        &self,
        what: &str,
        mut so: impl FnMut() -> Result<bool>,
    ) -> Result<Duration> {
        let start = Instant::now();
        while !so()? {
            if start.elapsed() > PATIENCE {
                bail!("waited {} s for {what}", PATIENCE.as_secs());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(start.elapsed())
    }
}
