//! The process that owns a named cluster: starts it, writes its state, waits for a
//! signal, ends it. Either this program in the foreground, or the same program run
//! again in the background.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::process::{Child, Command};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Detached;
use super::state::State;
use crate::error::{Error, Result};
use crate::progress::Progress;
use crate::{LocalCluster, layout};

/// Holds the cluster's name in the background process.
const ASKED: &str = "LOCAL_CLUSTER_SUPERVISE";
/// Set where the cluster gets a node.
const WITH_NODE: &str = "LOCAL_CLUSTER_SUPERVISE_NODE";
/// Marks the lines of the log that are steps.
const STEP: &str = "step: ";

/// Without the call in `main`, running the program again would do whatever it does, again.
static IN_MAIN: AtomicBool = AtomicBool::new(false);

/// First thing in the `main` of a program that leaves clusters running: when it is the
/// supervisor in the background, this never returns.
pub fn supervise_if_asked() {
    IN_MAIN.store(true, Ordering::Relaxed);
    let Ok(name) = std::env::var(ASKED) else {
        return;
    };
    // A thread of its own, because the caller's main may be inside a runtime already.
    let outcome = std::thread::spawn(move || in_background(&name)).join();
    let code = match outcome {
        Ok(Ok(())) => 0,
        Ok(Err(error)) => {
            eprintln!("{error}");
            1
        }
        Err(_) => 101,
    };
    std::process::exit(code);
}

fn in_background(name: &str) -> Result<()> {
    // Away from the terminal, whose end would otherwise be ours.
    let _ = rustix::process::setsid();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Error::io("start the runtime"))?;
    let node = std::env::var_os(WITH_NODE).is_some();
    runtime.block_on(supervise(name, node, |step: &str| println!("{STEP}{step}"), |_| ()))
}

/// Owns a cluster of this name, with a node or without, until the process is told to end (Ctrl-C, SIGTERM) or the
/// cluster fails. `ready` is called when it is up.
///
/// # Errors
/// One of this name is up, the start failed, or a program of the cluster ended.
pub async fn supervise(
    name: &str,
    node: bool,
    progress: impl Progress + 'static,
    ready: impl FnOnce(&Detached),
) -> Result<()> {
    let _guard = claim(name)?;
    if let Some(left) = State::read(name)? {
        left.forget();
    }
    let mut signals = Signals::listen()?;
    let starting = LocalCluster::builder().node(node).progress(progress).start();
    let mut cluster = tokio::select! {
        started = starting => started?,
        () = signals.received() => return Ok(()),
    };
    let state = State::of(name, &cluster)?;
    state.write()?;
    if let Some(found) = Detached::find(name)? {
        ready(&found);
    }
    tokio::select! {
        error = cluster.failed() => {
            state.unlist();
            cluster.keep_logs();
            Err(error)
        }
        () = signals.received() => {
            cluster.stop().await;
            state.remove();
            Ok(())
        }
    }
}

/// One supervisor for each name: the lock ends with the process, however that ends.
fn claim(name: &str) -> Result<File> {
    let file = layout::lock_file(&layout::state_lock(name)?)?;
    if file.try_lock().is_ok() {
        return Ok(file);
    }
    Err(Error::AlreadyUp(name.to_owned()))
}

/// Removes what a supervisor left that was killed or failed.
pub(super) fn tidy(name: &str) -> Result<()> {
    let _guard = claim(name)?;
    if let Some(left) = State::read(name)? {
        left.forget();
    }
    if rustix::process::geteuid().is_root() {
        crate::node::sweep();
    }
    // Not there, most of the time.
    let _ = fs::remove_dir_all(layout::state(name)?);
    Ok(())
}

/// Runs this program again, to supervise.
pub(super) fn launch(name: &str, node: bool, log: &Path) -> Result<Child> {
    if !IN_MAIN.load(Ordering::Relaxed) {
        return Err(Error::NoSupervisor);
    }
    if let Some(directory) = log.parent() {
        layout::create(directory)?;
    }
    let output = File::create(log).map_err(Error::io(format!("create {}", log.display())))?;
    let errors = output.try_clone().map_err(Error::io(format!("open {}", log.display())))?;
    let program = std::env::current_exe().map_err(Error::io("find this program"))?;
    let mut command = Command::new(program);
    if node {
        command.env(WITH_NODE, "1");
    }
    command
        .env(ASKED, name)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .spawn()
        .map_err(Error::io("start the supervisor"))
}

/// Passes on the steps in the log beyond the first `told`; returns how many there are.
pub(super) fn tell_steps(log: &Path, told: usize, progress: &dyn Progress) -> usize {
    let text = fs::read_to_string(log).unwrap_or_default();
    let steps: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(STEP)).collect();
    steps.iter().skip(told).for_each(|step| progress.step(step));
    steps.len()
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(Error::io("listen for signals"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => (),
            _ = self.terminate.recv() => (),
            _ = self.hangup.recv() => (),
        }
    }
}
