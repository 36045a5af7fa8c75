//! One program on free ports, in a directory of its own, with its output in a log there.
//! A start that fails keeps the directory for an hour and shows the end of the log;
//! otherwise it goes with the program. Knows no program by name.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use local_cluster::{Component, RunDir};

use crate::error::{Error, Result};
use crate::http;

/// Everything here is ready within 5 s on an idle machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// A free port is not reserved: with many tests at once, somebody else takes one now and then.
const ATTEMPTS: usize = 4;

/// How a program is started.
#[derive(Debug)]
pub struct Launch {
    /// Its path.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// What tells that it can be used.
    pub ready: Ready,
}

/// What tells that a program can be used.
#[derive(Debug, Clone, Copy)]
pub enum Ready {
    /// A GET of this path is answered with 200.
    Answers(SocketAddr, &'static str),
    /// Its log has this text.
    Says(&'static str),
}

/// A running program; dropping it ends it and removes its directory.
#[derive(Debug)]
pub struct Process {
    // Before the directory: the program ends first.
    component: Component,
    directory: RunDir,
}

impl Process {
    /// Starts a program that listens on `N` ports, and waits until it is ready. `prepare` is
    /// given the addresses and the directory, once more when somebody else took a port.
    ///
    /// # Errors
    /// `prepare` failed, or the program ended or did not become ready: with the end of its log.
    pub async fn start<const N: usize>(
        name: &'static str,
        prepare: impl Fn(&[SocketAddr; N], &Path) -> Result<Launch>,
    ) -> Result<(Self, [SocketAddr; N])> {
        let mut attempt = 1;
        loop {
            match Self::attempt(name, &prepare).await {
                Err(Error::Program(error)) if error.is_port_taken() && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn attempt<const N: usize>(
        name: &'static str,
        prepare: impl Fn(&[SocketAddr; N], &Path) -> Result<Launch>,
    ) -> Result<(Self, [SocketAddr; N])> {
        let directory = RunDir::create()?;
        let addresses = free_addresses()?;
        let launch = prepare(&addresses, directory.path())?;
        let component =
            Component::launch(name, &launch.program, &launch.arguments, directory.path())?;
        let mut process = Self { component, directory };
        match process.wait(launch.ready).await {
            Ok(()) => Ok((process, addresses)),
            Err(error) => {
                let Self { component, directory } = process;
                drop(component);
                directory.keep();
                Err(error)
            }
        }
    }

    /// Whether it still runs.
    ///
    /// # Errors
    /// It has ended: with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        Ok(self.component.check()?)
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.component.program_pid()
    }

    /// Asks it to end (SIGTERM) and waits until it has. Returns its exit code, if it has one.
    ///
    /// # Errors
    /// It still runs after that time.
    pub async fn terminate(&mut self, within: Duration) -> Result<Option<i32>> {
        self.component.signal_terminate()?;
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.component.ended()? {
                return Ok(status.code());
            }
            if Instant::now() >= deadline {
                return Err(self.component.failed(format!("still runs after {within:?}")).into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Everything it printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        let text = std::fs::read(self.component.log()).unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    async fn wait(&mut self, ready: Ready) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            self.component.check()?;
            if self.is_ready(ready).await {
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(self
                    .component
                    .failed(format!("is not ready after {READY_WITHIN:?}"))
                    .into());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn is_ready(&self, ready: Ready) -> bool {
        match ready {
            Ready::Answers(address, path) => http::get(address, path).await.is_ok(),
            Ready::Says(text) => self.log().contains(text),
        }
    }
}

/// Writes a file into the directory of a program, and returns its path as an argument.
pub(crate) fn write(directory: &Path, name: &str, text: &str) -> Result<String> {
    let path = directory.join(name);
    std::fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
    Ok(path.display().to_string())
}

/// Different ones: all are bound before the first is let go.
fn free_addresses<const N: usize>() -> Result<[SocketAddr; N]> {
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
    let mut held = Vec::with_capacity(N);
    for address in &mut addresses {
        let listener = TcpListener::bind(*address).map_err(Error::io("find a free port"))?;
        *address = listener.local_addr().map_err(Error::io("find a free port"))?;
        held.push(listener);
    }
    Ok(addresses)
}
