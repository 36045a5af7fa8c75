//! What can go wrong, worded for the person who has to do something about it:
//! each message names the program, and where a log exists, its last lines and path.

use std::io;
use std::path::{Path, PathBuf};

/// How many lines of a log an error repeats.
const TAIL_LINES: usize = 15;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program of the machine is needed and not there.
    #[error("{program} is not on PATH, and is needed to {purpose}. {remedy}")]
    MissingProgram {
        /// The program's name.
        program: &'static str,
        /// What it would have been used for.
        purpose: String,
        /// How to get it.
        remedy: &'static str,
    },
    /// The machine cannot run a node.
    #[error("no node can run here: {0}")]
    NodeImpossible(String),
    /// The cluster has none, or one that is not ours.
    #[error("{0} has no node of ours, into which images could be brought")]
    NoNode(String),
    /// A command in a node, or about it, failed.
    #[error("{command}: {message}")]
    Node {
        /// As it was called.
        command: String,
        /// What it printed.
        message: String,
    },
    /// A file or process operation failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried, with the path.
        action: String,
        /// The system's answer.
        source: io::Error,
    },
    /// A tool could not be built.
    #[error("building {what} failed; the last lines of {}:\n{tail}", log.display())]
    Build {
        /// The tool with its version.
        what: String,
        /// The whole output.
        log: PathBuf,
        /// Its end.
        tail: String,
    },
    /// A part of the control plane ended, or did not become ready.
    #[error("{component} {problem}; the last lines of {}:\n{tail}", log.display())]
    Component {
        /// The program.
        component: &'static str,
        /// What it did.
        problem: String,
        /// Its log; kept for an hour at least.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// kubectl answered with an error.
    #[error("kubectl {arguments}: {message}")]
    Kubectl {
        /// As it was called.
        arguments: String,
        /// What it printed.
        message: String,
    },
    /// The current cluster already serves our kind.
    #[error(
        "{server} (context {context}) already serves {crd}; \
         installing would change an installation that is in use. Force it if that is meant"
    )]
    AlreadyServed {
        /// The kubeconfig context.
        context: String,
        /// The API server's address.
        server: String,
        /// The CRD found.
        crd: &'static str,
    },
    /// A cluster of this name exists.
    #[error("the cluster {0:?} is up already, or is being started")]
    AlreadyUp(String),
    /// A name that cannot be a directory's.
    #[error("{0:?} cannot be a cluster's name: use a-z, 0-9 and -, at most 40")]
    BadName(String),
    /// The program that wants a detached cluster cannot be its supervisor.
    #[error(
        "this program does not call local_cluster::supervise_if_asked() in its main, so it cannot leave a cluster running"
    )]
    NoSupervisor,
    /// The supervisor of a detached cluster gave up.
    #[error("the supervisor of cluster {name:?} {problem}; the last lines of {}:\n{tail}", log.display())]
    Supervisor {
        /// The cluster's name.
        name: String,
        /// What it did.
        problem: String,
        /// Its log.
        log: PathBuf,
        /// The log's end.
        tail: String,
    },
    /// An answer or a file of our own that cannot be read.
    #[error("cannot read {what}: {source}")]
    Format {
        /// Which one.
        what: String,
        /// Why.
        source: serde_json::Error,
    },
    /// `OBSPIPE_CLUSTER` holds something unknown.
    #[error("OBSPIPE_CLUSTER={0:?} is not known; it is unset (an own cluster) or \"current\"")]
    UnknownTarget(String),
}

impl Error {
    /// For `map_err`: says what was tried.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    pub(crate) fn component(component: &'static str, problem: String, log: &Path) -> Self {
        Self::Component { component, problem, log: log.to_owned(), tail: tail(log) }
    }

    pub(crate) fn build(what: String, log: &Path) -> Self {
        Self::Build { what, log: log.to_owned(), tail: tail(log) }
    }

    pub(crate) fn supervisor(name: &str, problem: String, log: &Path) -> Self {
        Self::Supervisor { name: name.to_owned(), problem, log: log.to_owned(), tail: tail(log) }
    }

    /// Somebody else took a port between our asking for a free one and its use.
    #[must_use]
    pub fn is_port_taken(&self) -> bool {
        matches!(self, Self::Component { tail, .. } if tail.contains("address already in use"))
    }
}

/// The end of a log; a log that cannot be read is an empty one, because the
/// error that wants it matters more.
fn tail(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
