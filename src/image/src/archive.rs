//! An image as one file. Layers are written to a temporary file first, since an archive names
//! them by their digest; the archive appears complete or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Read, Seek as _, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

use crate::digest::{Digest, Digesting};
use crate::error::{Error, Result};
use crate::image::Image;
use crate::layer::Layer;
use crate::manifest::{self, Blob};

/// How an archive is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// What `docker save` writes and every engine loads, containerd 1.6 and podman included:
    /// the image gets its name from it.
    Docker,
    /// An OCI image layout, for tools that take nothing else. It holds the tag alone, so an
    /// engine must be told the name.
    Oci,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Of the image's configuration: what engines call the image's id.
    pub id: Digest,
    /// Bytes of the archive.
    pub size: u64,
}

/// A layer in a temporary file, to be read once from its beginning.
struct Spooled {
    blob: Blob,
    file: File,
}

impl Image {
    /// Writes the image to `path`, over what is there.
    ///
    /// # Errors
    /// A layer's entries contradict each other, a host file cannot be read, or the archive not
    /// be written.
    pub fn write(&self, format: Format, path: &Path) -> Result<Written> {
        let writing = || Error::io(format!("write {}", path.display()));
        let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        fs::create_dir_all(directory).map_err(writing())?;
        let fresh = NamedTempFile::new_in(directory).map_err(writing())?;
        let layers = self.layers.iter().map(|layer| spool(layer, directory));
        let layers: Vec<Spooled> = layers.collect::<Result<_>>()?;
        let id = self.assemble(format, layers, fresh.as_file())?;
        // A temporary file is its owner's alone; what is made here is for everybody.
        fresh.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(writing())?;
        let size = fresh.as_file().metadata().map_err(writing())?.len();
        fresh.persist(path).map_err(|error| error.error).map_err(writing())?;
        Ok(Written { id, size })
    }

    fn assemble(&self, format: Format, layers: Vec<Spooled>, to: &File) -> Result<Digest> {
        let blobs: Vec<Blob> = layers.iter().map(|layer| layer.blob.clone()).collect();
        let configuration = manifest::configuration(self, &blobs)?;
        let about = blob(&configuration);
        let mut archive = Archive::new(BufWriter::new(to));
        match format {
            Format::Docker => {
                let saved = manifest::saved(self, &about, &blobs)?;
                archive.add("manifest.json", saved.len() as u64, &saved[..])?;
            }
            Format::Oci => {
                let manifest = manifest::manifest(&about, &blobs)?;
                let index = manifest::index(self, &blob(&manifest))?;
                archive.add(
                    "oci-layout",
                    manifest::LAYOUT.len() as u64,
                    manifest::LAYOUT.as_bytes(),
                )?;
                archive.add("index.json", index.len() as u64, &index[..])?;
                archive.add_blob(&blob(&manifest), &manifest[..])?;
            }
        }
        archive.add_blob(&about, &configuration[..])?;
        for layer in layers {
            archive.add_blob(&layer.blob, layer.file)?;
        }
        archive.finish()?;
        Ok(about.digest)
    }
}

fn blob(bytes: &[u8]) -> Blob {
    Blob { digest: Digest::of(bytes), size: bytes.len() as u64 }
}

fn spool(layer: &Layer, directory: &Path) -> Result<Spooled> {
    let spooling = || Error::io(format!("write a layer below {}", directory.display()));
    let file = tempfile::tempfile_in(directory).map_err(spooling())?;
    let mut to = Digesting::new(BufWriter::new(file));
    layer.write(&mut to)?;
    let (to, digest, size) = to.finish();
    let mut file = to.into_inner().map_err(|error| error.into_error()).map_err(spooling())?;
    file.rewind().map_err(spooling())?;
    Ok(Spooled { blob: Blob { digest, size }, file })
}

/// The outer tar. Two layers may be the same; their bytes are then there once.
struct Archive<W: Write> {
    tar: Builder<W>,
    there: BTreeSet<String>,
}

impl<W: Write> Archive<W> {
    fn new(to: W) -> Self {
        Self { tar: Builder::new(to), there: BTreeSet::new() }
    }

    fn add_blob(&mut self, blob: &Blob, bytes: impl Read) -> Result<()> {
        self.add(&blob.path(), blob.size, bytes)
    }

    fn add(&mut self, path: &str, size: u64, bytes: impl Read) -> Result<()> {
        if !self.there.insert(path.to_owned()) {
            return Ok(());
        }
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(size);
        let added = self.tar.append_data(&mut header, path, bytes);
        added.map_err(Error::io(format!("write {path} to the archive")))
    }

    fn finish(self) -> Result<()> {
        let writing = || Error::io("write the archive");
        let mut to = self.tar.into_inner().map_err(writing())?;
        to.flush().map_err(writing())
    }
}

#[cfg(test)]
mod tests;
