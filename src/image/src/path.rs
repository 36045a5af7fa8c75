//! A path in an image: absolute, without detours, one spelling for one place.

use std::fmt;

use crate::error::{Error, Result};

/// `/a/b`: begins with a slash, ends without one, holds neither `.`, `..` nor empty parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ImagePath(String);

impl ImagePath {
    /// # Errors
    /// The path is relative, is the root itself, or would leave the root.
    pub(crate) fn new(path: &str) -> Result<Self> {
        let wrong = |why| Error::Path { path: path.to_owned(), why };
        let Some(inside) = path.strip_prefix('/') else {
            return Err(wrong("it must begin with `/`"));
        };
        if inside.contains('\0') {
            return Err(wrong("it holds a zero byte"));
        }
        for part in inside.split('/') {
            match part {
                "" => return Err(wrong("it has an empty part")),
                "." | ".." => return Err(wrong("it has a part `.` or `..`")),
                _ => {}
            }
        }
        Ok(Self(path.to_owned()))
    }

    /// As an archive has it: relative to the root.
    pub(crate) fn relative(&self) -> &str {
        &self.0[1..]
    }

    /// The directories above, from the nearest to the one below the root.
    pub(crate) fn parents(&self) -> impl Iterator<Item = Self> {
        let cuts = self.0.char_indices().rev().filter(|&(at, char)| char == '/' && at > 0);
        cuts.map(|(at, _)| Self(self.0[..at].to_owned()))
    }
}

impl fmt::Display for ImagePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
