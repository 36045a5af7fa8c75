//! Spans in OTLP to batches in jaeger.api_v2. Pure.
