//! Which upgrades are under way, as the watches and this process's own writes tell; the decision is
//! [`upgrade::turn`]'s. One at a time decides, so that two do not take the same place.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::queue::PipelineRef;
use crate::cluster::cache::{Children, Rollout, Seen};
use crate::upgrade::{InFlight, Mark, Others, Progress, Turn, turn};

/// Upgrades under way.
pub(super) struct Upgrades {
    limit: usize,
    children: Children,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Begun here: the watch shows it only later. The template and since when.
    begun: HashMap<PipelineRef, (String, i64)>,
    /// Whose pods were seen to fail since its upgrade began.
    failing: BTreeSet<PipelineRef>,
    progress: HashMap<PipelineRef, Progress>,
    /// Whose pods were asked since this process started.
    looked_at: BTreeSet<PipelineRef>,
}

/// How many there are, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) rolling: usize,
    pub(super) failing: usize,
}

impl Upgrades {
    /// None under way; at most `limit` at a time.
    pub(super) fn new(limit: usize, children: Children) -> Self {
        Self { limit, children, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about the workload of the pipeline `at`, of which `live` was seen. `counts` says which
    /// pipelines are there and not suspended: only their upgrades keep others from theirs.
    pub(super) fn turn(
        &self,
        at: &PipelineRef,
        live: Option<&Seen>,
        wanted: Mark,
        counts: impl Fn(&PipelineRef) -> bool,
        now: i64,
    ) -> Turn {
        let mut inner = self.lock();
        let mark = live.and_then(|seen| seen.mark.as_ref());
        let rollout = live.and_then(|seen| seen.rollout).unwrap_or_default();
        inner.follow(at, mark, rollout, now);
        let others = || {
            let mut others = inner.in_flight(&self.children);
            others.retain(|other, _| other != at && counts(other));
            // Another operator's failures are known only when they were looked at: until then nobody
            // begins.
            let known = others.keys().all(|other| inner.looked_at.contains(other));
            let limit = if known { self.limit } else { others.len().min(self.limit) };
            Others { under_way: others.into_values().collect(), limit }
        };
        let decided = turn(mark, rollout, wanted, others, now);
        match &decided {
            Turn::Apply(Mark { upgrade: Some(begun), template, .. }) => {
                inner.begun.insert(at.clone(), (template.clone(), begun.at));
            }
            _ => {
                inner.begun.remove(at);
            }
        }
        if !goes_on(mark, &decided) {
            inner.failing.remove(at);
            inner.progress.remove(at);
        }
        decided
    }

    /// Remembers whether a pipeline's pods fail; None where they could not be listed. Who failed once
    /// fails until its upgrade is over: between two crashes a collector runs for a while.
    pub(super) fn note(&self, at: &PipelineRef, failing: Option<bool>) {
        let Some(failing) = failing else { return };
        let mut inner = self.lock();
        inner.looked_at.insert(at.clone());
        if failing {
            inner.failing.insert(at.clone());
        }
    }

    /// Forgets a pipeline that is gone, or that takes no part.
    pub(super) fn forget(&self, at: &PipelineRef) {
        let mut inner = self.lock();
        inner.begun.remove(at);
        inner.failing.remove(at);
        inner.progress.remove(at);
        inner.looked_at.remove(at);
    }

    pub(super) fn counts(&self) -> Counts {
        let all = self.lock().in_flight(&self.children);
        Counts { rolling: all.len(), failing: all.values().filter(|it| it.failing).count() }
    }
}

/// Whether the upgrade that `live` tells of is still the same one, and not over.
fn goes_on(live: Option<&Mark>, decided: &Turn) -> bool {
    match (live, decided) {
        (Some(live), Turn::Apply(next)) => next.upgrade.is_some() && next.template == live.template,
        _ => false,
    }
}

impl Inner {
    /// Notes how far an upgrade is. Numbers of an older spec say nothing of it.
    fn follow(&mut self, at: &PipelineRef, mark: Option<&Mark>, rollout: Rollout, now: i64) {
        let Some(Mark { upgrade: Some(begun), template, .. }) = mark else { return };
        if !rollout.current {
            return;
        }
        match self.progress.get_mut(at).filter(|it| it.is_of(template)) {
            Some(progress) => progress.seen(rollout, now),
            None => {
                let first = Progress::first(template, *begun, rollout);
                self.progress.insert(at.clone(), first);
            }
        }
    }

    fn in_flight(&self, children: &Children) -> HashMap<PipelineRef, InFlight> {
        let mut since: HashMap<PipelineRef, i64> = HashMap::new();
        let mut shown: HashMap<PipelineRef, Mark> = HashMap::new();
        for (place, seen) in children.workloads() {
            let (Some((name, _)), Some(mark), Some(rollout)) =
                (seen.owner, seen.mark, seen.rollout)
            else {
                continue;
            };
            let at = PipelineRef { namespace: place.namespace, name };
            if let Some(begun) = mark.upgrade.filter(|it| !rollout.complete_but(it.missing)) {
                let progress = self.progress.get(&at).filter(|it| it.is_of(&mark.template));
                since.insert(at.clone(), progress.map_or(begun.at, |it| it.since));
            }
            shown.insert(at, mark);
        }
        for (at, (template, begun)) in &self.begun {
            if shown.get(at).is_none_or(|mark| mark.template != *template) {
                since.entry(at.clone()).or_insert(*begun);
            }
        }
        let flying = |(at, since): (PipelineRef, i64)| {
            let failing = self.failing.contains(&at);
            let pipeline = format!("{}/{}", at.namespace, at.name);
            (at, InFlight { pipeline, since, failing })
        };
        since.into_iter().map(flying).collect()
    }
}

#[cfg(test)]
mod tests;
