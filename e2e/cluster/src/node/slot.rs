//! A number that is one cluster's on this machine, and all that follows from it: addresses, the
//! name of the link, the control group. A lock on a file keeps it, so that it is free again
//! however its owner ends; what a killed owner left is removed by who takes it next.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::layout;

/// Of the machine, not of a target directory: networks are.
const DIRECTORY: &str = "/run/local-cluster";
/// Each takes three /24 of 10.213.0.0 to 10.215.255.255.
const SLOTS: u8 = 32;
const CGROUPS: &str = "/sys/fs/cgroup";
/// The kernel takes a moment to bury what it killed.
const BURIALS: u32 = 50;

/// A taken number.
#[derive(Debug)]
pub(crate) struct Slot {
    number: u8,
    /// Holds the run directory's path while it is locked, and after its owner was killed.
    file: File,
}

impl Slot {
    /// Takes a free one for the cluster in `directory`.
    pub(crate) fn take(directory: &Path) -> Result<Self> {
        for number in 0..SLOTS {
            let mut file = open(number)?;
            if file.try_lock().is_err() {
                continue;
            }
            clean(number, &mut file);
            let path = directory.display().to_string();
            file.write_all(path.as_bytes()).map_err(Error::io("write the slot's file"))?;
            let slot = Self { number, file };
            slot.make_cgroups()?;
            return Ok(slot);
        }
        Err(Error::NodeImpossible(format!("{SLOTS} nodes run on this machine already; end one")))
    }

    /// The host's end of the link: where the API server listens.
    pub(crate) fn host(&self) -> String {
        format!("10.213.{}.1", self.number)
    }

    /// The node's address.
    pub(crate) fn node(&self) -> String {
        format!("10.213.{}.2", self.number)
    }

    pub(crate) fn pods(&self) -> String {
        format!("10.214.{}.0/24", self.number)
    }

    pub(crate) fn services(&self) -> String {
        format!("10.215.{}.0/24", self.number)
    }

    /// The cluster's resolver, an address of its services.
    pub(crate) fn dns(&self) -> String {
        format!("10.215.{}.10", self.number)
    }

    /// The host's end of the link, as an interface.
    pub(crate) fn link(&self) -> String {
        link(self.number)
    }

    /// As the kubelet takes it.
    pub(crate) fn cgroup(&self) -> String {
        format!("/{}", cgroup(self.number))
    }

    /// The kubelet wants its root to be there.
    fn make_cgroups(&self) -> Result<()> {
        for parent in hierarchies() {
            let path = parent.join(cgroup(self.number));
            fs::create_dir_all(&path).map_err(Error::io(format!("create {}", path.display())))?;
            // Version 1 leaves these empty, and takes no process then.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if let Ok(all) = fs::read(parent.join(file)) {
                    let _ = fs::write(path.join(file), all);
                }
            }
        }
        Ok(())
    }
}

impl Drop for Slot {
    /// Everything that ran has been killed by now.
    fn drop(&mut self) {
        clean(self.number, &mut self.file);
    }
}

/// Removes what killed owners left, of all numbers that nobody has.
pub(crate) fn sweep() {
    for number in 0..SLOTS {
        // One that never was is none to sweep.
        if !path(number).exists() {
            continue;
        }
        if let Ok(mut file) = open(number)
            && file.try_lock().is_ok()
        {
            clean(number, &mut file);
        }
    }
}

/// A link goes with its namespace and that with its processes, which die with their owner; control
/// groups and files stay. Failing to remove them is no reason not to go on.
fn clean(number: u8, file: &mut File) {
    let mut left = String::new();
    if file.read_to_string(&mut left).is_err() {
        return;
    }
    let gone = |groups: &[PathBuf]| groups.iter().all(|group| !group.exists());
    let groups: Vec<PathBuf> =
        hierarchies().into_iter().map(|parent| parent.join(cgroup(number))).collect();
    for _ in 0..BURIALS {
        groups.iter().for_each(|group| remove_group(group));
        if gone(&groups) {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut remove = Command::new("ip");
    remove.args(["link", "delete", &link(number)]).stderr(Stdio::null());
    let _ = remove.status();
    let directory = Path::new(&left);
    // Images and containers are big; the logs beside them stay for who asks why.
    if directory.parent() == Some(&layout::runs()) {
        let _ = fs::remove_dir_all(directory.join(super::files::STATE));
    }
    let _ = file.set_len(0);
    let _ = file.rewind();
}

/// Groups within a group first, as the kernel wants it.
fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_group(&entry.path());
        }
    }
    let _ = fs::remove_dir(group);
}

/// Version 1 has a hierarchy for each controller, version 2 one for all.
fn hierarchies() -> Vec<PathBuf> {
    let root = Path::new(CGROUPS);
    if root.join("cgroup.controllers").exists() {
        return vec![root.to_owned()];
    }
    let children = fs::read_dir(root).into_iter().flatten().flatten();
    children.map(|entry| entry.path()).filter(|path| path.join("cgroup.procs").exists()).collect()
}

fn cgroup(number: u8) -> String {
    format!("local-cluster-{number}")
}

fn link(number: u8) -> String {
    format!("lc-node-{number}")
}

fn path(number: u8) -> PathBuf {
    Path::new(DIRECTORY).join(format!("{number}.lock"))
}

fn open(number: u8) -> Result<File> {
    layout::create(Path::new(DIRECTORY))?;
    let path = path(number);
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(Error::io(format!("open {}", path.display())))
}
