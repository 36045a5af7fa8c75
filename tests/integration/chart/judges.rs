//! What tools of others say of every manifest that the chart and the operator make. Where we do not
//! share an opinion, `exceptions.yaml` says why; one that is no longer needed is an error.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use local_cluster::Silent;
use serde::Deserialize;
use serde_json::Value;

use super::{directory, schemas, template, values};
use crate::environment::{Environment, root};
use crate::golden;

/// An opinion that is not shared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    judge: String,
    /// What the judge calls it.
    check: String,
    /// Where: `Kind` or `Kind/name`.
    objects: Vec<String>,
    reason: String,
}

/// A complaint about an object.
struct Complaint {
    check: String,
    kind: String,
    name: String,
    about: String,
}

impl Exception {
    fn covers(&self, complaint: &Complaint) -> bool {
        let whole = format!("{}/{}", complaint.kind, complaint.name);
        self.check == complaint.check
            && self.objects.iter().any(|object| *object == complaint.kind || *object == whole)
    }
}

/// All manifests as files: the chart's for every values file, and all that pipelines become.
async fn manifests() -> (tempfile::TempDir, Vec<PathBuf>) {
    // checkov passes over hidden directories.
    let copies = tempfile::Builder::new().prefix("manifests-").tempdir().expect("a directory");
    let mut files = Vec::new();
    for file in values() {
        let path = file.display().to_string();
        let text = template(&directory(), &["--values", &path]).await.expect("rendered");
        let to = copies.path().join(file.file_name().expect("a name"));
        std::fs::write(&to, text).expect("writable");
        files.push(to);
    }
    for (name, text) in golden::outputs() {
        let to = copies.path().join(format!("{name}.yaml"));
        std::fs::write(&to, text).expect("writable");
        files.push(to);
    }
    (copies, files)
}

fn run(program: &Path, before: &[&str], files: &[PathBuf]) -> Output {
    Command::new(program).args(before).args(files).output().expect("it runs")
}

fn both(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}

/// Everything is what the API server's own schema says, without a field that it does not know.
pub(super) async fn kubeconform(env: Arc<Environment>) {
    let openapi = env.kubectl_ok(&["get", "--raw", "/openapi/v2"]).await;
    let schemas = tempfile::tempdir().expect("a directory");
    let openapi = serde_json::from_str(&openapi).expect("JSON");
    let written = schemas::of_api_server(&openapi, schemas.path());
    assert!(written > 200, "{written} kinds");
    let monitoring = local_cluster::prometheus_operator_crds(&Silent).await.expect("definitions");
    for directory in [monitoring, root().join("crds")] {
        for entry in std::fs::read_dir(directory).expect("definitions") {
            let path = entry.expect("an entry").path();
            let text = std::fs::read_to_string(path).expect("readable");
            schemas::of_definition(&serde_yaml::from_str(&text).expect("YAML"), schemas.path());
        }
    }
    let (copies, mut files) = manifests().await;
    for directory in ["config/samples", "config/kustomize"] {
        for entry in std::fs::read_dir(root().join(directory)).expect("files") {
            let path = entry.expect("an entry").path();
            // Read by kustomize alone.
            if path.extension().is_some_and(|end| end == "yaml")
                && !path.ends_with("kustomization.yaml")
            {
                files.push(path);
            }
        }
    }
    let program = local_cluster::kubeconform(&Silent).await.expect("kubeconform");
    let place = schemas.path().join(schemas::PLACE).display().to_string();
    let arguments = ["-strict", "-summary", "-schema-location", &place];
    let output = run(&program, &arguments, &files);
    assert!(output.status.success(), "{}", both(&output));
    assert!(both(&output).contains("Skipped: 0"), "{}", both(&output));
    // That it would refuse what is wrong.
    let wrong = copies.path().join("wrong.yaml");
    let good = std::fs::read_to_string(&files[0]).expect("readable");
    for (from, to) in
        [("enableServiceLinks:", "enableServiceLink:"), ("replicas: 1", "replicas: one")]
    {
        assert!(good.contains(from), "{from}");
        std::fs::write(&wrong, good.replace(from, to)).expect("writable");
        let output = run(&program, &arguments, std::slice::from_ref(&wrong));
        assert!(!output.status.success(), "{to} is taken");
    }
}

