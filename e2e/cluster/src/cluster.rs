//! A cluster that lives as long as its value: what tests hold. Puts together the
//! programs, a run directory and a control plane; knows how none of them works.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::error::{Error, Result};
use crate::layout::RunDir;
use crate::node::{self, Ground, Node, Room};
use crate::plane::access::Access;
use crate::plane::{Parts, Plane, Programs};
use crate::progress::{Progress, Silent};

/// A free port is taken by somebody else between our asking and its use so rarely that
/// a third time in a row means something else.
const ATTEMPTS: u32 = 3;

/// A running control plane, with a node if one was asked for, in a directory of its own. Dropping it ends the programs and
/// removes the directory; so does the end of this process, except for the directory,
/// which a later start removes.
pub struct LocalCluster {
    node: Option<Node>,
    // Before the directory, so that the programs are gone when it is removed.
    plane: Plane,
    directory: RunDir,
}

impl std::fmt::Debug for LocalCluster {
    /// Not the token, which would end in the log of a failed test.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("LocalCluster")
            .field("server", &self.server())
            .finish_non_exhaustive()
    }
}

/// What to start. The whole control plane runs unless a part is switched off; a node only if it is
/// asked for.
#[must_use]
pub struct Builder {
    parts: Parts,
    node: bool,
    progress: Box<dyn Progress>,
    parent: Option<PathBuf>,
}

impl Builder {
    /// Deployments, DaemonSets, service accounts, garbage collection by owner reference.
    pub fn controller_manager(mut self, wanted: bool) -> Self {
        self.parts.controller_manager = wanted;
        self
    }

    /// Pods get a node, where there is one.
    pub fn scheduler(mut self, wanted: bool) -> Self {
        self.parts.scheduler = wanted;
        self
    }

    /// A node that runs pods. It needs root, and installs what is missing of Debian's packages.
    pub fn node(mut self, wanted: bool) -> Self {
        self.node = wanted;
        self
    }

    /// Who hears what is being done. Nobody by default.
    pub fn progress(mut self, progress: impl Progress + 'static) -> Self {
        self.progress = Box::new(progress);
        self
    }

    /// Where the cluster makes its own directory, which is removed with it; nothing else there
    /// is touched. None, the default: below cargo's target directory.
    pub fn directory(mut self, parent: Option<PathBuf>) -> Self {
        self.parent = parent;
        self
    }

    /// Builds what is missing (minutes, once per machine), starts the control plane and
    /// waits until it answers.
    ///
    /// # Errors
    /// Go is missing or the build failed; or a program ended or did not become ready: the
    /// error then holds the end of its log, and the log is kept.
    pub async fn start(self) -> Result<LocalCluster> {
        let progress = self.progress.as_ref();
        let programs = Programs::provide(self.parts, progress).await?;
        let on_node = match self.node {
            true => Some(node::Programs::provide(progress).await?),
            false => None,
        };
        let mut attempt = 1;
        loop {
            let directory = match &self.parent {
                Some(parent) => RunDir::create_in(parent)?,
                None => RunDir::create()?,
            };
            match launch(&programs, on_node.as_ref(), directory.path(), progress).await {
                Ok((plane, node)) => return Ok(LocalCluster { node, plane, directory }),
                Err(error) if error.is_port_taken() && attempt < ATTEMPTS => attempt += 1,
                Err(error) => {
                    directory.keep();
                    return Err(error);
                }
            }
        }
    }
}

/// The control plane, and the node where its programs are given.
async fn launch(
    programs: &Programs,
    on_node: Option<&node::Programs>,
    directory: &Path,
    progress: &dyn Progress,
) -> Result<(Plane, Option<Node>)> {
    let Some(on_node) = on_node else {
        return Ok((Plane::start(programs, directory, None, progress).await?, None));
    };
    let ground = Ground::prepare(directory).await?;
    let mut plane = Plane::start(programs, directory, Some(ground.slot()), progress).await?;
    progress.step("starting the node");
    let mut node = ground.run(on_node, directory).await?;
    let services = directory.join(node::SERVICES).display().to_string();
    plane.kubectl.run(&["apply", "-f", &services]).await?;
    plane.wait_for_node(&mut node).await?;
    Ok((plane, Some(node)))
}

impl LocalCluster {
    /// Everything on, silent.
    pub fn builder() -> Builder {
        Builder {
            parts: Parts { controller_manager: true, scheduler: true },
            node: false,
            progress: Box::new(Silent),
            parent: None,
        }
    }

    /// The kubeconfig of `admin`, who is in `system:masters`.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.access().kubeconfig
    }

    /// The same as text. It names the CA's file, so it is good as long as the cluster.
    #[must_use]
    pub fn kubeconfig_yaml(&self) -> &str {
        &self.access().kubeconfig_yaml
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.access().server
    }

    /// The certificates that the server's is checked against, PEM.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.access().ca_file
    }

    /// A bearer token of `admin`.
    #[must_use]
    pub fn admin_token(&self) -> &str {
        &self.access().admin_token
    }

    /// Every answered request as a line of JSON (`audit.k8s.io/v1` Event, level Metadata),
    /// written before the answer is sent; a watch when it ends.
    #[must_use]
    pub fn audit_log(&self) -> &Path {
        &self.access().audit_log
    }

    /// A kubectl that talks to this cluster as `admin`.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        self.plane.kubectl.command()
    }

    /// The processes of the control plane, and those that hold the node's.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        let node = self.node.as_ref().map(Node::pids);
        self.plane.pids().into_iter().chain(node.unwrap_or_default()).collect()
    }

    /// The node's name, where there is one.
    #[must_use]
    pub fn node(&self) -> Option<&'static str> {
        self.node.as_ref().map(|_| node::NAME)
    }

    /// Brings image archives (docker-archive or OCI) into the node; pods then find the images by
    /// their names.
    ///
    /// # Errors
    /// There is no node, or an archive is none.
    pub async fn import_images(&self, archives: &[PathBuf]) -> Result<()> {
        self.room()?.import(archives).await
    }

    /// Ends containerd and the kubelet, which start again at once; containers go on meanwhile.
    ///
    /// # Errors
    /// There is no node, or containerd does not answer again.
    pub async fn restart_node(&self) -> Result<()> {
        self.room()?.restart().await
    }

    pub(crate) fn room_if_any(&self) -> Option<Room> {
        self.node.as_ref().map(Node::room)
    }

    fn room(&self) -> Result<Room> {
        self.room_if_any().ok_or_else(|| Error::NoNode(self.server().to_owned()))
    }

    /// Returns only when one of the programs has ended by itself, with the reason.
    pub async fn failed(&mut self) -> crate::Error {
        loop {
            let node = self.node.as_mut().map_or(Ok(()), Node::check);
            if let Err(error) = self.plane.check().and(node) {
                return error;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// Ends the programs and removes the directory, as dropping does, but without holding
    /// up the runtime meanwhile.
    pub async fn stop(self) {
        // The task cannot fail but by a panic in drop, and there is nobody to tell.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }

    /// As [`LocalCluster::stop`], but the directory with the logs stays for an hour.
    pub(crate) fn keep_logs(self) {
        drop(self.node);
        drop(self.plane);
        self.directory.keep();
    }

    /// The cluster's own: logs, certificates, etcd's data.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn kubectl_path(&self) -> &Path {
        self.plane.kubectl.path()
    }

    fn access(&self) -> &Access {
        &self.plane.access
    }
}
