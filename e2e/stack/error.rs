//! What can go wrong, worded for the person who reads a failed demo or scenario: what was wanted,
//! what was there instead, where, and where to look.

use std::fmt;
use std::time::Duration;

/// The result of everything here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why the stack, or a part of it, is not there.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] local_cluster::Error),
    /// An image.
    #[error("the image {name}: {source}")]
    Image {
        /// As pods call it.
        name: String,
        /// Why it could not be made.
        source: obspipe_image::Error,
    },
    /// A file is missing that another command makes.
    #[error("{path} is missing: {remedy}")]
    Missing {
        /// The file.
        path: String,
        /// What makes it.
        remedy: &'static str,
    },
    /// A program ended with an error.
    #[error("`{command}` failed: {message}")]
    Command {
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
        source: std::io::Error,
    },
    /// Text that is not what it should be.
    #[error("cannot read {what}: {reason}")]
    Format {
        /// Which text.
        what: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It did not happen in time.
    #[error("waited {} s for {what}; at last: {last}", within.as_secs())]
    Late {
        /// What was waited for.
        what: String,
        /// How long.
        within: Duration,
        /// What was there instead.
        last: String,
    },
    /// Something in a namespace did not come up.
    #[error("{source}\n{findings}\nLook again: {command}")]
    Pods {
        /// What was waited for.
        source: Box<Error>,
        /// Events and the ends of logs, indented.
        findings: String,
        /// A command that shows it.
        command: String,
    },
}

impl fmt::Debug for Error {
    /// The message: a scenario shows this one when it expects what is not there, and findings are
    /// many lines.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Error {
    /// For `map_err`: says what was tried.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    /// For `map_err`: says what could not be read.
    pub(crate) fn format<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |error| Self::Format { what, reason: error.to_string() }
    }
}
