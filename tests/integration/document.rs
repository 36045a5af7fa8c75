//! The reference document's own manifests next to what its pipeline becomes: what they share, and
//! that every difference stands in docs/compatibility.md with its reason.

use std::collections::{BTreeMap, BTreeSet};

use obspipe_operator::api::ObservabilityPipeline;
use obspipe_operator::kinds::Kind;
use obspipe_operator::names::Identity;
use obspipe_operator::render::{Surroundings, render};
use obspipe_operator::settings::Settings;
use obspipe_operator::validate::{External, validate};
use serde_json::{Map, Value};

use crate::environment::root;

const SECTION: &str = "## The document's DaemonSet and ours";

/// By what the entries of a list are told apart.
const KEYS: [(&str, &str); 4] = [
    ("containers", "name"),
    ("ports", "containerPort"),
    ("volumeMounts", "name"),
    ("volumes", "name"),
];

/// The document's ConfigMap and DaemonSet, in a namespace.
pub(crate) fn objects(namespace: &str) -> Vec<Value> {
    let path = root().join("tests/fixtures/document.yaml");
    let text = std::fs::read_to_string(path).expect("the fixture");
    let parse = |text: &str| {
        let mut object: Value = serde_yaml::from_str(text).expect("YAML");
        object["metadata"]["namespace"] = namespace.into();
        object
    };
    text.split("\n---\n").map(parse).collect()
}

/// The sample's object of a kind.
fn ours(kind: Kind) -> Value {
    let sample = root().join("config/samples/otel.yaml");
    let text = std::fs::read_to_string(sample).expect("the sample");
    let pipeline: ObservabilityPipeline = serde_yaml::from_str(&text).expect("a pipeline");
    let identity = Identity {
        namespace: pipeline.metadata.namespace.expect("a namespace"),
        name: pipeline.metadata.name.expect("a name"),
        uid: "u".into(),
    };
    let validated = validate(&identity, &pipeline.spec, &External::new()).validated.expect("valid");
    let surroundings = Surroundings {
        settings: &Settings::default(),
        served: &BTreeSet::new(),
        placement: &BTreeMap::new(),
        revision: 1,
    };
    let objects = render(&validated, &surroundings).objects;
    objects.into_iter().find(|object| object.kind == kind).expect("rendered").body
}

pub(crate) fn the_configuration_means_the_same() {
    let [theirs, _] = objects("observability").try_into().expect("two");
    let ours = ours(Kind::ConfigMap);
    let parse = |object: &Value| -> Value {
        serde_yaml::from_str(object["data"]["config.yaml"].as_str().expect("text")).expect("YAML")
    };
    assert_eq!(parse(&ours), parse(&theirs));
    assert_eq!(ours["metadata"]["name"], theirs["metadata"]["name"]);
    assert_eq!(ours["metadata"]["namespace"], theirs["metadata"]["namespace"]);
}

/// Where two manifests differ, as paths; a field or entry that only one has is one difference.
fn differences(theirs: &Value, ours: &Value, path: &str, found: &mut BTreeSet<String>) {
    let below = |name: &str| format!("{path}.{name}").trim_start_matches('.').to_owned();
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let names: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
            for name in names {
                match (theirs.get(name), ours.get(name)) {
                    (Some(theirs), Some(ours)) => differences(theirs, ours, &below(name), found),
                    _ => {
                        found.insert(below(name));
                    }
                }
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            let list = path.rsplit('.').next().unwrap_or_default();
            match KEYS.iter().find(|(name, _)| *name == list) {
                Some((_, key)) => {
                    differences(&by_key(theirs, key), &by_key(ours, key), path, found);
                }
                None if theirs != ours => {
                    found.insert(path.to_owned());
                }
                None => {}
            }
        }
        _ if theirs != ours => {
            found.insert(path.to_owned());
        }
        _ => {}
    }
}

/// A list as an object by one field of its entries.
fn by_key(list: &[Value], key: &str) -> Value {
    let name = |entry: &Value| match &entry[key] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Value::Object(list.iter().map(|entry| (name(entry), entry.clone())).collect::<Map<_, _>>())
}

/// The paths in the first column of the table, which each have a reason in the last.
fn documented() -> BTreeSet<String> {
    let text =
        std::fs::read_to_string(root().join("docs/compatibility.md")).expect("compatibility.md");
    let (_, section) = text.split_once(SECTION).expect("the section");
    let rows = section.lines().skip_while(|line| !line.starts_with("| `"));
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        assert!(cells.len() == 2 && cells[1].len() > 10, "a reason: {row}");
        cells[0].trim_matches('`').to_owned()
    })
    .collect()
}

pub(crate) fn every_difference_of_the_daemon_set_is_documented() {
    let [_, theirs] = objects("observability").try_into().expect("two");
    let ours = ours(Kind::DaemonSet);
    let mut found = BTreeSet::new();
    differences(&theirs, &ours, "", &mut found);
    let same = |path: &str| {
        let pointer = format!("/{}", path.replace('.', "/"));
        assert!(theirs.pointer(&pointer).is_some(), "{path} is the document's");
        assert_eq!(theirs.pointer(&pointer), ours.pointer(&pointer), "{path}");
    };
    let container = "spec.template.spec.containers.0";
    let mount = format!("{container}.volumeMounts.0");
    ["kind", "apiVersion", "metadata.name", "metadata.namespace"].into_iter().for_each(same);
    same("spec.template.spec.volumes.0.configMap.name");
    same(&format!("{container}.name"));
    same(&format!("{container}.args"));
    same(&format!("{mount}.mountPath"));
    for port in [4317, 4318] {
        let gone = format!("spec.template.spec.containers.collector.ports.{port}");
        assert!(!found.contains(&gone), "port {port}");
    }
    assert_eq!(documented(), found, "the table in docs/compatibility.md: {found:#?}");
}
