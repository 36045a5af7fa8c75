//! Pipelines and the objects that they become, as files: `golden/<case>/{in.yaml,out.yaml}`.
//! `make golden` rewrites the outputs; a reviewer reads the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use obspipe_operator::api::ObservabilityPipeline;
use obspipe_operator::kinds::Kind;
use obspipe_operator::names::Identity;
use obspipe_operator::render::{Surroundings, render};
use obspipe_operator::settings::Settings;
use obspipe_operator::validate::{External, validate};

/// Fewest cases: losing one by accident is noticed.
const LEAST_CASES: usize = 15;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// Whether `make golden` asked for the outputs to be rewritten.
pub(crate) fn updating() -> bool {
    std::env::var_os("OBSPIPE_UPDATE").is_some_and(|value| value == "1")
}

/// The folder of each case.
fn cases() -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(directory())
        .expect("golden/")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= LEAST_CASES, "{} cases", cases.len());
    cases
}

/// What every case and every sample becomes, by its name. Nothing becomes of invalid ones.
pub(crate) fn outputs() -> Vec<(String, String)> {
    let named = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
    let case = |path: PathBuf| {
        let input = std::fs::read_to_string(path.join("in.yaml")).expect("in.yaml");
        (format!("golden-{}", named(&path)), rendered(&input))
    };
    let sample = |(path, sample): (PathBuf, serde_json::Value)| {
        (format!("sample-{}", named(&path)), rendered(&sample.to_string()))
    };
    let mut all: Vec<(String, String)> = cases().into_iter().map(case).collect();
    all.extend(crate::fixtures::samples().into_iter().map(sample));
    all.retain(|(_, text)| text.contains("\nkind: "));
    all
}

fn rendered(text: &str) -> String {
    let pipeline: ObservabilityPipeline = serde_yaml::from_str(text).expect("a pipeline");
    let identity = Identity {
        namespace: pipeline.metadata.namespace.clone().expect("a namespace"),
        name: pipeline.metadata.name.clone().expect("a name"),
        uid: "00000000-0000-0000-0000-000000000000".into(),
    };
    let verdict = validate(&identity, &pipeline.spec, &External::new());
    let mut out = String::new();
    for problem in verdict.problems() {
        writeln!(out, "# problem: {problem}").expect("memory");
    }
    for warning in &verdict.warnings {
        writeln!(out, "# warning: {warning}").expect("memory");
    }
    if let Some(validated) = verdict.validated {
        let settings = Settings {
            collector_image: "obspipe/collector:golden".into(),
            rule_labels: BTreeMap::from([("release".into(), "prometheus".into())]),
            allow_datasources: true,
            ..Settings::default()
        };
        let surroundings = Surroundings {
            settings: &settings,
            served: &BTreeSet::from([Kind::PrometheusRule, Kind::PodMonitor]),
            placement: &BTreeMap::new(),
            revision: 1,
        };
        for object in render(&validated, &surroundings).objects {
            // The accepted spec repeats the input.
            if object.kind != Kind::ControllerRevision {
                out.push_str("---\n");
                out.push_str(&serde_yaml::to_string(&object.body).expect("YAML"));
            }
        }
    }
    out
}

pub(crate) fn pipelines_become_these_objects() {
    let mut failures = String::new();
    for case in &cases() {
        let input = std::fs::read_to_string(case.join("in.yaml")).expect("in.yaml");
        let actual = rendered(&input);
        if updating() {
            std::fs::write(case.join("out.yaml"), &actual).expect("writable");
            continue;
        }
        let expected = std::fs::read_to_string(case.join("out.yaml")).unwrap_or_default();
        if actual != expected {
            let diff = similar::TextDiff::from_lines(&expected, &actual);
            let diff = diff.unified_diff().header("out.yaml", "rendered now").to_string();
            writeln!(failures, "{}:\n{diff}", case.display()).expect("memory");
        }
    }
    assert!(failures.is_empty(), "{failures}\n`make golden` accepts the new outputs");
}
