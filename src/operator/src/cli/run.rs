//! `run`: from the command line to a running operator and back. Starts and stops what the other
//! rooms provide, in this order: listener, discovery, election, controller.

mod candidacy;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{ArgAction, Args, value_parser};
use kube::Client;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use super::scope::{ConnectError, Scope, not_empty};
use crate::cluster::Cluster;
use crate::cluster::events::Events;
use crate::cluster::served::{self, Served};
use crate::controller::{Context, RunOptions, run as run_controller};
use crate::logging::{Format, LoggingError, init as init_logging};
use crate::metrics::Metrics;
use crate::serve::serve;
use crate::settings::Settings;
use candidacy::Candidacy;

/// Threads that run the operator: it waits more than it computes.
const WORKERS: usize = 2;
/// How long reconciles may take to end after a stop; Kubernetes kills after 30 s.
const GRACE: Duration = Duration::from_secs(20);
/// How long the threads may take to end after that.
const SHUTDOWN: Duration = Duration::from_secs(1);
/// A response that does not go on for so long is given up. Longer than the 290 s after which the
/// API server ends a watch, so that only dead connections are.
const READ_TIMEOUT: Duration = Duration::from_secs(330);
/// Pauses between tries to reach the API server at the start.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// An answer at the start that takes longer is asked for again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

type Pair = (String, String);

/// Arguments of `run`.
#[derive(Clone, Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    scope: Scope,
    /// Image of the collector, where a pipeline names none.
    #[arg(long, env = "OBSPIPE_COLLECTOR_IMAGE", value_name = "IMAGE",
        default_value_t = Settings::default().collector_image)]
    collector_image: String,
    /// Label on every PrometheusRule. Repeatable.
    #[arg(long, env = "OBSPIPE_RULE_LABEL", value_name = "KEY=VALUE", value_delimiter = ',',
        value_parser = pair)]
    rule_label: Vec<Pair>,
    /// Label on every PodMonitor. Repeatable.
    #[arg(long, env = "OBSPIPE_MONITOR_LABEL", value_name = "KEY=VALUE", value_delimiter = ',',
        value_parser = pair)]
    monitor_label: Vec<Pair>,
    /// Label on every dashboard ConfigMap. Repeatable.
    #[arg(long, env = "OBSPIPE_DASHBOARD_LABEL", value_name = "KEY=VALUE", value_delimiter = ',',
        value_parser = pair)]
    dashboard_label: Vec<Pair>,
    // No delimiter: the value of an annotation may contain commas.
    /// Annotation on every dashboard ConfigMap. Repeatable.
    #[arg(long, env = "OBSPIPE_DASHBOARD_ANNOTATION", value_name = "KEY=VALUE",
        value_parser = pair)]
    dashboard_annotation: Vec<Pair>,
    /// Namespace whose pods may scrape the collectors' own metrics, beside the operator's; all if
    /// none is given. Repeatable.
    #[arg(long, env = "OBSPIPE_SCRAPE_NAMESPACE", value_name = "NAMESPACE", value_delimiter = ',')]
    scrape_namespace: Vec<String>,
    /// Give collectors a NetworkPolicy.
    #[arg(long, env = "OBSPIPE_NETWORK_POLICIES", value_name = "BOOL", default_value_t = true,
        action = ArgAction::Set)]
    network_policies: bool,
    /// Let pipelines define data sources, in a Grafana that others share.
    #[arg(long, env = "OBSPIPE_ALLOW_DATASOURCES")]
    allow_datasources: bool,
    /// Pipelines worked on at the same time.
    #[arg(long, env = "OBSPIPE_CONCURRENCY", value_name = "N", default_value_t = 8,
        value_parser = value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// Pipelines whose collectors are replaced at the same time when the operator itself, not their
    /// users, changed what they run.
    #[arg(long, env = "OBSPIPE_MAX_CONCURRENT_UPGRADES", value_name = "N", default_value_t = 5,
        value_parser = value_parser!(u16).range(1..))]
    max_concurrent_upgrades: u16,
    /// Address of the metrics and the probes.
    #[arg(long, env = "OBSPIPE_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// How log lines look.
    #[arg(long, env = "OBSPIPE_LOG_FORMAT", value_enum, default_value_t)]
    log_format: Format,
    /// off, error, warn, info, debug or trace; the variable RUST_LOG wins.
    #[arg(long, env = "OBSPIPE_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    log_level: String,
    /// Seconds between two looks at which optional kinds are served.
    #[arg(long, env = "OBSPIPE_DISCOVERY_INTERVAL", value_name = "SECONDS", default_value_t = 30,
        value_parser = value_parser!(u64).range(1..=86_400))]
    discovery_interval: u64,
}

