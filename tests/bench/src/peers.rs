//! The collectors: which there are, where their programs are found, and how each is started.
//! A peer that is not there is left out with a message, never guessed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::config::{self, Ports};
use crate::scenario::Scenario;
use crate::subject::Launch;

/// One of the collectors that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id {
    /// obspipe-collector.
    Ours,
    /// OpenTelemetry Collector v0.155, the current one.
    Otelcol,
    /// rotel, a collector in Rust.
    Rotel,
    /// OpenTelemetry Collector v0.85, the last with the Jaeger exporter.
    OtelcolJaeger,
    /// OpenTelemetry Collector v0.130, the last with the Loki exporter.
    OtelcolLoki,
}

impl Id {
    /// All of them, ours first.
    pub const ALL: [Self; 5] =
        [Self::Ours, Self::Otelcol, Self::Rotel, Self::OtelcolJaeger, Self::OtelcolLoki];

    /// The name in tables and messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "obspipe-collector",
            Self::Otelcol => "otelcol",
            Self::Rotel => "rotel",
            Self::OtelcolJaeger => "otelcol v0.85",
            Self::OtelcolLoki => "otelcol v0.130",
        }
    }

    /// The option that says where its program is.
    fn option(self) -> &'static str {
        match self {
            Self::Ours => "--collector",
            Self::Otelcol => "--otelcol",
            Self::Rotel => "--rotel",
            Self::OtelcolJaeger => "--otelcol-jaeger",
            Self::OtelcolLoki => "--otelcol-loki",
        }
    }
}

/// Where the programs are.
#[derive(Args, Clone, Debug, Default)]
pub struct Paths {
    /// obspipe-collector [default: beside this program]
    #[arg(long, value_name = "PATH")]
    pub collector: Option<PathBuf>,
    /// OpenTelemetry Collector v0.155 with the otlp, otlphttp and prometheus exporters.
    #[arg(long, value_name = "PATH")]
    pub otelcol: Option<PathBuf>,
    /// rotel [default: from PyPI, in target/tools/rotel]
    #[arg(long, value_name = "PATH")]
    pub rotel: Option<PathBuf>,
    /// OpenTelemetry Collector v0.85 with the jaeger exporter.
    #[arg(long, value_name = "PATH")]
    pub otelcol_jaeger: Option<PathBuf>,
    /// OpenTelemetry Collector v0.130 with the loki exporter.
    #[arg(long, value_name = "PATH")]
    pub otelcol_loki: Option<PathBuf>,
}

impl Paths {
    fn given(&self, id: Id) -> Option<&PathBuf> {
        match id {
            Id::Ours => self.collector.as_ref(),
            Id::Otelcol => self.otelcol.as_ref(),
            Id::Rotel => self.rotel.as_ref(),
            Id::OtelcolJaeger => self.otelcol_jaeger.as_ref(),
            Id::OtelcolLoki => self.otelcol_loki.as_ref(),
        }
    }
}

/// A collector that is there.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Which one.
    pub id: Id,
    /// Its program.
    pub program: PathBuf,
    /// What `--version` says.
    pub version: String,
    /// Size of the program in MiB.
    pub binary_mib: f64,
}

/// Finds a collector: where the arguments say, else where it is built or fetched to.
///
/// # Errors
/// It is not there; the message says how to have it.
pub async fn find(id: Id, paths: &Paths, root: &Path) -> Result<Peer> {
    let program = match (paths.given(id), id) {
        (Some(path), _) => path.clone(),
        (None, Id::Ours) => std::env::current_exe()?.with_file_name("obspipe-collector"),
        (None, Id::Rotel) => install_rotel(root)?,
        (None, Id::Otelcol) => local_cluster::otelcol(&local_cluster::Silent).await?,
        (None, Id::OtelcolJaeger) => local_cluster::otelcol_jaeger(&local_cluster::Silent).await?,
        (None, Id::OtelcolLoki) => local_cluster::otelcol_loki(&local_cluster::Silent).await?,
    };
    let size = std::fs::metadata(&program)
        .with_context(|| format!("{}: build it or tell with {}", program.display(), id.option()))?
        .len();
    let version = version(&program)?;
    Ok(Peer { id, program, version, binary_mib: size as f64 / f64::from(1 << 20) })
}

