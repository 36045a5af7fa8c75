//! A running control plane: starts the programs in an order that works, waits until the
//! API is ready, ends them all together. Knows one cluster; where its programs come from
//! and what is done with it are other rooms' business.

pub(crate) mod access;
mod flags;
pub(crate) mod process;

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use access::Access;
use process::Component;

use crate::build::kubernetes::{Program, program};
use crate::error::{Error, Result};
use crate::kubectl::Kubectl;
use crate::node::{Node, Slot};
use crate::progress::Progress;

/// Ready takes 3 s on an idle machine; a CI runner with one busy core has been seen to take twenty times that.
const READY_WITHIN: Duration = Duration::from_secs(90);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Which programs run besides etcd and kube-apiserver.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    pub(crate) controller_manager: bool,
    pub(crate) scheduler: bool,
}

/// The executables, found or built before anything is started.
#[derive(Debug)]
pub(crate) struct Programs {
    etcd: Program,
    apiserver: Program,
    controller_manager: Option<Program>,
    scheduler: Option<Program>,
    kubectl: Program,
}

impl Programs {
    pub(crate) async fn provide(parts: Parts, progress: &dyn Progress) -> Result<Self> {
        let optional = async |wanted: bool, name| match wanted {
            true => program(name, progress).await.map(Some),
            false => Ok(None),
        };
        Ok(Self {
            etcd: program("etcd", progress).await?,
            apiserver: program("kube-apiserver", progress).await?,
            controller_manager: optional(parts.controller_manager, "kube-controller-manager")
                .await?,
            scheduler: optional(parts.scheduler, "kube-scheduler").await?,
            kubectl: program("kubectl", progress).await?,
        })
    }
}

/// The running programs. Dropping it ends them.
pub(crate) struct Plane {
    components: Vec<Component>,
    pub(crate) access: Access,
    pub(crate) kubectl: Kubectl,
}

impl Plane {
    /// Starts everything in `directory` and returns when the API is ready.
    pub(crate) async fn start(
        programs: &Programs,
        directory: &Path,
        slot: Option<&Slot>,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let host = slot.map_or_else(|| "127.0.0.1".to_owned(), Slot::host);
        let port = free_port(&host)?;
        let access = access::write(directory, format!("https://{host}:{port}"))?;
        let kubectl = Kubectl::ours(programs.kubectl.path.clone(), &access.kubeconfig);
        let mut plane = Self { components: Vec::new(), access, kubectl };
        progress.step("starting etcd and kube-apiserver");
        // kube-apiserver waits for etcd by itself, so they start at once.
        plane.add("etcd", &programs.etcd, &flags::etcd(), directory)?;
        plane.add(
            "kube-apiserver",
            &programs.apiserver,
            &flags::apiserver(port, slot),
            directory,
        )?;
        plane.wait(&["get", "--raw", "/readyz"]).await?;
        if let Some(program) = &programs.scheduler {
            plane.add("kube-scheduler", program, &flags::scheduler(), directory)?;
        }
        if let Some(program) = &programs.controller_manager {
            progress.step("starting kube-controller-manager");
            plane.add(
                "kube-controller-manager",
                program,
                &flags::controller_manager(),
                directory,
            )?;
            // The first thing it makes that others need: without it no pod is admitted.
            plane.wait(&["get", "serviceaccount", "default", "-n", "default"]).await?;
        }
        Ok(plane)
    }

    /// Asks until the node may be given pods, something has ended, or time is up.
    pub(crate) async fn wait_for_node(&mut self, node: &mut Node) -> Result<()> {
        let name = format!("node/{}", crate::node::NAME);
        let question = ["wait", "--for=condition=Ready", "--timeout=1s", &name];
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            self.check()?;
            node.check()?;
            let Err(error) = self.kubectl.run(&question).await else {
                return Ok(());
            };
            if Instant::now() > deadline {
                let within = READY_WITHIN.as_secs();
                return Err(node.failed(format!("was not ready after {within} s ({error})")));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// An error when one of the programs has ended.
    pub(crate) fn check(&mut self) -> Result<()> {
        self.components.iter_mut().try_for_each(Component::check)
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        self.components.iter().map(Component::pid).collect()
    }

    fn add(
        &mut self,
        name: &'static str,
        program: &Program,
        flags: &[String],
        directory: &Path,
    ) -> Result<()> {
        self.components.push(Component::start(name, program, flags, directory)?);
        Ok(())
    }

    /// Asks until kubectl's answer is yes, a component has ended, or time is up: then it
    /// is the one added last that was waited for.
    async fn wait(&mut self, question: &[&str]) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            self.check()?;
            let Err(error) = self.kubectl.run(question).await else {
                return Ok(());
            };
            if Instant::now() > deadline {
                let problem = format!("was not ready after {} s ({error})", READY_WITHIN.as_secs());
                return Err(self.components.last().map_or(error, |asked| asked.failed(problem)));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Plane {
    /// The latest first, so that none of them logs that another is gone.
    fn drop(&mut self) {
        while let Some(component) = self.components.pop() {
            drop(component);
        }
    }
}

/// Free now; when somebody else is quicker, the start is tried again.
fn free_port(host: &str) -> Result<u16> {
    TcpListener::bind((host, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(Error::io("find a free port"))
}
