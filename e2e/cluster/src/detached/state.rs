//! What a supervisor writes down so that others can find and end its cluster. A process
//! number alone proves nothing: it counts only together with the process's start time
//! and the machine's boot. Starts nothing.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::node::Room;
use crate::{ETCD_VERSION, KUBERNETES_VERSION, LocalCluster, layout};

const FILE: &str = "state.json";

/// The content of state.json.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) name: String,
    pub(super) pid: u32,
    /// Boot and start time of that process.
    process: String,
    pub(super) server: String,
    pub(super) kubeconfig: PathBuf,
    pub(super) audit_log: PathBuf,
    pub(super) kubectl: PathBuf,
    /// The way into the node, where there is one.
    #[serde(default)]
    pub(super) node: Option<Room>,
    /// The run directory, for the case that the supervisor was killed.
    directory: PathBuf,
    kubernetes: String,
    etcd: String,
}

impl State {
    /// The state of a cluster that this process supervises.
    pub(super) fn of(name: &str, cluster: &LocalCluster) -> Result<Self> {
        let pid = std::process::id();
        let process = identity(pid).ok_or_else(|| Error::Io {
            action: "read this process's start time".to_owned(),
            source: ErrorKind::NotFound.into(),
        })?;
        Ok(Self {
            name: name.to_owned(),
            pid,
            process,
            server: cluster.server().to_owned(),
            kubeconfig: cluster.kubeconfig().to_owned(),
            audit_log: cluster.audit_log().to_owned(),
            kubectl: cluster.kubectl_path().to_owned(),
            node: cluster.room_if_any(),
            directory: cluster.directory().to_owned(),
            kubernetes: KUBERNETES_VERSION.to_owned(),
            etcd: ETCD_VERSION.to_owned(),
        })
    }

    pub(super) fn read(name: &str) -> Result<Option<Self>> {
        let path = layout::state(name)?.join(FILE);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io(format!("read {}", path.display()))(error)),
        };
        let unreadable = |source| Error::Format { what: path.display().to_string(), source };
        serde_json::from_slice(&text).map(Some).map_err(unreadable)
    }

    /// Appears complete or not at all: others look at any time.
    pub(super) fn write(&self) -> Result<()> {
        let directory = layout::state(&self.name)?;
        layout::create(&directory)?;
        let text = serde_json::to_string_pretty(self)
            .map_err(|source| Error::Format { what: FILE.to_owned(), source })?;
        let fresh = directory.join("state.json.new");
        fs::write(&fresh, text)
            .and_then(|()| fs::rename(&fresh, directory.join(FILE)))
            .map_err(Error::io(format!("write {FILE} in {}", directory.display())))
    }

    /// Nobody finds it any more. The logs stay: the supervisor's, and the run directory's for an hour.
    pub(super) fn unlist(&self) {
        if let Ok(directory) = layout::state(&self.name) {
            let _ = fs::remove_file(directory.join(FILE));
        }
    }

    /// The same for a cluster whose supervisor was killed, which nobody has asked about.
    pub(super) fn forget(&self) {
        self.unlist();
        // Only where run directories are, whatever the file says.
        if self.directory.parent() == Some(&layout::runs()) {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }

    /// Removes every trace.
    pub(super) fn remove(&self) {
        self.forget();
        if let Ok(directory) = layout::state(&self.name) {
            let _ = fs::remove_dir_all(directory);
        }
    }

    pub(super) fn is_running(&self) -> bool {
        identity(self.pid).is_some_and(|found| found == self.process)
    }

    /// Signals the recorded process and no other: the descriptor is taken first, so the
    /// number cannot change hands between the check and the signal.
    pub(super) fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw);
        let Some(process) = pid.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok()) else {
            return Ok(());
        };
        if !self.is_running() {
            return Ok(());
        }
        match pidfd_send_signal(&process, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(Error::io(format!("end process {}", self.pid))(error.into())),
        }
    }
}

/// What tells this process from every other that ever had its number; None when it is gone.
fn identity(pid: u32) -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    // proc(5): starttime is field 22; the state was field 3.
    let started = fields.nth(18)?;
    (state != "Z").then(|| format!("{}/{started}", boot.trim()))
}
