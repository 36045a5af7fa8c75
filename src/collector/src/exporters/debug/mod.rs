//! The debug exporter: what it gets, written to the log; and nop, which does nothing with it.

pub mod text;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use obspipe_model::Signal;
use obspipe_model::components::debug::{Debug as Settings, Verbosity};

use crate::flow::chunk::Load;
use crate::flow::ledger::Reason;
use crate::flow::leg::Consume;

/// Writes what it gets.
pub struct Debug {
    settings: Settings,
    sampler: Mutex<Sampler>,
}

/// How many messages were written in this second (zap's sampler, core/sampler.go).
#[derive(Debug)]
struct Sampler {
    since: Instant,
    count: u32,
}

impl Sampler {
    fn lets_through(&mut self, settings: &Settings, now: Instant) -> bool {
        if now.saturating_duration_since(self.since) >= Duration::from_secs(1) {
            (self.since, self.count) = (now, 0);
        }
        self.count = self.count.saturating_add(1);
        let after = self.count.saturating_sub(settings.sampling_initial);
        after == 0
            || (settings.sampling_thereafter > 0
                && after.is_multiple_of(settings.sampling_thereafter))
    }
}

impl Debug {
    /// An exporter.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, sampler: Mutex::new(Sampler { since: Instant::now(), count: 0 }) }
    }
}

impl Consume for Debug {
    fn consume(&self, signal: Signal, load: &Load) -> Vec<(Reason, usize)> {
        let mut sampler = self.sampler.lock().unwrap_or_else(PoisonError::into_inner);
        if !sampler.lets_through(&self.settings, Instant::now()) {
            return Vec::new();
        }
        drop(sampler);
        let requests: Vec<&[u8]> = load.chunks.iter().map(|chunk| &chunk.bytes[..]).collect();
        let counts = text::counts(signal, &requests);
        let body = match self.settings.verbosity {
            Verbosity::Basic => String::new(),
            Verbosity::Normal => text::normal(signal, &requests),
            Verbosity::Detailed => text::detailed(signal, &requests),
        };
        if self.settings.use_internal_logger {
            tracing::info!("{counts}{}{body}", if body.is_empty() { "" } else { "\n" });
        } else {
            write_to(&self.settings.output_paths, &format!("{counts}\n{body}"));
        }
        Vec::new()
    }
}

/// Writes to standard output or error, or to files. What cannot be written is lost: it is for
/// debugging.
fn write_to(paths: &[String], text: &str) {
    use std::io::Write as _;
    for path in paths {
        let _ = match path.as_str() {
            "stdout" => std::io::stdout().write_all(text.as_bytes()),
            "stderr" => std::io::stderr().write_all(text.as_bytes()),
            path => std::fs::OpenOptions::new()
                .create(true)
                .append(true)
                .open(path)
                .and_then(|mut file| file.write_all(text.as_bytes())),
        };
    }
}

/// The nop exporter.
pub struct Nop;

impl Consume for Nop {
    fn consume(&self, _: Signal, _: &Load) -> Vec<(Reason, usize)> {
        Vec::new()
    }
}
