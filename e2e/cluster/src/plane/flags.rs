//! The command line of each program, as a pure function of the two things that differ
//! between clusters: the port and what follows from it. Paths are relative to the run
//! directory, in which the programs are started.

use super::access::{
    AUDIT_LOG, AUDIT_POLICY, CA, CERTIFICATES, CONTROLLER_MANAGER, SCHEDULER, TOKENS,
};
use crate::node::{self, Slot};

/// etcd listens on sockets in the run directory: nobody else's ports, nobody else's access.
/// It insists on host:port; here that is simply the name of the socket file.
const ETCD_CLIENTS: &str = "unix://etcd:1";
const ETCD_PEERS: &str = "unix://etcd:2";

/// The key that kube-apiserver makes for its own certificate signs service account
/// tokens too: a throw-away cluster needs no second one, and so no program to make it.
const SIGNING_KEY: &str = "certificates/apiserver.key";

pub(super) fn etcd() -> Vec<String> {
    owned(&[
        "--name=local-cluster",
        "--data-dir=etcd",
        &format!("--listen-client-urls={ETCD_CLIENTS}"),
        &format!("--advertise-client-urls={ETCD_CLIENTS}"),
        &format!("--listen-peer-urls={ETCD_PEERS}"),
        &format!("--initial-advertise-peer-urls={ETCD_PEERS}"),
        &format!("--initial-cluster=local-cluster={ETCD_PEERS}"),
        "--unsafe-no-fsync",
    ])
}

pub(super) fn apiserver(port: u16, slot: Option<&Slot>) -> Vec<String> {
    let mut flags = owned(&[
        &format!("--etcd-servers={ETCD_CLIENTS}"),
        &format!("--secure-port={port}"),
        &format!("--cert-dir={CERTIFICATES}"),
        "--service-account-issuer=https://kubernetes.default.svc",
        &format!("--service-account-key-file={SIGNING_KEY}"),
        &format!("--service-account-signing-key-file={SIGNING_KEY}"),
        &format!("--token-auth-file={TOKENS}"),
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--enable-admission-plugins=NodeRestriction",
        &format!("--audit-policy-file={AUDIT_POLICY}"),
        &format!("--audit-log-path={AUDIT_LOG}"),
        "--event-ttl=1h",
        // Many tests share one server; the defaults (400, 200) would queue their bursts.
        "--max-requests-inflight=1200",
        "--max-mutating-requests-inflight=600",
    ]);
    flags.extend(slot.map_or_else(|| without_pods(port), with_pods));
    flags
}

/// Nobody reaches the API through the `kubernetes` Service then, and an Endpoints object may not
/// hold a loopback address.
fn without_pods(port: u16) -> Vec<String> {
    owned(&[
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--endpoint-reconciler-type=none",
        &format!("--service-cluster-ip-range={}", service_range(port)),
    ])
}

/// On the host's end of the link to the node, which pods reach and the machine's neighbours do not.
fn with_pods(slot: &Slot) -> Vec<String> {
    let address = slot.host();
    owned(&[
        &format!("--bind-address={address}"),
        &format!("--advertise-address={address}"),
        &format!("--service-cluster-ip-range={}", slot.services()),
        "--kubelet-preferred-address-types=InternalIP",
        &format!("--kubelet-client-certificate={}", node::CLIENT),
        &format!("--kubelet-client-key={}", node::CLIENT_KEY),
    ])
}

pub(super) fn controller_manager() -> Vec<String> {
    owned(&[
        &format!("--kubeconfig={CONTROLLER_MANAGER}"),
        &format!("--service-account-private-key-file={SIGNING_KEY}"),
        &format!("--root-ca-file={CA}"),
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        // It serves nothing that anybody reads, and a port could be taken.
        "--secure-port=0",
        // The defaults (20, 30) make a test that creates a hundred objects wait.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
    ])
}

pub(super) fn scheduler() -> Vec<String> {
    owned(&[&format!("--kubeconfig={SCHEDULER}"), "--leader-elect=false", "--secure-port=0"])
}

/// Some 4000 addresses, enough for a test of many Services. They follow from the port, which is
/// nobody else's on this machine; two clusters whose ports are neighbours share a range, which
/// matters only once a node routes it.
fn service_range(port: u16) -> String {
    let [high, low] = port.to_be_bytes();
    format!("10.{high}.{}.0/20", low & 0xf0)
}

fn owned(flags: &[&str]) -> Vec<String> {
    flags.iter().map(|&flag| flag.to_owned()).collect()
}
