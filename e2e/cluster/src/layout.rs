//! Where things lie: everything under `<target>/local-cluster`, so that removing the
//! target directory removes all of it. Builds are kept by key, run directories live as
//! long as their cluster, states name the detached ones. Knows no content of any.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::error::{Error, Result};

/// How long the directory of a cluster that failed or was killed is kept for reading its logs.
const KEEP_ABANDONED: Duration = Duration::from_secs(3600);
const OWNER_LOCK: &str = "owner.lock";

/// The root: cargo's target directory, as cargo is told it or as it is by default.
pub(crate) fn root() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(workspace_target, PathBuf::from);
    std::path::absolute(&target).unwrap_or(target).join("local-cluster")
}

fn workspace_target() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // A binary carried to another machine has no such workspace: there, it is the directory one works in.
    match here.ancestors().nth(2).filter(|_| here.is_dir()) {
        Some(workspace) => workspace.join("target"),
        None => PathBuf::from("target"),
    }
}

/// Where the build of this key is, or will be.
pub(crate) fn build(key: &str) -> PathBuf {
    root().join(key)
}

/// Where running clusters have their directories.
pub(crate) fn runs() -> PathBuf {
    root().join("run")
}

/// Where a detached cluster of this name leaves its state.
pub(crate) fn state(name: &str) -> Result<PathBuf> {
    Ok(root().join("state").join(checked(name)?))
}

/// The lock of that name; beside the state, because the state's directory comes and goes.
pub(crate) fn state_lock(name: &str) -> Result<PathBuf> {
    Ok(root().join("locks").join(format!("state-{}", checked(name)?)))
}

/// A name becomes a directory, which is removed later: it must not lead elsewhere.
fn checked(name: &str) -> Result<&str> {
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    match name.bytes().all(plain) && (1..=40).contains(&name.len()) {
        true => Ok(name),
        false => Err(Error::BadName(name.to_owned())),
    }
}

/// Creates a directory and its parents.
pub(crate) fn create(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory).map_err(Error::io(format!("create {}", directory.display())))
}

/// Opens a lock file, creating it and its directory when needed.
pub(crate) fn lock_file(path: &Path) -> Result<File> {
    if let Some(parent) = path.parent() {
        create(parent)?;
    }
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(Error::io(format!("open {}", path.display())))
}

/// The directory of one running cluster or program: removed on drop, and recognisable as
/// abandoned (its lock is free) when the owner could not do that.
#[derive(Debug)]
pub struct RunDir {
    directory: TempDir,
    _owner: File,
}

impl RunDir {
    /// Where run directories are, after removing those that were abandoned there.
    ///
    /// # Errors
    /// The directory cannot be created.
    pub fn create() -> Result<Self> {
        let parent = runs();
        sweep(&parent);
        Self::create_in(&parent)
    }

    /// In a directory of the caller's, of which nothing else is touched.
    pub(crate) fn create_in(parent: &Path) -> Result<Self> {
        create(parent)?;
        // The programs are given paths in it, and work in it.
        let parent = std::path::absolute(parent).map_err(Error::io("find the directory"))?;
        let directory = tempfile::Builder::new()
            .prefix("")
            .tempdir_in(&parent)
            .map_err(Error::io(format!("create a directory in {}", parent.display())))?;
        let owner = lock_file(&directory.path().join(OWNER_LOCK))?;
        owner.lock().map_err(Error::io("lock a new run directory"))?;
        Ok(Self { directory, _owner: owner })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Leaves the directory behind for whoever reads its logs.
    pub fn keep(mut self) {
        self.directory.disable_cleanup(true);
    }
}

/// Removes what killed clusters left. Failing to is no reason not to start one.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if is_abandoned(&entry.path()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_abandoned(directory: &Path) -> bool {
    let old = |modified: SystemTime| modified.elapsed().is_ok_and(|age| age > KEEP_ABANDONED);
    let Ok(modified) = fs::metadata(directory).and_then(|data| data.modified()) else {
        return false;
    };
    if !old(modified) {
        return false;
    }
    match File::open(directory.join(OWNER_LOCK)).map(|file| file.try_lock()) {
        Ok(Err(TryLockError::WouldBlock)) => false,
        Ok(_) | Err(_) => true,
    }
}
