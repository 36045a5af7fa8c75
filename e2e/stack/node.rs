//! The node, as the cluster gives it.

use std::path::PathBuf;

use local_cluster::{Detached, LocalCluster, Progress, Target};

use crate::error::Result;

/// Why no node can be run here.
///
/// # Errors
/// None can be.
pub fn possible() -> Result<()> {
    Ok(local_cluster::node_possible()?)
}

/// A cluster with a node that ends with the value.
pub(crate) async fn start(progress: impl Progress + 'static) -> Result<Target> {
    Ok(Target::Local(LocalCluster::builder().node(true).progress(progress).start().await?))
}

/// A cluster of this name, with a node if wanted, that stays.
///
/// # Errors
/// It cannot be started.
pub async fn detached(name: &str, node: bool, progress: &dyn Progress) -> Result<Detached> {
    Ok(Detached::find_or_start(name, node, progress).await?)
}

/// Brings images into the node.
pub(crate) async fn import(target: &Target, archives: &[PathBuf]) -> Result<()> {
    Ok(target.import_images(archives).await?)
}
