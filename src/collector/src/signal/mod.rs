//! Telemetry as the OTLP protobuf it arrived as: checked once, then cut, edited and read in place.
//! Knows no socket, no clock and no component.

pub mod as_string;
pub(crate) mod attribute;
pub mod cut;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
#[cfg(test)]
pub(crate) mod generate;
pub mod json;
pub mod otlp;
pub mod rewrite;
pub mod scan;
pub mod schema;
pub mod view;
pub mod wire;

pub use obspipe_model::Signal;

use otlp::{Logs, Metrics, Traces};
use schema::Message;
use view::View;

/// The message in which a signal is sent.
#[must_use]
pub fn request(signal: Signal) -> &'static Message {
    match signal {
        Signal::Traces => Traces::schema(),
        Signal::Metrics => Metrics::schema(),
        Signal::Logs => Logs::schema(),
    }
}
