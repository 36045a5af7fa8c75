//! Sockets: names to addresses, TLS, connections. Knows no telemetry.
