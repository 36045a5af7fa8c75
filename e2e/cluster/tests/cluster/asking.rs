//! How the tests ask: kubectl, the audit log, /proc. Decides nothing.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Runs a prepared kubectl; its errors as text, so that a wait can say what it saw last.
pub(crate) fn kubectl(prepared: &Command, arguments: &[&str]) -> Result<String, String> {
    let mut command = Command::new(prepared.get_program());
    command.envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let output =
        command.args(arguments).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// `kubectl apply -f -`
pub(crate) fn apply(prepared: &Command, text: &str) {
    let mut command = Command::new(prepared.get_program());
    command.envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command
        .args(["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Looks until it is so, for at most 20 seconds.
pub(crate) fn eventually<T>(what: &str, mut look: impl FnMut() -> Result<T, String>) -> T {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match look() {
            Ok(seen) => return seen,
            Err(seen) if Instant::now() > deadline => {
                panic!("waited for {what}; last seen: {seen}")
            }
            Err(_) => sleep(Duration::from_millis(100)),
        }
    }
}

pub(crate) fn audit_events(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whether there is such a process; one that only waits to be reaped is none.
pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// The processes that work in this directory: what a cluster left running would be among them.
pub(crate) fn working_in(directory: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd.starts_with(directory))
    })
    .collect()
}
