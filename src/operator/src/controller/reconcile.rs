//! Reconciling one pipeline, stage after stage. Each stage is a file of that name.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use kube::core::{DeserializeGuard, ObjectMeta};
use kube::{Resource, ResourceExt};

use super::Context;
use super::queue::{Next, PipelineRef};
use crate::api::collector::{CollectorSpec, UpdateStrategyKind};
use crate::api::{ObservabilityPipeline, ObservabilityPipelineSpec, PipelineStatus};
use crate::apply::{Applied, apply, look};
use crate::cluster::RequestError;
use crate::cluster::cache::ChildRef;
use crate::kinds::Kind;
use crate::names::Identity;
use crate::observe::{Observed, last_good, observe};
use crate::render::{Prepared, Surroundings, render, spec_hash};
use crate::settings::Settings;
use crate::status::{Findings, pods_fail, status, worth_an_event};
use crate::upgrade::{Held, Mark, Turn};
use crate::validate::{Validated, Verdict, validate};

/// How often a dashboard's JSON in another ConfigMap is read again.
const EXTERNAL_INTERVAL: Duration = Duration::from_secs(60);
/// How often pods are asked why they are not available yet.
const ROLLOUT_INTERVAL: Duration = Duration::from_secs(15);
/// How often a pipeline whose upgrade waits asks for its turn.
const HELD_INTERVAL: Duration = Duration::from_secs(5);

/// How often something that passes by itself (an overloaded API server, a lost race) is tried again
/// before a condition tells of it: a status that flaps tells nothing.
const TRIES_UNTIL_TOLD: u32 = 3;

/// Brings one pipeline to what its spec says, as far as it goes, and reports. `failures` is how
/// often in a row that failed before.
///
/// # Errors
/// Reading or writing failed in a way that no condition explains; it is tried again.
pub(super) async fn reconcile(
    context: &Context,
    at: &PipelineRef,
    failures: u32,
) -> Result<Next, RequestError> {
    let Some(stored) = context.pipelines.get(at) else {
        context.forget(at);
        return Ok(Next::Settled);
    };
    let Some(pipeline) = Subject::of(at, &stored) else {
        return Ok(Next::Settled);
    };
    let (cluster, children) = (&context.cluster, &context.children);
    let identity = &pipeline.identity;

    let observed = observe(cluster, children, identity, pipeline.spec).await?; // client
    let mut verdict = pipeline.verdict(&observed); // pure
    let accepted = match verdict.validated.take() {
        Some(validated) => Some(validated),
        None => fall_back(context, identity, &observed).await?, // client
    };
    let prepared =
        accepted.as_ref().map(|accepted| prepare(context, at, &pipeline, accepted, &observed)); // pure
    let (prepared, held) = prepared.map_or((None, None), |(it, held)| (Some(it), held));
    let applied = match &prepared {
        Some(prepared) if pipeline.suspended() => Some(look(children, prepared)),
        Some(prepared) => Some(apply(cluster, children, prepared).await), // client, the only writer
        None => None,
    };
    let applied = match applied {
        Some(applied) if failures < TRIES_UNTIL_TOLD => Some(applied.or_passing_trouble()?),
        applied => applied,
    };
    let pods = failing_pods(context, identity, applied.as_ref()).await; // client
    context.upgrades.note(at, pods.as_deref().map(pods_fail));
    let outcome = prepared.as_ref().map(|p| &p.summary).zip(applied.as_ref());
    let findings = Findings {
        identity,
        generation: pipeline.meta.generation,
        suspended: pipeline.suspended(),
        verdict: &verdict,
        applied: outcome,
        pods: pods.as_deref().unwrap_or_default(),
        held: held.as_ref(),
    };
    report(context, &pipeline, &findings).await?; // client

    Ok(next(applied.as_ref(), &observed, held.is_some()))
}

/// The pipeline as this run sees it.
struct Subject<'a> {
    identity: Identity,
    meta: &'a ObjectMeta,
    /// None where the object cannot be read as one of ours.
    spec: Option<&'a ObservabilityPipelineSpec>,
    unreadable: Option<&'a str>,
    status: PipelineStatus,
}

