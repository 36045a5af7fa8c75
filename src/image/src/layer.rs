//! A layer: files, directories and symbolic links by their path in the image, written as one
//! tar. Times, owners and the order of a host directory do not get into it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::error::{Error, Result};
use crate::path::ImagePath;

/// Permission bits of directories nobody described: of parents, and of a host tree's.
const DIRECTORY: u32 = 0o755;

/// Where a file's bytes come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// They are here.
    Bytes(Vec<u8>),
    /// They are read from this file when the image is written.
    Host(PathBuf),
}

impl From<&str> for Source {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::Host(path.to_owned())
    }
}

#[derive(Debug, Clone)]
enum Entry {
    File { mode: u32, source: Source },
    Directory { mode: u32 },
    Symlink { target: String },
}

/// Entries by path. Directories above an entry are made by themselves, with mode 755.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    entries: BTreeMap<ImagePath, Entry>,
    owner: (u32, u32),
}

impl Layer {
    /// A layer whose entries belong to root.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Gives every entry to a user and a group, by number.
    #[must_use]
    pub fn owned_by(mut self, user: u32, group: u32) -> Self {
        self.owner = (user, group);
        self
    }

    /// Adds a file with these permission bits.
    ///
    /// # Errors
    /// The path is none of an image, or taken.
    pub fn file(&mut self, path: &str, mode: u32, source: impl Into<Source>) -> Result<()> {
        self.add(ImagePath::new(path)?, Entry::File { mode, source: source.into() })
    }

    /// Adds a directory with these permission bits.
    ///
    /// # Errors
    /// The path is none of an image, or taken.
    pub fn directory(&mut self, path: &str, mode: u32) -> Result<()> {
        self.add(ImagePath::new(path)?, Entry::Directory { mode })
    }

    /// Adds a symbolic link. Its target is read inside the container and may be anything.
    ///
    /// # Errors
    /// The path is none of an image, or taken.
    pub fn symlink(&mut self, path: &str, target: &str) -> Result<()> {
        self.add(ImagePath::new(path)?, Entry::Symlink { target: target.to_owned() })
    }

    /// Adds a host directory with all below it of which `keep` says so (a directory that is not
    /// kept is not entered). Symbolic links stay links. Of permissions only whether a file can be
    /// run is taken over, since the rest is the host's umask.
    ///
    /// # Errors
    /// A path is taken, or the host has something else than files, directories and links there.
    pub fn tree(&mut self, path: &str, host: &Path, keep: impl Fn(&Path) -> bool) -> Result<()> {
        let mut left = vec![(path.to_owned(), host.to_owned())];
        while let Some((path, host)) = left.pop() {
            self.directory(&path, DIRECTORY)?;
            let reading = || format!("read the directory {}", host.display());
            for found in fs::read_dir(&host).map_err(Error::io(reading()))? {
                let found = found.map_err(Error::io(reading()))?.path();
                if !keep(&found) {
                    continue;
                }
                let name = found.file_name().and_then(|name| name.to_str());
                let name = name.ok_or_else(|| Error::Unsupported(found.clone()))?;
                let inside = format!("{path}/{name}");
                if let Some(directory) = self.host_entry(&inside, &found)? {
                    left.push((inside, directory));
                }
            }
        }
        Ok(())
    }

    /// Adds a host file or link by its name; a directory is given back.
    fn host_entry(&mut self, path: &str, host: &Path) -> Result<Option<PathBuf>> {
        let looking = || Error::io(format!("look at {}", host.display()));
        let about = fs::symlink_metadata(host).map_err(looking())?;
        if about.is_dir() {
            return Ok(Some(host.to_owned()));
        }
        if about.is_symlink() {
            let target = fs::read_link(host).map_err(looking())?;
            let target = target.to_str().ok_or_else(|| Error::Unsupported(host.to_owned()))?;
            self.symlink(path, target)?;
        } else if about.is_file() {
            let mode = if about.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
            self.file(path, mode, host)?;
        } else {
            return Err(Error::Unsupported(host.to_owned()));
        }
        Ok(None)
    }

