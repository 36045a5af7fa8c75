//! `make demo`: the whole picture on a real node, or, where none can be run, the operator on a
//! control plane, step by step, for somebody who sees it for the first time. It knows obspipe only
//! as programs, an image and a chart.

mod operator;
mod picture;
mod show;
mod stage;
mod story;
mod telling;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use local_cluster::Detached;

/// Name of the demo's cluster.
const CLUSTER: &str = "demo";

/// Shows obspipe at work on a real Kubernetes cluster.
///
/// Everything stays up afterwards; `down` ends it. Where no node can be run (that needs root), only
/// the control plane is, and the operator as a process. OBSPIPE_CLUSTER=current uses the cluster
/// that kubectl talks to instead, after naming it, without a node of ours, and needs --yes.
#[derive(Parser)]
#[command(name = "obspipe-demo", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// Bring everything up and show it (the default).
    Up {
        /// Go ahead on the cluster that kubectl talks to (OBSPIPE_CLUSTER=current).
        #[arg(long, env = "OBSPIPE_YES")]
        yes: bool,
        /// Install even where the CRD is served already.
        #[arg(long)]
        force: bool,
        /// What is printed: text for people, or JSON for programs; the text then goes to
        /// standard error.
        #[arg(long, value_enum, default_value_t = Output::Text)]
        output: Output,
        /// Whether to wait until the alert fires (1), or end when it is pending (0).
        #[arg(long, value_name = "0|1", default_value = "1", value_parser = ["0", "1"])]
        wait: String,
    },
    /// Say whether a node can be run here. Exit code 1 and the reason when not.
    Node,
    /// End the operator and the cluster.
    Down,
    /// Say whether they run. Exit code 1 when they do not.
    Status,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    #[default]
    Text,
    Json,
}

fn main() -> ExitCode {
    local_cluster::supervise_if_asked();
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<ExitCode> {
    let wait = "1".to_owned();
    let default = Action::Up { yes: false, force: false, output: Output::Text, wait };
    match arguments.command.unwrap_or(default) {
        Action::Up { yes, force, output, wait } => {
            telling::choose(output);
            story::tell(&story::Wish { yes, force, output, wait: wait != "0" }).await
        }
        Action::Node => Ok(node()),
        Action::Down => down().await,
        Action::Status => status(),
    }
}

fn node() -> ExitCode {
    match local_cluster::node_possible() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

async fn down() -> Result<ExitCode> {
    let operator = operator::end()?;
    let cluster = Detached::down(CLUSTER).await?;
    let said = |was: bool| if was { "ended" } else { "was not running" };
    println!("operator: {}\ncluster:  {}", said(operator), said(cluster));
    Ok(ExitCode::SUCCESS)
}

fn status() -> Result<ExitCode> {
    let cluster = Detached::find(CLUSTER)?;
    let operator = operator::running()?;
    match &cluster {
        Some(cluster) => {
            println!(
                "cluster:  {} (KUBECONFIG={})",
                cluster.server(),
                cluster.kubeconfig().display()
            );
        }
        None => println!("cluster:  not running"),
    }
    println!("operator: {}", if operator.is_some() { "running" } else { "not running" });
    let up = cluster.is_some() && operator.is_some();
    Ok(if up { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
