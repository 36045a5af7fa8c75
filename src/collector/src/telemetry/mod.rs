//! What the collector says of itself: its log, and its metrics by otelcol's names.

pub mod logging;
pub mod metrics;
