//! The jaeger exporter: spans to Jaeger's own gRPC collector (api_v2 PostSpans).

pub mod translate;
