//! The settings of every component, one file each, and of what they share. What a setting does
//! when the collector runs is not known here.

pub mod attributes;
pub mod batch;
pub mod debug;
pub mod health_check;
pub mod jaeger;
pub mod loki;
pub mod memory_limiter;
pub mod network;
pub mod nop;
pub mod otlp_exporter;
pub mod otlp_http_exporter;
pub mod otlp_receiver;
pub mod prometheus;
pub mod service;
