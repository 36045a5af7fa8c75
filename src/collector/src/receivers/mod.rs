//! Where telemetry comes in. Components do not know one another; `catalogue` lists them.

pub mod otlp;