    fn add(&mut self, path: ImagePath, entry: Entry) -> Result<()> {
        if self.entries.contains_key(&path) {
            return Err(Error::Duplicate(path.to_string()));
        }
        self.entries.insert(path, entry);
        Ok(())
    }

    /// The entries with the directories above them, in the order they are written: by path, so
    /// a directory comes before what it holds.
    ///
    /// # Errors
    /// An entry lies below one that is no directory: an engine would follow the link, or fail.
    fn complete(&self) -> Result<BTreeMap<ImagePath, &Entry>> {
        let mut all: BTreeMap<_, _> =
            self.entries.iter().map(|(path, entry)| (path.clone(), entry)).collect();
        for path in self.entries.keys() {
            for parent in path.parents() {
                match self.entries.get(&parent) {
                    None => {
                        all.insert(parent, &PARENT);
                    }
                    Some(Entry::Directory { .. }) => {}
                    Some(_) => {
                        let (path, parent) = (path.to_string(), parent.to_string());
                        return Err(Error::NotADirectory { path, parent });
                    }
                }
            }
        }
        Ok(all)
    }

    /// The user and group of every entry.
    pub(crate) fn owner(&self) -> (u32, u32) {
        self.owner
    }

    /// What every entry is, in words, and where a file's bytes come from.
    pub(crate) fn described(&self) -> impl Iterator<Item = (String, Option<&Source>)> {
        self.entries.iter().map(|(path, entry)| match entry {
            Entry::File { mode, source } => (format!("file {mode:o} {path}"), Some(source)),
            Entry::Directory { mode } => (format!("directory {mode:o} {path}"), None),
            Entry::Symlink { target } => (format!("link {path} {target}"), None),
        })
    }

    /// Writes the layer as a tar.
    ///
    /// # Errors
    /// A host file cannot be read, or `to` not be written.
    pub(crate) fn write(&self, to: impl Write) -> Result<()> {
        let mut tar = Builder::new(to);
        for (path, entry) in self.complete()? {
            self.write_entry(&mut tar, &path, entry)?;
        }
        tar.finish().map_err(Error::io("write a layer"))
    }

    fn write_entry(
        &self,
        tar: &mut Builder<impl Write>,
        path: &ImagePath,
        entry: &Entry,
    ) -> Result<()> {
        let (name, writing) = (path.relative(), || Error::io(format!("write {path} to a layer")));
        match entry {
            Entry::Directory { mode } => {
                let mut header = self.header(EntryType::Directory, *mode, 0);
                tar.append_data(&mut header, format!("{name}/"), std::io::empty())
            }
            Entry::Symlink { target } => {
                let mut header = self.header(EntryType::Symlink, 0o777, 0);
                tar.append_link(&mut header, name, target)
            }
            Entry::File { mode, source: Source::Bytes(bytes) } => {
                let mut header = self.header(EntryType::Regular, *mode, bytes.len() as u64);
                tar.append_data(&mut header, name, &bytes[..])
            }
            Entry::File { mode, source: Source::Host(host) } => {
                let reading = || Error::io(format!("read {}", host.display()));
                let file = File::open(host).map_err(reading())?;
                let size = file.metadata().map_err(reading())?.len();
                let mut header = self.header(EntryType::Regular, *mode, size);
                let exactly = Exactly { file: file.take(size), left: size };
                tar.append_data(&mut header, name, exactly)
            }
        }
        .map_err(writing())
    }

    /// Everything that could tell one machine from another is fixed: time, user names, devices.
    fn header(&self, kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(u64::from(self.owner.0));
        header.set_gid(u64::from(self.owner.1));
        header.set_mtime(0);
        header.set_size(size);
        header
    }
}

/// A directory nobody described.
static PARENT: Entry = Entry::Directory { mode: DIRECTORY };

/// A file's first bytes, as many as its header says: one that is cut meanwhile is an error, not
/// an archive that ends in the middle.
struct Exactly {
    file: std::io::Take<File>,
    left: u64,
}

impl Read for Exactly {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read(bytes)?;
        if read == 0 && self.left > 0 && !bytes.is_empty() {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
