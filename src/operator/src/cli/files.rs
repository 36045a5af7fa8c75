//! `render`, `validate` and `crds`: the operator's pure stages on files, without a cluster.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;

use super::Output;
use crate::api::ObservabilityPipeline;
use crate::api::offline;
use crate::api::schema::custom_resource_definition;
use crate::kinds::Kind;
use crate::names::Identity;
use crate::render::{Surroundings, render as render_objects};
use crate::settings::Settings;
use crate::validate::{External, Verdict, validate as check};

/// Arguments of `render`.
#[derive(Debug, Args)]
pub(super) struct RenderArguments {
    /// File with ObservabilityPipeline objects; `-` reads standard input. Repeatable.
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filename: Vec<PathBuf>,
    /// Namespace of objects that name none.
    #[arg(short, long, default_value = "default")]
    namespace_default: String,
    /// YAML documents, or one JSON list.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Arguments of `validate`.
#[derive(Debug, Args)]
pub(super) struct ValidateArguments {
    /// File with ObservabilityPipeline objects; `-` reads standard input. Repeatable.
    #[arg(short, long = "filename", value_name = "FILE", required = true)]
    filename: Vec<PathBuf>,
    /// Text, or JSON for programs.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Why files could not be worked on.
#[derive(Debug, Error)]
pub(super) enum FilesError {
    /// The file cannot be read.
    #[error("{file}: {error}")]
    Read {
        /// Which.
        file: String,
        /// Why.
        error: std::io::Error,
    },
    /// The text is no YAML.
    #[error("{file}, document {document}: {error}")]
    Yaml {
        /// Which.
        file: String,
        /// Which document of it, from 1.
        document: usize,
        /// Why.
        error: serde_yaml::Error,
    },
    /// There is nothing to work on.
    #[error("{0}: no ObservabilityPipeline in it")]
    Empty(String),
    /// Pipelines that cannot be rendered.
    #[error("{file}: {name} is invalid:\n{problems}")]
    Invalid {
        /// Which file.
        file: String,
        /// Which pipeline.
        name: String,
        /// Everything that is wrong with it.
        problems: String,
    },
    /// The output cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
    /// The output cannot be serialised.
    #[error("cannot serialise: {0}")]
    Serialise(#[from] serde_yaml::Error),
}

/// A pipeline in a file.
struct Found {
    file: String,
    identity: Identity,
    verdict: Verdict,
}

/// Prints what the pipelines would become.
///
/// # Errors
/// A file cannot be read or a pipeline is invalid; nothing is printed then.
pub(super) fn render(
    arguments: &RenderArguments,
    settings: &Settings,
) -> Result<ExitCode, FilesError> {
    let mut objects = Vec::new();
    for mut found in pipelines(&arguments.filename, &arguments.namespace_default)? {
        let Some(validated) = found.verdict.validated.take() else {
            return Err(FilesError::Invalid {
                file: found.file,
                name: found.identity.name,
                problems: listed(found.verdict.problems()),
            });
        };
        let surroundings = Surroundings {
            settings,
            served: &BTreeSet::from([Kind::PrometheusRule, Kind::PodMonitor]),
            placement: &std::collections::BTreeMap::new(),
            revision: 1,
        };
        let prepared = render_objects(&validated, &surroundings);
        objects.extend(prepared.objects.into_iter().map(|object| object.body));
    }
    print(&objects, arguments.output)?;
    Ok(ExitCode::SUCCESS)
}

/// Says of each pipeline whether it is valid, and everything that is wrong with it.
///
/// # Errors
/// A file cannot be read.
pub(super) fn validate(arguments: &ValidateArguments) -> Result<ExitCode, FilesError> {
    let found = pipelines(&arguments.filename, "default")?;
    let good = found.iter().all(|found| found.verdict.validated.is_some());
    let mut out = std::io::stdout().lock();
    match arguments.output {
        Output::Json => {
            let list: Vec<Value> = found.iter().map(as_json).collect();
            writeln!(out, "{:#}", Value::Array(list))?;
        }
        Output::Text => {
            for found in &found {
                write!(out, "{}", as_text(found))?;
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the CustomResourceDefinitions.
///
/// # Errors
/// The output cannot be written.
pub(super) fn crds() -> Result<ExitCode, FilesError> {
    let text = serde_yaml::to_string(&custom_resource_definition())?;
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

fn as_json(found: &Found) -> Value {
    json!({
        "file": found.file,
        "namespace": found.identity.namespace,
        "name": found.identity.name,
        "valid": found.verdict.validated.is_some(),
        "problems": found.verdict.problems().collect::<Vec<_>>(),
        "warnings": found.verdict.warnings,
    })
}

fn as_text(found: &Found) -> String {
    let verdict = if found.verdict.validated.is_some() { "valid" } else { "invalid" };
    let mut text = format!("{}: {}: {verdict}\n", found.file, found.identity.name);
    let problems = listed(found.verdict.problems());
    let warnings: Vec<String> =
        found.verdict.warnings.iter().map(|warning| format!("warning: {warning}")).collect();
    for block in [problems, listed(warnings.iter())] {
        if !block.is_empty() {
            text.push_str(&block);
            text.push('\n');
        }
    }
    text
}

fn listed<'a>(lines: impl Iterator<Item = &'a String>) -> String {
    lines.map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n")
}

fn print(objects: &[Value], output: Output) -> Result<(), FilesError> {
    let mut out = std::io::stdout().lock();
    match output {
        Output::Json => {
            let list = json!({"apiVersion": "v1", "kind": "List", "items": objects});
            writeln!(out, "{list:#}")?;
        }
        Output::Text => {
            for object in objects {
                write!(out, "---\n{}", serde_yaml::to_string(object)?)?;
            }
        }
    }
    Ok(())
}

fn pipelines(files: &[PathBuf], namespace: &str) -> Result<Vec<Found>, FilesError> {
    let mut all = Vec::new();
    for path in files {
        let file = path.display().to_string();
        let text = read(path).map_err(|error| FilesError::Read { file: file.clone(), error })?;
        let found = in_text(&file, &text, namespace)?;
        if found.is_empty() {
            return Err(FilesError::Empty(file));
        }
        all.extend(found);
    }
    Ok(all)
}

fn read(path: &Path) -> Result<String, std::io::Error> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(path)
}

/// Other kinds of object in the file are passed over, as a kustomize output has them.
fn in_text(file: &str, text: &str, namespace: &str) -> Result<Vec<Found>, FilesError> {
    let mut all = Vec::new();
    for (index, document) in serde_yaml::Deserializer::from_str(text).enumerate() {
        let value = Value::deserialize(document).map_err(|error| FilesError::Yaml {
            file: file.to_owned(),
            document: index + 1,
            error,
        })?;
        if value["kind"] == "ObservabilityPipeline" {
            all.push(one(file, &value, namespace));
        }
    }
    Ok(all)
}

fn one(file: &str, value: &Value, namespace: &str) -> Found {
    let text = |name: &str| value["metadata"][name].as_str().unwrap_or_default().to_owned();
    let mut identity =
        Identity { namespace: text("namespace"), name: text("name"), uid: text("uid") };
    if identity.namespace.is_empty() {
        namespace.clone_into(&mut identity.namespace);
    }
    let schema = offline::problems(value);
    let mut verdict = match serde_json::from_value::<ObservabilityPipeline>(value.clone()) {
        Ok(pipeline) => check(&identity, &pipeline.spec, &External::new()),
        Err(error) if schema.is_empty() => {
            Verdict { config: vec![error.to_string()], ..Verdict::default() }
        }
        Err(_) => Verdict::default(),
    };
    if !schema.is_empty() {
        verdict.config.extend(schema);
        verdict.validated = None;
    }
    Found { file: file.to_owned(), identity, verdict }
}
