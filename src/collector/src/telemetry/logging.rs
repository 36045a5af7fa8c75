//! The log: one line an event to standard error, as text or JSON (`service.telemetry.logs`).

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
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter);
    // Fails only where there is a log already.
    let _ = match settings.encoding {
        LogEncoding::Console => log.with_target(false).try_init(),
        LogEncoding::Json => log.json().flatten_event(true).with_target(false).try_init(),
    };
}
