//! Stage two: what a spec means, or every reason why it cannot be run. Pure: no client, no clock.
//! Problems become conditions; they are never retried. What leaves here as [`Validated`] renders
//! without a Result.

mod collector;
pub mod dashboards;
pub mod rules;

use std::collections::BTreeMap;

use obspipe_model::Checked;

use crate::api::ObservabilityPipelineSpec;
use crate::names::{Identity, hash};
use dashboards::ValidatedDashboard;

pub use collector::{Port, Purpose};

/// What was read from other objects: by ConfigMap and key, the text or that there is none.
pub type External = BTreeMap<(String, String), Option<String>>;

/// The problems of a spec by the condition that reports them, and the spec itself where there are
/// none.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Problems of the collector, each with its path.
    pub config: Vec<String>,
    /// Problems of the rules, each with group, rule and position.
    pub rules: Vec<String>,
    /// Problems of the dashboards, each with its name.
    pub dashboards: Vec<String>,
    /// What works but is probably not meant.
    pub warnings: Vec<String>,
    /// The spec, where there is no problem at all: half a spec is never applied.
    pub validated: Option<Validated>,
}

impl Verdict {
    /// Every problem, in the order of the spec.
    pub fn problems(&self) -> impl Iterator<Item = &String> {
        self.config.iter().chain(&self.rules).chain(&self.dashboards)
    }
}

/// A spec in which nothing is wrong. Made by [`validate`] alone.
#[derive(Clone, Debug)]
pub struct Validated {
    identity: Identity,
    spec: ObservabilityPipelineSpec,
    config_yaml: String,
    ports: Vec<Port>,
    memory_limit_mib: u64,
    dashboards: Vec<ValidatedDashboard>,
}

impl Validated {
    /// Whose spec it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The spec as written.
    #[must_use]
    pub fn spec(&self) -> &ObservabilityPipelineSpec {
        &self.spec
    }

    /// The configuration file.
    #[must_use]
    pub fn config_yaml(&self) -> &str {
        &self.config_yaml
    }

    /// Sixteen hexadecimal digits that name the configuration file's content.
    #[must_use]
    pub fn config_hash(&self) -> String {
        hash(self.config_yaml.as_bytes(), 16)
    }

    /// The ports at which other pods reach the collector, by number.
    #[must_use]
    pub fn ports(&self) -> &[Port] {
        &self.ports
    }

    /// The container's memory limit where the spec sets none, in MiB.
    #[must_use]
    pub fn default_memory_limit_mib(&self) -> u64 {
        self.memory_limit_mib
    }

    /// The dashboards.
    #[must_use]
    pub fn dashboards(&self) -> &[ValidatedDashboard] {
        &self.dashboards
    }
}

/// Checks a whole spec and collects every problem at once.
#[must_use]
pub fn validate(
    identity: &Identity,
    spec: &ObservabilityPipelineSpec,
    external: &External,
) -> Verdict {
    let collector = collector::check(&spec.collector);
    let rules = rules::problems(&spec.rule_groups);
    let (dashboards, dashboard_problems) = dashboards::check(&spec.dashboards, external);
    let mut verdict = Verdict {
        config: collector.problems,
        rules,
        dashboards: dashboard_problems,
        warnings: collector.warnings,
        validated: None,
    };
    // A dashboard whose text stands elsewhere and cannot be read now is reported, and kept as it
    // is; it is no reason to hold back the rest.
    let whole = verdict.config.is_empty()
        && verdict.rules.is_empty()
        && dashboards.len() == spec.dashboards.len();
    if let (Some(config), true) = (collector.checked, whole) {
        verdict.validated = Some(Validated {
            identity: identity.clone(),
            config_yaml: collector.config_yaml,
            ports: collector::ports(&config),
            memory_limit_mib: default_memory_limit_mib(&config),
            spec: spec.clone(),
            dashboards,
        });
    }
    verdict
}

/// A quarter, and at least 64 MiB, above what memory_limiter accounts for: code, stacks and
/// sockets are not in its account. Without a memory_limiter, or where it follows the container's
/// limit (`limit_percentage`), 256 MiB.
fn default_memory_limit_mib(config: &Checked) -> u64 {
    match config.memory_limit_mib() {
        Some(limit) => limit + (limit / 4).max(64),
        None => 256,
    }
}

#[cfg(test)]
mod tests;
