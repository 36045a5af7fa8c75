//! What the API server answers when it does not do what was asked, sorted by what to do about it.

use kube::Error as KubeError;
use kube::core::Status;
use thiserror::Error;

use super::lease::NotLeader;

/// An unsuccessful request.
#[derive(Debug, Error)]
pub enum RequestError {
    /// The operator's Role lacks the right. The verb and the resource are named.
    #[error("forbidden: cannot {verb} {resource}: {message}")]
    Forbidden {
        /// The verb that was refused.
        verb: &'static str,
        /// The resource, in the plural.
        resource: String,
        /// What the API server said.
        message: String,
    },
    /// Another field manager owns a field, or the object is not the one that was read.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The API server refuses the object for its content: trying again does not help.
    #[error("refused by the API server: {0}")]
    Invalid(String),
    /// The object or its namespace is gone or going.
    #[error("gone: {0}")]
    Gone(String),
    /// Another replica leads, or leadership could not be renewed in time.
    #[error(transparent)]
    NotLeader(#[from] NotLeader),
    /// Anything that may be better later: no connection, overload, an internal error.
    #[error("{0}")]
    Transient(String),
}

impl RequestError {
    pub(super) fn new(error: KubeError, verb: &'static str, resource: &str) -> Self {
        match error {
            KubeError::Api(status) => Self::from_status(&status, verb, resource),
            other => Self::Transient(other.to_string()),
        }
    }

    fn from_status(status: &Status, verb: &'static str, resource: &str) -> Self {
        let message = status.message.clone();
        match status.code {
            // Creating in a namespace that is being deleted is answered with 403 as well.
            403 if terminating(status) => Self::Gone(message),
            401 | 403 => Self::Forbidden { verb, resource: resource.to_owned(), message },
            404 | 410 => Self::Gone(message),
            409 => Self::Conflict(message),
            400 | 413 | 422 => Self::Invalid(message),
            _ => Self::Transient(format!("{} {}: {message}", status.code, status.reason)),
        }
    }

    /// Whether trying again soon is likely to help, so that nobody need be told yet.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self, Self::Conflict(_) | Self::Gone(_) | Self::NotLeader(_) | Self::Transient(_))
    }

    /// One word for metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => "forbidden",
            Self::Conflict(_) => "conflict",
            Self::Invalid(_) => "invalid",
            Self::Gone(_) => "gone",
            Self::NotLeader(_) => "not-leader",
            Self::Transient(_) => "transient",
        }
    }
}

fn terminating(status: &Status) -> bool {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    causes.into_iter().any(|cause| cause.reason == "NamespaceTerminating")
        || status.message.contains("is being terminated")
}
