//! Where telemetry leaves. Components do not know one another; `catalogue` lists them.

pub mod client;
pub mod debug;
pub mod jaeger;
pub mod loki;
pub mod otlp;
pub mod otlp_http;
pub mod prometheus;
pub mod requests;
