//! The namespaces in which a node lives: processes, mounts and network of its own. Their first
//! process dies with us, and the kernel then ends all the others and removes mounts, interfaces,
//! routes and firewall rules. Knows commands, not Kubernetes.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::machine;
use super::slot::Slot;
use crate::error::{Error, Result};
use crate::plane::process::Component;

const OPENS_WITHIN: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// What the first process writes when all is made.
const READY: &str = "namespace-ready";

/// The first process: makes private what programs of a node keep at fixed places, then reaps
/// whoever is left without a parent.
const INIT: &str = r#"set -e
state=$1/state
mkdir -p "$state/log" "$state/cni" "$state/kubelet" "$state/containerd" \
    /var/lib/cni /var/lib/kubelet /var/lib/containerd
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock
mount --bind "$state/log" /var/log
mount --bind "$state/cni" /var/lib/cni
mount --bind "$state/kubelet" /var/lib/kubelet
mount --bind "$state/containerd" /var/lib/containerd
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
: >"$1/$2"
while :; do sleep 1000000 & wait $!; done"#;

/// Keeps a program running, as an init system does.
const KEEP: &str = r#"name=$1; shift
while :; do
    "$@" & echo $! >"/run/$name.pid"
    wait $!
    echo "$name ended with code $?, and is started again"
    sleep 0.2
done"#;

/// Open namespaces.
pub(super) struct Namespace {
    _holder: Component,
    init: u32,
}

impl Namespace {
    /// Opens them and links them with the host.
    pub(super) async fn open(directory: &Path, slot: &Slot) -> Result<Self> {
        let path = directory.display().to_string();
        let arguments = [
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "--propagation",
            "private",
            "--",
            "sh",
            "-c",
            INIT,
            "node",
            &path,
            READY,
        ];
        let arguments = arguments.map(str::to_owned);
        let unshare = machine::find("unshare")?;
        let mut holder = Component::launch("node", &unshare, &arguments, directory)?;
        let deadline = Instant::now() + OPENS_WITHIN;
        while !directory.join(READY).exists() {
            holder.check()?;
            if Instant::now() > deadline {
                return Err(holder.failed("did not open its namespaces".to_owned()));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let first = child_of(holder.program_pid());
        let init = first.ok_or_else(|| holder.failed("has no first process".to_owned()))?;
        let namespace = Self { _holder: holder, init };
        namespace.link(slot)?;
        Ok(namespace)
    }

    /// The first process, as the host counts.
    pub(super) fn init(&self) -> u32 {
        self.init
    }

    /// A link between host and node, and the host's way to pods and services.
    fn link(&self, slot: &Slot) -> Result<()> {
        let (link, host, node) = (slot.link(), slot.host(), slot.node());
        let init = self.init.to_string();
        let (host_mask, node_mask) = (format!("{host}/30"), format!("{node}/30"));
        let (pods, services) = (slot.pods(), slot.services());
        let on_host: [&[&str]; 5] = [
            &["link", "add", &link, "type", "veth", "peer", "name", "eth0", "netns", &init],
            &["address", "add", &host_mask, "dev", &link],
            &["link", "set", &link, "up"],
            &["route", "add", &pods, "via", &node, "dev", &link],
            &["route", "add", &services, "via", &node, "dev", &link],
        ];
        let on_node: [&[&str]; 3] = [
            &["address", "add", &node_mask, "dev", "eth0"],
            &["link", "set", "eth0", "up"],
            &["route", "add", "default", "via", &host],
        ];
        let (first, routes) = on_host.split_at(3);
        first.iter().try_for_each(|arguments| ip(None, arguments))?;
        on_node.iter().try_for_each(|arguments| ip(Some(self.init), arguments))?;
        routes.iter().try_for_each(|arguments| ip(None, arguments))
    }

    /// The arguments of `nsenter` by which a program runs inside until the namespaces end.
    pub(super) fn kept_running(&self, name: &str, program: &Path, flags: &[String]) -> Vec<String> {
        let mut arguments = enter(self.init);
        let keep = ["sh", "-c", KEEP, "keep", name].map(str::to_owned);
        arguments.extend(keep);
        arguments.push(program.display().to_string());
        arguments.extend_from_slice(flags);
        arguments
    }
}

/// Where the number of a program kept running stands, inside.
pub(super) fn pid_file(name: &str) -> String {
    format!("/run/{name}.pid")
}

/// The arguments of `nsenter` before the program.
pub(super) fn enter(init: u32) -> Vec<String> {
    let target = init.to_string();
    ["--target", &target, "--net", "--mount", "--pid", "--"].map(str::to_owned).to_vec()
}

fn ip(inside: Option<u32>, arguments: &[&str]) -> Result<()> {
    let mut command = match inside {
        Some(init) => {
            let mut command = std::process::Command::new("nsenter");
            command.args(enter(init)).arg("ip");
            command
        }
        None => std::process::Command::new("ip"),
    };
    let ran = command.args(arguments).stdin(Stdio::null()).output();
    let output = ran.map_err(Error::io("run ip"))?;
    if output.status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Node { command: format!("ip {}", arguments.join(" ")), message })
}

fn child_of(pid: u32) -> Option<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).ok()?;
    children.split_whitespace().next()?.parse().ok()
}
