//! The operator as it ships: one file that needs no other. It runs in a root directory that has
//! nothing but what the kubelet gives every container: /etc/hosts and the service account.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use object::{Object as _, ObjectSymbol as _};
use rustix::process::geteuid;
use tokio::process::Command;

use super::lifecycle::settled;
use crate::environment::{Environment, OPERATOR, Operator, root};

/// Of the file. It goes to one node, but slowly if it is large.
const MAX_BYTES: usize = 30_000_000;
/// The API server, by the one name that its certificate always has. Some clusters give pods a
/// name in KUBERNETES_SERVICE_HOST.
const API_SERVER: &str = "kubernetes.default.svc";
const SERVICE_ACCOUNT: &str = "var/run/secrets/kubernetes.io/serviceaccount";

/// The directory of what `make static` makes.
async fn built() -> PathBuf {
    // <target>/<profile>/deps/integration-…
    let exe = std::env::current_exe().expect("a path");
    let target = exe.ancestors().nth(3).expect("a target directory");
    let mut make = Command::new("make");
    // What cargo says of this crate would have ring built anew.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            make.env_remove(name);
        }
    }
    let made = make
        .arg("static-obspipe-operator")
        .current_dir(root())
        .env("CARGO", env!("CARGO"))
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null())
        .status();
    assert!(made.await.expect("make runs").success(), "make static-obspipe-operator");
    target.join("static")
}

fn needs_nothing(directory: &Path) {
    let bytes = fs::read(directory.join("obspipe-operator")).expect("the file");
    assert!(bytes.len() < MAX_BYTES, "{} bytes", bytes.len());
    let file = object::File::parse(&bytes[..]).expect("ELF");
    assert!(file.section_by_name(".interp").is_none(), "it needs a loader");
    let needed = file.imports().expect("imports");
    assert!(needed.is_empty(), "{needed:?}");
    let bytes = fs::read(directory.join("obspipe-operator.symbols")).expect("the file");
    let file = object::File::parse(&bytes[..]).expect("ELF");
    let all: Vec<&str> = file.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    assert!(all.contains(&"main") && all.len() > 10_000, "{} symbols", all.len());
    // The C library's own table of sources for names comes along with its way to users' homes, so
    // these are the functions that a program itself would call.
    let asking = ["getaddrinfo", "getnameinfo", "gethostbyname", "gethostbyname_r"];
    let found: Vec<_> = all.iter().filter(|name| asking.contains(name)).collect();
    assert!(found.is_empty(), "names are asked of the C library: {found:?}");
}

/// The root directory, with the program, a service account and the API server's name; gives the
/// API server's port.
fn fill(env: &Environment, program: &Path, root: &Path) -> String {
    let access = env.operator_access();
    let text = |key: &str| access[key].as_str().unwrap_or_else(|| panic!("{access}")).to_owned();
    let server = text("server");
    let (address, port) = server.trim_start_matches("https://").rsplit_once(':').expect("a port");
    let account = root.join(SERVICE_ACCOUNT);
    for directory in [&account, &root.join("etc")] {
        fs::create_dir_all(directory).expect("writable");
    }
    fs::copy(text("authority"), account.join("ca.crt")).expect("an authority");
    fs::write(account.join("token"), text("token")).expect("writable");
    fs::write(account.join("namespace"), "obspipe-system").expect("writable");
    fs::write(root.join("etc/hosts"), format!("{address} {API_SERVER}\n")).expect("writable");
    fs::copy(program, root.join("obspipe-operator")).expect("writable");
    port.to_owned()
}

pub(crate) async fn reconciles_from_an_empty_root_by_name(env: Arc<Environment>) {
    let built = built().await;
    needs_nothing(&built);
    let directory = tempfile::tempdir().expect("a directory");
    let root = directory.path().join("root");
    let port = fill(&env, &built.join("obspipe-operator"), &root);
    let namespace = env.namespace("empty-root").await;
    // Who is not root becomes root of a namespace of users, where there may be one.
    let (program, first) = match geteuid().is_root() {
        true => ("chroot", &["--userspec=65532:65532"][..]),
        false => ("unshare", &["--map-root-user", "chroot"][..]),
    };
    let mut command = Command::new(program);
    command.args(first);
    command.arg(&root).arg("/obspipe-operator").args(OPERATOR);
    command.args(["--namespace", &namespace, "--leader-elect", "false"]);
    command.env_remove("KUBECONFIG").env_remove("HOME");
    command.env("KUBERNETES_SERVICE_HOST", API_SERVER).env("KUBERNETES_SERVICE_PORT", port);
    let operator = Operator::spawn(&env, command);
    settled(&env, &namespace).await;
    assert_eq!(operator.stop().await, Some(0), "it ends by SIGTERM");
}
