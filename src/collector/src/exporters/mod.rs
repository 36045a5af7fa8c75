//! Where telemetry leaves. Components do not know one another; `catalogue` lists them.

pub mod debug;
pub mod jaeger;
pub mod loki;
pub mod prometheus;
