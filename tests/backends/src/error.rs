//! What can go wrong, worded for whoever reads a failed test.

use std::time::Duration;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a backend did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A program could not be had, or ended, or did not become ready.
    #[error(transparent)]
    Program(#[from] local_cluster::Error),
    /// A file, process or network operation failed.
    #[error("cannot {action}: {source}")]
    Io {
        /// What was tried.
        action: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A request got no answer.
    #[error("no answer from {url}: {reason}")]
    NoAnswer {
        /// Where to.
        url: String,
        /// What happened instead.
        reason: String,
    },
    /// A backend refused a request.
    #[error("{url} answered {status}: {body}")]
    Refused {
        /// Where to.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The answer's body.
        body: String,
    },
    /// An answer that is not what its API promises.
    #[error("cannot read {what}: {reason}")]
    Format {
        /// Which one.
        what: String,
        /// Why.
        reason: String,
    },
    /// What was waited for did not come.
    #[error("{what} did not come within {within:?}; last seen: {last}")]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        within: Duration,
        /// What was there instead.
        last: String,
    },
    /// A script ended with an error.
    #[error("{script} {problem}:\n{output}")]
    Script {
        /// Its path.
        script: String,
        /// How it ended.
        problem: String,
        /// What it printed, errors last.
        output: String,
    },
}

impl Error {
    /// For `map_err`: says what was tried.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}
