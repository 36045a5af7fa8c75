//! The configuration of each of the node's programs: pure functions of the slot, and the one that
//! writes them into the run directory.

use std::fs;
use std::path::Path;

use super::machine;
use super::slot::Slot;
use crate::build::tools::PAUSE;
use crate::error::{Error, Result};
use crate::plane::access::COREDNS;

pub(super) const CONTAINERD: &str = "containerd.toml";
pub(super) const KUBELET: &str = "kubelet.yaml";
pub(super) const COREFILE: &str = "Corefile";
/// Applied once the API answers.
pub(crate) const SERVICES: &str = "dns.yaml";
/// All that the node's programs keep; in the run directory.
pub(super) const STATE: &str = "state";
/// Inside the node, where /run is its own.
const SOCKET: &str = "/run/containerd/containerd.sock";
const NETWORKS: &str = "networks";

/// Arguments of `ctr` before its command: containerd's socket, and the namespace the kubelet uses.
pub(super) fn ctr() -> Vec<String> {
    ["--address", SOCKET, "--namespace", "k8s.io"].map(str::to_owned).to_vec()
}

pub(super) fn write(directory: &Path, slot: &Slot) -> Result<()> {
    let networks = directory.join(NETWORKS);
    let plugins = machine::plugins().unwrap_or(Path::new("/usr/lib/cni"));
    let client_ca = directory.join(super::certificate::AUTHORITY);
    let files = [
        (CONTAINERD.to_owned(), containerd(plugins, &networks)),
        (KUBELET.to_owned(), kubelet(slot, &client_ca)),
        (COREFILE.to_owned(), corefile(slot, &directory.join(COREDNS))),
        (SERVICES.to_owned(), services(slot)),
        (format!("{NETWORKS}/10-pods.conflist"), network(slot)),
    ];
    fs::create_dir_all(&networks).map_err(Error::io("create a directory for the networks"))?;
    for (name, text) in files {
        let path = directory.join(name);
        fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
    }
    Ok(())
}

/// A path or name as a string of JSON, which is one of TOML and YAML as well.
fn quoted(text: &dyn std::fmt::Display) -> String {
    serde_json::Value::from(text.to_string()).to_string()
}

/// restrict_oom_score_adj: without it runc fails where it lacks CAP_SYS_RESOURCE.
fn containerd(plugins: &Path, networks: &Path) -> String {
    let (plugins, networks) = (quoted(&plugins.display()), quoted(&networks.display()));
    let pause = quoted(&PAUSE);
    format!(
        r#"version = 2
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = {pause}
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = {plugins}
conf_dir = {networks}
"#
    )
}

/// Each pod has a link of its own to the node, which routes: no bridge, whose frames the firewall
/// sees only with a kernel module.
fn network(slot: &Slot) -> String {
    let subnet = slot.pods();
    serde_json::json!({
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": true,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": subnet}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "dataDir": "/run/cni-addresses",
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": true}},
        ],
    })
    .to_string()
}

fn kubelet(slot: &Slot, client_ca: &Path) -> String {
    let address = slot.node();
    serde_json::json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": address,
        "readOnlyPort": 0,
        "authentication": {
            "anonymous": {"enabled": false},
            "webhook": {"enabled": true},
            "x509": {"clientCAFile": client_ca},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": slot.cgroup(),
        "failCgroupV1": false,
        "failSwapOn": false,
        // A throw-away node on somebody's half-full disk has nothing to save.
        "evictionHard": {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        // Images cannot be had again but by importing them.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "containerRuntimeEndpoint": format!("unix://{SOCKET}"),
        "clusterDNS": [slot.dns()],
        "clusterDomain": "cluster.local",
        "resolvConf": "",
        // Tests change ConfigMaps and Secrets and wait for pods to see it.
        "configMapAndSecretChangeDetectionStrategy": "Watch",
        "syncFrequency": "10s",
        "maxPods": 200,
    })
    .to_string()
}

/// The cluster's names and no others: there is no network to ask for more.
fn corefile(slot: &Slot, kubeconfig: &Path) -> String {
    let (address, kubeconfig) = (slot.node(), quoted(&kubeconfig.display()));
    format!(
        ".:53 {{\n    bind {address}\n    errors\n    kubernetes cluster.local in-addr.arpa {{\n        \
         kubeconfig {kubeconfig}\n        pods insecure\n        ttl 5\n    }}\n}}\n"
    )
}

/// The Service that pods ask, in front of the CoreDNS process on the node.
fn services(slot: &Slot) -> String {
    let (dns, node) = (slot.dns(), slot.node());
    let ports = |target: bool| {
        ["UDP", "TCP"].map(|protocol| {
            let mut port = serde_json::json!({
                "name": format!("dns-{}", protocol.to_lowercase()),
                "port": 53,
                "protocol": protocol,
            });
            if target {
                port["targetPort"] = 53.into();
            }
            port
        })
    };
    let service = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "kube-dns", "namespace": "kube-system"},
        "spec": {"clusterIP": dns, "ports": ports(true)},
    });
    let slice = serde_json::json!({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {
            "name": "kube-dns",
            "namespace": "kube-system",
            "labels": {"kubernetes.io/service-name": "kube-dns"},
        },
        "addressType": "IPv4",
        "endpoints": [{"addresses": [node], "conditions": {"ready": true}}],
        "ports": ports(false),
    });
    format!("{service}\n---\n{slice}\n")
}
