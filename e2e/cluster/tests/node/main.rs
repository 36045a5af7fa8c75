//! Nodes that run pods: what pods may rely on, several nodes on one machine, and what is left
//! when a node ends in whatever way. Needs root, so it is run by `make e2e` alone.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use local_cluster::{LocalCluster, Silent};
use obspipe_image::{Format, Program, static_programs};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(90);
const SERVER: &str = "
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: probe, image: 'test/probe:1', imagePullPolicy: Never, args: [serve]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
";

/// The probe's image, made once.
fn image() -> &'static Path {
    static IMAGE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = IMAGE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("probe");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/node/probe.go");
        let mut go = Command::new("go");
        go.args(["build", "-trimpath", "-o"]).arg(&program).arg(source);
        go.env("CGO_ENABLED", "0").env("GOFLAGS", "-buildvcs=false").current_dir(directory.path());
        assert!(go.status().unwrap().success(), "the probe builds");
        let programs = [Program::read(&program).unwrap()];
        let image = static_programs("test/probe:1".parse().unwrap(), "/", &programs).unwrap();
        let path = directory.path().join("probe.tar");
        image.write(Format::Docker, &path).unwrap();
        (directory, path)
    });
    path
}

fn run(mut command: Command, arguments: &[&str], input: &str) -> Result<String, String> {
    use std::io::Write as _;
    let command = command.args(arguments).stdin(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Result<T, String>) -> T {
    let start = Instant::now();
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(why) if start.elapsed() > PATIENCE => panic!("{what}: {why}"),
            Err(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}

/// A cluster with a node, the image in it, and a pod that serves.
async fn serving() -> LocalCluster {
    let cluster = LocalCluster::builder().node(true).progress(Silent).start().await.unwrap();
    cluster.import_images(&[image().to_owned()]).await.unwrap();
    run(cluster.kubectl(), &["apply", "-f", "-"], SERVER).unwrap();
    let ready = ["wait", "--for=condition=Ready", "pod/web", "--timeout=60s"];
    run(cluster.kubectl(), &ready, "").unwrap();
    cluster
}

fn field(cluster: &LocalCluster, arguments: &[&str], path: &str) -> String {
    let output = format!("jsonpath={{{path}}}");
    let mut all = vec!["get"];
    all.extend(arguments);
    all.extend(["-o", &output]);
    run(cluster.kubectl(), &all, "").unwrap()
}

/// Runs a pod to its end and returns what it printed.
fn asked(cluster: &LocalCluster, name: &str, url: &str) -> String {
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}}}\nspec:\n  restartPolicy: Never\n  \
         containers: [{{name: probe, image: 'test/probe:1', imagePullPolicy: Never, \
         args: [ask, '{url}']}}]\n"
    );
    run(cluster.kubectl(), &["apply", "-f", "-"], &pod).unwrap();
    eventually("the pod to end", || {
        match field(cluster, &["pod", name], ".status.phase").as_str() {
            "Succeeded" => Ok(()),
            "Failed" => panic!("{}", run(cluster.kubectl(), &["logs", name], "").unwrap()),
            other => Err(other.to_owned()),
        }
    });
    run(cluster.kubectl(), &["logs", name], "").unwrap()
}

