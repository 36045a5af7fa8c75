//! `make demo`: the operator doing its main job on a real control plane, step by step, for
//! somebody who sees it for the first time. It knows the operator only as a program.

mod operator;
mod show;
mod stage;
mod story;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand, ValueEnum};
use local_cluster::Detached;

/// Name of the demo's cluster.
const CLUSTER: &str = "demo";

/// Shows the obspipe operator at work on a real Kubernetes control plane.
///
/// The cluster and the operator stay up afterwards; `down` ends both. OBSPIPE_CLUSTER=current uses
/// the cluster that kubectl talks to instead, after naming it, and needs --yes.
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
        /// What is printed at the end: text for people, or JSON for programs.
        #[arg(long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
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
    let default = Action::Up { yes: false, force: false, output: Output::Text };
    match arguments.command.unwrap_or(default) {
        Action::Up { yes, force, output } => story::tell(yes, force, output).await,
        Action::Down => down().await,
        Action::Status => status(),
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
