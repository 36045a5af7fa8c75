//! Documentation that derives from the code is as the code says.

use std::fmt::Write as _;

use obspipe_model::catalogue::CATALOGUE;
use obspipe_operator::api::ObservabilityPipeline;
use obspipe_operator::names::Identity;
use obspipe_operator::validate::{External, validate};

use crate::environment::root;
use crate::golden::updating;

const MARK: &str = "<!-- The tables below are written by `make golden` from the catalogue; do not edit them. -->\n";

fn tables() -> String {
    let mut text = String::new();
    for entry in CATALOGUE {
        let class = entry.class.section().trim_end_matches('s');
        let also: Vec<String> = entry.also.iter().map(|name| format!("`{name}`")).collect();
        let also =
            if also.is_empty() { String::new() } else { format!(" (also {})", also.join(", ")) };
        let signals: Vec<&str> = entry.signals.iter().map(|signal| signal.as_str()).collect();
        let signals =
            if signals.is_empty() { String::new() } else { format!(" {}.", signals.join(", ")) };
        let (name, about) = (entry.name, entry.about);
        writeln!(text, "\n## {class} `{name}`{also}\n\n{about}{signals}\n").expect("memory");
        let keys = (entry.keys)();
        if keys.is_empty() {
            text.push_str("No settings.\n");
            continue;
        }
        text.push_str("| key | type | default | |\n|---|---|---|---|\n");
        for key in keys {
            let default =
                if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
            let doc = key.doc.replace('|', "\\|");
            writeln!(text, "| `{}` | {} | {default} | {doc} |", key.key, key.type_name)
                .expect("memory");
        }
    }
    text
}

pub(crate) fn the_tables_of_components_do_not_drift() {
    let path = root().join("docs/compatibility.md");
    let present = std::fs::read_to_string(&path).expect("docs/compatibility.md");
    let (head, _) = present.split_once(MARK).expect("the mark");
    let wanted = format!("{head}{MARK}{}", tables());
    if updating() {
        std::fs::write(&path, &wanted).expect("writable");
        return;
    }
    assert!(present == wanted, "docs/compatibility.md differs: run `make golden`");
}

/// The pipeline that a newcomer copies from the README.
pub(crate) fn the_first_pipeline_of_the_readme_is_valid() {
    let text = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    let (_, section) = text.split_once("## A first pipeline").expect("the section");
    let indented = section.lines().skip_while(|line| !line.starts_with("    "));
    let yaml: Vec<&str> =
        indented.take_while(|line| line.starts_with("    ")).map(|line| &line[4..]).collect();
    let pipeline: ObservabilityPipeline = serde_yaml::from_str(&yaml.join("\n")).expect("YAML");
    let identity = Identity {
        namespace: pipeline.metadata.namespace.expect("a namespace"),
        name: pipeline.metadata.name.expect("a name"),
        uid: String::new(),
    };
    let verdict = validate(&identity, &pipeline.spec, &External::new());
    let problems: Vec<&String> = verdict.problems().collect();
    assert!(problems.is_empty() && verdict.warnings.is_empty(), "{problems:?} {verdict:?}");
}
