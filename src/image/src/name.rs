//! `repository:tag`, checked by the grammar that engines read names by.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result};

/// Longest tag, by the distribution specification.
const MAX_TAG: usize = 128;
/// Longest repository name, by the distribution specification.
const MAX_REPOSITORY: usize = 255;

/// An image's name: `repository:tag`, where the repository may begin with a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    repository: String,
    tag: String,
}

impl Name {
    /// All before the tag.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.repository, self.tag)
    }
}

impl FromStr for Name {
    type Err = Error;

    /// A tag must be there: without one engines say `latest`, which is no version.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why| Error::Name { name: text.to_owned(), why };
        let (repository, tag) = text
            .rsplit_once(':')
            .filter(|(_, tag)| !tag.contains('/'))
            .ok_or_else(|| wrong("it has no tag: write <repository>:<tag>"))?;
        if !is_tag(tag) {
            return Err(wrong("a tag is at most 128 letters, digits, `_`, `.` and `-`"));
        }
        if repository.len() > MAX_REPOSITORY || !is_repository(repository) {
            return Err(wrong(
                "a repository is lower-case words of letters and digits, joined by `.`, `_`, `-` and `/`",
            ));
        }
        Ok(Self { repository: repository.to_owned(), tag: tag.to_owned() })
    }
}

fn is_tag(tag: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let inside = |byte: u8| word(byte) || byte == b'.' || byte == b'-';
    tag.len() <= MAX_TAG && tag.bytes().next().is_some_and(word) && tag.bytes().all(inside)
}

fn is_repository(repository: &str) -> bool {
    let mut parts = repository.split('/');
    let first = parts.next().unwrap_or_default();
    // A host is told by its dot, its port or its name; it may have a port.
    let host = match first.split_once(':') {
        Some((host, port)) => {
            repository.contains('/') && is_part(host) && port.parse::<u16>().is_ok()
        }
        None => is_part(first),
    };
    host && parts.all(is_part)
}

fn is_part(part: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inside = |byte: u8| word(byte) || matches!(byte, b'.' | b'_' | b'-');
    let ends = part.bytes().next().is_some_and(word) && part.bytes().last().is_some_and(word);
    ends && part.bytes().all(inside)
}

#[cfg(test)]
mod tests;
