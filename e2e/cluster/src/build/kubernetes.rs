//! The control plane's programs: one executable from the Go sources checked in beside
//! this crate, with a link for each name. A file `KUBEBUILDER_ASSETS` supplies is taken
//! instead. Knows how they are built and found, not how they are run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::{Recipe, go};
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::{ETCD_VERSION, KUBERNETES_VERSION};

const SOURCES: [(&str, &str); 3] = [
    ("main.go", include_str!("../../go/main.go")),
    ("go.mod", include_str!("../../go/go.mod")),
    ("go.sum", include_str!("../../go/go.sum")),
];

const RECIPE: Recipe = Recipe {
    what: "Kubernetes v1.34.4",
    takes: "about 5 minutes on two cores",
    inputs: &[SOURCES[0].1, SOURCES[1].1, SOURCES[2].1, KUBERNETES_VERSION, ETCD_VERSION, LAYOUT],
};

/// Changed by hand when the flags below or the layout of the directory change.
const LAYOUT: &str = "1";

/// The names the executable answers to; the same list as `programs` in main.go.
const NAMES: [&str; 7] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
];

/// A program of Kubernetes, and whether it can be asked to end with us.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    /// Ours watch their standard input; somebody's `KUBEBUILDER_ASSETS` do not.
    pub(crate) watches_stdin: bool,
}

/// Finds one program, building Kubernetes when that is where it comes from.
pub(crate) async fn program(name: &'static str, progress: &dyn Progress) -> Result<Program> {
    if let Some(path) = supplied(name) {
        return Ok(Program { path, watches_stdin: false });
    }
    let path = RECIPE.provide(progress, build).await?.join("bin").join(name);
    Ok(Program { path, watches_stdin: true })
}

/// `KUBEBUILDER_ASSETS` is what every envtest setup exports, so CI may already have the two big ones.
fn supplied(name: &str) -> Option<PathBuf> {
    let assets = std::env::var_os("KUBEBUILDER_ASSETS").filter(|value| !value.is_empty())?;
    let path = std::path::absolute(Path::new(&assets).join(name)).ok()?;
    path.is_file().then_some(path)
}

async fn build(directory: &Path, log: &Path) -> Result<()> {
    let sources = directory.join("src");
    let bin = directory.join("bin");
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(&sources)?;
        fs::create_dir_all(&bin)?;
        SOURCES.iter().try_for_each(|(name, text)| fs::write(sources.join(name), text))
    };
    write().map_err(Error::io("write the Go sources"))?;
    let mut command = go::go(&sources);
    command
        .args(["build", "-trimpath", "-ldflags", &link_flags(), "-o"])
        .arg(bin.join("kubernetes"))
        .arg(".");
    go::run(command, RECIPE.what, log).await?;
    let link = |name| symlink("kubernetes", bin.join(name));
    NAMES.into_iter().try_for_each(link).map_err(Error::io("link the programs"))
}

/// Without these the API server says it is v0.0.0-master, and clients choose by version.
fn link_flags() -> String {
    let (major, minor) = ("1", KUBERNETES_VERSION.split('.').nth(1).unwrap_or_default());
    let mut flags = "-s -w".to_owned();
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        for (name, value) in
            [("gitVersion", KUBERNETES_VERSION), ("gitMajor", major), ("gitMinor", minor)]
        {
            flags.push_str(&format!(" -X {package}.{name}={value}"));
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_go_module_builds_the_versions_that_are_named() {
        let module = SOURCES[1].1;
        assert!(module.contains(&format!("k8s.io/kubernetes {KUBERNETES_VERSION}\n")));
        assert!(module.contains(&format!("go.etcd.io/etcd/server/v3 {ETCD_VERSION}\n")));
        assert!(RECIPE.what.ends_with(KUBERNETES_VERSION));
    }

    #[test]
    fn every_name_is_a_program_of_the_executable() {
        let main = SOURCES[0].1;
        for name in NAMES {
            assert!(main.contains(&format!("\t\"{name}\":")), "{name}");
        }
    }
}