/// Whatever no exception covers, and the exceptions that cover nothing.
fn verdict(judge: &str, complaints: &[Complaint]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/chart/exceptions.yaml");
    let text = std::fs::read_to_string(path).expect("exceptions.yaml");
    let all: Vec<Exception> = serde_yaml::from_str(&text).expect("exceptions");
    assert!(all.iter().all(|one| !one.reason.is_empty()));
    let ours: Vec<&Exception> = all.iter().filter(|one| one.judge == judge).collect();
    let open: BTreeSet<String> = complaints
        .iter()
        .filter(|one| !ours.iter().any(|other| other.covers(one)))
        .map(|Complaint { check, kind, name, about }| format!("{check}: {kind}/{name} ({about})"))
        .collect();
    assert!(open.is_empty(), "{judge}: {open:#?}");
    let needless: Vec<&&Exception> =
        ours.iter().filter(|one| !complaints.iter().any(|other| one.covers(other))).collect();
    assert!(needless.is_empty(), "{judge} no longer says: {needless:#?}");
}

pub(super) async fn kube_score() {
    let program = local_cluster::kube_score(&Silent).await.expect("kube-score");
    let (_copies, files) = manifests().await;
    let mut complaints = Vec::new();
    let mut judged = 0;
    // Each by itself: a NetworkPolicy or a Service of one must not count for another.
    for file in &files {
        let output =
            run(&program, &["score", "--output-format", "json"], std::slice::from_ref(file));
        let objects: Vec<Value> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", file.display(), both(&output)));
        judged += objects.len();
        complaints.extend(objects.iter().flat_map(|object| critical(object, file)));
    }
    assert!(judged > 50, "{judged} objects");
    verdict("kube-score", &complaints);
}

/// Grade 1 is CRITICAL.
fn critical(object: &Value, file: &Path) -> Vec<Complaint> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for check in object["checks"].as_array().into_iter().flatten() {
        if check["grade"] != 1 || check["skipped"] == true {
            continue;
        }
        for comment in check["comments"].as_array().into_iter().flatten() {
            found.push(Complaint {
                check: format!("{}: {}", text(&check["check"]["id"]), text(&comment["summary"])),
                kind: text(&object["type_meta"]["kind"]),
                name: text(&object["object_meta"]["name"]),
                about: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            });
        }
    }
    found
}

pub(super) async fn checkov() {
    let python = local_cluster::checkov(&Silent).await.expect("checkov");
    let (copies, _files) = manifests().await;
    let directory = copies.path().display().to_string();
    let output = Command::new(python)
        .args(["-m", "checkov.main", "--framework", "kubernetes", "--skip-download", "--quiet"])
        .args(["--output", "json", "--directory", &directory])
        // It asks nobody anything.
        .env("BC_SKIP_MAPPING", "TRUE")
        .env_remove("BC_API_KEY")
        .output()
        .expect("checkov runs");
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", both(&output)));
    assert!(report["summary"]["passed"].as_i64() > Some(500), "{}", report["summary"]);
    assert_eq!(report["summary"]["parsing_errors"], 0);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let failed = report["results"]["failed_checks"].as_array().expect("failed checks");
    let complaint = |check: &Value| {
        // Kind.namespace.name
        let resource = text(&check["resource"]);
        let mut parts = resource.splitn(3, '.');
        let kind = parts.next().unwrap_or_default().to_owned();
        Complaint {
            check: text(&check["check_id"]),
            kind,
            name: parts.nth(1).unwrap_or_default().to_owned(),
            about: format!("{} {}", text(&check["check_name"]), text(&check["file_path"])),
        }
    };
    verdict("checkov", &failed.iter().map(complaint).collect::<Vec<_>>());
}
