//! The command line: `run` (default), `doctor`, `render`, `validate`, `crds`.

mod doctor;
mod files;
pub mod run;
mod scope;

use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

/// Reconciles ObservabilityPipeline objects into collectors, rules and dashboards.
#[derive(Debug, Parser)]
#[command(name = "obspipe-operator", version, about, max_term_width = 100)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::RunArguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the operator (the default).
    Run(Box<run::RunArguments>),
    /// Check that the cluster gives the operator what it needs. Ends with 1 if anything is missing.
    Doctor(doctor::DoctorArguments),
    /// Print the objects that pipelines would become; needs no cluster.
    Render(files::RenderArguments),
    /// Check pipelines; needs no cluster. Ends with 1 if any is invalid.
    Validate(files::ValidateArguments),
    /// Print the CustomResourceDefinitions.
    Crds,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// YAML, or text for people.
    #[default]
    Text,
    /// JSON.
    Json,
}

/// Runs what the command line asks for.
#[must_use]
pub fn main(arguments: Arguments) -> ExitCode {
    let settings = arguments.run.settings();
    let done = match arguments.command {
        None => return run::main(arguments.run),
        Some(Command::Run(run)) => return run::main(*run),
        Some(Command::Doctor(doctor)) => return doctor::main(&doctor),
        Some(Command::Render(render)) => files::render(&render, &settings),
        Some(Command::Validate(validate)) => files::validate(&validate),
        Some(Command::Crds) => files::crds(),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
