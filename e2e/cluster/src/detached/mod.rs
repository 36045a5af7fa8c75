//! A cluster that outlives the program that started it, known by its name: finding it,
//! leaving it behind, ending it. What runs meanwhile is `supervisor`; what both agree on
//! is `state`.

mod state;
mod supervisor;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::error::{Error, Result};
use crate::kubectl::Kubectl;
use crate::layout;
use crate::node::Room;
use crate::progress::Progress;
use state::State;
pub use supervisor::{supervise, supervise_if_asked};

const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Ending takes well under a second; after this, something hangs and is killed.
const END_WITHIN: Duration = Duration::from_secs(10);

/// A running cluster that belongs to nobody's process. Dropping the value leaves it running.
#[derive(Debug, Clone)]
pub struct Detached {
    state: State,
    kubectl: Kubectl,
}

impl Detached {
    /// The cluster of this name, if its supervisor runs.
    ///
    /// # Errors
    /// The name is no name, or what was recorded cannot be read.
    pub fn find(name: &str) -> Result<Option<Self>> {
        let found = State::read(name)?.filter(State::is_running);
        Ok(found.map(|state| {
            let kubectl = Kubectl::ours(state.kubectl.clone(), &state.kubeconfig);
            Self { state, kubectl }
        }))
    }

    /// Starts one, with a node or without, by running this very program again in the background, which therefore
    /// has to call [`supervise_if_asked`] first thing in its `main`.
    ///
    /// # Errors
    /// One of this name is up, the program has no such call, or the start failed.
    pub async fn start(name: &str, node: bool, progress: &dyn Progress) -> Result<Self> {
        if Self::find(name)?.is_some() {
            return Err(Error::AlreadyUp(name.to_owned()));
        }
        let log = layout::state(name)?.join("supervisor.log");
        let mut supervisor = supervisor::launch(name, node, &log)?;
        let mut steps_told = 0;
        loop {
            steps_told = supervisor::tell_steps(&log, steps_told, progress);
            if let Some(found) = Self::find(name)? {
                return Ok(found);
            }
            let ended = supervisor.try_wait().map_err(Error::io("watch the supervisor"))?;
            if let Some(status) = ended {
                return Err(Error::supervisor(name, format!("ended ({status})"), &log));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The one that is up, else a new one, with a node or without. One that is up without the node
    /// that is wanted is ended first.
    ///
    /// # Errors
    /// As [`Detached::start`].
    pub async fn find_or_start(name: &str, node: bool, progress: &dyn Progress) -> Result<Self> {
        match Self::find(name)? {
            Some(found) if found.node().is_some() || !node => Ok(found),
            Some(found) => {
                progress.step("ending the cluster that is up, which has no node");
                found.stop().await?;
                Self::start(name, node, progress).await
            }
            None => Self::start(name, node, progress).await,
        }
    }

    /// The node's name, where there is one.
    #[must_use]
    pub fn node(&self) -> Option<&'static str> {
        self.state.node.map(|_| crate::node::NAME)
    }

    /// As [`crate::LocalCluster::import_images`].
    ///
    /// # Errors
    /// There is no node, or an archive is none.
    pub async fn import_images(&self, archives: &[PathBuf]) -> Result<()> {
        self.room()?.import(archives).await
    }

    /// As [`crate::LocalCluster::restart_node`].
    ///
    /// # Errors
    /// There is no node, or containerd does not answer again.
    pub async fn restart_node(&self) -> Result<()> {
        self.room()?.restart().await
    }

    fn room(&self) -> Result<Room> {
        self.state.node.ok_or_else(|| Error::NoNode(self.state.name.clone()))
    }

    /// Ends it and removes its directories.
    ///
    /// # Errors
    /// The supervisor cannot be signalled.
    pub async fn stop(self) -> Result<()> {
        self.state.signal(Signal::TERM)?;
        if !self.ends().await {
            self.state.signal(Signal::KILL)?;
            self.ends().await;
            // It could not tidy up; its programs have ended with it.
            self.state.remove();
        }
        Ok(())
    }

    /// Ends the cluster of this name, or removes what a killed one left. Says whether one was up.
    ///
    /// # Errors
    /// As [`Detached::find`] and [`Detached::stop`].
    pub async fn down(name: &str) -> Result<bool> {
        if let Some(found) = Self::find(name)? {
            found.stop().await?;
            return Ok(true);
        }
        supervisor::tidy(name)?;
        Ok(false)
    }

    async fn ends(&self) -> bool {
        let deadline = Instant::now() + END_WITHIN;
        while self.state.is_running() && Instant::now() < deadline {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        !self.state.is_running()
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.state.name
    }

    /// The supervisor's process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.state.pid
    }

    /// `https://127.0.0.1:<port>`.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.state.server
    }

    /// The kubeconfig of `admin`, who is in `system:masters`.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        &self.state.kubeconfig
    }

    /// As [`crate::LocalCluster::audit_log`].
    #[must_use]
    pub fn audit_log(&self) -> &Path {
        &self.state.audit_log
    }

    /// A kubectl that talks to this cluster as `admin`.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        self.kubectl.command()
    }
}
