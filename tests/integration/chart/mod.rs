//! The Helm chart, and all manifests that it and the operator make: `render` says what helm makes of
//! it, `lifecycle` what it does with a cluster, `documents` what is generated in it, `judges` what tools of others say of the manifests.

mod documents;
mod judges;
mod lifecycle;
mod notes;
mod render;
mod schemas;

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::Value;

use crate::environment::{SYSTEM, root};
use crate::{Shared, pure};

fn directory() -> PathBuf {
    root().join("charts/obspipe")
}

/// Values files that a user might have.
fn values() -> Vec<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("integration/chart/values");
    let entries = std::fs::read_dir(path).expect("values");
    let mut all: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    all.sort();
    assert!(all.len() >= 4, "{all:?}");
    all
}

/// Runs helm: what it prints if it succeeds, what it complains of if not.
async fn helm(arguments: &[&str], kubeconfig: Option<&Path>) -> Result<String, String> {
    let helm = local_cluster::helm(&local_cluster::Silent).await.expect("helm");
    let mut command = Command::new(helm);
    command.args(arguments).env("KUBECONFIG", kubeconfig.unwrap_or(Path::new("/dev/null")));
    let output = command.output().expect("helm runs");
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}

/// `helm template` of the chart with further arguments.
async fn template(chart: &Path, arguments: &[&str]) -> Result<String, String> {
    let chart = chart.display().to_string();
    let mut all = vec!["template", "obspipe", &chart, "--namespace", SYSTEM];
    all.extend(["--kube-version", local_cluster::KUBERNETES_VERSION]);
    all.extend(arguments);
    helm(&all, None).await
}

/// What the chart makes under the name of a release, without what `helm test` runs.
pub(crate) async fn template_of(release: &str, further: &[&str]) -> Result<String, String> {
    let chart = directory().display().to_string();
    let mut all = vec!["template", release, &chart, "--namespace", SYSTEM, "--skip-tests"];
    all.extend(["--kube-version", local_cluster::KUBERNETES_VERSION]);
    all.extend(further);
    helm(&all, None).await
}

/// The objects of the chart with further arguments.
async fn rendered(arguments: &[&str]) -> Vec<Value> {
    match template(&directory(), arguments).await {
        Ok(text) => objects(&text),
        Err(error) => panic!("helm template {arguments:?}: {error}"),
    }
}

/// The documents of a YAML text that are not empty.
fn objects(text: &str) -> Vec<Value> {
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).expect("YAML"))
        .filter(|document| !document.is_null())
        .collect()
}

/// The one object of a kind.
fn of_kind<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    let mut found = objects.iter().filter(|object| object["kind"] == kind);
    let one = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(found.next().is_none(), "more than one {kind}");
    one
}

pub(crate) fn all(shared: &Shared) -> Vec<Trial> {
    vec![
        pure("golden::values_of_the_chart", documents::the_table_of_values_does_not_drift),
        pure("golden::dashboard_of_the_operator", documents::the_dashboard_does_not_drift),
        shared.alone("chart::lint", render::lint),
        shared.alone("chart::bad_values_are_refused", render::bad_values_are_refused),
        shared.alone("chart::values_have_their_effect", render::values_have_their_effect),
        shared.alone("chart::rights_are_those_of_the_code", render::rights_are_those_of_the_code),
        shared.alone("chart::an_upgrade_restarts_nothing", render::an_upgrade_restarts_nothing),
        shared.alone("chart::the_definition_is_kept", render::the_definition_is_kept),
        shared.alone("chart::kustomize_is_in_step", render::kustomize_is_in_step),
        shared.alone("chart::alerts_and_dashboard", render::alerts_and_dashboard),
        shared.alone("chart::lifecycle", lifecycle::adopt_upgrade_downgrade_and_uninstall),
        shared.trial("chart::notes", notes::labels_are_compared_with_selectors),
        shared.trial("chart::kubeconform", judges::kubeconform),
        shared.alone("chart::kube_score", judges::kube_score),
        shared.alone("chart::checkov", judges::checkov),
    ]
}
