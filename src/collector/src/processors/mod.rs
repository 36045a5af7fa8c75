//! What happens to telemetry on its way. Components do not know one another; `catalogue` lists them.

pub mod attributes;
pub mod batch;
