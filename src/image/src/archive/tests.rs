use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::{Architecture, Name};

fn image() -> Image {
    let name: Name = "obspipe/thing:1.2.3".parse().unwrap();
    let mut program = Layer::new();
    program.file("/thing", 0o755, "program").unwrap();
    let mut data = Layer::new();
    data.directory("/data", 0o700).unwrap();
    Image {
        command: vec!["--help".to_owned()],
        environment: [("B", "2"), ("A", "1")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        ports: [8080, 443].into(),
        labels: BTreeMap::from([("title".to_owned(), "Thing".to_owned())]),
        working_directory: "/data".to_owned(),
        created: 1_700_000_000,
        layers: vec![program, data],
        ..Image::new(name, Architecture::Amd64, &["/thing", "run"])
    }
}

/// The files of an archive, and what writing it said.
fn written(image: &Image, format: Format) -> (BTreeMap<String, Vec<u8>>, Written, Vec<u8>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new/image.tar");
    let said = image.write(format, &path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let left: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "temporary files are gone: {left:?}");
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        assert!(files.insert(name, content).is_none());
    }
    (files, said, bytes)
}

fn json_of(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Value {
    serde_json::from_slice(&files[path]).unwrap()
}

/// The path of a blob by its digest, whose bytes must have that digest.
fn path_of(files: &BTreeMap<String, Vec<u8>>, digest: &Value) -> String {
    let hex = digest.as_str().unwrap().strip_prefix("sha256:").unwrap();
    let path = format!("blobs/sha256/{hex}");
    assert_eq!(Digest::of(&files[&path]).hex(), hex);
    path
}

#[test]
fn a_docker_archive_leads_from_the_name_to_every_layer() {
    let (files, said, bytes) = written(&image(), Format::Docker);
    assert_eq!(said.size, bytes.len() as u64);
    let saved = json_of(&files, "manifest.json");
    assert_eq!(saved[0]["RepoTags"], json!(["obspipe/thing:1.2.3"]));
    let configuration = saved[0]["Config"].as_str().unwrap();
    assert_eq!(configuration, path_of(&files, &json!(said.id.to_string())));
    let configuration = json_of(&files, configuration);
    let layers = configuration["rootfs"]["diff_ids"].as_array().unwrap();
    let layers: Vec<String> = layers.iter().map(|digest| path_of(&files, digest)).collect();
    assert_eq!(json!(layers), saved[0]["Layers"]);
    assert_eq!(files.len(), 4);
    let first = |path: &String| {
        let mut layer = tar::Archive::new(&files[path][..]);
        let entry = layer.entries().unwrap().next().unwrap().unwrap();
        entry.path().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!([first(&layers[0]), first(&layers[1])], ["thing", "data/"]);
}

#[test]
fn the_configuration_says_all_that_was_given() {
    let (files, said, _) = written(&image(), Format::Docker);
    let mut configuration = json_of(&files, &path_of(&files, &json!(said.id.to_string())));
    configuration["rootfs"]["diff_ids"] = json!([]);
    let history = json!({"created": "2023-11-14T22:13:20Z", "created_by": "obspipe-image"});
    assert_eq!(
        configuration,
        json!({
            "architecture": "amd64",
            "os": "linux",
            "created": "2023-11-14T22:13:20Z",
            "config": {
                "Cmd": ["--help"],
                "Entrypoint": ["/thing", "run"],
                "Env": ["A=1", "B=2"],
                "ExposedPorts": {"443/tcp": {}, "8080/tcp": {}},
                "Labels": {"title": "Thing"},
                "User": "65532:65532",
                "WorkingDir": "/data",
            },
            "history": [history, history],
            "rootfs": {"type": "layers", "diff_ids": []},
        })
    );
}

#[test]
fn what_is_not_given_is_not_said() {
    let bare = Image::new("a:1".parse().unwrap(), Architecture::Arm64, &["/a"]);
    let (files, said, _) = written(&bare, Format::Docker);
    let configuration = json_of(&files, &path_of(&files, &json!(said.id.to_string())));
    assert_eq!(
        configuration,
        json!({
            "architecture": "arm64",
            "os": "linux",
            "created": "1970-01-01T00:00:00Z",
            "config": {"Entrypoint": ["/a"], "User": "65532:65532"},
            "history": [],
            "rootfs": {"type": "layers", "diff_ids": []},
        })
    );
}

#[test]
fn an_oci_layout_leads_from_its_index_to_every_layer() {
    let (files, said, _) = written(&image(), Format::Oci);
    assert_eq!(json_of(&files, "oci-layout"), json!({"imageLayoutVersion": "1.0.0"}));
    let index = json_of(&files, "index.json");
    let found = &index["manifests"][0];
    assert_eq!(found["annotations"], json!({"org.opencontainers.image.ref.name": "1.2.3"}));
    assert_eq!(found["platform"], json!({"architecture": "amd64", "os": "linux"}));
    let manifest = path_of(&files, &found["digest"]);
    assert_eq!(found["size"], json!(files[&manifest].len()));
    let manifest = json_of(&files, &manifest);
    assert_eq!(manifest["config"]["digest"], json!(said.id.to_string()));
    let configuration = json_of(&files, &path_of(&files, &manifest["config"]["digest"]));
    let layers = manifest["layers"].as_array().unwrap();
    for (layer, diff_id) in
        layers.iter().zip(configuration["rootfs"]["diff_ids"].as_array().unwrap())
    {
        assert_eq!(layer["digest"], *diff_id);
        assert_eq!(layer["mediaType"], json!("application/vnd.oci.image.layer.v1.tar"));
        assert_eq!(layer["size"], json!(files[&path_of(&files, diff_id)].len()));
    }
    assert_eq!((layers.len(), files.len()), (2, 6));
}

#[test]
fn the_same_image_is_the_same_bytes() {
    for format in [Format::Docker, Format::Oci] {
        assert_eq!(written(&image(), format).2, written(&image(), format).2);
    }
    let mut later = image();
    later.created += 1;
    assert_ne!(written(&image(), Format::Docker).1.id, written(&later, Format::Docker).1.id);
}

#[test]
fn a_layer_twice_is_there_once() {
    let mut twice = image();
    twice.layers[1] = twice.layers[0].clone();
    let (files, said, _) = written(&twice, Format::Docker);
    let configuration = json_of(&files, &path_of(&files, &json!(said.id.to_string())));
    let layers = configuration["rootfs"]["diff_ids"].as_array().unwrap();
    assert_eq!((layers.len(), &layers[0]), (2, &layers[1]));
    assert_eq!(files.len(), 3);
}

#[test]
fn an_image_that_cannot_be_written_leaves_what_was_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    fs::write(&path, "before").unwrap();
    let mut broken = image();
    broken.layers[0].file("/more", 0o644, Path::new("/not/there")).unwrap();
    broken.write(Format::Docker, &path).unwrap_err();
    assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}