impl RunArguments {
    /// Settings of rendering.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let map = |pairs: &[Pair]| pairs.iter().cloned().collect::<BTreeMap<_, _>>();
        Settings {
            collector_image: self.collector_image.clone(),
            rule_labels: map(&self.rule_label),
            monitor_labels: map(&self.monitor_label),
            dashboard_labels: map(&self.dashboard_label),
            dashboard_annotations: map(&self.dashboard_annotation),
            operator_namespace: self.scope.lease_namespace.clone(),
            scrape_namespaces: not_empty(&self.scrape_namespace),
            network_policies: self.network_policies,
            allow_datasources: self.allow_datasources,
        }
    }

    fn options(&self) -> RunOptions {
        RunOptions {
            namespaces: self.scope.namespaces(),
            concurrency: usize::from(self.concurrency),
        }
    }
}

fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE".to_owned()),
    }
}

/// Why the operator does not run, or no longer.
#[derive(Debug, Error)]
enum RunError {
    #[error("{0}")]
    Logging(#[from] LoggingError),
    #[error("cannot start threads: {0}")]
    Runtime(std::io::Error),
    #[error("cannot wait for signals: {0}")]
    Signals(std::io::Error),
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: std::io::Error },
    #[error("{0}")]
    Connect(#[from] ConnectError),
    #[error("leadership lost: another replica takes over")]
    LeadershipLost,
    #[error("the controller ended on its own: {0}")]
    Controller(String),
}

/// Runs the operator until it is told to stop.
#[must_use]
pub fn main(arguments: RunArguments) -> ExitCode {
    if let Err(error) = init_logging(arguments.log_format, &arguments.log_level) {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    let ended = in_runtime(arguments);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "ended");
            ExitCode::FAILURE
        }
    }
}

fn in_runtime(arguments: RunArguments) -> Result<(), RunError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(RunError::Runtime)?;
    let ended = runtime.block_on(run(arguments));
    // A lookup of a name that gets no answer would hold up the end.
    runtime.shutdown_timeout(SHUTDOWN);
    ended
}

async fn run(arguments: RunArguments) -> Result<(), RunError> {
    announce(&arguments);
    let stop = on_signals()?;
    let metrics = Metrics::new();
    let (ready, is_ready) = watch::channel(false);
    let (close, closed) = watch::channel(false);
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| RunError::Listen { address: arguments.listen, error })?;
    let server = tokio::spawn(serve(listener, metrics.clone(), is_ready, closed));
    let client = arguments.scope.connect(READ_TIMEOUT).await?;
    let Some(served) = first_discovery(&client, &stop).await else {
        return Ok(());
    };
    let (sender, served) = watch::channel(served);
    let interval = Duration::from_secs(arguments.discovery_interval);
    tokio::spawn(served::follow(client.clone(), interval, sender));
    let ended = lead(&arguments, client, served, metrics, ready, stop).await;
    close.send_replace(true);
    // It ends at once; that it did so badly no longer matters.
    let _ = server.await;
    ended
}

fn announce(arguments: &RunArguments) {
    let namespaces = arguments.scope.namespaces();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        namespaces = if namespaces.is_empty() { "all".to_owned() } else { namespaces.join(",") },
        collector_image = arguments.collector_image,
        "obspipe operator starts"
    );
}

/// Turns true at the first SIGTERM or SIGINT.
fn on_signals() -> Result<watch::Receiver<bool>, RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Signals)?;
    let (sender, receiver) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("told to stop");
        sender.send_replace(true);
        // A dropped sender would look like a stop that never comes.
        sender.closed().await;
    });
    Ok(receiver)
}

