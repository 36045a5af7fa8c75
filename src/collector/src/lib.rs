//! The collector that runs in what the operator makes: reads OpenTelemetry Collector configuration
//! as it is, takes telemetry as OTLP, and passes it on.

// A test may be a long table.
#![cfg_attr(test, allow(clippy::too_many_lines))]

pub mod catalogue;
pub mod cli;
pub mod configuration;
pub mod exporters;
pub mod flow;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
pub mod net;
pub mod pages;
pub mod processors;
pub mod receivers;
pub mod service;
pub mod signal;
pub mod telemetry;

#[cfg(test)]
mod testing;
