//! What an image is: its layers and what an engine is told about running them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};
use crate::layer::Layer;
use crate::name::Name;

/// An image for Linux.
#[derive(Debug, Clone)]
pub struct Image {
    /// What it is called once it is loaded.
    pub name: Name,
    /// The processor its programs are for.
    pub architecture: Architecture,
    /// The program and its first arguments, which stay when a pod gives `args`.
    pub entrypoint: Vec<String>,
    /// Arguments that a pod's `args` replace.
    pub command: Vec<String>,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// Who runs it.
    pub user: User,
    /// Where it starts. Empty: the root.
    pub working_directory: String,
    /// TCP ports it may listen on: documentation only.
    pub ports: BTreeSet<u16>,
    /// Labels, such as `org.opencontainers.image.version`.
    pub labels: BTreeMap<String, String>,
    /// Seconds since 1970. An image of the same files is the same only with the same date, so
    /// it is given (SOURCE_DATE_EPOCH) and never read from a clock.
    pub created: i64,
    /// Lowest first.
    pub layers: Vec<Layer>,
}

impl Image {
    /// An image that runs `entrypoint` as a user who owns nothing, of 1970, without layers.
    #[must_use]
    pub fn new(name: Name, architecture: Architecture, entrypoint: &[&str]) -> Self {
        Self {
            name,
            architecture,
            entrypoint: entrypoint.iter().map(|&part| part.to_owned()).collect(),
            command: Vec::new(),
            environment: BTreeMap::new(),
            user: User::NOBODY,
            working_directory: String::new(),
            ports: BTreeSet::new(),
            labels: BTreeMap::new(),
            created: 0,
            layers: Vec::new(),
        }
    }
}

/// A processor, by Go's name for it, which image descriptions use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// x86-64.
    Amd64,
    /// 64-bit ARM.
    Arm64,
}

impl Architecture {
    /// Of the machine this runs on.
    ///
    /// # Errors
    /// It is neither of the two.
    pub fn here() -> Result<Self> {
        std::env::consts::ARCH.parse()
    }

    /// As image descriptions spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

impl FromStr for Architecture {
    type Err = Error;

    /// Takes Go's name and the kernel's.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "amd64" | "x86_64" => Ok(Self::Amd64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            other => Err(Error::Architecture(other.to_owned())),
        }
    }
}

/// A user and a group by number: Kubernetes cannot tell of a name whether it is root's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct User {
    /// User number.
    pub user: u32,
    /// Group number.
    pub group: u32,
}

impl User {
    /// 65532, who owns no file: by custom the user of images without a distribution.
    pub const NOBODY: Self = Self { user: 65532, group: 65532 };
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.user, self.group)
    }
}
