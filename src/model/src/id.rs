//! How components and pipelines are named: `type` or `type/name` (otelcol component.ID).

use std::fmt;
use std::str::FromStr;

use crate::problem::{Code, Problem};

/// Longest name after the slash (otelcol component.ID).
const MAX_NAME: usize = 1024;
/// Longest type before it (otelcol component.Type).
const MAX_TYPE: usize = 63;

/// The name of a component: `otlp` or `otlp/second`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ComponentId {
    /// What it is, as written.
    pub kind: String,
    /// Its own name; empty if it has none.
    pub name: String,
}

impl FromStr for ComponentId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, name) = match text.split_once('/') {
            Some((_, "")) => return Err(format!("{text:?} has nothing after the slash")),
            Some((kind, name)) => (kind, name),
            None => (text, ""),
        };
        let letters = kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let starts = kind.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
        if !letters || !starts || kind.len() > MAX_TYPE {
            return Err(format!(
                "{text:?} is no component id: type or type/name, the type of letters, digits and \
                 underscores, beginning with a letter"
            ));
        }
        let printable = name.chars().all(|c| !c.is_control() && !c.is_whitespace());
        if !printable || name.len() > MAX_NAME {
            return Err(format!(
                "{text:?} has a name with blanks or control characters, or too long"
            ));
        }
        Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for ComponentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if !self.name.is_empty() {
            write!(f, "/{}", self.name)?;
        }
        Ok(())
    }
}

/// A kind of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Data points.
    Metrics,
    /// Log records.
    Logs,
}

impl Signal {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// The word in the configuration.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        }
    }
}

/// The name of a pipeline: `traces` or `traces/second`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PipelineId {
    /// What it carries.
    pub signal: Signal,
    /// Its own name; empty if it has none.
    pub name: String,
}

impl PipelineId {
    /// Reads an id.
    ///
    /// # Errors
    /// The text is no id, or its type no signal.
    pub fn parse(text: &str, path: &str) -> Result<Self, Problem> {
        let id = ComponentId::from_str(text)
            .map_err(|message| Problem::new(path, Code::InvalidId, message))?;
        let signal = Signal::ALL.into_iter().find(|signal| signal.as_str() == id.kind);
        let signal = signal.ok_or_else(|| {
            let names = Signal::ALL.map(Signal::as_str);
            Problem::new(path, Code::InvalidId, "a pipeline is one of traces, metrics and logs")
                .did_you_mean(&id.kind, names)
        })?;
        Ok(Self { signal, name: id.name })
    }
}

impl fmt::Display for PipelineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.signal.as_str())?;
        if !self.name.is_empty() {
            write!(f, "/{}", self.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
