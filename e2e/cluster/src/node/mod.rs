//! A node: containerd, kubelet, kube-proxy and CoreDNS, in a room of their own (`namespace`) that
//! takes everything with it when it goes: processes, containers, mounts, interfaces, firewall
//! rules. Knows the cluster only by its kubeconfigs and addresses.

mod certificate;
mod files;
mod machine;
mod namespace;
mod slot;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::build::kubernetes::program;
use crate::build::tools;
use crate::error::{Error, Result};
use crate::plane::access;
use crate::plane::process::Component;
use crate::progress::Progress;

pub(crate) use certificate::{CLIENT, CLIENT_KEY};
pub(crate) use files::SERVICES;
pub use machine::node_possible;
pub(crate) use slot::{Slot, sweep};

/// The node's name.
pub(crate) const NAME: &str = "local-node";

/// What a node runs, found or built before anything is started.
#[derive(Debug)]
pub(crate) struct Programs {
    kubelet: PathBuf,
    kube_proxy: PathBuf,
    coredns: PathBuf,
    pause: PathBuf,
}

impl Programs {
    pub(crate) async fn provide(progress: &dyn Progress) -> Result<Self> {
        node_possible()?;
        machine::install(progress).await?;
        Ok(Self {
            kubelet: program("kubelet", progress).await?.path,
            kube_proxy: program("kube-proxy", progress).await?.path,
            coredns: tools::coredns(progress).await?,
            pause: tools::pause(progress).await?,
        })
    }
}

/// A node that has addresses, and nothing yet that uses them: the API server has to listen there
/// before the node's programs start.
pub(crate) struct Ground {
    // Before the slot, so that what is swept when the slot is given back has ended.
    namespace: namespace::Namespace,
    slot: Slot,
}

impl Ground {
    pub(crate) async fn prepare(directory: &Path) -> Result<Self> {
        certificate::write(directory)?;
        let slot = Slot::take(directory)?;
        let namespace = namespace::Namespace::open(directory, &slot).await?;
        Ok(Self { namespace, slot })
    }

    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    /// Starts everything; whether the node is ready is the API's to say.
    pub(crate) async fn run(self, programs: &Programs, directory: &Path) -> Result<Node> {
        files::write(directory, &self.slot)?;
        let mut node = Node { components: Vec::new(), ground: self };
        let path = |name: &str| directory.join(name).display().to_string();
        let containerd = machine::find("containerd")?;
        let config = format!("--config={}", path(files::CONTAINERD));
        node.add("containerd", &containerd, &[config], directory)?;
        node.room().wait_for_containerd().await?;
        node.room().import(std::slice::from_ref(&programs.pause)).await?;
        let kubelet = [
            format!("--config={}", path(files::KUBELET)),
            format!("--kubeconfig={}", path(access::NODE)),
            format!("--hostname-override={NAME}"),
            format!("--node-ip={}", node.ground.slot.node()),
            format!("--cert-dir={}", path("kubelet-certificates")),
        ];
        node.add("kubelet", &programs.kubelet, &kubelet, directory)?;
        let proxy = [
            format!("--kubeconfig={}", path(access::PROXY)),
            format!("--hostname-override={NAME}"),
            "--proxy-mode=iptables".to_owned(),
            format!("--cluster-cidr={}", node.ground.slot.pods()),
            // The machine's own, not this namespace's.
            "--conntrack-max-per-core=0".to_owned(),
            "--conntrack-min=0".to_owned(),
            "--conntrack-tcp-timeout-established=0s".to_owned(),
            "--conntrack-tcp-timeout-close-wait=0s".to_owned(),
            // Default 1 s: pods that come and go are seen at once.
            "--iptables-min-sync-period=100ms".to_owned(),
        ];
        node.add("kube-proxy", &programs.kube_proxy, &proxy, directory)?;
        let coredns = [format!("-conf={}", path(files::COREFILE))];
        node.add("coredns", &programs.coredns, &coredns, directory)?;
        Ok(node)
    }
}

/// A running node. Dropping it ends everything in it.
pub(crate) struct Node {
    components: Vec<Component>,
    ground: Ground,
}

impl Node {
    fn add(
        &mut self,
        name: &'static str,
        program: &Path,
        flags: &[String],
        directory: &Path,
    ) -> Result<()> {
        let arguments = self.ground.namespace.kept_running(name, program, flags);
        let enter = machine::find("nsenter")?;
        self.components.push(Component::launch(name, &enter, &arguments, directory)?);
        Ok(())
    }

    /// How others reach into it.
    pub(crate) fn room(&self) -> Room {
        Room { init: self.ground.namespace.init() }
    }

    /// What the kubelet printed at last, for who waited in vain.
    pub(crate) fn failed(&self, problem: String) -> Error {
        match self.components.iter().find(|component| component.name() == "kubelet") {
            Some(kubelet) => kubelet.failed(problem),
            None => Error::NodeImpossible(problem),
        }
    }

    pub(crate) fn check(&mut self) -> Result<()> {
        self.components.iter_mut().try_for_each(Component::check)
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.components.iter().map(Component::pid).collect()
    }
}

/// The way into a running node, for every process that knows its first one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Room {
    init: u32,
}

impl Room {
    /// Runs a program of the machine inside.
    pub(crate) fn command(self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(namespace::enter(self.init)).arg(program).stdin(Stdio::null());
        command
    }

    async fn run(self, program: &'static str, arguments: Vec<String>) -> Result<()> {
        let mut command = self.command(program);
        command.args(&arguments);
        let ran = tokio::process::Command::from(command).kill_on_drop(true).output().await;
        let output = ran.map_err(Error::io(format!("run {program} in the node")))?;
        if output.status.success() {
            return Ok(());
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(Error::Node { command: format!("{program} {}", arguments.join(" ")), message })
    }

    /// Brings image archives into containerd, where the kubelet looks for them.
    pub(crate) async fn import(self, archives: &[PathBuf]) -> Result<()> {
        for archive in archives {
            let archive = std::path::absolute(archive).map_err(Error::io("find the archive"))?;
            let mut arguments = files::ctr();
            arguments.extend(["images", "import"].map(str::to_owned));
            arguments.push(archive.display().to_string());
            self.run("ctr", arguments).await?;
        }
        Ok(())
    }

    async fn wait_for_containerd(self) -> Result<()> {
        let mut tries = 0;
        loop {
            let mut arguments = files::ctr();
            arguments.push("version".to_owned());
            match self.run("ctr", arguments).await {
                Ok(()) => return Ok(()),
                Err(error) if tries > 300 => return Err(error),
                Err(_) => tries += 1,
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }

    /// Ends containerd and the kubelet, which start again as on a machine whose services are
    /// restarted; the pods' containers stay. Returns when containerd answers.
    pub(crate) async fn restart(self) -> Result<()> {
        for name in ["kubelet", "containerd"] {
            let end = format!("kill \"$(cat {})\"", namespace::pid_file(name));
            self.run("sh", vec!["-c".to_owned(), end]).await?;
        }
        self.wait_for_containerd().await
    }
}
