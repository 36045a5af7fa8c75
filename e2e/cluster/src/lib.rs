//! A real Kubernetes control plane (etcd, kube-apiserver, kube-controller-manager,
//! kube-scheduler) for tests and the demo, started in seconds on a machine that has
//! Go and nothing else. Several run side by side; each ends with its owner, however
//! that dies. It knows nothing of obspipe but the name of its CRD, which must not be
//! overwritten on somebody's own cluster (`current`).
//!
//! - [`LocalCluster`]: lives as long as the value (tests).
//! - [`Detached`]: stays until it is told to go (the command, the demo).
//! - [`CurrentCluster`]: somebody's own, only on request.
//! - [`Target`]: any of the three.

mod build;
mod cluster;
mod current;
mod detached;
mod error;
mod kubectl;
mod layout;
mod node;
mod plane;
mod progress;
mod target;

pub use build::tools::{
    alertmanager, checkov, helm, jaeger, kube_score, kubeconform, loki, otelcol, otelcol_jaeger,
    otelcol_loki, prometheus, prometheus_operator, prometheus_operator_all_crds,
    prometheus_operator_crds, promtool, python_sdk, python_shop,
};
pub use cluster::{Builder, LocalCluster};
pub use current::CurrentCluster;
pub use detached::{Detached, supervise, supervise_if_asked};
pub use error::{Error, Result};
pub use layout::RunDir;
pub use node::node_possible;
pub use plane::process::Component;
pub use progress::{Progress, Silent, Spinner};
pub use target::{Target, Wanted};

/// The Kubernetes release that is built. 1.35 makes the kubelet refuse cgroup v1 by default.
pub const KUBERNETES_VERSION: &str = "v1.34.4";
/// The etcd release in the same executable: the one Kubernetes itself is compiled with.
pub const ETCD_VERSION: &str = "v3.6.4";
