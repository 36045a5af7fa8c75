//! The prometheus exporter: metrics on a page that Prometheus scrapes.
