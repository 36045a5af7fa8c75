//! Sections of a document that a program writes: each between two HTML comments that carry its
//! name, so that several programs write one document without touching each other's part.

use std::path::Path;

use anyhow::{Context as _, Result};

/// `document` with the section `name` replaced by `body`, or put at its end.
#[must_use]
pub fn replace(document: &str, name: &str, body: &str) -> String {
    let begin = format!("<!-- {name}: written by `make bench`; do not edit -->");
    let end = format!("<!-- {name}: end -->");
    let section = format!("{begin}\n\n{}\n\n{end}\n", body.trim());
    let Some((head, rest)) = document.split_once(&begin) else {
        return format!("{}\n\n{section}", document.trim_end());
    };
    let tail = rest.split_once(&end).map_or("", |(_, tail)| tail.trim_start_matches('\n'));
    let gap = if tail.is_empty() { "" } else { "\n" };
    format!("{head}{section}{gap}{tail}")
}

/// Does so with the file at `path`.
///
/// # Errors
/// It cannot be read or written.
pub fn write(path: &Path, name: &str, body: &str) -> Result<()> {
    let before = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    std::fs::write(path, replace(&before, name, body)).with_context(|| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::replace;

    #[test]
    fn a_section_changes_and_the_others_stay() {
        let first = replace("# Title\n\nProse.\n", "one", "a");
        let both = replace(&first, "two", "b");
        let changed = replace(&both, "one", "c\n");
        assert!(both.starts_with("# Title\n\nProse.\n\n<!-- one:"));
        assert_eq!(changed, both.replace("\na\n", "\nc\n"));
        assert_eq!(replace(&changed, "two", "b"), changed, "writing again changes nothing");
    }
}
