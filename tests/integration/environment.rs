//! What every scenario runs in: a real control plane, the operator's rights as the chart gives
//! them, and the operator itself as a process.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::DynamicObject;
use kube::{Api, Client, Config};
use local_cluster::LocalCluster;
use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

/// Namespace of the operator.
pub(crate) const SYSTEM: &str = "obspipe-system";
/// The operator's user, in the audit log.
pub(crate) const OPERATOR_USER: &str = "system:serviceaccount:obspipe-system:obspipe-operator";
/// What every operator of a test is told.
pub(crate) const OPERATOR: [&str; 7] =
    ["run", "--listen", "127.0.0.1:0", "--discovery-interval", "1", "--lease-namespace", SYSTEM];
/// How long anything may take that the operator is expected to do.
const PATIENCE: Duration = Duration::from_secs(60);

static NAMESPACES: AtomicUsize = AtomicUsize::new(0);

/// A control plane with the CRD and the operator's rights.
pub(crate) struct Environment {
    pub(crate) cluster: LocalCluster,
    pub(crate) client: Client,
    operator_kubeconfig: PathBuf,
    directory: tempfile::TempDir,
}

/// The workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_owned()
}

impl Environment {
    /// Starts a control plane with nothing of ours.
    pub(crate) async fn bare() -> Self {
        let cluster = LocalCluster::builder().start().await.expect("a control plane");
        let kubeconfig = Kubeconfig::read_from(cluster.kubeconfig()).expect("a kubeconfig");
        let options = KubeConfigOptions::default();
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        let client = Client::try_from(config.expect("a configuration")).expect("a client");
        let directory = tempfile::tempdir().expect("a directory");
        Self { operator_kubeconfig: PathBuf::new(), cluster, client, directory }
    }

    /// Starts a control plane; with prometheus-operator's definitions if `monitoring`.
    pub(crate) async fn start(monitoring: bool) -> Self {
        let mut environment = Self::bare().await;
        environment.kubectl_ok(&["create", "namespace", SYSTEM]).await;
        environment.install_chart().await;
        if monitoring {
            environment.install_monitoring().await;
        }
        environment.wait_for_crd("observabilitypipelines.obspipe.dev").await;
        environment.operator_kubeconfig = environment.kubeconfig_of("obspipe-operator").await;
        environment
    }

    /// CRD and rights exactly as the chart renders them; the Deployment needs a node and is left
    /// to the end-to-end tests.
    async fn install_chart(&self) {
        let rendered = crate::chart::template_of("obspipe", &[]).await.expect("the chart");
        let wanted: Vec<&str> = rendered
            .split("\n---\n")
            .filter(|document| !document.contains("kind: Deployment"))
            .collect();
        self.apply_text(&wanted.join("\n---\n")).await;
    }

    pub(crate) async fn install_monitoring(&self) {
        let crds = local_cluster::prometheus_operator_crds(&local_cluster::Silent).await;
        let path = crds.expect("definitions").display().to_string();
        self.kubectl_ok(&["apply", "--server-side", "-f", &path]).await;
        self.wait_for_crd("prometheusrules.monitoring.coreos.com").await;
        self.wait_for_crd("podmonitors.monitoring.coreos.com").await;
    }

    async fn wait_for_crd(&self, name: &str) {
        let target = format!("crd/{name}");
        self.kubectl_ok(&["wait", "--for=condition=Established", &target, "--timeout=30s"]).await;
    }

    /// A file by which the API server takes who uses it for a service account of the operator's
    /// namespace.
    pub(crate) async fn kubeconfig_of(&self, account: &str) -> PathBuf {
        let arguments = ["create", "token", account, "-n", SYSTEM, "--duration=24h"];
        let token = self.kubectl_ok(&arguments).await;
        let text = std::fs::read_to_string(self.cluster.kubeconfig()).expect("a kubeconfig");
        let mut config: Value = serde_yaml::from_str(&text).expect("YAML");
        for user in config["users"].as_array_mut().expect("users") {
            user["user"] = json!({"token": token.trim()});
        }
        let text = serde_yaml::to_string(&config).expect("YAML");
        let path = self.directory.path().join(format!("{account}.kubeconfig"));
        std::fs::write(&path, text).expect("writable");
        path
    }

