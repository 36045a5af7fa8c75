//! Images that are written once and kept: the file's name holds a key of what the image is. Host
//! files enter the key as make sees them, by path, size and time of change, because reading
//! hundreds of megabytes is what the cache is there to save.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::archive::Format;
use crate::error::{Error, Result};
use crate::image::Image;
use crate::layer::{Layer, Source};
use crate::manifest;

/// Hex digits of the key in a file's name.
const KEY: usize = 16;

impl Image {
    /// The image as an archive in `directory`, written if it is not there yet.
    ///
    /// # Errors
    /// See [`Image::write`].
    pub fn provide(&self, format: Format, directory: &Path) -> Result<PathBuf> {
        let name: String = self.name.to_string();
        let name = name.replace(|char: char| !char.is_ascii_alphanumeric() && char != '.', "-");
        let path = directory.join(format!("{name}-{}.tar", &self.key(format)?[..KEY]));
        if !path.is_file() {
            self.write(format, &path)?;
        }
        Ok(path)
    }

    /// 64 hex digits that differ where the image does.
    fn key(&self, format: Format) -> Result<String> {
        let mut key = Key(Sha256::new());
        key.add(format!("{format:?} {}", self.name).as_bytes());
        key.add(&manifest::configuration(self, &[])?);
        for layer in &self.layers {
            key.add_layer(layer)?;
        }
        Ok(key.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

struct Key(Sha256);

impl Key {
    /// With its length, so that no two sequences are one text.
    fn add(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn add_layer(&mut self, layer: &Layer) -> Result<()> {
        self.add(format!("layer of {:?}", layer.owner()).as_bytes());
        for (about, source) in layer.described() {
            self.add(about.as_bytes());
            match source {
                None => {}
                Some(Source::Bytes(bytes)) => self.add(bytes),
                Some(Source::Host(host)) => {
                    let found = fs::metadata(host);
                    let found = found.map_err(Error::io(format!("look at {}", host.display())))?;
                    let (size, at) = (found.len(), (found.mtime(), found.mtime_nsec()));
                    self.add(format!("{} {size} {at:?}", host.display()).as_bytes());
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
