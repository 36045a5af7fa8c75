//! The command `local-cluster`: arguments, words for people, exit codes. Everything else
//! is the library's.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use local_cluster::{Detached, ETCD_VERSION, Error, KUBERNETES_VERSION, Progress, Spinner};

/// A real Kubernetes control plane on this machine, and a node if wanted.
///
/// etcd, kube-apiserver, kube-controller-manager and kube-scheduler, built once from Go
/// modules (about five minutes; needs Go 1.24 or newer), started in about three seconds.
/// Everything lies under cargo's target directory.
#[derive(Parser)]
#[command(name = "local-cluster", version)]
struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Start a cluster, and end it on Ctrl-C unless it is detached.
    Up {
        #[command(flatten)]
        cluster: Named,
        /// With a node that runs pods: needs root.
        #[arg(long)]
        node: bool,
        /// Leave it running in the background; `down` ends it.
        #[arg(long)]
        detach: bool,
    },
    /// Bring image archives into a cluster's node.
    Import {
        #[command(flatten)]
        cluster: Named,
        /// Archives as `docker save` writes them.
        #[arg(required = true)]
        archives: Vec<PathBuf>,
    },
    /// End a cluster and remove its directories.
    Down {
        #[command(flatten)]
        cluster: Named,
    },
    /// Say whether a cluster runs, and where. Exit code 1 when it does not.
    Status {
        #[command(flatten)]
        cluster: Named,
        /// How to say it.
        #[arg(long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

#[derive(clap::Args)]
struct Named {
    /// Which cluster; several can be up side by side.
    #[arg(long, default_value = "dev", env = "LOCAL_CLUSTER_NAME")]
    name: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Output {
    Text,
    Json,
}

fn main() -> ExitCode {
    local_cluster::supervise_if_asked();
    let arguments = Arguments::parse();
    match run(arguments.command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("local-cluster: {error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn run(action: Action) -> Result<ExitCode, Error> {
    match action {
        Action::Up { cluster, node, detach: true } => up_detached(&cluster.name, node).await,
        Action::Up { cluster, node, detach: false } => up(&cluster.name, node).await,
        Action::Import { cluster, archives } => import(&cluster.name, &archives).await,
        Action::Down { cluster } => down(&cluster.name).await,
        Action::Status { cluster, output } => status(&cluster.name, output),
    }
}

async fn up(name: &str, node: bool) -> Result<ExitCode, Error> {
    let spinner = Spinner::new();
    let steps = spinner.clone();
    let ready = |cluster: &Detached| {
        spinner.finish();
        println!("{}\nCtrl-C ends it.", describe(cluster));
    };
    let outcome =
        local_cluster::supervise(name, node, move |step: &str| steps.step(step), ready).await;
    spinner.finish();
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn up_detached(name: &str, node: bool) -> Result<ExitCode, Error> {
    let spinner = Spinner::new();
    let started = Detached::find_or_start(name, node, &spinner).await;
    spinner.finish();
    println!("{}\n`local-cluster down --name {name}` ends it.", describe(&started?));
    Ok(ExitCode::SUCCESS)
}

async fn import(name: &str, archives: &[PathBuf]) -> Result<ExitCode, Error> {
    let Some(cluster) = Detached::find(name)? else {
        eprintln!("{name} is not up");
        return Ok(ExitCode::FAILURE);
    };
    cluster.import_images(archives).await?;
    println!("brought {} into {name}", archives.len());
    Ok(ExitCode::SUCCESS)
}

async fn down(name: &str) -> Result<ExitCode, Error> {
    match Detached::down(name).await? {
        true => println!("{name} is down"),
        false => println!("{name} was not up"),
    }
    Ok(ExitCode::SUCCESS)
}

fn status(name: &str, output: Output) -> Result<ExitCode, Error> {
    let found = Detached::find(name)?;
    match (output, &found) {
        (Output::Text, Some(cluster)) => println!("{}", describe(cluster)),
        (Output::Text, None) => println!("{name} is not up"),
        (Output::Json, found) => println!("{}", as_json(name, found.as_ref())),
    }
    Ok(if found.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn describe(cluster: &Detached) -> String {
    format!(
        "{} is up: Kubernetes {KUBERNETES_VERSION}, etcd {ETCD_VERSION}, process {}\n\
         server      {}\n\
         node        {}\n\
         audit log   {}\n\
         export KUBECONFIG={}",
        cluster.name(),
        cluster.pid(),
        cluster.server(),
        cluster.node().unwrap_or("none"),
        cluster.audit_log().display(),
        cluster.kubeconfig().display(),
    )
}

fn as_json(name: &str, found: Option<&Detached>) -> serde_json::Value {
    match found {
        None => serde_json::json!({ "name": name, "running": false }),
        Some(cluster) => serde_json::json!({
            "name": name,
            "running": true,
            "pid": cluster.pid(),
            "server": cluster.server(),
            "node": cluster.node(),
            "kubeconfig": cluster.kubeconfig(),
            "auditLog": cluster.audit_log(),
            "kubectl": cluster.kubectl().get_program().to_string_lossy(),
            "kubernetes": KUBERNETES_VERSION,
            "etcd": ETCD_VERSION,
        }),
    }
}
