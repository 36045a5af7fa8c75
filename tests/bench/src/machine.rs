//! The machine that is measured on: its cores, who runs on which, and what it calls itself.

use anyhow::{Context as _, Result, ensure};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::Serialize;

/// Who runs where. Everything that this program starts inherits `others`.
#[derive(Clone, Debug)]
pub struct Cores {
    /// The core of the collector that is measured.
    pub subject: usize,
    /// The cores of generator and sink.
    pub others: Vec<usize>,
}

impl Cores {
    /// Gives the last core that this process may use to the collector and the rest to this thread
    /// and all that come from it: call it before there are others.
    ///
    /// # Errors
    /// There are not two cores.
    pub fn divide() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut others: Vec<usize> =
            (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core)).collect();
        ensure!(others.len() > 1, "a collector and what feeds it need a core each; there is one");
        let subject = others.pop().context("no core")?;
        let cores = Self { subject, others };
        pin(&cores.others)?;
        Ok(cores)
    }

    /// Runs `start`, which starts a process, so that the process has the collector's core.
    ///
    /// # Errors
    /// What `start` says, or the core is not to be had any more.
    pub fn on_subject<T>(&self, start: impl FnOnce() -> Result<T>) -> Result<T> {
        pin(&[self.subject])?;
        let started = start();
        pin(&self.others)?;
        started
    }
}

fn pin(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    cores.iter().for_each(|core| set.set(*core));
    sched_setaffinity(None, &set).context("cannot choose cores")
}

/// What stands above the figures.
#[derive(Clone, Debug, Serialize)]
pub struct Facts {
    /// CPU model as the kernel names it.
    pub cpu: String,
    /// Cores that were used, the collector's among them.
    pub cores: usize,
    /// Memory in GiB.
    pub memory_gib: u64,
    /// Processes that wanted a core in the last minute, before anything was measured.
    pub load: f64,
    /// Kernel release.
    pub kernel: String,
}

impl Facts {
    /// Asks the kernel.
    #[must_use]
    pub fn read(cores: &Cores) -> Self {
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let (cpu, memory) = (read("/proc/cpuinfo"), read("/proc/meminfo"));
        let kib = field(&memory, "MemTotal").trim_end_matches("kB").trim().parse::<u64>();
        Self {
            cpu: field(&cpu, "model name").to_owned(),
            cores: cores.others.len() + 1,
            memory_gib: kib.map_or(0, |kib| (kib + (1 << 19)) >> 20),
            load: first_number(&read("/proc/loadavg")),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        }
    }
}

fn first_number(text: &str) -> f64 {
    text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// The value of the first line `name: value`.
fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let values = text.lines().filter_map(|line| line.split_once(':'));
    let mut named = values.filter(|(key, _)| key.trim() == name);
    named.next().map_or("unknown", |(_, value)| value.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_proc() {
        let text = "processor\t: 0\nmodel name\t: Some CPU: fast\nmodel name\t: other\n";
        assert_eq!(field(text, "model name"), "Some CPU: fast");
        assert_eq!(field(text, "name"), "unknown");
        assert_eq!(first_number("1.25 0.5 0.1 2/90 77\n"), 1.25);
    }
}
