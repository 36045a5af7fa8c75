//! Which cluster a program works on, as one value: its own, one left running, or
//! somebody's. Only chooses and passes on.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};
use crate::{CurrentCluster, Detached, LocalCluster};

/// What `OBSPIPE_CLUSTER` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Unset or empty: a cluster of our own.
    Own,
    /// `current`: the one kubectl talks to.
    Current,
}

impl Wanted {
    /// Reads `OBSPIPE_CLUSTER`.
    ///
    /// # Errors
    /// It holds anything else: guessing could touch a cluster that nobody meant.
    pub fn from_env() -> Result<Self> {
        let value = std::env::var_os("OBSPIPE_CLUSTER").unwrap_or_default();
        Self::parse(&value.to_string_lossy())
    }

    fn parse(value: &str) -> Result<Self> {
        match value {
            "" => Ok(Self::Own),
            "current" => Ok(Self::Current),
            other => Err(Error::UnknownTarget(other.to_owned())),
        }
    }
}

/// A cluster to work on.
#[derive(Debug)]
pub enum Target {
    /// Ends with this value.
    Local(LocalCluster),
    /// Stays when this value goes.
    Detached(Detached),
    /// Somebody's own: what was put there is taken away by whoever put it.
    Current(CurrentCluster),
}

impl Target {
    /// Whether it is thrown away, so that nothing in it needs cleaning up.
    #[must_use]
    pub fn is_throw_away(&self) -> bool {
        !matches!(self, Self::Current(_))
    }

    /// The API server's address.
    #[must_use]
    pub fn server(&self) -> &str {
        match self {
            Self::Local(cluster) => cluster.server(),
            Self::Detached(cluster) => cluster.server(),
            Self::Current(cluster) => cluster.server(),
        }
    }

    /// A kubeconfig for it.
    #[must_use]
    pub fn kubeconfig(&self) -> &Path {
        match self {
            Self::Local(cluster) => cluster.kubeconfig(),
            Self::Detached(cluster) => cluster.kubeconfig(),
            Self::Current(cluster) => cluster.kubeconfig(),
        }
    }

    /// The audit log, of a cluster of ours.
    #[must_use]
    pub fn audit_log(&self) -> Option<&Path> {
        match self {
            Self::Local(cluster) => Some(cluster.audit_log()),
            Self::Detached(cluster) => Some(cluster.audit_log()),
            Self::Current(_) => None,
        }
    }

    /// Brings image archives into its node.
    ///
    /// # Errors
    /// It has none of ours, or an archive is none.
    pub async fn import_images(&self, archives: &[PathBuf]) -> Result<()> {
        match self {
            Self::Local(cluster) => cluster.import_images(archives).await,
            Self::Detached(cluster) => cluster.import_images(archives).await,
            Self::Current(cluster) => Err(Error::NoNode(cluster.server().to_owned())),
        }
    }

    /// As [`LocalCluster::restart_node`].
    ///
    /// # Errors
    /// It has no node of ours, or containerd does not answer again.
    pub async fn restart_node(&self) -> Result<()> {
        match self {
            Self::Local(cluster) => cluster.restart_node().await,
            Self::Detached(cluster) => cluster.restart_node().await,
            Self::Current(cluster) => Err(Error::NoNode(cluster.server().to_owned())),
        }
    }

    /// A kubectl for it.
    #[must_use]
    pub fn kubectl(&self) -> Command {
        match self {
            Self::Local(cluster) => cluster.kubectl(),
            Self::Detached(cluster) => cluster.kubectl(),
            Self::Current(cluster) => cluster.kubectl(),
        }
    }

    /// Ends it if it is ours; leaves somebody's own as it is.
    ///
    /// # Errors
    /// A detached cluster's supervisor cannot be signalled.
    pub async fn stop(self) -> Result<()> {
        match self {
            Self::Local(cluster) => cluster.stop().await,
            Self::Detached(cluster) => cluster.stop().await?,
            Self::Current(_) => (),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_two_known_values_choose_a_cluster() {
        assert_eq!(Wanted::parse("").unwrap(), Wanted::Own);
        assert_eq!(Wanted::parse("current").unwrap(), Wanted::Current);
        let refused = Wanted::parse("kind").unwrap_err();
        assert!(refused.to_string().contains("OBSPIPE_CLUSTER=\"kind\""), "{refused}");
    }
}
