//! Where the story goes: standard output, or standard error when a program reads the other; and how
//! a step is told that takes a while. Knows nothing of what is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};

use crate::Output;

static ASIDE: AtomicBool = AtomicBool::new(false);

/// Text for people is the output itself; beside JSON it goes to standard error.
pub(crate) fn choose(output: Output) {
    ASIDE.store(output == Output::Json, Ordering::Relaxed);
}

/// Prints a line of the story.
pub(crate) fn line(text: &str) {
    if ASIDE.load(Ordering::Relaxed) { eprintln!("{text}") } else { println!("{text}") }
}

/// `println!` of the story.
macro_rules! say {
    ($($text:tt)*) => { $crate::telling::line(&format!($($text)*)) };
}
pub(crate) use say;

/// Shown while something is waited for; taken away when dropped.
pub(crate) struct Waiting(ProgressBar);

impl Waiting {
    pub(crate) fn new(name: &str) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} ({elapsed})") {
            bar.set_style(style);
        }
        bar.set_message(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    /// What is waited for now. Where nobody looks (CI), nothing is printed.
    pub(crate) fn now(&self, text: String) {
        self.0.set_message(text);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Runs a step under a spinner and leaves a line with the time it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let waiting = Waiting::new(name);
    let start = Instant::now();
    let done = work();
    drop(waiting);
    ended(name, start, done)
}

/// The same with a future.
pub(crate) async fn wait<T>(
    name: &str,
    work: impl Future<Output = obspipe_e2e::Result<T>>,
) -> Result<T> {
    let waiting = Waiting::new(name);
    let start = Instant::now();
    let done = work.await;
    drop(waiting);
    ended(name, start, done.map_err(anyhow::Error::from))
}

fn ended<T>(name: &str, start: Instant, done: Result<T>) -> Result<T> {
    let mark = if done.is_ok() { "✓" } else { "✗" };
    say!("  {mark} {name} ({:.1} s)", start.elapsed().as_secs_f64());
    done
}
