//! The manifests, as they lie in `manifests/`.

/// Takes spans on 14250.
pub(crate) const JAEGER: &str = include_str!("manifests/jaeger.yaml");
/// Takes lines on 3100.
pub(crate) const LOKI: &str = include_str!("manifests/loki.yaml");
/// A Prometheus and an Alertmanager for one namespace.
pub(crate) const PROMETHEUS: &str = include_str!("manifests/prometheus.yaml");
/// Who runs them.
pub(crate) const PROMETHEUS_OPERATOR: &str = include_str!("manifests/prometheus-operator.yaml");
/// The application.
pub(crate) const SHOP: &str = include_str!("manifests/shop.yaml");
/// Its customers.
pub(crate) const LOAD: &str = include_str!("manifests/load.yaml");

/// Spans through the SDK, accounted for.
pub(crate) const LEDGER: &str = include_str!("manifests/ledger.yaml");

/// All of them.
#[cfg(test)]
pub(crate) const ALL: [&str; 7] =
    [JAEGER, LOKI, PROMETHEUS, PROMETHEUS_OPERATOR, SHOP, LOAD, LEDGER];
