//! Another version of the product, made of this one: the chart under other version numbers, the
//! images under another tag. Nothing else differs.

use std::fs::{self, File};
use std::io::{Read as _, Result};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Copies a chart and gives it this version and appVersion.
pub(super) fn chart(from: &Path, version: &str, to: &Path) -> Result<PathBuf> {
    copy(from, to)?;
    let file = to.join("Chart.yaml");
    let line = |line: &str| match line.split_once(':') {
        Some((key @ ("version" | "appVersion"), _)) => format!("{key}: {version}\n"),
        _ => format!("{line}\n"),
    };
    let text: String = fs::read_to_string(&file)?.lines().map(line).collect();
    fs::write(file, text)?;
    Ok(to.to_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Writes an image's archive again, under another tag.
pub(super) fn image(archive: &Path, tag: &str, to: &Path) -> Result<PathBuf> {
    let target = to.join(archive.file_name().unwrap_or_default());
    let mut read = tar::Archive::new(File::open(archive)?);
    let mut written = tar::Builder::new(File::create(&target)?);
    for entry in read.entries()? {
        let mut entry = entry?;
        let mut header = entry.header().clone();
        if entry.path()?.as_os_str() != "manifest.json" {
            written.append(&header, &mut entry)?;
            continue;
        }
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        let text = retagged(&text, tag)?;
        header.set_size(text.len() as u64);
        header.set_cksum();
        written.append(&header, text.as_bytes())?;
    }
    written.finish()?;
    Ok(target)
}

fn retagged(manifest: &str, tag: &str) -> Result<String> {
    let mut images: Vec<Value> = serde_json::from_str(manifest)?;
    for name in images.iter_mut().filter_map(|image| image["RepoTags"].get_mut(0)) {
        let repository = name.as_str().and_then(|name| name.split(':').next());
        *name = json!(format!("{}:{tag}", repository.unwrap_or_default()));
    }
    Ok(serde_json::to_string(&images)?)
}
