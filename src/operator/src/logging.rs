//! The log: one line per event to standard error, as text or JSON.

use clap::ValueEnum;
use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt;

/// Crates that tell at `info` and below what only their authors want to know.
const QUIET: [&str; 4] = ["kube", "hyper", "rustls", "tower"];

/// Logs every failed request as an error; whoever made it says so itself, and once.
const SILENT: &str = "kube_client::client::builder";

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// Why there is no log.
#[derive(Debug, Error)]
pub enum LoggingError {
    /// The level is none.
    #[error("log level {0:?}: must be off, error, warn, info, debug or trace")]
    Level(String),
    /// The variable is no filter.
    #[error("RUST_LOG: {0}")]
    Filter(String),
    /// There is a log already.
    #[error("cannot start the log: {0}")]
    Start(String),
}

/// Starts the log. The environment variable `RUST_LOG` wins over `level`.
///
/// # Errors
/// The level or `RUST_LOG` cannot be understood, or there is a log already.
pub fn init(format: Format, level: &str) -> Result<(), LoggingError> {
    let filter = match std::env::var(EnvFilter::DEFAULT_ENV) {
        Ok(text) if !text.is_empty() => {
            EnvFilter::try_new(text).map_err(|error| LoggingError::Filter(error.to_string()))?
        }
        _ => EnvFilter::try_new(directives(level)?)
            .map_err(|error| LoggingError::Filter(error.to_string()))?,
    };
    let builder = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = match format {
        Format::Text => builder.with_ansi(false).try_init(),
        Format::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    started.map_err(|error| LoggingError::Start(error.to_string()))
}

/// The operator at `level`, the libraries no louder than warnings.
fn directives(level: &str) -> Result<String, LoggingError> {
    let own: LevelFilter = level.parse().map_err(|_| LoggingError::Level(level.to_owned()))?;
    let others = own.min(LevelFilter::WARN);
    let mut text = own.to_string();
    for name in QUIET {
        text.push_str(&format!(",{name}={others}"));
    }
    text.push_str(&format!(",{SILENT}=off"));
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_no_louder_than_warnings_and_no_louder_than_we_are() {
        let text = directives("debug").unwrap();
        assert_eq!(
            text,
            "debug,kube=warn,hyper=warn,rustls=warn,tower=warn,kube_client::client::builder=off"
        );
        assert!(EnvFilter::try_new(&text).is_ok());
        assert!(directives("off").unwrap().starts_with("off,kube=off"));
    }

    #[test]
    fn a_level_that_is_none_is_an_error() {
        assert!(matches!(directives("loud"), Err(LoggingError::Level(_))));
    }
}
