//! The arguments that `run` and `doctor` have in common: which namespaces, which lease, and how the
//! API server is reached.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};
use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};
use thiserror::Error;

use crate::cluster::client;

/// What is reconciled, and who may write it.
#[derive(Clone, Debug, Args)]
pub(super) struct Scope {
    /// Namespace whose pipelines are reconciled; all if none is given. Repeatable.
    #[arg(long, env = "OBSPIPE_NAMESPACE", value_delimiter = ',')]
    namespace: Vec<String>,
    /// Write only while holding a lease, so that several replicas can run.
    #[arg(long, env = "OBSPIPE_LEADER_ELECT", value_name = "BOOL", default_value_t = true,
        action = ArgAction::Set)]
    pub(super) leader_elect: bool,
    /// Namespace of the lease.
    #[arg(long, env = "POD_NAMESPACE", value_name = "NAMESPACE", default_value = "default")]
    pub(super) lease_namespace: String,
    /// Name of the lease.
    #[arg(
        long,
        env = "OBSPIPE_LEASE_NAME",
        value_name = "NAME",
        default_value = "obspipe-operator"
    )]
    pub(super) lease_name: String,
    /// File that says how to reach the API server; else KUBECONFIG or the pod's service account.
    #[arg(long, env = "OBSPIPE_KUBECONFIG", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

/// Why there is no client.
#[derive(Debug, Error)]
pub(super) enum ConnectError {
    #[error("kubeconfig: {0}")]
    Kubeconfig(#[from] KubeconfigError),
    #[error("cannot tell how to reach the API server: {0}")]
    Infer(#[from] Box<InferConfigError>),
    #[error("cannot make a client: {0}")]
    Client(#[from] Box<kube::Error>),
}

impl Scope {
    /// Namespaces whose pipelines are reconciled; empty for all.
    pub(super) fn namespaces(&self) -> Vec<String> {
        not_empty(&self.namespace)
    }

    /// A client; it asks nothing yet. A response that does not go on for `read_timeout` is given
    /// up, unless the configuration says otherwise.
    pub(super) async fn connect(&self, read_timeout: Duration) -> Result<Client, ConnectError> {
        let mut config = match &self.kubeconfig {
            Some(path) => {
                let file = Kubeconfig::read_from(path)?;
                Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?
            }
            None => Config::infer().await.map_err(Box::new)?,
        };
        config.read_timeout = config.read_timeout.or(Some(read_timeout));
        Ok(client(config).map_err(Box::new)?)
    }
}

/// An empty variable names one thing, "": it means none.
pub(super) fn not_empty(names: &[String]) -> Vec<String> {
    names.iter().filter(|name| !name.is_empty()).cloned().collect()
}
