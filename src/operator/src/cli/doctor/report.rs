//! What the doctor's answers mean: a list of findings, each with what to do about it, and how the
//! list is printed. Pure; asks nothing.

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::LeaseSpec;
use kube::Resource;
use serde_json::{Value, json};

use super::definition::differences;
use crate::api::{GROUP, ObservabilityPipeline};
use crate::kinds::Kind;
use crate::rights::Right;

#[cfg(test)]
mod tests;

const RESTORE: &str = "`helm upgrade` restores the roles of the chart; config/kustomize/rbac.yaml holds \
                       the same rules";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad,
    /// Not there, and not needed.
    Absent,
}

impl Verdict {
    fn mark(self) -> char {
        match self {
            Self::Good => '✓',
            Self::Bad => '✗',
            Self::Absent => '–',
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Bad => "failed",
            Self::Absent => "absent",
        }
    }
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: String,
    pub(super) verdict: Verdict,
    found: String,
    /// What to do about it; empty where there is nothing.
    remedy: String,
}

impl Finding {
    fn new(check: impl Into<String>, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { check: check.into(), verdict, found: found.into(), remedy: String::new() }
    }

    fn remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: remedy.into(), ..self }
    }
}

/// Group and version of pipelines.
fn group_version() -> String {
    ObservabilityPipeline::api_version(&()).into_owned()
}

pub(super) fn api_server(version: Result<String, String>) -> Finding {
    match version {
        Ok(version) => Finding::new("API server", Verdict::Good, format!("Kubernetes {version}")),
        Err(error) => Finding::new("API server", Verdict::Bad, error).remedy(
            "a NetworkPolicy, the cluster's DNS or the service account may be in the way; \
             networkPolicy.apiServerPorts of the chart must name the API server's own port",
        ),
    }
}

/// The OpenAPI document of the group, if there is one.
pub(super) fn definition(document: Result<Option<Value>, String>) -> Finding {
    let name = format!("definition {}.{GROUP}", ObservabilityPipeline::plural(&()));
    let apply = "kubectl apply --server-side -f crds/, or helm upgrade with crds.install=true";
    let document = match document {
        Ok(Some(document)) => document,
        Ok(None) => {
            let found = format!("{} is not served", group_version());
            return Finding::new(name, Verdict::Bad, found).remedy(apply);
        }
        Err(error) => return Finding::new(name, Verdict::Bad, error),
    };
    let differences = differences(&document);
    if differences.is_empty() {
        return Finding::new(
            name,
            Verdict::Good,
            format!("{}, as this program has it", group_version()),
        );
    }
    let found = format!("of another version: {}", differences.join(", "));
    Finding::new(name, Verdict::Bad, found).remedy(apply)
}

/// One finding if all is allowed, else one for each right that lacks.
pub(super) fn rights(
    namespace: &str,
    asked: usize,
    lacking: Result<Vec<Right>, String>,
) -> Vec<Finding> {
    let place = if namespace.is_empty() { "all namespaces" } else { namespace };
    let check = format!("rights in {place}");
    match lacking {
        Err(error) => vec![Finding::new(check, Verdict::Bad, error)],
        Ok(lacking) if lacking.is_empty() => {
            vec![Finding::new(check, Verdict::Good, format!("all {asked}"))]
        }
        Ok(lacking) => {
            let finding = |right: &Right| {
                Finding::new(&*check, Verdict::Bad, format!("cannot {right}")).remedy(RESTORE)
            };
            lacking.iter().map(finding).collect()
        }
    }
}

pub(super) fn no_election() -> Finding {
    Finding::new("lease", Verdict::Absent, "no election: there must be one replica")
}

pub(super) fn lease(
    place: &str,
    found: Result<Option<LeaseSpec>, String>,
    now: Timestamp,
) -> Finding {
    let check = format!("lease {place}");
    let spec = match found {
        Err(error) => return Finding::new(check, Verdict::Bad, error),
        Ok(None) => {
            return Finding::new(check, Verdict::Absent, "not there: no operator has started yet");
        }
        Ok(Some(spec)) => spec,
    };
    let holder = spec.holder_identity.as_deref().unwrap_or_default();
    if holder.is_empty() {
        return Finding::new(check, Verdict::Absent, "held by nobody: no operator runs");
    }
    let since = spec
        .renew_time
        .as_ref()
        .map_or(i64::MAX, |time| now.as_second().saturating_sub(time.0.as_second()));
    if since <= i64::from(spec.lease_duration_seconds.unwrap_or(0)) {
        return Finding::new(check, Verdict::Good, format!("held by {holder}"));
    }
    let found = format!("held by {holder}, who does not renew it");
    Finding::new(check, Verdict::Bad, found).remedy("see the log of the operator's pods")
}

/// An optional kind.
pub(super) fn kind(kind: Kind, served: Result<bool, &String>) -> Finding {
    let check = format!("kind {kind}");
    match served {
        Ok(true) => Finding::new(check, Verdict::Good, format!("{} is served", kind.api_version())),
        Ok(false) => Finding::new(check, Verdict::Absent, "not served: such objects wait for it")
            .remedy("install prometheus-operator, if they are wanted"),
        Err(error) => Finding::new(check, Verdict::Bad, error),
    }
}

/// Whether nothing is missing.
pub(super) fn good(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.verdict != Verdict::Bad)
}

/// A line for each finding, and one below it for what to do.
pub(super) fn text(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let Finding { check, verdict, found, remedy } = finding;
        let remedy = if remedy.is_empty() { String::new() } else { format!("    {remedy}\n") };
        format!("{} {check}: {found}\n{remedy}", verdict.mark())
    };
    findings.iter().map(line).collect()
}

/// `{good, checks: [{check, verdict, found, remedy}]}`.
pub(super) fn json(findings: &[Finding]) -> Value {
    let check = |finding: &Finding| {
        json!({
            "check": finding.check,
            "verdict": finding.verdict.word(),
            "found": finding.found,
            "remedy": finding.remedy,
        })
    };
    json!({"good": good(findings), "checks": findings.iter().map(check).collect::<Vec<_>>()})
}
