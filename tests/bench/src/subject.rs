//! A collector that is measured: its process on a core of its own, and what the kernel says that
//! it takes (proc(5): stat, status, clear_refs).

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::machine::Cores;

/// The kernel's clock ticks per second (`getconf CLK_TCK` on every Linux of today).
const TICKS: f64 = 100.0;
const START: Duration = Duration::from_secs(30);
const STOP: Duration = Duration::from_secs(10);

/// How a collector is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables beside those of this process.
    pub environment: Vec<(String, String)>,
    /// Ports that it listens on once it is ready.
    pub ports: Vec<u16>,
}

/// A running collector; killed when it is dropped.
#[derive(Debug)]
pub struct Subject {
    child: Child,
    log: PathBuf,
}

impl Subject {
    /// Starts it on its core and waits until it listens. Its output goes to `log`.
    ///
    /// # Errors
    /// It ends, or does not listen within half a minute; the end of its log is in the error.
    pub fn start(launch: &Launch, cores: &Cores, log: PathBuf) -> Result<Self> {
        let file = File::create(&log)?;
        let mut command = Command::new(&launch.program);
        command
            .args(&launch.arguments)
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let spawn = || command.spawn().with_context(|| launch.program.display().to_string());
        let mut subject = Self { child: cores.on_subject(spawn)?, log };
        let start = Instant::now();
        for port in &launch.ports {
            while std::net::TcpStream::connect(("127.0.0.1", *port)).is_err() {
                if let Some(status) = subject.child.try_wait()? {
                    bail!("it ended with {status}: {}", tail(&subject.log));
                }
                if start.elapsed() > START {
                    bail!("it does not listen on port {port}: {}", tail(&subject.log));
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(subject)
    }

    /// CPU seconds that it has used, in user space and in the kernel.
    ///
    /// # Errors
    /// It has ended.
    pub fn cpu_seconds(&self) -> Result<f64> {
        cpu_seconds(&self.read("stat")?)
    }

    /// Resident memory in MiB.
    ///
    /// # Errors
    /// It has ended.
    pub fn rss_mib(&self) -> Result<f64> {
        mib(&self.read("status")?, "VmRSS")
    }

    /// The most resident memory in MiB since the start or [`Self::reset_peak`].
    ///
    /// # Errors
    /// It has ended.
    pub fn peak_rss_mib(&self) -> Result<f64> {
        mib(&self.read("status")?, "VmHWM")
    }

    /// Lets the peak begin again at what is resident now.
    ///
    /// # Errors
    /// The kernel does not let this process do so.
    pub fn reset_peak(&self) -> Result<()> {
        std::fs::write(self.path("clear_refs"), "5").context("the peak cannot be reset")
    }

    fn read(&self, file: &str) -> Result<String> {
        let path = self.path(file);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if text.is_empty() {
            bail!("the collector has ended: {}", tail(&self.log));
        }
        Ok(text)
    }

    fn path(&self, file: &str) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string()).join(file)
    }

    /// Ends it, gently at first.
    ///
    /// # Errors
    /// It cannot be ended.
    pub fn stop(mut self) -> Result<()> {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // An error means that it has ended by itself.
            let _ = kill_process(pid, Signal::TERM);
        }
        let start = Instant::now();
        while self.child.try_wait()?.is_none() && start.elapsed() < STOP {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        // Already gone after `stop`; an error elsewhere must not leave it behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a log, for errors.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

fn cpu_seconds(stat: &str) -> Result<f64> {
    // The name in parentheses may have spaces: fields are counted behind it.
    let (_, fields) = stat.rsplit_once(')').context("stat")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    Ok((ticks(11).context("utime")? + ticks(12).context("stime")?) / TICKS)
}

fn mib(status: &str, name: &str) -> Result<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kib = line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok());
    Ok(kib.with_context(|| name.to_owned())? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_and_status_are_read() {
        let stat = "77 (a) b) S 1 77 77 0 -1 4194560 900 0 0 0 250 50 0 0 20 0 8 0 1 2 3";
        assert_eq!(cpu_seconds(stat).unwrap(), 3.0);
        assert!(cpu_seconds("77 (a").is_err());
        let status = "VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        assert_eq!(mib(status, "VmHWM").unwrap(), 2.0);
        assert_eq!(mib(status, "VmRSS").unwrap(), 1.0);
        assert!(mib(status, "VmSwap").is_err());
    }
}
