//! How long the operator takes to bring many pipelines to rest, and what that costs: seconds,
//! requests, CPU and memory, written as a table into docs/performance.md. It asserts no times.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use local_cluster::{LocalCluster, Spinner};
use serde_json::{Value, json};

/// What the OpenTelemetry Operator takes for 500 comparable resources of six objects each, on the
/// kind of machine that these figures are made on.
const PEER: [(&str, f64); 3] = [("seconds", 46.0), ("CPU seconds", 9.4), ("peak RSS, MiB", 109.0)];
/// The kernel's clock ticks per second (`getconf CLK_TCK` on every Linux of today).
const TICKS: f64 = 100.0;

/// Measures convergence and writes docs/performance.md.
#[derive(Parser)]
struct Arguments {
    /// Pipelines to create.
    #[arg(long, default_value_t = 500)]
    pipelines: usize,
    /// Namespaces to spread them over.
    #[arg(long, default_value_t = 50)]
    namespaces: usize,
    /// Print only; leave docs/performance.md as it is.
    #[arg(long)]
    dry_run: bool,
}

struct Figures {
    create: f64,
    converge: f64,
    requests: usize,
    writes: usize,
    cpu: f64,
    rss_mib: f64,
    restart: f64,
    restart_requests: usize,
    restart_cpu: f64,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap_or(Path::new(".")).to_owned()
}

#[tokio::main]
async fn main() -> Result<()> {
    local_cluster::supervise_if_asked();
    let arguments = Arguments::parse();
    let spinner = Spinner::new();
    let cluster = LocalCluster::builder().progress(spinner.clone()).start().await?;
    let figures = measure(&cluster, &arguments, &spinner).await;
    spinner.finish();
    cluster.stop().await;
    let table = table(&arguments, &figures?);
    println!("{table}");
    if !arguments.dry_run {
        let document = root().join("docs/performance.md");
        obspipe_bench::section::write(&document, "convergence", &table)?;
    }
    Ok(())
}

async fn measure(
    cluster: &LocalCluster,
    arguments: &Arguments,
    spinner: &Spinner,
) -> Result<Figures> {
    use local_cluster::Progress as _;
    spinner.step("installing the definitions");
    kubectl(cluster, &["apply", "-f", &display(&root().join("crds"))], None)?;
    let monitoring = local_cluster::prometheus_operator_crds(&local_cluster::Silent).await?;
    kubectl(cluster, &["apply", "--server-side", "-f", &display(&monitoring)], None)?;
    let everything = ["wait", "--for=condition=Established", "crd", "--all", "--timeout=60s"];
    kubectl(cluster, &everything, None)?;
    let directory = tempfile::tempdir()?;
    let mut operator = Operator::start(cluster, directory.path(), 0)?;
    operator.wait_listed()?;

    spinner.step(&format!("creating {} pipelines", arguments.pipelines));
    for namespace in 0..arguments.namespaces {
        kubectl(cluster, &["create", "namespace", &format!("tenant-{namespace}")], None)?;
    }
    let start = Instant::now();
    create(cluster, arguments)?;
    let create = start.elapsed().as_secs_f64();
    spinner.step("waiting for all of them to converge");
    let converge = wait_converged(cluster, arguments.pipelines, start).await?;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (cpu, rss_mib) = operator.cost()?;
    let (requests, writes) = count(cluster)?;
    operator.stop()?;

    spinner.step("restarting the operator");
    let mut operator = Operator::start(cluster, directory.path(), 1)?;
    let start = Instant::now();
    operator.wait_listed()?;
    // At rest when no request but the lease's has come for two seconds.
    let mut last = (Instant::now(), 0);
    while last.0.elapsed() < Duration::from_secs(2) {
        let now = count(cluster)?.0;
        if now != last.1 {
            last = (Instant::now(), now);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let restart = (last.0 - start).as_secs_f64();
    let (restart_cpu, _) = operator.cost()?;
    let (all, all_writes) = count(cluster)?;
    ensure!(all_writes == writes, "a restart wrote {} times", all_writes - writes);
    operator.stop()?;
    Ok(Figures {
        create,
        converge,
        requests,
        writes,
        cpu,
        rss_mib,
        restart,
        restart_requests: all - requests,
        restart_cpu,
    })
}

fn create(cluster: &LocalCluster, arguments: &Arguments) -> Result<()> {
    let text = std::fs::read_to_string(root().join("config/samples/otel.yaml"))?;
    let sample: Value = serde_yaml::from_str(&text)?;
    let items: Vec<Value> = (0..arguments.pipelines)
        .map(|n| {
            let mut pipeline = sample.clone();
            let namespace = format!("tenant-{}", n % arguments.namespaces);
            pipeline["metadata"] = json!({"name": format!("p{n}"), "namespace": namespace});
            pipeline
        })
        .collect();
    let list = json!({"apiVersion": "v1", "kind": "List", "items": items}).to_string();
    kubectl(cluster, &["create", "-f", "-"], Some(&list)).map(|_| ())
}

/// Seconds from `start` until every pipeline's status says that all its objects are applied.
async fn wait_converged(cluster: &LocalCluster, total: usize, start: Instant) -> Result<f64> {
    loop {
        let path = r#"jsonpath={range .items[*]}{.status.conditions[?(@.type=="RulesReady")].reason}{","}{.status.conditions[?(@.type=="CollectorAvailable")].reason}{"\n"}{end}"#;
        let text = kubectl(cluster, &["get", "obspipe", "-A", "-o", path], None)?;
        let done = text.lines().filter(|line| *line == "Applied,Unschedulable").count();
        if done == total {
            return Ok(start.elapsed().as_secs_f64());
        }
        ensure!(start.elapsed() < Duration::from_secs(600), "{done} of {total} after ten minutes");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The operator's requests so far and those of them that write, leases left out.
fn count(cluster: &LocalCluster) -> Result<(usize, usize)> {
    let text = std::fs::read_to_string(cluster.audit_log())?;
    let ours = text.lines().filter(|line| {
        line.contains("\"userAgent\":\"obspipe-operator/") && !line.contains("\"leases\"")
    });
    let (mut all, mut writes) = (0, 0);
    for line in ours {
        all += 1;
        let writing = ["patch", "create", "update", "delete"];
        writes += usize::from(writing.iter().any(|v| line.contains(&format!("\"verb\":\"{v}\""))));
    }
    Ok((all, writes))
}

fn kubectl(cluster: &LocalCluster, arguments: &[&str], input: Option<&str>) -> Result<String> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), input.unwrap_or_default())?;
    let output = cluster.kubectl().args(arguments).stdin(file.reopen()?).output()?;
    let error = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "kubectl {arguments:?}: {error}");
    Ok(String::from_utf8(output.stdout)?)
}

