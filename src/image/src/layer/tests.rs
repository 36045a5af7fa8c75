use std::os::unix::fs::symlink;

use tar::Archive;

use super::*;

/// What of an entry an engine sees: kind, mode, user, group, time, link target, bytes.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    path: String,
    kind: EntryType,
    mode: u32,
    owner: (u64, u64),
    time: u64,
    target: Option<String>,
    bytes: String,
}

fn written(layer: &Layer) -> Vec<u8> {
    let mut bytes = Vec::new();
    layer.write(&mut bytes).unwrap();
    bytes
}

fn read(tar: &[u8]) -> Vec<Seen> {
    let mut archive = Archive::new(tar);
    let seen = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = String::new();
        entry.read_to_string(&mut bytes).unwrap();
        let header = entry.header();
        Seen {
            kind: header.entry_type(),
            mode: header.mode().unwrap(),
            owner: (header.uid().unwrap(), header.gid().unwrap()),
            time: header.mtime().unwrap(),
            path: entry.path().unwrap().to_str().unwrap().to_owned(),
            target: entry.link_name().unwrap().map(|it| it.to_str().unwrap().to_owned()),
            bytes,
        }
    });
    seen.collect()
}

fn paths(layer: &Layer) -> Vec<String> {
    read(&written(layer)).into_iter().map(|seen| seen.path).collect()
}

#[test]
fn entries_keep_what_they_are_given_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let host = directory.path().join("program");
    fs::write(&host, "from the host").unwrap();
    let mut layer = Layer::new().owned_by(7, 8);
    layer.file("/etc/passwd", 0o640, "nobody").unwrap();
    layer.file("/bin/program", 0o755, host.as_path()).unwrap();
    layer.symlink("/bin/again", "../bin/program").unwrap();
    layer.directory("/data", 0o1777).unwrap();
    let entry = |path: &str, kind, mode, target: Option<&str>, bytes: &str| Seen {
        path: path.to_owned(),
        kind,
        mode,
        owner: (7, 8),
        time: 0,
        target: target.map(str::to_owned),
        bytes: bytes.to_owned(),
    };
    assert_eq!(
        read(&written(&layer)),
        [
            entry("bin/", EntryType::Directory, 0o755, None, ""),
            entry("bin/again", EntryType::Symlink, 0o777, Some("../bin/program"), ""),
            entry("bin/program", EntryType::Regular, 0o755, None, "from the host"),
            entry("data/", EntryType::Directory, 0o1777, None, ""),
            entry("etc/", EntryType::Directory, 0o755, None, ""),
            entry("etc/passwd", EntryType::Regular, 0o640, None, "nobody"),
        ]
    );
}

#[test]
fn the_order_of_adding_the_hosts_times_and_its_umask_do_not_matter() {
    let write = |names: [&str; 3], mode: u32, program: u32, seconds: u64| {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("tree");
        fs::create_dir_all(root.join("sub")).unwrap();
        for name in names {
            let file = File::create(root.join(name)).unwrap();
            (&file).write_all(name.as_bytes()).unwrap();
            let bits = if name == "run" { program } else { mode };
            file.set_permissions(fs::Permissions::from_mode(bits)).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            file.set_modified(time).unwrap();
        }
        let mut layer = Layer::new();
        layer.tree("/opt/tree", &root, |_| true).unwrap();
        written(&layer)
    };
    let first = write(["a", "run", "sub/c"], 0o644, 0o755, 1_000);
    assert_eq!(first, write(["sub/c", "run", "a"], 0o600, 0o700, 2_000_000));
    let modes = read(&first).into_iter().map(|seen| (seen.path, seen.mode));
    assert_eq!(
        modes.collect::<Vec<_>>(),
        [
            ("opt/", 0o755),
            ("opt/tree/", 0o755),
            ("opt/tree/a", 0o644),
            ("opt/tree/run", 0o755),
            ("opt/tree/sub/", 0o755),
            ("opt/tree/sub/c", 0o644),
        ]
        .map(|(path, mode)| (path.to_owned(), mode))
    );
}

