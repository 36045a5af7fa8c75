//! The collector under test: started with a configuration, asked what it did, ended.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use obspipe_backends::{Launch, Process, Ready, eventually, http};
use serde_json::Value;

/// How long the collector may take for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program, built with the profile of the test; `OBSPIPE_COLLECTOR` names another one.
pub(crate) fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        if let Some(path) = std::env::var_os("OBSPIPE_COLLECTOR") {
            return path.into();
        }
        let mut arguments = vec!["build", "--quiet", "-p", "obspipe-collector"];
        // .../target/<profile>/deps/collector-…
        let exe = std::env::current_exe().expect("a path");
        let directory = exe.parent().and_then(Path::parent).expect("a profile's directory");
        if directory.file_name().is_some_and(|name| name == "release") {
            arguments.push("--release");
        }
        let mut cargo = Command::new(env!("CARGO"));
        let status = without_crate(&mut cargo).args(&arguments).status();
        assert!(status.expect("cargo runs").success(), "the collector is built");
        directory.join("obspipe-collector")
    })
}

/// A command that builds: what cargo says of this crate would have ring built anew, by it and by the
/// next cargo.
pub(crate) fn without_crate(command: &mut Command) -> &mut Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            command.env_remove(name);
        }
    }
    command
}

/// A running collector.
pub(crate) struct Collector {
    process: Process,
    /// OTLP over gRPC.
    pub(crate) grpc: SocketAddr,
    /// OTLP over HTTP.
    pub(crate) http: SocketAddr,
    /// The page of a prometheus exporter, if it has one.
    pub(crate) page: SocketAddr,
    admin: SocketAddr,
}

impl Collector {
    /// Starts one; `{grpc}`, `{http}` and `{page}` in the configuration become free addresses. Its
    /// own metrics are on the admin page alone.
    pub(crate) async fn start(configuration: &str) -> Self {
        Self::start_with(configuration, &[]).await
    }

    /// With more arguments.
    pub(crate) async fn start_with(configuration: &str, more: &[&str]) -> Self {
        Self::launch(configuration, more, None).await
    }

    /// Where names lead to these addresses (lines of /etc/hosts): in a mount namespace.
    pub(crate) async fn start_among(hosts: &str, configuration: &str) -> Self {
        Self::launch(configuration, &[], Some(hosts)).await
    }

    async fn launch(configuration: &str, more: &[&str], hosts: Option<&str>) -> Self {
        let started = Process::start("collector", |[grpc, http, page, admin], directory| {
            let text = configuration
                .replace("{grpc}", &grpc.to_string())
                .replace("{http}", &http.to_string())
                .replace("{page}", &page.to_string());
            let file = directory.join("config.yaml");
            std::fs::write(&file, text).expect("writable");
            let mut arguments = vec![
                format!("--config={}", file.display()),
                "--set=service.telemetry.metrics.level=none".to_owned(),
                format!("--admin-listen={admin}"),
            ];
            arguments.extend(more.iter().map(ToString::to_string));
            let ready = Ready::Answers(*admin, "/readyz");
            let Some(hosts) = hosts else {
                return Ok(Launch { program: binary().to_owned(), arguments, ready });
            };
            let file = directory.join("hosts");
            std::fs::write(&file, hosts).expect("writable");
            // $0 and $@ are what follows the script.
            let script =
                format!("mount --bind '{}' /etc/hosts && exec \"$0\" \"$@\"", file.display());
            let sh = ["--mount", "sh", "-c", &script].map(str::to_owned);
            let program = binary().display().to_string();
            let arguments = sh.into_iter().chain([program]).chain(arguments).collect();
            Ok(Launch { program: "unshare".into(), arguments, ready })
        });
        let (process, [grpc, http, page, admin]) = started.await.expect("a collector");
        Self { process, grpc, http, page, admin }
    }

    /// `/status`.
    pub(crate) async fn status(&self) -> Value {
        http::get_json(self.admin, "/status", &[]).await.expect("a status")
    }

    /// What became of every item, by pipeline and exporter.
    pub(crate) async fn flow(&self, pipeline: &str, exporter: &str) -> Flow {
        let status = self.status().await;
        let flows = status["flows"].as_array().expect("flows").clone();
        let found = flows
            .iter()
            .find(|flow| flow["pipeline"] == pipeline && flow["exporter"] == exporter)
            .unwrap_or_else(|| panic!("no flow from {pipeline} to {exporter}: {status}"));
        Flow::of(found)
    }

    /// Waits until nothing moves any more, and checks that every item is accounted for.
    pub(crate) async fn settled(&self, pipeline: &str, exporter: &str, entered: u64) -> Flow {
        let quiet = eventually("everything sent", PATIENCE, async || {
            let flow = self.flow(pipeline, exporter).await;
            let quiet = flow.entered >= entered && flow.queued == 0 && flow.in_flight == 0;
            if quiet { Ok(flow) } else { Err(format!("{flow:?}")) }
        });
        let flow = quiet.await.expect("it settles");
        assert_eq!(flow.entered, flow.sent + flow.dropped, "{flow:?}");
        flow
    }

    /// Bytes in memory now, and the most there ever were.
    pub(crate) fn resident(&self) -> (u64, u64) {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let text = text.expect("it runs");
        let kib = |key: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(key)).expect("a line");
            line.split_whitespace().nth(1).expect("a number").parse().expect("a number")
        };
        (kib("VmRSS:") * 1024, kib("VmHWM:") * 1024)
    }

    /// Everything it logged so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Whether it says that it takes telemetry.
    pub(crate) async fn is_ready(&self) -> bool {
        http::get(self.admin, "/readyz").await.is_ok()
    }

    /// Asks it to end (SIGTERM) and does not wait.
    pub(crate) fn begin_to_end(&self) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(status.expect("kill runs").success());
    }

    /// Asks it to end (SIGTERM) and waits until it has. Returns the exit code.
    pub(crate) async fn terminate(&mut self) -> Option<i32> {
        self.process.terminate(PATIENCE).await.expect("it ends")
    }
}

/// A ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    pub(crate) entered: u64,
    pub(crate) sent: u64,
    pub(crate) dropped: u64,
    pub(crate) queued: u64,
    pub(crate) in_flight: u64,
    /// By reason.
    pub(crate) reasons: Value,
}

impl Flow {
    fn of(value: &Value) -> Self {
        let number = |key: &str| value[key].as_u64().expect("a number");
        let reasons = value["dropped"].clone();
        let dropped = reasons.as_object().expect("a map").values();
        Self {
            entered: number("in"),
            sent: number("sent"),
            dropped: dropped.map(|items| items.as_u64().expect("a number")).sum(),
            queued: number("queued"),
            in_flight: number("in_flight"),
            reasons,
        }
    }
}
