//! Container images from files: an [`Image`] is described, then written as an archive that
//! engines load (`docker load`, `podman load`, `ctr images import`) or as an OCI layout. No
//! engine, no registry, no clock: the same files give the same bytes. It knows nothing of what
//! the images are for.

mod archive;
mod cache;
mod digest;
mod error;
mod image;
mod layer;
mod manifest;
mod name;
mod path;
mod program;

pub use archive::{Format, Written};
pub use digest::Digest;
pub use error::{Error, Result};
pub use image::{Architecture, Image, User};
pub use layer::{Layer, Source};
pub use name::Name;
pub use program::{Program, static_programs};
