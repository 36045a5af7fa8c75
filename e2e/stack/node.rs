//! The node, as the cluster gives it.

use std::path::PathBuf;

use local_cluster::{Detached, Progress, Target};

use crate::error::{Error, Result};

/// Why no node can be run here.
///
/// # Errors
/// None can be.
pub fn possible() -> Result<()> {
    Err(Error::NoNode("this build has none".to_owned()))
}

/// A cluster with a node that ends with the value.
pub(crate) async fn start(_progress: impl Progress + 'static) -> Result<Target> {
    possible().map(|()| unreachable())?
}

fn unreachable() -> Result<Target> {
    Err(Error::NoNode("this build has none".to_owned()))
}

/// A cluster of this name, with a node if wanted, that stays.
///
/// # Errors
/// It cannot be started.
pub async fn detached(name: &str, _node: bool, progress: &dyn Progress) -> Result<Detached> {
    Ok(Detached::find_or_start(name, progress).await?)
}

/// Brings images into the node.
pub(crate) async fn import(_target: &Target, _archives: &[PathBuf]) -> Result<()> {
    possible()
}
