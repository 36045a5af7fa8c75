//! Somebody's own cluster, used only when they ask for it: says which one before it is
//! asked anything, and leaves an existing installation alone. Starts and ends nothing.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::{kubernetes, tools};
use crate::error::{Error, Result};
use crate::kubectl::Kubectl;
use crate::layout::RunDir;
use crate::progress::Progress;
use serde::Deserialize;

/// The kind whose presence means that somebody uses obspipe there.
const CRD: &str = "observabilitypipelines.obspipe.dev";

/// The cluster of the kubeconfig's current context, as it was when we connected: a later
/// `kubectl config use-context` does not move us to another one.
#[derive(Debug)]
pub struct CurrentCluster {
    context: String,
    server: String,
    kubeconfig: PathBuf,
    kubectl: Kubectl,
    /// Holds the copy of the kubeconfig, with its secrets; removed on drop.
    _directory: RunDir,
}

/// The part of `kubectl config view -o json` that is read.
#[derive(Deserialize)]
struct View {
    clusters: Vec<NamedCluster>,
}

#[derive(Deserialize)]
struct NamedCluster {
    cluster: ClusterAddress,
}

#[derive(Deserialize)]
struct ClusterAddress {
    server: String,
}

impl CurrentCluster {
    /// Connects with this kubeconfig, else as kubectl would (`KUBECONFIG`, `~/.kube/config`).
    /// `announce` is given the context and the server before the first request.
    ///
    /// # Errors
    /// There is no current context, the server does not answer, or it serves our kind
    /// already and `force` is not set.
    pub async fn connect(
        kubeconfig: Option<&Path>,
        force: bool,
        announce: impl FnOnce(&str, &str),
        progress: &dyn Progress,
    ) -> Result<Self> {
        let path = match tools::on_path("kubectl") {
            Some(path) => path,
            None => kubernetes::program("kubectl", progress).await?.path,
        };
        let cluster = Self::pin(&Kubectl::theirs(path, kubeconfig)).await?;
        announce(&cluster.context, &cluster.server);
        let asked = ["get", "customresourcedefinition", CRD, "--ignore-not-found", "--output=name"];
        let found = cluster.kubectl.run(&asked).await?;
        if found.trim().is_empty() || force {
            return Ok(cluster);
        }
        Err(Error::AlreadyServed { context: cluster.context, server: cluster.server, crd: CRD })
    }

    /// Copies what belongs to the current context into a kubeconfig of our own.
    async fn pin(theirs: &Kubectl) -> Result<Self> {
        let context = theirs.run(&["config", "current-context"]).await?.trim().to_owned();
        let text = theirs.run(&["config", "view", "--minify", "--flatten", "--raw"]).await?;
        let directory = RunDir::create()?;
        let kubeconfig = directory.path().join("kubeconfig");
        File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&kubeconfig)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(Error::io("copy the kubeconfig"))?;
        let kubectl = Kubectl::ours(theirs.path().to_owned(), &kubeconfig);
        let view = kubectl.run(&["config", "view", "--output=json"]).await?;
        let view: View = serde_json::from_str(&view)
            .map_err(|source| Error::Format { what: "the kubeconfig".to_owned(), source })?;
        let server =
            view.clusters.into_iter().next().map(|named| named.cluster.server).unwrap_or_default();
        Ok(Self { context, server, kubeconfig, kubectl, _directory: directory })
    }

    /// The context's name.
    #[must_use]
    pub fn context(&self) -> &str {
        &self.context
    }

    /// The API server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// A kubeconfig with this context only, good as long as this value.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    /// A kubectl that talks to this cluster as its user.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        self.kubectl.command()
    }
}
