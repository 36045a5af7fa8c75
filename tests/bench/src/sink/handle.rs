//! The sink as seen from the process that started it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::Instant;

use super::{COUNTS, Counts};
use crate::load::http_get;

/// How long nothing must arrive before everything has.
const QUIET: Duration = Duration::from_millis(700);
/// How long a collector may take to hand on what it has accepted.
const DRAIN: Duration = Duration::from_secs(20);

/// A running sink; ends when it is dropped.
#[derive(Debug)]
pub struct Sink {
    child: Child,
    /// Its port on the loopback interface.
    pub port: u16,
}

impl Sink {
    /// Starts this program again as a sink, on the cores that this one runs on.
    ///
    /// # Errors
    /// It does not start.
    pub fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("sink")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the sink does not start")?;
        let mut line = String::new();
        let output = child.stdout.take().context("the sink's output")?;
        BufReader::new(output).read_line(&mut line)?;
        let port = line.trim().parse().context("the sink does not tell its port")?;
        Ok(Self { child, port })
    }

    /// What it has counted so far.
    ///
    /// # Errors
    /// It is gone.
    pub async fn counts(&self) -> Result<Counts> {
        Ok(serde_json::from_slice(&http_get(self.port, COUNTS).await?)?)
    }

    /// Waits until `items` have arrived or nothing more does, and returns what has.
    ///
    /// # Errors
    /// It is gone.
    pub async fn settle(&self, items: u64) -> Result<Counts> {
        let start = Instant::now();
        let mut last = (Instant::now(), self.counts().await?);
        while last.1.items < items && last.0.elapsed() < QUIET.max(start.elapsed() / 4) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let now = self.counts().await?;
            if now != last.1 {
                last = (Instant::now(), now);
            }
            if start.elapsed() > DRAIN {
                break;
            }
        }
        Ok(last.1)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // Without its input it ends by itself; this only reaps it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
