//! The three ways a program is had from the Go module proxy: installed by its path, built
//! as a dependency with its own module's `replace` lines, or put together by the builder
//! of the OpenTelemetry Collector. Knows no program by name.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::go;
use crate::error::{Error, Result};

/// A `go` command that takes modules as the proxy serves them: the checksum database that a
/// proxy passes on does not always know the newest, and the versions are fixed here.
pub(super) fn unsummed(directory: &Path) -> Command {
    let mut command = go::go(directory);
    command.env("GOSUMDB", "off");
    command
}

/// `go install` of packages of one module, into `bin/` of the directory.
pub(super) async fn install(
    mut go: Command,
    packages: &[&str],
    directory: &Path,
    log: &Path,
) -> Result<()> {
    go.args(["install", "-trimpath", "-ldflags", "-s -w"])
        .args(packages)
        .env("GOBIN", directory.join("bin"));
    go::run(go, &packages.join(" "), log).await
}

/// What `go mod download -json` says of a module.
#[derive(serde::Deserialize)]
pub(super) struct Module {
    /// Its unpacked files.
    #[serde(rename = "Dir")]
    pub(super) directory: PathBuf,
    /// Its go.mod.
    #[serde(rename = "GoMod")]
    definition: PathBuf,
}

/// Has a module (`path@version`) in the module cache.
pub(super) async fn download(mut go: Command, module: &str, log: &Path) -> Result<Module> {
    go.args(["mod", "download", "-json", module]);
    let answer = go::read(go, module, log).await?;
    parsed(&answer, "the answer of go mod download")
}

/// What `go mod edit -json` says of a go.mod.
#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    go: String,
    replace: Option<Vec<Replacement>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Replacement {
    old: Versioned,
    new: Versioned,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Versioned {
    path: String,
    version: Option<String>,
}

impl Versioned {
    fn spelled(&self) -> String {
        match &self.version {
            Some(version) => format!("{} {version}", self.path),
            None => self.path.clone(),
        }
    }
}

/// Builds the main package `<path>/<package>` of a module (`path@version`) that cannot be
/// installed by its path, because it needs the `replace` lines of its own go.mod; it goes
/// into `bin/` of the directory, by the last part of its path.
pub(super) async fn build_dependency(
    module: &str,
    package: &str,
    directory: &Path,
    log: &Path,
) -> Result<()> {
    let sources = directory.join("src");
    fs::create_dir_all(&sources).map_err(Error::io("create a directory for the module"))?;
    let cached = download(unsummed(&sources), module, log).await?;
    let mut edit = unsummed(&sources);
    edit.args(["mod", "edit", "-json"]).arg(&cached.definition);
    let definition: Definition =
        parsed(&go::read(edit, module, log).await?, "the answer of go mod edit")?;
    fs::write(sources.join("go.mod"), depending_on(module, &definition))
        .map_err(Error::io("write a go.mod"))?;
    let path = module.split('@').next().unwrap_or(module);
    let mut command = unsummed(&sources);
    command
        .args(["build", "-mod=mod", "-trimpath", "-ldflags", "-s -w", "-o"])
        .arg(directory.join("bin").join(file_name(package)))
        .arg(format!("{path}/{package}"));
    go::run(command, module, log).await
}

fn file_name(package: &str) -> &str {
    package.rsplit('/').next().unwrap_or(package)
}

/// The go.mod of a module that requires the one named. A replacement by a directory is
/// left out: it exists in the repository alone, and the proxy has the published module.
fn depending_on(module: &str, definition: &Definition) -> String {
    let mut text = format!(
        "module obspipe.test/tool\n\ngo {}\n\nrequire {}\n",
        definition.go,
        module.replacen('@', " ", 1)
    );
    let published = definition.replace.iter().flatten().filter(|it| it.new.version.is_some());
    for Replacement { old, new } in published {
        let _ = writeln!(text, "replace {} => {}", old.spelled(), new.spelled());
    }
    text
}

/// Builds a collector from a manifest that names the executable `name` and `output_path: src`,
/// with the builder of that version; it lies in `src/<name>` of the directory afterwards.
pub(super) async fn build_collector(
    builder: &str,
    manifest: &str,
    directory: &Path,
    log: &Path,
) -> Result<()> {
    install(unsummed(directory), &[builder], directory, log).await?;
    fs::write(directory.join("manifest.yaml"), manifest)
        .map_err(Error::io("write the builder's manifest"))?;
    let mut command = Command::new(directory.join("bin/builder"));
    go::clean(&mut command, directory);
    command.env("GOSUMDB", "off").args(["--config", "manifest.yaml"]);
    go::run(command, builder, log).await
}

fn parsed<T: serde::de::DeserializeOwned>(text: &[u8], what: &str) -> Result<T> {
    serde_json::from_slice(text).map_err(|source| Error::Format { what: what.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replacements_by_directories_stay_behind() {
        let text = r#"{"Go": "1.25.1", "Replace": [
            {"Old": {"Path": "a.test/x"}, "New": {"Path": "b.test/x", "Version": "v1.2.3"}},
            {"Old": {"Path": "a.test/y", "Version": "v0.1.0"}, "New": {"Path": "b.test/y", "Version": "v2.0.0"}},
            {"Old": {"Path": "a.test/z"}, "New": {"Path": "./pkg/z"}}]}"#;
        let definition: Definition = serde_json::from_str(text).unwrap();
        assert_eq!(
            depending_on("a.test/main@v3.0.0", &definition),
            "module obspipe.test/tool\n\ngo 1.25.1\n\nrequire a.test/main v3.0.0\n\
             replace a.test/x => b.test/x v1.2.3\n\
             replace a.test/y v0.1.0 => b.test/y v2.0.0\n"
        );
    }
}
