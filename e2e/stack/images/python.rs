//! The application's image: the machine's Python with its standard library, the packages of the
//! virtual environment, the shared libraries that any of these needs, and `e2e/app`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use obspipe_image::{Architecture, Format, Image, Layer};
use serde::Deserialize;
use tokio::process::Command;

use super::{failed, named};
use crate::error::{Error, Result};
use crate::kubectl::finish;

const NAME: &str = "shop:1";
/// Where Python is in the image.
const HOME: &str = "/python";
/// Parts of the standard library that no server needs.
const LEFT_OUT: [&str; 9] = [
    "__pycache__",
    "site-packages",
    "dist-packages",
    "test",
    "tests",
    "ensurepip",
    "idlelib",
    "tkinter",
    "turtledemo",
];
/// Asks a virtual environment's Python what it is made of.
const ASK: &str = "import json, sys, sysconfig; paths = sysconfig.get_paths(); print(json.dumps({\
    'executable': sys._base_executable, 'version': '%d.%d' % sys.version_info[:2], \
    'library': paths['stdlib'], 'packages': paths['purelib']}))";

/// What a Python is made of, on this machine.
#[derive(Debug, Deserialize)]
struct Python {
    executable: PathBuf,
    version: String,
    /// The standard library.
    library: PathBuf,
    /// `site-packages` of the virtual environment.
    packages: PathBuf,
}

/// The archive in `directory`, written if it is not there.
pub(super) async fn provide(interpreter: &Path, directory: &Path) -> Result<PathBuf> {
    let python = ask(interpreter).await?;
    let shared = shared_libraries(&python).await?;
    let image = describe(&python, &shared, &crate::root().join("e2e/app"));
    image.and_then(|image| image.provide(Format::Docker, directory)).map_err(failed(NAME))
}

async fn ask(interpreter: &Path) -> Result<Python> {
    let mut command = Command::new(interpreter);
    command.args(["-c", ASK]);
    let text = finish(command, &interpreter.display().to_string(), "").await?;
    serde_json::from_str(&text).map_err(Error::format("what Python says of itself"))
}

fn describe(
    python: &Python,
    shared: &BTreeMap<String, PathBuf>,
    app: &Path,
) -> obspipe_image::Result<Image> {
    let library = format!("{HOME}/lib/python{}", python.version);
    let mut layer = Layer::new();
    layer.file(&format!("{HOME}/bin/python3"), 0o755, resolved(&python.executable).as_path())?;
    layer.symlink("/usr/bin/python3", &format!("{HOME}/bin/python3"))?;
    layer.tree(&library, &python.library, wanted)?;
    layer.tree("/app/lib", &python.packages, |path| wanted(path) && !named_pip(path))?;
    for (path, file) in shared {
        layer.file(path, 0o755, file.as_path())?;
    }
    layer.directory("/tmp", 0o1777)?;
    let mut code = Layer::new();
    code.tree("/app", app, |path| path.extension().is_some_and(|it| it == "py"))?;
    let serve =
        ["/usr/bin/python3", "-m", "gunicorn", "--config", "/app/gunicorn.conf.py", "shop:app"];
    let mut image = Image::new(named(NAME)?, Architecture::here()?, &serve);
    image.working_directory = "/app".to_owned();
    image.environment = environment();
    image.ports.insert(8080);
    image.layers = vec![layer, code];
    Ok(image)
}

fn environment() -> BTreeMap<String, String> {
    let pairs = [
        ("PATH", "/usr/bin"),
        ("PYTHONHOME", HOME),
        ("PYTHONPATH", "/app/lib:/app"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("LD_LIBRARY_PATH", LIBRARIES),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// Where shared libraries are in the image.
const LIBRARIES: &str = "/usr/lib/shared";
/// What the C library loads by itself, so that ldd does not know: names of hosts (before 2.34) and
/// the end of threads.
const BESIDE_LIBC: [&str; 4] =
    ["libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2", "libgcc_s.so.1"];

fn wanted(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let name_text = name.to_string_lossy();
    !LEFT_OUT.iter().any(|left_out| name == *left_out)
        // The first is for building extensions; the second would bring a desktop's libraries.
        && !["config-", "_tkinter."].iter().any(|start| name_text.starts_with(start))
}

fn named_pip(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["pip", "setuptools"].iter().any(|tool| name.starts_with(tool))
}

/// What `ldd` finds for the interpreter and every extension module: by its path in the image,
/// the file of this machine. The loader is the one whose path programs name themselves.
async fn shared_libraries(python: &Python) -> Result<BTreeMap<String, PathBuf>> {
    let mut programs = vec![python.executable.clone()];
    for directory in [&python.library, &python.packages] {
        programs.extend(extensions(directory)?);
    }
    let mut command = Command::new("ldd");
    command.args(&programs);
    let text = finish(command, "ldd", "").await?;
    let mut needed = needed(&text, &python.packages);
    let libc = needed.get(&format!("{LIBRARIES}/libc.so.6")).cloned().unwrap_or_default();
    for name in BESIDE_LIBC {
        let path = libc.with_file_name(name);
        if path.is_file() {
            needed.insert(format!("{LIBRARIES}/{name}"), resolved(&path));
        }
    }
    Ok(needed)
}

fn needed(ldd: &str, packages: &Path) -> BTreeMap<String, PathBuf> {
    let mut needed = BTreeMap::new();
    for line in ldd.lines().filter(|line| line.starts_with(char::is_whitespace)) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let found = match words[..] {
            [name, "=>", path, ..] if path.starts_with('/') => {
                Some((format!("{LIBRARIES}/{name}"), path))
            }
            [path, _] if path.starts_with('/') => Some((path.to_owned(), path)),
            _ => None,
        };
        // A package's own libraries are found beside it.
        if let Some((inside, path)) =
            found.filter(|(_, path)| !Path::new(path).starts_with(packages))
        {
            needed.insert(inside, resolved(Path::new(path)));
        }
    }
    needed
}

fn extensions(directory: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let mut left = vec![directory.to_owned()];
    while let Some(directory) = left.pop() {
        let reading = || Error::io(format!("read {}", directory.display()));
        for entry in std::fs::read_dir(&directory).map_err(reading())? {
            let path = entry.map_err(reading())?.path();
            if path.is_dir() && wanted(&path) {
                left.push(path);
            } else if is_shared(&path) && wanted(&path) {
                found.insert(path);
            }
        }
    }
    Ok(found)
}

fn is_shared(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".so") || name.contains(".so.")
}

fn resolved(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_taken_from_where_they_are_and_the_loader_keeps_its_path() {
        let ldd = "\
/usr/bin/python3:
\tlinux-vdso.so.1 (0x00007ffe9b3f0000)
\tlibc.so.6 => /nowhere/libc.so.6 (0x00007f914ee91000)
\tlibown.so => /venv/lib/grpc/libown.so (0x00007f914ee91000)
\tlibgone.so => not found
\t/nowhere/ld-linux-x86-64.so.2 (0x00007f914f0a1000)
/venv/lib/a.so:
\tstatically linked
";
        let needed = needed(ldd, Path::new("/venv/lib"));
        let paths: Vec<&str> = needed.keys().map(String::as_str).collect();
        assert_eq!(paths, ["/nowhere/ld-linux-x86-64.so.2", "/usr/lib/shared/libc.so.6"]);
        assert_eq!(needed["/usr/lib/shared/libc.so.6"], Path::new("/nowhere/libc.so.6"));
    }
}
