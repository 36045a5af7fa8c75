//! otelcol's text forms of telemetry. Pure.