/// Asks until there is an answer: a pod often starts before its network does. None on stop.
async fn first_discovery(client: &Client, stop: &watch::Receiver<bool>) -> Option<Served> {
    let mut pause = FIRST_PAUSE;
    loop {
        let asked = tokio::select! {
            asked = tokio::time::timeout(ANSWER_TIMEOUT, served::discover(client)) => asked,
            () = told(stop.clone()) => return None,
        };
        match asked {
            Ok(Ok(served)) => {
                tracing::info!(%served, "optional kinds");
                return Some(served);
            }
            Ok(Err(error)) => tracing::warn!(%error, "cannot reach the API server"),
            Err(_) => tracing::warn!("no answer from the API server"),
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = told(stop.clone()) => return None,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits for leadership, runs the controller while it lasts, and gives it back in the end.
async fn lead(
    arguments: &RunArguments,
    client: Client,
    served: watch::Receiver<Served>,
    metrics: Metrics,
    ready: watch::Sender<bool>,
    stop: watch::Receiver<bool>,
) -> Result<(), RunError> {
    let identity = identity();
    let mut candidacy = Candidacy::start(arguments, &client, identity.clone());
    let (synced, is_synced) = watch::channel(false);
    tokio::spawn(show(metrics.clone(), candidacy.leads.clone(), is_synced, ready));
    let leads = tokio::select! {
        leads = candidacy.leading() => leads?,
        () = told(stop.clone()) => false,
    };
    if !leads {
        return candidacy.end().await;
    }
    let leadership = candidacy.leadership.clone();
    let cluster = Cluster::new(client.clone(), leadership.clone(), metrics.clone());
    let events = Events::new(client, identity, leadership);
    let upgrades = usize::from(arguments.max_concurrent_upgrades);
    let context = Context::new(cluster, arguments.settings(), served, events, metrics, upgrades);
    let options = arguments.options();
    let mut controller =
        tokio::spawn(run_controller(Arc::new(context), options, synced, stop.clone()));
    tokio::select! {
        ended = &mut controller => controller_ended(ended, *stop.borrow())?,
        lost = candidacy.lost() => return Err(lost),
        () = told(stop.clone()) => candidacy.while_leading(finish(controller)).await?,
    }
    candidacy.end().await
}

/// Waits until a signal turns true.
async fn told(mut signal: watch::Receiver<bool>) {
    if signal.wait_for(|told| *told).await.is_err() {
        // Nobody is left who could tell.
        std::future::pending::<()>().await;
    }
}

/// The controller ends by itself only when told to stop.
fn controller_ended(ended: Result<(), JoinError>, told: bool) -> Result<(), RunError> {
    match ended {
        Ok(()) if told => Ok(()),
        Ok(()) => Err(RunError::Controller("nobody asked it to".to_owned())),
        Err(error) => Err(RunError::Controller(error.to_string())),
    }
}

async fn finish(mut controller: JoinHandle<()>) -> Result<(), RunError> {
    match tokio::time::timeout(GRACE, &mut controller).await {
        Ok(ended) => ended.map_err(|error| RunError::Controller(error.to_string())),
        Err(_) => {
            tracing::warn!("reconciles did not end in time and are broken off");
            controller.abort();
            // Nothing of it runs when the lease is released.
            let _ = controller.await;
            Ok(())
        }
    }
}

/// Another one for each process: the container of a pod may start again under the same name while
/// a request of the last one is still on its way.
fn identity() -> String {
    let host = ["POD_NAME", "HOSTNAME"].iter().find_map(|name| std::env::var(name).ok());
    format!("{}_{:016x}", host.as_deref().unwrap_or("obspipe-operator"), rand::random::<u64>())
}

/// Brings the leader gauge and readiness up to date: a replica is ready when it stands by, or
/// leads and has listed everything.
async fn show(
    metrics: Metrics,
    mut leads: watch::Receiver<bool>,
    mut synced: watch::Receiver<bool>,
    ready: watch::Sender<bool>,
) {
    let mut controller_gone = false;
    loop {
        let leading = *leads.borrow_and_update();
        metrics.leader(leading);
        ready.send_replace(!leading || *synced.borrow_and_update());
        tokio::select! {
            changed = leads.changed() => if changed.is_err() {
                return;
            },
            changed = synced.changed(), if !controller_gone => controller_gone = changed.is_err(),
        }
    }
}

#[cfg(test)]
mod tests;