/// The first number-like word of what `--version` prints, or the line.
fn version(program: &Path) -> Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{} does not start", program.display()))?;
    Ok(version_word(&String::from_utf8_lossy(&output.stdout)))
}

fn version_word(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    let numbered =
        |word: &&str| word.trim_start_matches('v').starts_with(|c: char| c.is_ascii_digit());
    let word = line.split_whitespace().find(numbered).unwrap_or(line);
    word.trim_start_matches('v').to_owned()
}

/// rotel's program out of its Python package, fetched once into a virtual environment.
fn install_rotel(root: &Path) -> Result<PathBuf> {
    let environment = root.join("target/tools/rotel");
    let found = |environment: &Path| {
        let libraries = std::fs::read_dir(environment.join("lib")).ok()?;
        let programs =
            libraries.flatten().map(|python| python.path().join("site-packages/rotel/rotel-agent"));
        programs.into_iter().find(|program| program.exists())
    };
    if let Some(program) = found(&environment) {
        return Ok(program);
    }
    let venv = Command::new("python3").args(["-m", "venv"]).arg(&environment).output();
    let venv = venv.context("python3 is missing, with which rotel is installed")?;
    anyhow::ensure!(venv.status.success(), "no virtual environment: install python3-venv");
    let pip =
        Command::new(environment.join("bin/pip")).args(["install", "--quiet", "rotel"]).output()?;
    let error = String::from_utf8_lossy(&pip.stderr);
    anyhow::ensure!(pip.status.success(), "pip install rotel: {}", error.trim());
    found(&environment).context("the package rotel has no program for this machine")
}

/// How `peer` is started for `scenario`; its files go below `directory`.
///
/// # Errors
/// It cannot do it, or its configuration cannot be written.
pub fn launch(peer: &Peer, scenario: &Scenario, ports: Ports, directory: &Path) -> Result<Launch> {
    let mut environment = Vec::new();
    let arguments = if peer.id == Id::Rotel {
        config::rotel(scenario, ports, directory).context("rotel has no such exporter")?
    } else {
        let file = directory.join("config.yaml");
        std::fs::write(&file, config::collector(scenario, peer.id, ports)?)?;
        vec!["--config".to_owned(), file.display().to_string()]
    };
    if peer.id == Id::Ours {
        environment.push(("OBSPIPE_ADMIN_LISTEN".to_owned(), "127.0.0.1:0".to_owned()));
    }
    Ok(Launch {
        program: peer.program.clone(),
        arguments,
        environment,
        ports: ports.listening(scenario),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        assert_eq!(version_word("otelcol version 0.155.0\n"), "0.155.0");
        assert_eq!(version_word("rotel 0.0.1-alpha10"), "0.0.1-alpha10");
        assert_eq!(version_word("thing v1.2"), "1.2");
        assert_eq!(version_word("unknown\nmore"), "unknown");
        assert_eq!(version_word(""), "");
    }

    #[tokio::test]
    async fn a_peer_that_is_not_there_is_an_error_with_the_way_to_have_it() {
        let paths = Paths { rotel: Some("/nowhere/rotel".into()), ..Paths::default() };
        let error = find(Id::Rotel, &paths, Path::new("/nowhere")).await.unwrap_err();
        assert_eq!(error.to_string(), "/nowhere/rotel: build it or tell with --rotel");
    }

    #[test]
    fn launches_name_a_configuration_that_exists() {
        let directory = tempfile::tempdir().unwrap();
        let ports = Ports { grpc: 1, http: 2, page: 3, sink: 4 };
        let program = PathBuf::from("collector");
        let mut peer = Peer { id: Id::Ours, program, version: String::new(), binary_mib: 1.0 };
        let first = launch(&peer, &SCENARIOS[0], ports, directory.path()).unwrap();
        assert!(Path::new(&first.arguments[1]).exists());
        assert_eq!(first.ports, [1, 2]);
        assert_eq!(first.environment.len(), 1);
        peer.id = Id::Rotel;
        let first = launch(&peer, &SCENARIOS[0], ports, directory.path()).unwrap();
        assert_eq!(first.arguments[0], "start");
    }
}
