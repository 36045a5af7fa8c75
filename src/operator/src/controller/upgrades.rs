//! Which upgrades are under way, as the watches and this process's own writes tell; the decision is
//! [`upgrade::turn`]'s. One at a time decides, so that two do not take the same place.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::queue::PipelineRef;
use crate::cluster::cache::{Children, Seen};
use crate::upgrade::{InFlight, Mark, Turn, turn};

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
    failing: BTreeSet<PipelineRef>,
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
        let mut others = inner.in_flight(&self.children);
        others.retain(|other, _| other != at && counts(other));
        // Another operator's failures are known only when they were looked at: until then nobody
        // begins.
        let known = others.keys().all(|other| inner.looked_at.contains(other));
        let limit = if known { self.limit } else { others.len().min(self.limit) };
        let others: Vec<InFlight> = others.into_values().collect();
        let decided = turn(mark, rollout, wanted, &others, limit, now);
        match &decided {
            Turn::Apply(Mark { upgrade: Some(begun), template, .. }) => {
                inner.begun.insert(at.clone(), (template.clone(), begun.at));
            }
            _ => {
                inner.begun.remove(at);
            }
        }
        decided
    }

    /// Remembers whether a pipeline's pods fail, as they were seen last.
    pub(super) fn note(&self, at: &PipelineRef, failing: bool) {
        let mut inner = self.lock();
        inner.looked_at.insert(at.clone());
        match failing {
            true => inner.failing.insert(at.clone()),
            false => inner.failing.remove(at),
        };
    }

    /// Forgets a pipeline that is gone.
    pub(super) fn forget(&self, at: &PipelineRef) {
        let mut inner = self.lock();
        inner.begun.remove(at);
        inner.failing.remove(at);
        inner.looked_at.remove(at);
    }

    pub(super) fn counts(&self) -> Counts {
        let all = self.lock().in_flight(&self.children);
        Counts { rolling: all.len(), failing: all.values().filter(|it| it.failing).count() }
    }
}

impl Inner {
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
                since.insert(at.clone(), begun.at);
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
