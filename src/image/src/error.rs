//! What can go wrong, in words for whoever makes an image.

use std::path::PathBuf;

/// Why an image could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name that engines would not take.
    #[error("`{name}` is no image name: {why}")]
    Name {
        /// As it was given.
        name: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// A path in the image that cannot be there.
    #[error("`{path}` is no path in an image: {why}")]
    Path {
        /// As it was given.
        path: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// Two entries of one layer have one path.
    #[error("`{0}` is in the layer twice")]
    Duplicate(String),
    /// An entry lies below one that is no directory.
    #[error("`{path}` lies below `{parent}`, which is no directory")]
    NotADirectory {
        /// The entry's path.
        path: String,
        /// The file or symbolic link above it.
        parent: String,
    },
    /// A host file that an image cannot hold.
    #[error("{} is neither a file, a directory nor a symbolic link, or its name is not UTF-8", .0.display())]
    Unsupported(PathBuf),
    /// A program that would need other files to run.
    #[error("{} is no static program: {why}", path.display())]
    Program {
        /// The program.
        path: PathBuf,
        /// What it is instead.
        why: &'static str,
    },
    /// A processor that no image is made for.
    #[error("no image is made for the processor `{0}`: amd64 (x86_64) or arm64 (aarch64)")]
    Architecture(String),
    /// The date of creation is no date.
    #[error("{0} seconds since 1970 is no date")]
    Date(i64),
    /// A file could not be read or written.
    #[error("cannot {action}")]
    Io {
        /// What was tried.
        action: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// JSON could not be written.
    #[error("cannot write the image's description")]
    Json(#[from] serde_json::Error),
}

impl Error {
    /// Turns what the system said into an error that says what was tried.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

/// What everything here returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;
