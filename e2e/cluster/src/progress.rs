//! How a long start tells what it is doing. Receives the names of steps; decides nothing.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Is told the name of each step as it begins.
pub trait Progress: Send + Sync {
    /// A step begins; the one before it is done.
    fn step(&self, name: &str);
}

impl<F: Fn(&str) + Send + Sync> Progress for F {
    fn step(&self, name: &str) {
        self(name);
    }
}

/// Says nothing: the default, for tests.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn step(&self, _name: &str) {}
}

/// A spinner with the step and its time on standard error. Where that is no terminal
/// (CI), one line per step, so that a log shows where a start stands.
#[derive(Debug, Clone)]
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Shown from the first step on.
    #[must_use]
    pub fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Takes the spinner away.
    pub fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Default for Spinner {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress for Spinner {
    fn step(&self, name: &str) {
        if self.0.is_hidden() {
            eprintln!("{name}");
            return;
        }
        self.0.reset_elapsed();
        self.0.enable_steady_tick(Duration::from_millis(120));
        self.0.set_message(name.to_owned());
    }
}
