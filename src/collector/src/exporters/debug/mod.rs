//! The debug exporter: what it gets, written to the log.

pub mod text;
