//! One running program, of the control plane or another's: started with a lifeline to us, watched,
//! killed. Knows processes and logs, not Kubernetes.
//!
//! The lifeline is a pipe on the program's standard input whose other end only we hold:
//! however we die, the kernel closes it and the program ends. (PR_SET_PDEATHSIG follows
//! the thread that started the child, and a runtime's threads come and go.)

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::build::kubernetes::Program;
use crate::error::{Error, Result};

/// For programs that do not watch their standard input: `cat` does, and ends them.
/// The program's own standard input is empty; its exit status is passed on.
const WATCH_FOR_IT: &str = "exec 3<&0\n\
    \"$@\" </dev/null 3<&- & program=$!\n\
    { cat <&3 >/dev/null; kill -9 \"$program\"; } &\n\
    trap 'kill \"$program\"' TERM\n\
    wait \"$program\"; code=$?\n\
    while kill -0 \"$program\" 2>/dev/null; do wait \"$program\"; code=$?; done\n\
    exit $code";

/// A started program. It ends with this value, and with this process.
#[derive(Debug)]
pub struct Component {
    name: &'static str,
    /// Its standard input is the lifeline: dropping the child ends the program.
    child: Child,
    log: PathBuf,
}

impl Component {
    /// Starts `program` in `directory`, with everything it prints in `<directory>/<name>.log`.
    pub(crate) fn start(
        name: &'static str,
        program: &Program,
        flags: &[String],
        directory: &Path,
    ) -> Result<Self> {
        let log = directory.join(format!("{name}.log"));
        let output = File::create(&log).map_err(Error::io(format!("create {}", log.display())))?;
        let errors = output.try_clone().map_err(Error::io(format!("open {}", log.display())))?;
        let child = command(name, program)
            .args(flags)
            .current_dir(directory)
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            // Of its own, so that Ctrl-C reaches us alone, and one kill reaches the watcher above too.
            .process_group(0)
            .spawn()
            .map_err(Error::io(format!("start {}", program.path.display())))?;
        Ok(Self { name, child, log })
    }

    /// The same for a program that is none of the control plane's.
    ///
    /// # Errors
    /// The log cannot be created, or the program not be started.
    pub fn launch(
        name: &'static str,
        program: &Path,
        arguments: &[String],
        directory: &Path,
    ) -> Result<Self> {
        let program = Program { path: program.to_owned(), watches_stdin: false };
        Self::start(name, &program, arguments, directory)
    }

    /// Everything it prints.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The program's process id: where a shell watches over it, that of its first child.
    #[must_use]
    pub fn program_pid(&self) -> u32 {
        let shell = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let first = children.ok().and_then(|pids| pids.split_whitespace().next()?.parse().ok());
        first.unwrap_or(shell)
    }

    /// Asks it to end.
    ///
    /// # Errors
    /// The signal could not be sent.
    pub fn signal_terminate(&self) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let failed = |source| Error::Io { action: format!("end {}", self.name), source };
        let pid = pid.ok_or_else(|| failed(std::io::ErrorKind::InvalidInput.into()))?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)
            .map_err(|errno| failed(errno.into()))
    }

    /// How it ended; None while it runs.
    ///
    /// # Errors
    /// It could not be watched.
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        let watched = self.child.try_wait();
        watched.map_err(|source| Error::Io { action: format!("watch {}", self.name), source })
    }

    /// Whether it still runs; none of them ends by itself.
    ///
    /// # Errors
    /// It has ended: with the end of its log.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait() {
            Ok(None) => Ok(()),
            Ok(Some(status)) => Err(self.failed(describe(status))),
            Err(source) => Err(Error::Io { action: format!("watch {}", self.name), source }),
        }
    }

    /// The error of this component, with the end of its log.
    #[must_use]
    pub fn failed(&self, problem: String) -> Error {
        Error::component(self.name, problem, &self.log)
    }

    /// Ends it at once. Its data is thrown away next, so there is nothing to flush.
    pub(crate) fn kill(&mut self) {
        // After try_wait has seen the end, the number may be another process's.
        if let (Ok(None), Some(group)) = (self.child.try_wait(), pid_of(&self.child)) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.kill();
    }
}

fn command(name: &str, program: &Program) -> Command {
    if program.watches_stdin {
        let mut command = Command::new(&program.path);
        command.env("LOCAL_CLUSTER_LIFELINE", "stdin");
        return command;
    }
    let mut command = Command::new("sh");
    command.args(["-c", WATCH_FOR_IT, name]).arg(&program.path);
    command
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended".to_owned(),
    }
}
