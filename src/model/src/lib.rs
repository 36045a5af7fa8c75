//! The language that operator and collector both speak: an OpenTelemetry Collector configuration,
//! from raw YAML or JSON to [`Checked`], with every problem at once, each with its path.
//!
//! No async, no I/O, no clock and no environment of its own: the environment is handed in. Both
//! programs link this crate, so the operator accepts exactly what the collector runs.

// A test may be a long table.
#![cfg_attr(test, allow(clippy::too_many_lines))]

pub mod catalogue;
mod check;
mod checked;
pub mod components;
pub mod decode;
pub mod duration;
mod environment;
mod findings;
mod id;
mod problem;
pub mod settings;
mod value;
pub mod yaml;

pub use check::{Options, Report, check};
pub use checked::{Checked, Listener, ListenerKind, Pipeline};
pub use environment::{Answer, Environment, MAX_EXPANDED_BYTES};
pub use findings::MAX_TOLD;
pub use id::{ComponentId, PipelineId, Signal};
pub use problem::{Code, Problem};
pub use value::{MAX_DEPTH, RawConfig, Value};
