//! What the operator counts about itself, and its OpenMetrics text. Names and help texts are only
//! here.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Bounds of the duration histogram: from an untouched pipeline to an API server that is stuck.
const DURATIONS: [f64; 12] =
    [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabels {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    verb: &'static str,
    resource: String,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabels {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadyLabels {
    ready: &'static str,
}

/// The operator's metrics. Clones count into the same ones.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    reconciles: Family<ResultLabels, Counter>,
    durations: Histogram,
    queue_depth: Gauge,
    requests: Family<RequestLabels, Counter>,
    pipelines: Family<ReadyLabels, Gauge>,
    upgrades: Family<StateLabels, Gauge>,
    leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Arc::default(),
            reconciles: Family::default(),
            durations: Histogram::new(DURATIONS),
            queue_depth: Gauge::default(),
            requests: Family::default(),
            pipelines: Family::default(),
            upgrades: Family::default(),
            leader: Gauge::default(),
        };
        metrics.registry = Arc::new(metrics.registry());
        metrics
    }

    /// The encoder appends what OpenMetrics wants of a name: `_total`, `_seconds`, `_info`.
    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix("obspipe_operator");
        registry.register("reconcile", "Reconciles, by result", self.reconciles.clone());
        registry.register_with_unit(
            "reconcile_duration",
            "Time that a reconcile took",
            Unit::Seconds,
            self.durations.clone(),
        );
        registry.register(
            "queue_depth",
            "Pipelines waiting to be reconciled",
            self.queue_depth.clone(),
        );
        registry.register(
            "api_requests",
            "Requests to the API server, by verb, resource and outcome",
            self.requests.clone(),
        );
        registry.register(
            "pipelines",
            "Pipelines, by the status of their Ready condition",
            self.pipelines.clone(),
        );
        registry.register(
            "upgrades",
            "Pipelines that an upgrade rolls, and those of them whose pods fail",
            self.upgrades.clone(),
        );
        registry.register("leader", "Whether this replica leads", self.leader.clone());
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The operator's build", build);
        registry
    }

    /// Counts a request to the API server.
    pub fn api_request(&self, verb: &'static str, resource: &str, code: &'static str) {
        let labels = RequestLabels { verb, resource: resource.to_owned(), code };
        self.requests.get_or_create(&labels).inc();
    }

    /// Counts a reconcile.
    pub fn reconciled(&self, result: &'static str, took: Duration) {
        self.reconciles.get_or_create(&ResultLabels { result }).inc();
        self.durations.observe(took.as_secs_f64());
    }

    /// How many pipelines wait.
    pub fn queue_depth(&self, depth: usize) {
        self.queue_depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }

    /// How many pipelines have this status of the Ready condition.
    pub fn pipelines(&self, ready: &'static str, count: i64) {
        self.pipelines.get_or_create(&ReadyLabels { ready }).set(count);
    }

    /// How many upgrades are in this state.
    pub fn upgrades(&self, state: &'static str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.upgrades.get_or_create(&StateLabels { state }).set(count);
    }

    /// Whether this replica leads.
    pub fn leader(&self, leads: bool) {
        self.leader.set(i64::from(leads));
    }

    /// The OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            // Writing into a String cannot fail; half a text would lack its `# EOF` and be refused.
            tracing::error!(%error, "metrics cannot be encoded");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_has_the_documented_names() {
        let metrics = Metrics::new();
        metrics.api_request("patch", "services", "ok");
        metrics.reconciled("ok", Duration::from_millis(3));
        metrics.queue_depth(2);
        metrics.pipelines("True", 4);
        metrics.upgrades("rolling", 2);
        metrics.leader(true);
        let text = metrics.clone().encode();
        for line in [
            "obspipe_operator_reconcile_total{result=\"ok\"} 1",
            "obspipe_operator_reconcile_duration_seconds_count 1",
            "obspipe_operator_reconcile_duration_seconds_bucket{le=\"0.005\"} 1",
            "obspipe_operator_queue_depth 2",
            "obspipe_operator_api_requests_total{verb=\"patch\",resource=\"services\",code=\"ok\"} 1",
            "obspipe_operator_pipelines{ready=\"True\"} 4",
            "obspipe_operator_upgrades{state=\"rolling\"} 2",
            "obspipe_operator_leader 1",
            concat!("obspipe_operator_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"} 1"),
            "# EOF",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} not in:\n{text}");
        }
    }
}
