//! The operator: reconciles `ObservabilityPipeline` objects into the collector, the rules and the
//! dashboards that they declare. The only crate that knows kube; it knows no telemetry.
//!
//! Reconciling is a list of stages, one room each: [`observe`] -> [`validate`] -> [`render`] ->
//! [`apply`] -> [`status`]. Only [`cluster`] talks to the API server, only [`names`] makes names.

// A test may be a long table.
#![cfg_attr(test, allow(clippy::too_many_lines))]

pub mod api;
pub mod apply;
pub mod cli;
pub mod cluster;
pub mod controller;
pub mod kinds;
pub mod logging;
pub mod metrics;
pub mod names;
pub mod observe;
pub mod render;
pub mod rights;
pub mod serve;
pub mod settings;
pub mod status;
pub mod upgrade;
pub mod validate;
