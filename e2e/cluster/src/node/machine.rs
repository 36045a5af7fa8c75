//! What a node needs of the machine: rights, the kernel's namespaces, and programs, which are
//! Debian's packages where they are not there. Says what it changes before it does.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::build::tools::on_path;
use crate::error::{Error, Result};
use crate::layout;
use crate::progress::Progress;

/// What is called, and the package that has it. CNI's plugins are looked for by the first of them.
const PROGRAMS: [(&str, &str); 7] = [
    ("containerd", "containerd"),
    ("ctr", "containerd"),
    ("runc", "runc"),
    ("iptables", "iptables"),
    ("ip", "iproute2"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
];
const PLUGINS: &str = "containernetworking-plugins";
/// Where distributions put CNI's plugins: Debian, Fedora, the project itself.
const PLUGIN_DIRECTORIES: [&str; 3] = ["/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin"];
/// Where root's programs are, though a user's PATH may lack it.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/sbin"];
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Why no node can run here. Changes nothing.
///
/// # Errors
/// [`Error::NodeImpossible`], with what to do about it.
pub fn node_possible() -> Result<()> {
    let no = |why: &str| Err(Error::NodeImpossible(why.to_owned()));
    if !cfg!(target_os = "linux") {
        return no("it needs Linux");
    }
    if !rustix::process::geteuid().is_root() {
        return no("it needs root, for namespaces and control groups; run it with sudo");
    }
    if !Path::new("/sys/fs/cgroup").join("memory").exists()
        && !Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
    {
        return no("there are no control groups at /sys/fs/cgroup; mount them");
    }
    let missing = missing();
    if !missing.is_empty() && on_path("apt-get").is_none() {
        return no(&format!(
            "these packages are missing, and there is no apt-get to install \
                            them; install them: {}",
            missing.join(" ")
        ));
    }
    let mut trial = std::process::Command::new("unshare");
    trial.args(["--net", "--mount", "--pid", "--fork", "true"]);
    match trial.stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => {
            no("this root may not make namespaces (a container?); run it on the machine itself")
        }
        Err(_) => no("the program unshare is missing; install util-linux"),
    }
}

/// A program that [`install`] has seen to.
pub(super) fn find(name: &'static str) -> Result<PathBuf> {
    let system = || SYSTEM.iter().map(|it| Path::new(it).join(name)).find(|it| it.is_file());
    on_path(name).or_else(system).ok_or_else(|| Error::MissingProgram {
        program: name,
        purpose: "run a node".to_owned(),
        remedy: "Install containerd, containernetworking-plugins, iptables and iproute2",
    })
}

/// CNI's plugins.
pub(super) fn plugins() -> Option<&'static Path> {
    PLUGIN_DIRECTORIES.into_iter().map(Path::new).find(|it| it.join("ptp").is_file())
}

/// Packages whose programs are not there, each once.
fn missing() -> Vec<&'static str> {
    let absent = PROGRAMS.iter().filter(|(program, _)| find(program).is_err());
    let mut packages: Vec<&str> = absent.map(|(_, package)| *package).collect();
    if plugins().is_none() {
        packages.push(PLUGINS);
    }
    packages.dedup();
    packages
}

/// Installs what is missing. Nothing is removed for it and nothing started by it.
pub(super) async fn install(progress: &dyn Progress) -> Result<()> {
    if missing().is_empty() {
        return Ok(());
    }
    // One at a time: apt-get does not wait for another.
    let lock = layout::lock_file(&layout::root().join("locks").join("apt"))?;
    let lock = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await;
    let _lock = lock.map_err(std::io::Error::other).and_then(|lock| lock);
    let packages = missing();
    if packages.is_empty() {
        return Ok(());
    }
    progress.step(&format!("installing Debian's packages {}", packages.join(", ")));
    let log = layout::root().join("logs").join("apt.log");
    layout::create(&layout::root().join("logs"))?;
    apt(&["update"], &log).await?;
    let _policy = NoServices::declare()?;
    let mut arguments = vec!["install", "--yes", "--no-remove", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments, &log).await
}

async fn apt(arguments: &[&str], log: &Path) -> Result<()> {
    let output = File::create(log).map_err(Error::io(format!("create {}", log.display())))?;
    let errors = output.try_clone().map_err(Error::io(format!("open {}", log.display())))?;
    let status = Command::new("apt-get")
        .args(["-o", "DPkg::Lock::Timeout=120"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors)
        .status()
        .await
        .map_err(Error::io("run apt-get"))?;
    if status.success() {
        return Ok(());
    }
    Err(Error::build(format!("apt-get {}", arguments.join(" ")), log))
}

/// While it lives, packages start no services (invoke-rc.d asks this program, and 101 is no).
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn declare() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { ours: false });
        }
        let failed = || Error::io(format!("write {POLICY}"));
        fs::write(POLICY, "#!/bin/sh\nexit 101\n").map_err(failed())?;
        fs::set_permissions(POLICY, fs::Permissions::from_mode(0o755)).map_err(failed())?;
        Ok(Self { ours: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}
