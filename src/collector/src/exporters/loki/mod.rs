//! The loki exporter: log records as lines to Loki's push API.

pub mod translate;
