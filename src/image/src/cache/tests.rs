use std::fs::File;
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::Architecture;

fn image(host: &Path) -> Image {
    let mut image = Image::new("a/b:1".parse().unwrap(), Architecture::Amd64, &["/x"]);
    let mut layer = Layer::new();
    layer.file("/x", 0o755, host).unwrap();
    layer.file("/y", 0o644, "text").unwrap();
    layer.symlink("/z", "y").unwrap();
    image.layers.push(layer);
    image
}

#[test]
fn an_image_is_written_once() {
    let directory = tempfile::tempdir().unwrap();
    let host = directory.path().join("x");
    fs::write(&host, "1").unwrap();
    let cache = directory.path().join("cache");
    let path = image(&host).provide(Format::Docker, &cache).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("a-b-1-") && name.ends_with(".tar"), "{name}");
    fs::write(&path, "kept").unwrap();
    assert_eq!(image(&host).provide(Format::Docker, &cache).unwrap(), path);
    assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
}

#[test]
fn whatever_changes_the_image_changes_the_key() {
    let directory = tempfile::tempdir().unwrap();
    let host = directory.path().join("x");
    let touch = |text: &str, seconds| {
        fs::write(&host, text).unwrap();
        let file = File::options().write(true).open(&host).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
    };
    touch("1", 1);
    let mut seen =
        vec![image(&host).key(Format::Docker).unwrap(), image(&host).key(Format::Oci).unwrap()];
    assert_eq!(image(&host).key(Format::Docker).unwrap(), seen[0], "the same image");
    let mut key = |change: &dyn Fn(&mut Image)| {
        let mut changed = image(&host);
        change(&mut changed);
        seen.push(changed.key(Format::Docker).unwrap());
    };
    key(&|image| image.name = "a/b:2".parse().unwrap());
    key(&|image| image.user.user = 1);
    key(&|image| image.layers.push(Layer::new()));
    key(&|image| image.layers[0] = image.layers[0].clone().owned_by(1, 2));
    key(&|image| image.layers[0].symlink("/w", "y").unwrap());
    key(&|image| image.layers[0].symlink("/w", "z").unwrap());
    key(&|image| image.layers[0].directory("/w", 0o755).unwrap());
    key(&|image| image.layers[0].file("/w", 0o755, "1").unwrap());
    key(&|image| image.layers[0].file("/w", 0o755, "2").unwrap());
    key(&|image| image.layers[0].file("/w", 0o644, "2").unwrap());
    for (text, seconds) in [("1", 2), ("12", 1)] {
        touch(text, seconds);
        seen.push(image(&host).key(Format::Docker).unwrap());
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all);
}