    /// How the operator reaches the API server, with the rights that the chart gives it.
    pub(crate) fn operator_kubeconfig(&self) -> &Path {
        &self.operator_kubeconfig
    }

    /// A namespace of its own for a scenario.
    pub(crate) async fn namespace(&self, about: &str) -> String {
        let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
        let name = format!("{about}-{number}");
        self.kubectl_ok(&["create", "namespace", &name]).await;
        name
    }

    /// Runs kubectl as an administrator; its output if it succeeds, what it complains of if not.
    pub(crate) async fn kubectl(
        &self,
        arguments: &[&str],
        input: Option<&str>,
    ) -> Result<String, String> {
        let mut command = Command::from(self.cluster.kubectl());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("kubectl runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        let text = input.unwrap_or_default().to_owned();
        let write = async move {
            use tokio::io::AsyncWriteExt as _;
            // kubectl may end before it has read everything.
            let _ = stdin.write_all(text.as_bytes()).await;
        };
        let (output, ()) = tokio::join!(child.wait_with_output(), write);
        let output = output.expect("kubectl ends");
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    pub(crate) async fn kubectl_ok(&self, arguments: &[&str]) -> String {
        match self.kubectl(arguments, None).await {
            Ok(output) => output,
            Err(error) => panic!("kubectl {arguments:?}: {error}"),
        }
    }

    /// `kubectl apply -f -`.
    pub(crate) async fn apply_text(&self, text: &str) {
        if let Err(error) = self.kubectl(&["apply", "-f", "-"], Some(text)).await {
            panic!("apply: {error}\n{text}");
        }
    }

    /// `kubectl replace`: what was there and is not in the object goes. kubectl reads the version
    /// first and fails if a status is written meanwhile.
    pub(crate) async fn replace(&self, object: &Value) {
        let text = object.to_string();
        let attempt = || async { self.kubectl(&["replace", "-f", "-"], Some(&text)).await };
        eventually("the object replaced", attempt).await;
    }

    pub(crate) async fn apply(&self, object: &Value) {
        self.apply_text(&object.to_string()).await;
    }

    pub(crate) fn api(&self, kind: Kind, namespace: &str) -> Api<DynamicObject> {
        Api::namespaced_with(self.client.clone(), namespace, &kind.resource())
    }

    /// A child as it is now.
    pub(crate) async fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Value> {
        let found = self.api(kind, namespace).get_opt(name).await;
        match found {
            Ok(object) => object.map(|object| serde_json::to_value(object).expect("JSON")),
            // The kind is not served.
            Err(kube::Error::Api(status)) if status.code == 404 => None,
            Err(error) => panic!("get {kind} {namespace}/{name}: {error}"),
        }
    }

    pub(crate) async fn pipeline(&self, namespace: &str, name: &str) -> Option<Value> {
        let arguments =
            ["get", "obspipe", name, "-n", namespace, "-o", "json", "--ignore-not-found"];
        let text = self.kubectl_ok(&arguments).await;
        serde_json::from_str(&text).ok()
    }

    /// A condition of a pipeline, once its status speaks of the current generation.
    pub(crate) async fn condition(&self, namespace: &str, name: &str, kind: &str) -> Option<Value> {
        let pipeline = self.pipeline(namespace, name).await?;
        let current =
            pipeline["status"]["observedGeneration"] == pipeline["metadata"]["generation"];
        let conditions = pipeline["status"]["conditions"].as_array()?;
        let found = conditions.iter().find(|condition| condition["type"] == kind)?;
        current.then(|| found.clone())
    }

    /// Waits for a condition to have a status and reason, and returns its message.
    pub(crate) async fn wait_condition(
        &self,
        (namespace, name): (&str, &str),
        kind: &str,
        (status, reason): (&str, &str),
    ) -> String {
        let what = format!("{namespace}/{name}: {kind}={status} {reason}");
        let found = eventually(&what, || async {
            let found = self.condition(namespace, name, kind).await;
            match found {
                Some(found) if found["status"] == status && found["reason"] == reason => Ok(found),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
        found["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits for a child to be there.
    pub(crate) async fn wait_for(&self, kind: Kind, namespace: &str, name: &str) -> Value {
        eventually(&format!("{kind} {namespace}/{name}"), || async {
            self.get(kind, namespace, name).await.ok_or("not there".to_owned())
        })
        .await
    }

    /// Waits for a child to be gone.
    pub(crate) async fn wait_gone(&self, kind: Kind, namespace: &str, name: &str) {
        eventually(&format!("no {kind} {namespace}/{name}"), || async {
            match self.get(kind, namespace, name).await {
                None => Ok(()),
                Some(_) => Err("still there".to_owned()),
            }
        })
        .await;
    }

    /// Starts the operator.
    pub(crate) async fn operator(&self, arguments: &[&str]) -> Operator {
        Operator::start(self, arguments).await
    }

    /// Starts the operator for one namespace, without election.
    pub(crate) async fn operator_for(&self, namespace: &str) -> Operator {
        self.operator(&["--namespace", namespace, "--leader-elect", "false"]).await
    }

    /// How the operator reaches the API server: what a kubeconfig says of it, and its token.
    pub(crate) fn operator_access(&self) -> Value {
        let text = std::fs::read_to_string(&self.operator_kubeconfig).expect("a kubeconfig");
        let config: Value = serde_yaml::from_str(&text).expect("YAML");
        json!({
            "server": config["clusters"][0]["cluster"]["server"],
            "authority": config["clusters"][0]["cluster"]["certificate-authority"],
            "token": config["users"][0]["user"]["token"],
        })
    }

    /// The audit log so far.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.cluster.audit_log()).expect("an audit log");
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// The operator as a process; killed when dropped.
pub(crate) struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    async fn start(environment: &Environment, arguments: &[&str]) -> Self {
        let mut command = Command::new(operator_binary());
        command.args(OPERATOR).args(arguments);
        command.arg("--kubeconfig").arg(&environment.operator_kubeconfig);
        Self::spawn(environment, command)
    }

    /// Starts it by a command of the caller's.
    pub(crate) fn spawn(environment: &Environment, mut command: Command) -> Self {
        static LOGS: AtomicUsize = AtomicUsize::new(0);
        let number = LOGS.fetch_add(1, Ordering::Relaxed);
        let log = environment.directory.path().join(format!("operator-{number}.log"));
        let file = std::fs::File::create(&log).expect("a log");
        command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command.kill_on_drop(true).spawn().expect("the operator starts");
        Self { child, log }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits for a line of its log.
    pub(crate) async fn wait_log(&self, text: &str) {
        eventually(&format!("{text:?} in the operator's log"), || async {
            let log = self.log();
            if log.contains(text) { Ok(()) } else { Err(log) }
        })
        .await;
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().expect("it runs")
    }

    /// Sends a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        let status = std::process::Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status()
            .expect("kill runs");
        assert!(status.success());
    }

    /// Ends it as Kubernetes does and returns its exit code.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        ended.expect("it ends in time").expect("it ends").code()
    }

    /// Waits for it to end by itself.
    pub(crate) async fn ended(&mut self) -> Option<i32> {
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("it ends in time").expect("it ends").code()
    }
}

/// The operator's program, built from the sources as they are.
pub(crate) fn operator_binary() -> &'static Path {
    static BINARY: std::sync::OnceLock<PathBuf> = std::sync::OnceLock::new();
    BINARY.get_or_init(|| {
        let mut arguments = vec!["build", "--quiet", "-p", "obspipe-operator"];
        // The profile of the test itself: .../target/<profile>/deps/integration-…
        let exe = std::env::current_exe().expect("a path");
        let directory = exe.parent().and_then(Path::parent).expect("a profile's directory");
        if directory.file_name().is_some_and(|name| name == "release") {
            arguments.push("--release");
        }
        let mut cargo = std::process::Command::new(env!("CARGO"));
        // What cargo says of this crate would have ring built anew, by it and by the next cargo.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
                cargo.env_remove(name);
            }
        }
        let status = cargo.args(arguments).current_dir(root()).status().expect("cargo runs");
        assert!(status.success(), "the operator builds");
        directory.join("obspipe-operator")
    })
}

/// Tries until it succeeds; what stood in the way at last if it never does.
pub(crate) async fn eventually<T, F>(what: &str, mut attempt: impl FnMut() -> F) -> T
where
    F: Future<Output = Result<T, String>>,
{
    let start = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        match attempt().await {
            Ok(value) => return value,
            Err(why) if start.elapsed() > PATIENCE => {
                panic!("not within {PATIENCE:?}: {what}; at last: {why}")
            }
            Err(_) => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(Duration::from_millis(500));
    }
}
