//! The one way anything here gets built: once per key, into a directory that appears
//! complete or not at all, by one process at a time. Knows nothing of what is built;
//! `kubernetes` and `tools` say that.

mod go;
pub(crate) mod kubernetes;
pub(crate) mod tools;

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::layout;
use crate::progress::Progress;

/// Something that is built once and kept. Whatever changes the result is part of the key.
pub(crate) struct Recipe {
    /// Name and version, as a person reads it.
    pub(crate) what: &'static str,
    /// How long the first time takes, on two cores.
    pub(crate) takes: &'static str,
    /// The texts that decide the result: versions, flags, sources.
    pub(crate) inputs: &'static [&'static str],
}

impl Recipe {
    /// `name-version-hash8`: readable in a directory listing, and different for different inputs.
    fn key(&self) -> String {
        let mut hash = Sha256::new();
        for input in self.inputs {
            hash.update(input.len().to_le_bytes());
            hash.update(input.as_bytes());
        }
        let digest = hash.finalize();
        let hex: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{hex}", self.what.replace(' ', "-").to_lowercase())
    }

    /// The finished directory, built by `make` (given an empty directory and a log) when it is not there yet.
    pub(crate) async fn provide<F>(&self, progress: &dyn Progress, make: F) -> Result<PathBuf>
    where
        F: AsyncFnOnce(&Path, &Path) -> Result<()>,
    {
        let done = layout::build(&self.key());
        if done.is_dir() {
            return Ok(done);
        }
        let _guard = self.lock(progress).await?;
        // Another process may have built it while we waited.
        if done.is_dir() {
            return Ok(done);
        }
        progress.step(&format!("building {} (once, {})", self.what, self.takes));
        let log = layout::root().join("logs").join(format!("{}.log", self.key()));
        layout::create(&layout::root().join("logs"))?;
        // The lock makes it ours; what is there was left by a build that was interrupted.
        let fresh = layout::build(&format!("building-{}", self.key()));
        let _ = fs::remove_dir_all(&fresh);
        layout::create(&fresh)?;
        make(&fresh, &log).await?;
        // What makes a half-built directory invisible to whoever looks without the lock.
        fs::rename(&fresh, &done)
            .map_err(Error::io(format!("move the build to {}", done.display())))?;
        Ok(done)
    }

    /// Waits in a blocking thread: a build by another process takes minutes.
    async fn lock(&self, progress: &dyn Progress) -> Result<fs::File> {
        let file = layout::lock_file(&layout::root().join("locks").join(self.key()))?;
        if file.try_lock().is_ok() {
            return Ok(file);
        }
        progress.step(&format!("waiting for another process to build {}", self.what));
        let what = self.what;
        let waiting = tokio::task::spawn_blocking(move || file.lock().map(|()| file));
        let locked = waiting.await.map_err(std::io::Error::other).and_then(|result| result);
        locked.map_err(Error::io(format!("lock the build of {what}")))
    }
}
