//! Stage five: from what was found valid and what was applied to conditions. Pure: the time is
//! handed in, and only a condition whose status changed takes it.

mod pods;
mod reasons;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::status::ConditionStatus;
use crate::api::{Condition, Mode, PipelineStatus};
use crate::apply::{Applied, Outcome};
use crate::cluster::RequestError;
use crate::cluster::cache::ChildRef;
use crate::kinds::Kind;
use crate::names::Identity;
use crate::render::Summary;
use crate::upgrade::Held;
use crate::validate::Verdict;

pub use reasons::Reason;

/// Most details in a message.
const MAX_DETAILS: usize = 20;
/// Most bytes of a message.
const MAX_MESSAGE: usize = 4096;

/// What the status is made of.
pub struct Findings<'a> {
    /// Whose status.
    pub identity: &'a Identity,
    /// Generation of the spec that was looked at.
    pub generation: Option<i64>,
    /// Whether the spec is suspended.
    pub suspended: bool,
    /// What was found wrong with the spec.
    pub verdict: &'a Verdict,
    /// What was rendered and what became of it; None where no spec was ever valid.
    pub applied: Option<(&'a Summary, &'a Applied)>,
    /// The workload's pods, where it is not available.
    pub pods: &'a [Pod],
    /// Why an upgrade of the workload waits, if one does.
    pub held: Option<&'a Held>,
}

/// A condition without its time.
struct Finding {
    kind: &'static str,
    status: ConditionStatus,
    reason: Reason,
    details: Vec<String>,
}

impl Finding {
    fn new(kind: &'static str, status: ConditionStatus, reason: Reason) -> Self {
        Self { kind, status, reason, details: Vec::new() }
    }