impl<'a> Subject<'a> {
    /// None for one that is being deleted: its children are collected after it.
    fn of(at: &PipelineRef, stored: &'a DeserializeGuard<ObservabilityPipeline>) -> Option<Self> {
        let meta = stored.meta();
        if meta.deletion_timestamp.is_some() {
            return None;
        }
        let readable = stored.0.as_ref();
        Some(Self {
            identity: Identity {
                namespace: at.namespace.clone(),
                name: at.name.clone(),
                uid: stored.uid().unwrap_or_default(),
            },
            meta,
            spec: readable.ok().map(|pipeline| &pipeline.spec),
            unreadable: readable.err().map(|invalid| invalid.error.as_str()),
            status: readable.ok().and_then(|p| p.status.clone()).unwrap_or_default(),
        })
    }

    fn suspended(&self) -> bool {
        self.spec.is_some_and(|spec| spec.suspend == Some(true))
    }

    fn verdict(&self, observed: &Observed) -> Verdict {
        match self.spec {
            Some(spec) => validate(&self.identity, spec, &observed.external),
            None => Verdict {
                config: vec![format!("spec: {}", self.unreadable.unwrap_or("cannot be read"))],
                ..Verdict::default()
            },
        }
    }
}

/// The last accepted spec, where the current one is invalid.
async fn fall_back(
    context: &Context,
    identity: &Identity,
    observed: &Observed,
) -> Result<Option<Validated>, RequestError> {
    let Some(spec) = last_good(&context.cluster, identity, observed).await? else {
        return Ok(None);
    };
    let again = observe(&context.cluster, &context.children, identity, Some(&spec)).await?;
    let mut verdict = validate(identity, &spec, &again.external);
    if verdict.validated.is_none() {
        let problems: Vec<&String> = verdict.problems().collect();
        tracing::warn!(
            pipeline = identity.name,
            namespace = identity.namespace,
            ?problems,
            "the last good spec is not valid any more: nothing is changed"
        );
    }
    Ok(verdict.validated.take())
}

/// What is to be applied, and why the workload's upgrade waits, if it does.
fn prepare(
    context: &Context,
    at: &PipelineRef,
    pipeline: &Subject<'_>,
    accepted: &Validated,
    observed: &Observed,
) -> (Prepared, Option<Held>) {
    let mut prepared = rendered(context, accepted, observed, &context.settings);
    let collector = &accepted.spec().collector;
    let (kind, name) = prepared.workload.clone();
    let live = ChildRef { kind, namespace: at.namespace.clone(), name };
    let live = context.children.get(&live);
    let live = live
        .filter(|seen| seen.owner.as_ref().is_some_and(|(_, uid)| *uid == accepted.identity().uid));
    let mark = prepared.mark(collector);
    let counts = |other: &PipelineRef| context.pipelines.get(other).is_some_and(|it| !paused(&it));
    let now = Timestamp::now().as_second();
    if pipeline.suspended() || !rolls_by_itself(collector) {
        context.upgrades.forget(at);
        prepared.put_mark(&mark);
        return (prepared, None);
    }
    match context.upgrades.turn(at, live.as_ref(), mark, counts, now) {
        Turn::Apply(mark) => {
            prepared.put_mark(&mark);
            (prepared, None)
        }
        Turn::Hold { live, why } => (as_it_was(context, accepted, observed, &live), Some(why)),
    }
}

/// Where somebody deletes pods by hand, or a partition holds them, nothing is ever complete.
fn rolls_by_itself(collector: &CollectorSpec) -> bool {
    let Some(strategy) = &collector.update_strategy else { return true };
    let partition = strategy.rolling_update.as_ref().and_then(|bounds| bounds.partition);
    strategy.kind != Some(UpdateStrategyKind::OnDelete) && partition.unwrap_or(0) == 0
}

