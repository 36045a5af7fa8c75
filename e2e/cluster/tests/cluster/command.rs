//! The command `local-cluster`, run as a person or CI runs it.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::asking::{eventually, is_alive, kubectl, working_in};

/// A cluster's name of this test's own, taken down whatever happens.
struct Name(String);

impl Name {
    fn new(test: &str) -> Self {
        Self(format!("{test}-{}", std::process::id()))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local-cluster"));
        command.args(arguments).args(["--name", &self.0]).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What `status` says; None when it says no.
    fn status(&self) -> Option<Value> {
        let output = self.run(&["status", "--output", "json"]);
        let said: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(said["running"] == true, output.status.success());
        output.status.success().then_some(said)
    }
}

impl Drop for Name {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

fn run_directory(status: &Value) -> PathBuf {
    Path::new(status["kubeconfig"].as_str().unwrap()).parent().unwrap().to_owned()
}

fn pid_of(status: &Value) -> u32 {
    status["pid"].as_u64().unwrap().try_into().unwrap()
}

#[test]
fn a_detached_cluster_stays_until_it_is_taken_down() {
    let name = Name::new("detached");
    assert!(name.status().is_none());
    let up = name.run(&["up", "--detach"]);
    assert!(up.status.success(), "{up:?}");
    let status = name.status().unwrap();
    let directory = run_directory(&status);
    let mut asking = Command::new(status["kubectl"].as_str().unwrap());
    asking.env("KUBECONFIG", status["kubeconfig"].as_str().unwrap());
    assert_eq!(kubectl(&asking, &["get", "--raw", "/readyz"]).unwrap(), "ok");
    assert_eq!(working_in(&directory).len(), 4);

    // Up again is the same one.
    assert!(name.run(&["up", "--detach"]).status.success());
    assert_eq!(name.status().unwrap(), status);

    assert!(name.run(&["down"]).status.success());
    assert!(name.status().is_none());
    assert!(!is_alive(pid_of(&status)));
    assert_eq!(working_in(&directory), [0; 0]);
    assert!(!directory.exists());
    assert!(!directory.join("../../state").join(&name.0).exists());
}

/// Starts `up` in the foreground and waits until it is.
fn in_foreground(name: &Name, configure: impl FnOnce(&mut Command)) -> (Child, Value) {
    let mut command = name.command(&["up"]);
    configure(&mut command);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status = eventually("the cluster to be up", || name.status().ok_or("not up".to_owned()));
    (child, status)
}

#[test]
fn no_program_outlives_a_killed_owner() {
    let name = Name::new("killed");
    let (mut owner, status) = in_foreground(&name, |_| ());
    let directory = run_directory(&status);
    assert_eq!(working_in(&directory).len(), 4);
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("every program to end", || {
        let left = working_in(&directory);
        left.is_empty().then_some(()).ok_or(format!("{left:?}"))
    });
    // The number in the state may be somebody else's by now: that is not our cluster.
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let recorded = directory.join("../../state").join(&name.0).join("state.json");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&recorded).unwrap()).unwrap();
    state["pid"] = other.id().into();
    std::fs::write(&recorded, state.to_string()).unwrap();
    assert!(name.status().is_none());
    // What the owner could not remove itself, `down` does.
    assert!(directory.exists());
    assert!(name.run(&["down"]).status.success());
    assert!(!directory.exists());
    assert!(is_alive(other.id()));
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn programs_that_were_supplied_end_with_their_owner_too() {
    let name = Name::new("supplied");
    let assets = tempfile::tempdir().unwrap();
    let (mut owner, status) = in_foreground(&name, |command| {
        let built = tokio::runtime::Runtime::new().unwrap().block_on(built_programs());
        for program in ["etcd", "kube-apiserver"] {
            symlink(built.join(program), assets.path().join(program)).unwrap();
        }
        command.env("KUBEBUILDER_ASSETS", assets.path());
    });
    let directory = run_directory(&status);
    let supplied: Vec<u32> = working_in(&directory)
        .into_iter()
        .filter(|pid| {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.starts_with(assets.path().to_str().unwrap())
        })
        .collect();
    assert_eq!(supplied.len(), 2, "the two supplied programs are the ones that run");
    owner.kill().unwrap();
    owner.wait().unwrap();
    eventually("every program to end", || {
        let left = working_in(&directory);
        left.is_empty().then_some(()).ok_or(format!("{left:?}"))
    });
}

/// Where this crate's own programs are.
async fn built_programs() -> PathBuf {
    let cluster = local_cluster::LocalCluster::builder().controller_manager(false).scheduler(false);
    let cluster = cluster.start().await.unwrap();
    let kubectl = PathBuf::from(cluster.kubectl().get_program());
    cluster.stop().await;
    kubectl.parent().unwrap().to_owned()
}

#[test]
fn a_program_that_fails_is_named_with_the_end_of_its_log() {
    let name = Name::new("failing");
    let assets = tempfile::tempdir().unwrap();
    let etcd = assets.path().join("etcd");
    std::fs::write(&etcd, "#!/bin/sh\necho no room for data\nexit 3\n").unwrap();
    std::fs::set_permissions(&etcd, std::fs::Permissions::from_mode(0o755)).unwrap();
    for arguments in [&["up"][..], &["up", "--detach"]] {
        let output =
            name.command(arguments).env("KUBEBUILDER_ASSETS", assets.path()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(
            said.contains("etcd ended with code 3") && said.contains("no room for data"),
            "{said}"
        );
        assert!(said.contains("etcd.log"), "{said}");
    }
}

#[test]
fn without_go_the_error_says_how_to_get_it() {
    let name = Name::new("no-go");
    let empty = tempfile::tempdir().unwrap();
    let output = name
        .command(&["up"])
        .env("PATH", empty.path())
        .env("CARGO_TARGET_DIR", empty.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("go is not on PATH") && said.contains("https://go.dev/dl"), "{said}");
    assert!(!output.status.success());
}

#[test]
fn a_name_cannot_lead_elsewhere() {
    let output = Name("../x".to_owned()).run(&["status"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("cannot be a cluster's name"), "{said}");
}