    fn with(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

/// The status after a reconcile.
#[must_use]
pub fn status(findings: &Findings<'_>, previous: &PipelineStatus, now: &Time) -> PipelineStatus {
    let mut all = vec![
        config_valid(findings.verdict),
        collector_available(findings),
        rules_ready(findings),
        dashboards_ready(findings),
    ];
    all.push(ready(&all, findings.suspended));
    // After Ready, which it does not touch: what runs is as good as it was.
    all.extend(upgraded(findings));
    let conditions = all
        .into_iter()
        .map(|finding| condition(finding, findings.generation, previous, now))
        .collect();
    let base = PipelineStatus {
        observed_generation: findings.generation,
        conditions,
        ..PipelineStatus::default()
    };
    match findings.applied {
        None => base,
        Some((summary, applied)) => with_numbers(base, findings.identity, summary, applied),
    }
}

fn with_numbers(
    base: PipelineStatus,
    identity: &Identity,
    summary: &Summary,
    applied: &Applied,
) -> PipelineStatus {
    let (_, rollout) = applied.workload();
    let count = |n: usize| i32::try_from(n).ok();
    PipelineStatus {
        mode: Some(summary.mode.as_str().to_owned()),
        replicas: Some(rollout.wanted),
        ready_replicas: Some(rollout.ready),
        selector: Some(identity.selector_text()),
        collectors: Some(format!("{}/{}", rollout.ready, rollout.wanted)),
        rules: count(summary.rules),
        dashboards: count(summary.dashboards),
        config_hash: Some(summary.config_hash.clone()),
        image: Some(summary.image.clone()),
        ..base
    }
}

fn config_valid(verdict: &Verdict) -> Finding {
    if verdict.config.is_empty() {
        return Finding::new("ConfigValid", ConditionStatus::True, Reason::Valid)
            .with(verdict.warnings.iter().map(|warning| format!("warning: {warning}")).collect());
    }
    Finding::new("ConfigValid", ConditionStatus::False, Reason::InvalidConfig)
        .with(verdict.config.clone())
}

fn collector_available(findings: &Findings<'_>) -> Finding {
    const KIND: &str = "CollectorAvailable";
    let Some((summary, applied)) = findings.applied else {
        return Finding::new(KIND, ConditionStatus::False, Reason::NothingToRun);
    };
    if let Some(trouble) = trouble(KIND, applied, is_collector) {
        return trouble;
    }
    if applied.outcomes().iter().any(|(_, outcome)| matches!(outcome, Outcome::Retiring)) {
        let (_, details) = pods::failure(findings.pods).unwrap_or((Reason::RollingOut, Vec::new()));
        return Finding::new(KIND, ConditionStatus::False, Reason::SwitchingMode).with(details);
    }
    let (_, rollout) = applied.workload();
    let progress = format!("{} of {} ready", rollout.ready, rollout.wanted);
    if rollout.current && rollout.wanted == 0 && summary.mode == Mode::DaemonSet {
        let detail = "no node matches the DaemonSet's node selector, affinity and tolerations";
        return Finding::new(KIND, ConditionStatus::False, Reason::Unschedulable)
            .with(vec![detail.to_owned()]);
    }
    if rollout.complete() {
        return Finding::new(KIND, ConditionStatus::True, Reason::RolledOut);
    }
    let (reason, mut details) =
        pods::failure(findings.pods).unwrap_or((Reason::RollingOut, Vec::new()));
    details.push(progress);
    Finding::new(KIND, ConditionStatus::False, reason).with(details)
}

/// Whether the pods are those that this operator makes; none where nothing was ever applied.
fn upgraded(findings: &Findings<'_>) -> Option<Finding> {
    const KIND: &str = "Upgraded";
    findings.applied?;
    Some(match findings.held {
        None => Finding::new(KIND, ConditionStatus::True, Reason::UpToDate),
        Some(Held::Waiting { rolling, limit }) => {
            let detail = format!("{rolling} of at most {limit} pipelines are being upgraded");
            Finding::new(KIND, ConditionStatus::False, Reason::UpgradeWaiting).with(vec![detail])
        }
        Some(Held::Halted { by }) => {
            let (namespace, name) = by.split_once('/').unwrap_or(("", by));
            let detail = format!(
                "pipeline {name} in namespace {namespace} does not become available; see why: \
                 kubectl describe obspipe {name} -n {namespace}"
            );
            Finding::new(KIND, ConditionStatus::False, Reason::UpgradeHalted).with(vec![detail])
        }
    })
}

fn rules_ready(findings: &Findings<'_>) -> Finding {
    const KIND: &str = "RulesReady";
    if !findings.verdict.rules.is_empty() {
        return Finding::new(KIND, ConditionStatus::False, Reason::InvalidExpression)
            .with(findings.verdict.rules.clone());
    }
    let Some((summary, applied)) = findings.applied else {
        return Finding::new(KIND, ConditionStatus::Unknown, Reason::NothingToRun);
    };
    if summary.rules == 0 {
        return Finding::new(KIND, ConditionStatus::True, Reason::NoneDeclared);
    }
    if summary.unserved.contains(&Kind::PrometheusRule) {
        return Finding::new(KIND, ConditionStatus::False, Reason::KindNotServed);
    }
    trouble(KIND, applied, |_, at| at.kind == Kind::PrometheusRule)
        .unwrap_or_else(|| Finding::new(KIND, ConditionStatus::True, Reason::Applied))
}

fn dashboards_ready(findings: &Findings<'_>) -> Finding {
    const KIND: &str = "DashboardsReady";
    if !findings.verdict.dashboards.is_empty() {
        return Finding::new(KIND, ConditionStatus::False, Reason::InvalidDashboard)
            .with(findings.verdict.dashboards.clone());
    }
    let Some((summary, applied)) = findings.applied else {
        return Finding::new(KIND, ConditionStatus::Unknown, Reason::NothingToRun);
    };
    if summary.dashboards == 0 {
        return Finding::new(KIND, ConditionStatus::True, Reason::NoneDeclared);
    }
    trouble(KIND, applied, is_dashboard)
        .unwrap_or_else(|| Finding::new(KIND, ConditionStatus::True, Reason::Applied))
}

/// The first thing that keeps the pipeline from being ready.
fn ready(all: &[Finding], suspended: bool) -> Finding {
    const KIND: &str = "Ready";
    if suspended {
        return Finding::new(KIND, ConditionStatus::Unknown, Reason::Suspended);
    }
    let without_rules = all.iter().any(|finding| finding.reason == Reason::KindNotServed);
    let obstacle = all.iter().find(|finding| {
        finding.status != ConditionStatus::True && finding.reason != Reason::KindNotServed
    });
    match obstacle {
        Some(finding) => {
            Finding::new(KIND, ConditionStatus::False, finding.reason).with(finding.details.clone())
        }
        None if without_rules => {
            Finding::new(KIND, ConditionStatus::True, Reason::ReadyWithoutRules)
        }
        None => Finding::new(KIND, ConditionStatus::True, Reason::ReadyUnobserved),
    }
}

/// What went wrong while applying the objects that a condition speaks of.
fn trouble(
    kind: &'static str,
    applied: &Applied,
    concerns: impl Fn(&Applied, &ChildRef) -> bool,
) -> Option<Finding> {
    let mut found: Vec<(Reason, String)> = Vec::new();
    for (at, outcome) in applied.outcomes().iter().filter(|(at, _)| concerns(applied, at)) {
        let place = format!("{} {}", at.kind, at.name);
        match outcome {
            Outcome::NameConflict { owner } => found.push((Reason::NameConflict, owner.clone())),
            Outcome::Collecting => {
                let detail = format!("{place}: the old object is being deleted");
                found.push((Reason::RollingOut, detail));
            }
            Outcome::Failed(error) => {
                found.push((reason_of(error), format!("{place}: {error}")));
            }
            _ => {}
        }
    }
    // The one that needs somebody to act comes first, whatever the order of applying.
    let order = [Reason::Forbidden, Reason::NameConflict, Reason::Refused, Reason::NotApplied];
    let rank = |reason: &Reason| order.iter().position(|r| r == reason).unwrap_or(order.len());
    let first = found.iter().map(|(reason, _)| *reason).min_by_key(rank)?;
    let details = found.into_iter().filter(|(r, _)| *r == first).map(|(_, d)| d).collect();
    Some(Finding::new(kind, ConditionStatus::False, first).with(details))
}

fn reason_of(error: &RequestError) -> Reason {
    match error {
        RequestError::Forbidden { .. } => Reason::Forbidden,
        RequestError::Invalid(_) => Reason::Refused,
        _ => Reason::NotApplied,
    }
}

fn is_dashboard(applied: &Applied, at: &ChildRef) -> bool {
    at.kind == Kind::ConfigMap && !is_configuration(applied, at)
}

fn is_collector(applied: &Applied, at: &ChildRef) -> bool {
    at.kind != Kind::PrometheusRule && !is_dashboard(applied, at)
}

/// The configuration's ConfigMap is named after the workload.
fn is_configuration(applied: &Applied, at: &ChildRef) -> bool {
    at.name == format!("{}-config", applied.workload().0.name)
}

fn condition(
    finding: Finding,
    generation: Option<i64>,
    previous: &PipelineStatus,
    now: &Time,
) -> Condition {
    let before = previous
        .conditions
        .iter()
        .find(|condition| condition.kind == finding.kind && condition.status == finding.status);
    Condition {
        kind: finding.kind.to_owned(),
        status: finding.status,
        reason: finding.reason.as_str().to_owned(),
        message: message(finding.reason, finding.details),
        observed_generation: generation,
        last_transition_time: before.map_or(now, |before| &before.last_transition_time).clone(),
    }
}

/// The reason's sentence, then its details: sorted, at most twenty, and 4 KiB in all.
fn message(reason: Reason, mut details: Vec<String>) -> String {
    details.sort();
    details.dedup();
    let mut text = reason.sentence().to_owned();
    let (shown, mut left) = (details.len().min(MAX_DETAILS), details.len());
    let room = MAX_MESSAGE - "\n- and 1000 more".len();
    for detail in &details[..shown] {
        if text.len() + detail.len() + 3 > room {
            break;
        }
        text.push_str("\n- ");
        text.push_str(detail);
        left -= 1;
    }
    if left > 0 {
        text.push_str(&format!("\n- and {left} more"));
    }
    text
}

/// Whether pods fail in a way that does not pass by itself.
#[must_use]
pub fn pods_fail(pods: &[Pod]) -> bool {
    pods::failure(pods).is_some_and(|(reason, _)| reason == Reason::PodsFailing)
}

/// The conditions that are worth an event: those whose status or reason changed. That a new
/// pipeline is rolling out is no news, and Ready only repeats what another condition says first.
#[must_use]
pub fn worth_an_event<'a>(
    before: &PipelineStatus,
    after: &'a PipelineStatus,
) -> Vec<&'a Condition> {
    let changed = |new: &&Condition| match before.conditions.iter().find(|c| c.kind == new.kind) {
        Some(old) => old.status != new.status || old.reason != new.reason,
        None => new.status == ConditionStatus::False && new.reason != Reason::RollingOut.as_str(),
    };
    let changed: Vec<&Condition> = after.conditions.iter().filter(changed).collect();
    let repeats = |ready: &Condition| {
        ready.kind == "Ready"
            && changed.iter().any(|other| other.kind != "Ready" && other.reason == ready.reason)
    };
    changed.iter().filter(|condition| !repeats(condition)).copied().collect()
}

#[cfg(test)]
mod tests;
