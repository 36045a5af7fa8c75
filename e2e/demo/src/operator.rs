//! The operator as a process that stays when the demo ends: started, found again and ended by what
//! was recorded of it.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// How long it may take to list everything, and to end.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Where the demo keeps what it needs between runs.
pub(crate) fn directory() -> Result<PathBuf> {
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let directory = target.join("demo");
    std::fs::create_dir_all(&directory).with_context(|| directory.display().to_string())?;
    Ok(directory)
}

/// The workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Its log.
pub(crate) fn log() -> Result<PathBuf> {
    Ok(directory()?.join("operator.log"))
}

fn record() -> Result<PathBuf> {
    Ok(directory()?.join("operator.json"))
}

/// Starts it with this kubeconfig and waits until it reconciles.
pub(crate) fn start(kubeconfig: &Path) -> Result<()> {
    end()?;
    let own = std::env::current_exe()?;
    let binary = own.with_file_name("obspipe-operator");
    ensure!(
        binary.is_file(),
        "{} is missing: `cargo build -p obspipe-operator` makes it (`make demo` does)",
        binary.display()
    );
    let log = log()?;
    let child = Command::new(&binary)
        .args(["run", "--listen", "127.0.0.1:0", "--lease-namespace", "obspipe-system"])
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log)?)
        // Ctrl-C in the demo's terminal is not meant for it.
        .process_group(0)
        .spawn()
        .with_context(|| binary.display().to_string())?;
    let pid = child.id();
    let started = start_time(pid).context("the operator ended at once")?;
    std::fs::write(record()?, json!({"pid": pid, "started": started}).to_string())?;
    wait_reconciling(pid, &log)
}

fn wait_reconciling(pid: u32, log: &Path) -> Result<()> {
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(log)?;
        if text.contains("all listed, reconciling") {
            return Ok(());
        }
        if start_time(pid).is_none() || start.elapsed() > PATIENCE {
            let lines: Vec<&str> = text.lines().rev().take(5).collect();
            bail!(
                "the operator does not come up; the end of {}:\n{}",
                log.display(),
                lines.into_iter().rev().collect::<Vec<_>>().join("\n")
            );
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The process that was recorded, if it still is that process.
pub(crate) fn running() -> Result<Option<u32>> {
    let Ok(text) = std::fs::read_to_string(record()?) else {
        return Ok(None);
    };
    let recorded: Value = serde_json::from_str(&text).unwrap_or_default();
    let pid = recorded["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
    Ok(pid.filter(|pid| start_time(*pid).as_deref() == recorded["started"].as_str()))
}

/// Ends it and says whether it ran.
pub(crate) fn end() -> Result<bool> {
    let Some(pid) = running()? else {
        return Ok(false);
    };
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).context("a process number")?;
    kill_process(raw, Signal::TERM).context("cannot end the operator")?;
    let start = Instant::now();
    while running()?.is_some() {
        ensure!(start.elapsed() < PATIENCE, "the operator (process {pid}) does not end");
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(true)
}

/// When a process began, in the kernel's ticks: with its number it names a process for ever. None
/// where it has ended, also when nobody has waited for it yet.
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    (state != "Z").then(|| fields.nth(18).map(ToOwned::to_owned)).flatten()
}