fn display(path: &Path) -> String {
    path.display().to_string()
}

struct Operator {
    child: Child,
    log: PathBuf,
}

impl Operator {
    fn start(cluster: &LocalCluster, directory: &Path, run: usize) -> Result<Self> {
        let own = std::env::current_exe()?;
        let binary = own.with_file_name("obspipe-operator");
        let log = directory.join(format!("operator-{run}.log"));
        let child = Command::new(&binary)
            .args(["run", "--listen", "127.0.0.1:0", "--lease-namespace", "default"])
            .arg("--kubeconfig")
            .arg(cluster.kubeconfig())
            .stdin(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .spawn()
            .with_context(|| format!("{}: build it first (`make bench` does)", binary.display()))?;
        Ok(Self { child, log })
    }

    fn wait_listed(&mut self) -> Result<()> {
        let start = Instant::now();
        while !std::fs::read_to_string(&self.log)?.contains("all listed, reconciling") {
            ensure!(self.child.try_wait()?.is_none(), "the operator ended: {}", display(&self.log));
            ensure!(start.elapsed() < Duration::from_secs(60), "the operator does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// CPU seconds so far and the peak of its memory in MiB.
    fn cost(&self) -> Result<(f64, f64)> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> =
            stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace().collect();
        let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
        let cpu = (ticks(11).context("utime")? + ticks(12).context("stime")?) / TICKS;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok());
        Ok((cpu, kib.context("VmHWM")? / 1024.0))
    }

    fn stop(mut self) -> Result<()> {
        Command::new("kill").arg(self.child.id().to_string()).status()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Operator {
    fn drop(&mut self) {
        // Already gone after `stop`; an error elsewhere must not leave it behind.
        let _ = self.child.kill();
    }
}

#[allow(clippy::cast_precision_loss)] // counts of requests are far below 2^53
fn table(arguments: &Arguments, figures: &Figures) -> String {
    let n = arguments.pipelines as f64;
    let against = |value: f64, (_, peer): (&str, f64)| format!("{:.2}", value / peer);
    let mut text = format!(
        "## Convergence of {} pipelines in {} namespaces\n\n\
         | figure | this run | peer | ratio |\n|---|---|---|---|\n",
        arguments.pipelines, arguments.namespaces
    );
    let values = [figures.converge, figures.cpu, figures.rss_mib];
    for ((name, peer), value) in PEER.into_iter().zip(values) {
        let ratio = against(value, (name, peer));
        text.push_str(&format!("| {name} | {value:.1} | {peer} | {ratio} |\n"));
    }
    let rest = [
        ("seconds that creating them took", format!("{:.1}", figures.create)),
        ("requests per pipeline", format!("{:.1}", figures.requests as f64 / n)),
        ("of these writes", format!("{:.1}", figures.writes as f64 / n)),
        ("after a restart: seconds to rest", format!("{:.1}", figures.restart)),
        (
            "after a restart: requests per pipeline",
            format!("{:.1}", figures.restart_requests as f64 / n),
        ),
        ("after a restart: CPU seconds", format!("{:.1}", figures.restart_cpu)),
        ("after a restart: writes", "0".to_owned()),
    ];
    for (name, value) in rest {
        text.push_str(&format!("| {name} | {value} | | |\n"));
    }
    text
}