fn get(url: &str) -> Result<String, String> {
    let (host, path) = url.trim_start_matches("http://").split_once('/').unwrap();
    use std::io::{Read as _, Write as _};
    let address = host.parse().unwrap();
    let connected = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(2));
    let mut stream = connected.map_err(|error| error.to_string())?;
    write!(stream, "GET /{path} HTTP/1.0\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_find_one_another_by_name_and_are_reached_from_outside() {
    let cluster = serving().await;
    for (pod, url) in [("short", "http://web/"), ("long", "http://web.default.svc.cluster.local/")]
    {
        assert!(asked(&cluster, pod, url).contains("hello from web"), "{url}");
    }
    let service = field(&cluster, &["service", "web"], ".spec.clusterIP");
    let answer =
        eventually("the Service, from the machine", || get(&format!("http://{service}:80/")));
    assert!(answer.contains("hello from web"), "{answer}");
    let proxy = "/api/v1/namespaces/default/services/web:80/proxy/";
    let answer = run(cluster.kubectl(), &["get", "--raw", proxy], "").unwrap();
    assert!(answer.contains("hello from web"), "{answer}");
    let logs = run(cluster.kubectl(), &["logs", "web"], "").unwrap();
    assert_eq!(logs.trim(), "serving");
    let own = ["exec", "web", "--", "/probe", "ask", "http://127.0.0.1:8080/"];
    let answer = run(cluster.kubectl(), &own, "").unwrap();
    assert!(answer.contains("hello from web"), "{answer}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_keeps_its_pods_and_takes_new_ones() {
    let cluster = serving().await;
    let id = || field(&cluster, &["pod", "web"], ".status.containerStatuses[0].containerID");
    let before = id();
    cluster.restart_node().await.unwrap();
    assert!(asked(&cluster, "after", "http://web/").contains("hello from web"));
    assert_eq!(id(), before, "the container is the same");
    cluster.stop().await;
}

/// What of a cluster is still on the machine, told by its run directory: processes, mounts, a slot,
/// files. Links and control groups go by the slot's number, which may be another's by now.
fn left(directory: &Path) -> Vec<String> {
    let directory = directory.display().to_string();
    let mut left = Vec::new();
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let command = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        if String::from_utf8_lossy(&command).contains(&directory) {
            left.push(format!("process {}", process.path().display()));
        }
    }
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    left.extend(mounts.lines().filter(|it| it.contains(&directory)).map(str::to_owned));
    for slot in std::fs::read_dir("/run/local-cluster").unwrap().flatten() {
        let owner = std::fs::read_to_string(slot.path()).unwrap_or_default();
        if owner == directory {
            left.push(slot.path().display().to_string());
        }
    }
    if Path::new(&directory).exists() {
        left.push(directory);
    }
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_side_by_side_share_nothing() {
    let (one, two) = tokio::join!(serving(), serving());
    assert_ne!(one.server(), two.server());
    let address = |cluster: &LocalCluster| field(cluster, &["pod", "web"], ".status.podIP");
    assert_ne!(address(&one), address(&two));
    run(one.kubectl(), &["delete", "pod", "web", "--now"], "").unwrap();
    let answer = get(&format!("http://{}:8080/", address(&two))).unwrap();
    assert!(answer.contains("hello from web"), "{answer}");
    tokio::join!(one.stop(), two.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_owner_leaves_nothing_that_the_next_does_not_remove() {
    let name = format!("killed-{}", std::process::id());
    let command = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-cluster"));
        command.args(arguments).args(["--name", &name]).stdin(Stdio::null());
        command
    };
    let up = command(&["up", "--node", "--detach"]).output().unwrap();
    assert!(up.status.success(), "{up:?}");
    let archive = image().display().to_string();
    assert!(command(&["import", &archive]).status().unwrap().success());
    let status = command(&["status", "--output", "json"]).output().unwrap();
    let status: Value = serde_json::from_slice(&status.stdout).unwrap();
    let kubectl = || {
        let mut kubectl = Command::new(status["kubectl"].as_str().unwrap());
        kubectl.env("KUBECONFIG", status["kubeconfig"].as_str().unwrap());
        kubectl
    };
    run(kubectl(), &["apply", "-f", "-"], SERVER).unwrap();
    let ready = ["wait", "--for=condition=Ready", "pod/web", "--timeout=60s"];
    run(kubectl(), &ready, "").unwrap();
    let address = run(kubectl(), &["get", "pod", "web", "-o", "jsonpath={.status.podIP}"], "");
    let url = format!("http://{}:8080/", address.unwrap());
    assert!(get(&url).unwrap().contains("hello from web"));
    let directory = Path::new(status["kubeconfig"].as_str().unwrap()).parent().unwrap();
    assert!(left(directory).len() > 5, "it is found while it runs: {:?}", left(directory));
    let pid = status["pid"].to_string();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    eventually("its containers to end", || match get(&url) {
        Err(_) => Ok(()),
        Ok(_) => Err("it still serves".to_owned()),
    });
    assert!(command(&["down"]).status().unwrap().success());
    eventually("nothing to be left", || match left(directory) {
        left if left.is_empty() => Ok(()),
        left => Err(format!("{left:?}")),
    });
}
