//! The log: one line an event to standard error, as text or JSON (`service.telemetry.logs`).

use std::io::IsTerminal as _;

use obspipe_model::components::service::{LogEncoding, LogLevel, TelemetryLogs};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// Crates that tell at `info` and below what only their authors want to know.
const QUIET: [&str; 4] = ["hyper=warn", "h2=warn", "rustls=error", "hickory=error"];

/// Starts the log; `RUST_LOG` wins over the configuration. A second call changes nothing.
pub fn start(settings: &TelemetryLogs) {
    let level = match settings.level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| {
        let quiet = QUIET.iter().filter_map(|directive| directive.parse().ok());
        let all = EnvFilter::default().add_directive(level.into());
        quiet.fold(all, EnvFilter::add_directive)
    });
    // Colours are for who looks at a terminal (https://no-color.org).
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = !plain && std::io::stderr().is_terminal();
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(colours);
    let log = log.with_env_filter(filter);
    // Fails only where there is a log already.
    let _ = match settings.encoding {
        LogEncoding::Console => log.with_target(false).try_init(),
        LogEncoding::Json => log.json().flatten_event(true).with_target(false).try_init(),
    };
}
