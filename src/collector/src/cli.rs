//! The command line, as otelcol's: run by default, `validate`, `components`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use obspipe_model::catalogue::{CATALOGUE, Class};
use obspipe_model::settings::ListenAddress;
use obspipe_model::{Checked, Problem};
use tokio::signal::unix::{SignalKind, signal};

use crate::configuration::{self, LoadError};
use crate::net::listen::Listeners;
use crate::pages::{Admin, Health, Metrics};
use crate::service::page::{Page, PageError, Pages};
use crate::service::{Service, StartError, build};
use crate::telemetry::logging;

/// Takes telemetry as OTLP and passes it on, by an OpenTelemetry Collector configuration.
#[derive(Debug, Parser)]
#[command(name = "obspipe-collector", version)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Common {
    /// Configuration: a file, or file:, env: or yaml: before it. Repeatable: maps are merged.
    #[arg(long, global = true, value_name = "SOURCE")]
    config: Vec<String>,
    /// One setting, over the configuration: key=value, as in processors.batch.timeout=2s. Repeatable.
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Taken as otelcol takes it; there are no gates here.
    #[arg(long, global = true, value_name = "GATES")]
    feature_gates: Option<String>,
    /// Address of the admin pages: /livez, /readyz, /status, /metrics. None unless given.
    #[arg(long, global = true, env = "OBSPIPE_ADMIN_LISTEN", value_name = "HOST:PORT")]
    admin_listen: Option<std::net::SocketAddr>,
    /// Seconds in which telemetry is still taken after SIGTERM, while clients learn of it.
    #[arg(long, global = true, env = "OBSPIPE_LINGER_SECONDS", default_value_t = 0)]
    linger_seconds: u64,
    /// Seconds in which what was taken is still sent after that.
    #[arg(long, global = true, env = "OBSPIPE_DRAIN_SECONDS", default_value_t = 20)]
    drain_seconds: u64,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check the configuration and do nothing else.
    Validate {
        /// Text, or JSON for programs.
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// List the components that are built in.
    Components {
        /// Text, or JSON for programs.
        #[arg(short, long, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Text,
    Json,
}

/// Why the collector does not run.
#[derive(Debug, thiserror::Error)]
enum RunError {
    #[error("no configuration: give --config FILE")]
    NoConfiguration,
    #[error("{0}")]
    Load(#[from] LoadError),
    #[error("the configuration is not valid:\n{}", .0.iter().map(|p| format!("  {p}")).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Problem>),
    #[error("{0}")]
    Start(#[from] StartError),
    #[error("admin listener: {0}")]
    Admin(PageError),
    #[error("{0}: {1}")]
    Page(String, PageError),
    #[error("cannot start: {0}")]
    Runtime(#[from] std::io::Error),
}

/// Runs the command line. 0: done; 1: something is wrong with the configuration or the machine.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        None => run(&arguments.common),
        Some(Command::Validate { output }) => validate(&arguments.common, *output),
        Some(Command::Components { output }) => {
            components(*output);
            Ok(ExitCode::SUCCESS)
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn load(common: &Common) -> Result<(Checked, Vec<Problem>), RunError> {
    if common.config.is_empty() {
        return Err(RunError::NoConfiguration);
    }
    let raw = configuration::load(&common.config, &common.set)?;
    let admin = common.admin_listen.map(|address| address.port());
    configuration::checked(&raw, admin).map_err(RunError::Invalid)
}

fn validate(common: &Common, output: Output) -> Result<ExitCode, RunError> {
    let (problems, warnings) = match load(common) {
        Ok((_, warnings)) => (Vec::new(), warnings),
        Err(RunError::Invalid(problems)) => (problems, Vec::new()),
        Err(error) => return Err(error),
    };
    let valid = problems.is_empty();
    if output == Output::Json {
        let told = |list: &[Problem]| -> Vec<serde_json::Value> {
            list.iter()
                .map(|p| serde_json::json!({"path": p.path, "code": p.code.as_str(), "message": p.message, "hint": p.hint}))
                .collect()
        };
        let report = serde_json::json!({"valid": valid, "problems": told(&problems), "warnings": told(&warnings)});
        println!("{report}");
    } else {
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        problems.iter().for_each(|problem| eprintln!("error: {problem}"));
        if valid {
            println!("the configuration is valid");
        }
    }
    Ok(if valid { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn components(output: Output) {
    let of = |class: Class| CATALOGUE.iter().filter(move |entry| entry.class == class);
    if output == Output::Json {
        let listed: serde_json::Map<String, serde_json::Value> = Class::ALL
            .iter()
            .map(|class| {
                let entries: Vec<_> = of(*class)
                    .map(|entry| {
                        let signals: Vec<_> = entry.signals.iter().map(|s| s.as_str()).collect();
                        serde_json::json!({"name": entry.name, "also": entry.also, "signals": signals, "about": entry.about})
                    })
                    .collect();
                (class.section().to_owned(), entries.into())
            })
            .collect();
        println!("{}", serde_json::Value::Object(listed));
        return;
    }
    for class in Class::ALL {
        println!("{}:", class.section());
        for entry in of(class) {
            let also = match entry.also {
                [] => String::new(),
                names => format!(" (also {})", names.join(", ")),
            };
            println!("  {:<16}{}{also}", entry.name, entry.about);
        }
    }
}

fn run(common: &Common) -> Result<ExitCode, RunError> {
    let (checked, warnings) = load(common)?;
    logging::start(&checked.telemetry().logs);
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let workers = workers();
    let mut runtime = match workers {
        1 => tokio::runtime::Builder::new_current_thread(),
        workers => {
            let mut runtime = tokio::runtime::Builder::new_multi_thread();
            runtime.worker_threads(workers);
            runtime
        }
    };
    runtime.enable_all().build()?.block_on(serve(common, &checked, workers))
}

/// As many as there are CPUs to use: `GOMAXPROCS`, else the CPU quota, rounded up.
fn workers() -> usize {
    let said = std::env::var("GOMAXPROCS").ok().and_then(|text| text.parse().ok());
    let there = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    said.filter(|workers| *workers > 0).unwrap_or_else(there)
}

/// As many connections as the machine lets: the soft limit on open files is often 1024.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit on open files stays as it is");
    }
}

async fn serve(common: &Common, checked: &Checked, workers: usize) -> Result<ExitCode, RunError> {
    raise_open_files();
    // First of all, so that a signal during the start is not lost.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let listeners = Arc::new(Listeners::default());
    let plan = build::prepare(checked, listeners.clone())?;
    let service = plan.start();
    pages(common, checked, &listeners, &service)?;
    for listener in checked.listeners() {
        let (name, port) = (&listener.name, listener.port);
        tracing::info!(name, host = listener.host, port, "listening");
    }
    tracing::info!(version = env!("CARGO_PKG_VERSION"), workers, "everything is ready");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    service.unready();
    tracing::info!(linger = common.linger_seconds, drain = common.drain_seconds, "ending");
    if common.linger_seconds > 0 {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(common.linger_seconds)) => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
    let left = service.drain(Duration::from_secs(common.drain_seconds)).await;
    for ((pipeline, exporter), items) in &left {
        tracing::error!(pipeline, exporter, items, "left undelivered");
    }
    if left.is_empty() {
        tracing::info!("everything taken was delivered or accounted for");
    }
    service.close().await;
    Ok(ExitCode::SUCCESS)
}

/// Opens the collector's own pages.
fn pages(
    common: &Common,
    checked: &Checked,
    listeners: &Listeners,
    service: &Arc<Service>,
) -> Result<(), RunError> {
    let scope = service.pages();
    if let Some(address) = common.admin_listen {
        let address = ListenAddress::new(&address.ip().to_string(), address.port());
        let pages: Arc<dyn Pages> = Arc::new(Admin(service.clone()));
        Page::prepare(&address, None, pages, listeners).map_err(RunError::Admin)?.start(scope);
    }
    for address in checked.telemetry().metrics.pages() {
        let pages: Arc<dyn Pages> = Arc::new(Metrics(service.clone()));
        let failed = |error| RunError::Page("service.telemetry.metrics".into(), error);
        Page::prepare(&address, None, pages, listeners).map_err(failed)?.start(scope);
    }
    for id in checked.extensions() {
        let component = checked.component(Class::Extension, id);
        if let Some(obspipe_model::catalogue::Component::HealthCheck(settings)) = component {
            let pages: Arc<dyn Pages> =
                Arc::new(Health { service: service.clone(), settings: settings.clone() });
            let failed = |error| RunError::Page(format!("extensions.{id}"), error);
            Page::prepare(&settings.endpoint, settings.tls.as_ref(), pages, listeners)
                .map_err(failed)?
                .start(scope);
        }
    }
    Ok(())
}
