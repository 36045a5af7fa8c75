//! What a pipeline talks to, for tests: the real programs as processes (Jaeger, Loki,
//! Prometheus, three releases of the OpenTelemetry Collector, the SDK of Python), and
//! backends in this process that capture what is sent and answer as they are told.
//!
//! Each program is built once and kept (`local_cluster`), starts on free ports in a directory
//! of its own, and ends with the value that stands for it. Nothing here knows obspipe.

pub mod capture;
mod error;
pub mod http;
mod jaeger;
mod loki;
mod otelcol;
mod process;
mod prometheus;
mod sdk;
mod wait;

pub use capture::{Answer, Capture, Received, Reset};
pub use error::{Error, Result};
pub use jaeger::Jaeger;
pub use loki::Loki;
pub use otelcol::{Endpoints, Otelcol, Release};
pub use process::{Launch, Process, Ready};
pub use prometheus::{Prometheus, Scrape};
pub use sdk::{Emitted, Printed, Protocol, PythonSdk};
pub use wait::{WITHIN, eventually};