#[test]
fn a_tree_keeps_links_leaves_out_what_is_not_kept_and_refuses_sockets() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("cache/deep")).unwrap();
    fs::write(root.join("file"), "x").unwrap();
    symlink("file", root.join("link")).unwrap();
    symlink("/nowhere/at/all", root.join("dangling")).unwrap();
    let mut layer = Layer::new();
    layer.tree("/t", root, |path| !path.ends_with("cache")).unwrap();
    let seen = read(&written(&layer));
    let links = seen.iter().filter_map(|it| Some((it.path.as_str(), it.target.as_deref()?)));
    assert_eq!(links.collect::<Vec<_>>(), [("t/dangling", "/nowhere/at/all"), ("t/link", "file")]);
    assert_eq!(paths(&layer), ["t/", "t/dangling", "t/file", "t/link"]);
    let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
    let refused = Layer::new().tree("/t", root, |_| true);
    assert!(matches!(refused, Err(Error::Unsupported(path)) if path.ends_with("socket")));
}

#[test]
fn a_path_longer_than_a_headers_field_is_kept() {
    let long = format!("/{}/{}", "d".repeat(120), "f".repeat(200));
    let target = format!("/{}", "t".repeat(180));
    let mut layer = Layer::new();
    layer.file(&long, 0o644, "here").unwrap();
    layer.symlink("/link", &target).unwrap();
    let seen = read(&written(&layer));
    assert_eq!((seen[1].path.as_str(), seen[1].bytes.as_str()), (&long[1..], "here"));
    assert_eq!(seen[2].target.as_deref(), Some(target.as_str()));
    assert_eq!(written(&layer), written(&layer.clone()));
}

#[test]
fn paths_that_are_relative_leave_the_root_or_have_two_spellings_are_refused() {
    for path in
        ["etc/passwd", "/", "", "/../etc", "/a/../../b", "/a/./b", "/a//b", "/a/", "/..", "/a\0b"]
    {
        let refused = Layer::new().file(path, 0o644, "");
        assert!(matches!(refused, Err(Error::Path { .. })), "{path:?}: {refused:?}");
    }
    let mut layer = Layer::new();
    layer.file("/..a/b..", 0o644, "").unwrap();
}

#[test]
fn a_path_twice_is_refused() {
    let mut layer = Layer::new();
    layer.file("/a", 0o644, "").unwrap();
    for again in [layer.clone().symlink("/a", "b"), layer.directory("/a", 0o755)] {
        assert!(matches!(again, Err(Error::Duplicate(path)) if path == "/a"));
    }
}

#[test]
fn nothing_lies_below_a_file_or_a_link() {
    let mut link = Layer::new();
    link.symlink("/etc", "/").unwrap();
    link.file("/etc/deep/passwd", 0o644, "").unwrap();
    let refused = link.write(Vec::new()).unwrap_err();
    assert_eq!(refused.to_string(), "`/etc/deep/passwd` lies below `/etc`, which is no directory");
}

#[test]
fn a_host_file_that_is_not_there_is_named() {
    let mut layer = Layer::new();
    layer.file("/a", 0o644, Path::new("/not/there")).unwrap();
    let refused = layer.write(Vec::new()).unwrap_err();
    assert_eq!(refused.to_string(), "cannot read /not/there");
}

#[test]
fn a_host_file_that_is_cut_meanwhile_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    fs::write(&path, "four").unwrap();
    let read = |left| {
        let mut bytes = String::new();
        let mut file = Exactly { file: File::open(&path).unwrap().take(left), left };
        file.read_to_string(&mut bytes).map(|_| bytes).map_err(|error| error.kind())
    };
    assert_eq!(read(4).unwrap(), "four");
    assert_eq!(read(2).unwrap(), "fo");
    assert_eq!(read(5).unwrap_err(), std::io::ErrorKind::UnexpectedEof);
}
