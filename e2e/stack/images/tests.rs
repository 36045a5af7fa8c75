//! The application's image, unpacked into a root of its own, as a pod would run it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;
use serde_json::Value;

use super::python;

/// Unpacks an archive's layers over one another, and gives its configuration.
fn unpack(archive: &Path, root: &Path) -> Value {
    let mut blobs = BTreeMap::new();
    for entry in tar::Archive::new(File::open(archive).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        blobs.insert(entry.path().unwrap().to_str().unwrap().to_owned(), bytes);
    }
    let saved: Value = serde_json::from_slice(&blobs["manifest.json"]).unwrap();
    for layer in saved[0]["Layers"].as_array().unwrap() {
        let mut layer = tar::Archive::new(&blobs[layer.as_str().unwrap()][..]);
        layer.set_preserve_permissions(true);
        layer.set_preserve_mtime(true);
        layer.unpack(root).unwrap();
    }
    serde_json::from_slice(&blobs[saved[0]["Config"].as_str().unwrap()]).unwrap()
}

/// A program of this machine: the image's PATH does not lead to it.
fn found(program: &str) -> PathBuf {
    let paths = std::env::var_os("PATH").unwrap();
    let mut all = std::env::split_paths(&paths).map(|path| path.join(program));
    all.find(|path| path.is_file()).unwrap_or_else(|| panic!("{program} is missing"))
}

/// A command of the image in its root, as its user and with its environment and nothing else.
fn run(root: &Path, configuration: &Value, arguments: &[&str]) -> Result<String, String> {
    let configuration = &configuration["config"];
    // Who is not root becomes root of a namespace of users, where there may be one.
    let user = format!("--userspec={}", configuration["User"].as_str().unwrap());
    let mut command;
    if geteuid().is_root() {
        command = Command::new(found("chroot"));
        command.arg(user);
    } else {
        command = Command::new(found("unshare"));
        command.arg("--map-root-user").arg(found("chroot"));
    }
    command.arg(root).args(arguments).env_clear();
    for variable in configuration["Env"].as_array().unwrap() {
        let (name, value) = variable.as_str().unwrap().split_once('=').unwrap();
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if output.status.success() { Ok(text) } else { Err(text) }
}

#[tokio::test]
async fn the_application_loads_from_its_image_alone() {
    let interpreter = local_cluster::python_shop(&local_cluster::Silent).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let archive = python::provide(&interpreter, directory.path()).await.unwrap();
    let root = directory.path().join("root");
    fs::create_dir(&root).unwrap();
    let configuration = unpack(&archive, &root);
    // Every container has it; here it is a file, because making a device takes more rights.
    fs::create_dir(root.join("dev")).unwrap();
    fs::write(root.join("dev/urandom"), [7; 4096]).unwrap();
    let ask = "import ssl, sys, ctypes, sqlite3, zlib, grpc._cython.cygrpc as c; \
               print(sys.prefix, c.__file__, ssl.OPENSSL_VERSION)";
    let said = run(&root, &configuration, &["/usr/bin/python3", "-c", ask]).unwrap();
    assert!(said.starts_with("/python /app/lib/grpc/"), "{said}");
    let mut serve: Vec<&str> = Vec::new();
    for part in configuration["config"]["Entrypoint"].as_array().unwrap() {
        serve.push(part.as_str().unwrap());
    }
    serve.push("--check-config");
    run(&root, &configuration, &serve).unwrap();
}
