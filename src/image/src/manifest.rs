//! The JSON of an image, with exactly the fields that are used. Sources: the OCI image
//! specification 1.0 (configuration, manifest, index, layout) and Docker's `save` format
//! (manifest.json). Fields are written in the order they stand in here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::image::Image;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// Some bytes of the image: what they are is said where they are named.
#[derive(Debug, Clone)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
}

impl Blob {
    /// Where every archive has it.
    pub(crate) fn path(&self) -> String {
        format!("blobs/sha256/{}", self.digest.hex())
    }
}

#[derive(Serialize)]
struct Configuration<'a> {
    architecture: &'a str,
    config: Execution<'a>,
    created: &'a str,
    history: Vec<History<'a>>,
    os: &'a str,
    rootfs: RootFs<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Execution<'a> {
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    cmd: &'a [String],
    entrypoint: &'a [String],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    env: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    exposed_ports: BTreeMap<String, Nothing>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    user: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    working_dir: &'a str,
}

/// `{}`
#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct History<'a> {
    created: &'a str,
    created_by: &'a str,
}

#[derive(Serialize)]
struct RootFs<'a> {
    diff_ids: Vec<&'a Digest>,
    r#type: &'a str,
}

/// The image's configuration. Layers are not compressed, so a layer's digest is its `diff_id`.
pub(crate) fn configuration(image: &Image, layers: &[Blob]) -> Result<Vec<u8>> {
    let created = Timestamp::from_second(image.created);
    let created = created.map_err(|_| Error::Date(image.created))?.to_string();
    let environment = image.environment.iter().map(|(name, value)| format!("{name}={value}"));
    Ok(serde_json::to_vec(&Configuration {
        architecture: image.architecture.as_str(),
        config: Execution {
            cmd: &image.command,
            entrypoint: &image.entrypoint,
            env: environment.collect(),
            exposed_ports: image
                .ports
                .iter()
                .map(|port| (format!("{port}/tcp"), Nothing {}))
                .collect(),
            labels: &image.labels,
            user: image.user.to_string(),
            working_dir: &image.working_directory,
        },
        created: &created,
        history: layers
            .iter()
            .map(|_| History { created: &created, created_by: "obspipe-image" })
            .collect(),
        os: "linux",
        rootfs: RootFs {
            diff_ids: layers.iter().map(|layer| &layer.digest).collect(),
            r#type: "layers",
        },
    })?)
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: [String; 1],
    layers: Vec<String>,
}

/// Docker's manifest.json.
pub(crate) fn saved(image: &Image, configuration: &Blob, layers: &[Blob]) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&[Saved {
        config: configuration.path(),
        repo_tags: [image.name.to_string()],
        layers: layers.iter().map(Blob::path).collect(),
    }])?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: &'a str,
    digest: &'a Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<Platform<'a>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'a str, &'a str>,
}

impl<'a> Descriptor<'a> {
    fn new(media_type: &'a str, blob: &'a Blob) -> Self {
        let Blob { digest, size } = blob;
        Self { media_type, digest, size: *size, platform: None, annotations: BTreeMap::new() }
    }
}

#[derive(Serialize)]
struct Platform<'a> {
    architecture: &'a str,
    os: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u32,
    media_type: &'a str,
    config: Descriptor<'a>,
    layers: Vec<Descriptor<'a>>,
}

/// An OCI manifest.
pub(crate) fn manifest(configuration: &Blob, layers: &[Blob]) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&Manifest {
        schema_version: 2,
        media_type: MANIFEST,
        config: Descriptor::new(CONFIG, configuration),
        layers: layers.iter().map(|layer| Descriptor::new(LAYER, layer)).collect(),
    })?)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u32,
    media_type: &'a str,
    manifests: [Descriptor<'a>; 1],
}

/// The index of an OCI layout: one image, found by its tag.
pub(crate) fn index(image: &Image, manifest: &Blob) -> Result<Vec<u8>> {
    let platform = Platform { architecture: image.architecture.as_str(), os: "linux" };
    let tag = ("org.opencontainers.image.ref.name", image.name.tag());
    let found = Descriptor {
        platform: Some(platform),
        annotations: BTreeMap::from([tag]),
        ..Descriptor::new(MANIFEST, manifest)
    };
    let index = Index { schema_version: 2, media_type: INDEX, manifests: [found] };
    Ok(serde_json::to_vec(&index)?)
}

/// The file that says that a directory is an OCI layout.
pub(crate) const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
