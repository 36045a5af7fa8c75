//! The operator: reconciles `ObservabilityPipeline` objects into the collector, the rules and the
//! dashboards that they declare. The only crate that knows kube; it knows no telemetry.

pub mod apply;
pub mod cluster;
pub mod serve;