/// Whether nothing is written for it: it is suspended, or on its way out, for however long somebody's
/// finalizer holds it.
fn paused(pipeline: &DeserializeGuard<ObservabilityPipeline>) -> bool {
    pipeline.meta().deletion_timestamp.is_some()
        || pipeline.0.as_ref().is_ok_and(|pipeline| pipeline.spec.suspend == Some(true))
}

/// The objects with the workload's pods as they were rolled out. Where only the image differs they
/// are made again with the old one, so that drift is still repaired; else the workload is left alone.
fn as_it_was(
    context: &Context,
    accepted: &Validated,
    observed: &Observed,
    live: &Mark,
) -> Prepared {
    let settings = Settings { collector_image: live.image.clone(), ..context.settings.clone() };
    let mut prepared = rendered(context, accepted, observed, &settings);
    if prepared.mark(&accepted.spec().collector).template == live.template {
        prepared.put_mark(live);
    } else {
        prepared.leave_workload();
    }
    prepared
}

fn rendered(
    context: &Context,
    accepted: &Validated,
    observed: &Observed,
    settings: &Settings,
) -> Prepared {
    let served = context.served();
    let surroundings = Surroundings {
        settings,
        served: &served,
        placement: &observed.placement,
        revision: observed.revision_of(accepted.identity(), accepted.spec()),
    };
    let mut prepared = render(accepted, &surroundings);
    let current = accepted.identity().revision(&spec_hash(accepted.spec()));
    if let Some(previous) = observed.previous_revision(&current) {
        prepared.untouched.insert((Kind::ControllerRevision, previous.to_owned()));
    }
    prepared
}

/// The pods of a workload that is not available yet; None where they cannot be listed.
async fn failing_pods(
    context: &Context,
    identity: &Identity,
    applied: Option<&Applied>,
) -> Option<Vec<Pod>> {
    let waiting = applied.is_some_and(|applied| in_progress(applied.workload().1));
    if !waiting {
        return Some(Vec::new());
    }
    let pods = context.cluster.pods(&identity.namespace, &identity.selector_text()).await;
    let warn = |error: &RequestError| {
        tracing::warn!(%error, namespace = identity.namespace, "pods cannot be listed");
    };
    pods.inspect_err(warn).ok()
}

fn in_progress(rollout: &crate::cluster::cache::Rollout) -> bool {
    rollout.current && rollout.wanted > 0 && !rollout.complete()
}

async fn report(
    context: &Context,
    pipeline: &Subject<'_>,
    findings: &Findings<'_>,
) -> Result<(), RequestError> {
    let identity = &pipeline.identity;
    let before = context.last_status(identity).unwrap_or_else(|| pipeline.status.clone());
    let after = status(findings, &before, &Time(Timestamp::now()));
    // What the store shows may lag behind what was written; what somebody else wrote shows there.
    let shown = context.is_current(identity, &pipeline.status);
    if after == before && shown {
        return Ok(());
    }
    let body =
        serde_json::to_value(&after).map_err(|error| RequestError::Invalid(error.to_string()))?;
    context.cluster.write_status(&identity.namespace, &identity.name, &identity.uid, &body).await?;
    context.remember_status(identity, after.clone());
    for condition in worth_an_event(&before, &after) {
        tracing::info!(
            namespace = identity.namespace,
            pipeline = identity.name,
            condition = condition.kind,
            status = condition.status.as_str(),
            reason = condition.reason,
            "condition changed"
        );
        context.events.changed(pipeline.meta, condition).await;
    }
    Ok(())
}

fn next(applied: Option<&Applied>, observed: &Observed, held: bool) -> Next {
    let Some(applied) = applied else {
        return if observed.external.is_empty() {
            Next::Settled
        } else {
            Next::After(EXTERNAL_INTERVAL)
        };
    };
    if applied.incomplete() {
        return Next::Retry;
    }
    if held {
        return Next::After(HELD_INTERVAL);
    }
    if in_progress(applied.workload().1) {
        return Next::After(ROLLOUT_INTERVAL);
    }
    if observed.external.is_empty() { Next::Settled } else { Next::After(EXTERNAL_INTERVAL) }
}

/// How long a run took, for metrics.
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
