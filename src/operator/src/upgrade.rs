//! Upgrades in waves: a pod template that changes although its user changed nothing (another image,
//! another rendering) waits for its turn. Pure: what rolls now, the limit and the time are handed
//! in. What a workload was rolled out with stands on the workload itself, so that another operator
//! or the same one started anew decides alike.

use std::fmt;
use std::str::FromStr;

use crate::cluster::cache::Rollout;

/// Seconds without progress after which a workload that is still not available counts as failed: a
/// Deployment's own default (progressDeadlineSeconds). Not the time that all of it takes: a DaemonSet
/// is rolled node by node, and a cluster may have hundreds.
pub const PROGRESS_SECONDS: i64 = 600;

/// What a workload was last rolled out with; the value of an annotation on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Hash of the part of the spec that its user wrote for the collector.
    pub spec: String,
    /// Hash of the pod template.
    pub template: String,
    /// The upgrade that rolls it; none where none does, because it is done or because the user
    /// changed the spec.
    pub upgrade: Option<Begun>,
    /// The collector's image.
    pub image: String,
}

/// The beginning of an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// When, in seconds since 1970.
    pub at: i64,
    /// How many pods were not available already. It is done when no more are missing than then: a
    /// node that was down before says nothing of the upgrade.
    pub missing: i32,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begun = |it: Begun| format!("{}/{}", it.at, it.missing);
        let upgrade = self.upgrade.map_or_else(|| "-".to_owned(), begun);
        // The image last: it may hold anything.
        write!(f, "{} {} {upgrade} {}", self.spec, self.template, self.image)
    }
}

/// An annotation that is no mark: somebody else wrote it.
#[derive(Debug, PartialEq, Eq)]
pub struct NoMark;

impl FromStr for Mark {
    type Err = NoMark;

    fn from_str(text: &str) -> Result<Self, NoMark> {
        let mut parts = text.splitn(4, ' ').map(str::to_owned);
        let mut next = || parts.next().filter(|part| !part.is_empty()).ok_or(NoMark);
        let (spec, template, upgrade, image) = (next()?, next()?, next()?, next()?);
        let upgrade = match upgrade.split_once('/') {
            None if upgrade == "-" => None,
            None => return Err(NoMark),
            Some((at, missing)) => Some(Begun {
                at: at.parse().map_err(|_| NoMark)?,
                missing: missing.parse().map_err(|_| NoMark)?,
            }),
        };
        Ok(Self { spec, template, upgrade, image })
    }
}

/// A pipeline that an upgrade rolls, and that is not available yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// `namespace/name`.
    pub pipeline: String,
    /// When it began or was last seen to get on, in seconds since 1970.
    pub since: i64,
    /// Whether its pods fail in a way that does not pass by itself.
    pub failing: bool,
}

/// How far an upgrade was seen to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    template: String,
    updated: i32,
    available: i32,
    /// When it came so far, in seconds since 1970.
    pub since: i64,
}

impl Progress {
    /// The first that is seen of an upgrade to this template. Nobody knows since when it is so far:
    /// it counts from the beginning, so that another leader lifts no halt.
    #[must_use]
    pub fn first(template: &str, begun: Begun, rollout: Rollout) -> Self {
        let Rollout { updated, available, .. } = rollout;
        Self { template: template.to_owned(), updated, available, since: begun.at }
    }

    /// Whether it is of an upgrade to this template.
    #[must_use]
    pub fn is_of(&self, template: &str) -> bool {
        self.template == template
    }

    /// More pods than ever before are new or available: what comes and goes is no progress.
    pub fn seen(&mut self, rollout: Rollout, now: i64) {
        if rollout.updated > self.updated || rollout.available > self.available {
            self.since = now;
        }
        self.updated = self.updated.max(rollout.updated);
        self.available = self.available.max(rollout.available);
    }
}

/// Who else rolls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Others {
    /// Upgrades under way.
    pub under_way: Vec<InFlight>,
    /// How many may be under way at a time.
    pub limit: usize,
}

/// Why a pipeline waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Held {
    /// As many roll as may.
    Waiting {
        /// So many roll now.
        rolling: usize,
        /// So many may.
        limit: usize,
    },
    /// One did not become available.
    Halted {
        /// `namespace/name`.
        by: String,
    },
}

/// What happens to a workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is applied as it is wanted, and marked so.
    Apply(Mark),
    /// Its pods stay as they are.
    Hold {
        /// What they were rolled out with.
        live: Mark,
        /// Why.
        why: Held,
    },
}

/// Decides about a workload: `live` is its mark (none where it is not there, or has none), `rollout`
/// how far its pods are, `wanted` what it would be marked with. `others` is asked only where a new
/// upgrade would begin: next to always nothing does.
#[must_use]
pub fn turn(
    live: Option<&Mark>,
    rollout: Rollout,
    wanted: Mark,
    others: impl FnOnce() -> Others,
    now: i64,
) -> Turn {
    let Some(live) = live else {
        return Turn::Apply(wanted);
    };
    let under_way = live.upgrade.filter(|begun| !rollout.complete_but(begun.missing));
    if live.template == wanted.template {
        // An upgrade that is done is one no longer.
        return Turn::Apply(Mark { upgrade: under_way, ..wanted });
    }
    if live.spec != wanted.spec {
        return Turn::Apply(wanted);
    }
    if let Some(Begun { missing, .. }) = under_way {
        // It has a place already: two that fail must not wait for one another.
        return Turn::Apply(Mark { upgrade: Some(Begun { at: now, missing }), ..wanted });
    }
    let Others { under_way, limit } = others();
    let failed = |other: &&InFlight| other.failing || now - other.since > PROGRESS_SECONDS;
    // Of several, the same one is named each time.
    if let Some(other) = under_way.iter().filter(failed).min_by_key(|other| &other.pipeline) {
        let why = Held::Halted { by: other.pipeline.clone() };
        return Turn::Hold { live: live.clone(), why };
    }
    if under_way.len() >= limit {
        let why = Held::Waiting { rolling: under_way.len(), limit };
        return Turn::Hold { live: live.clone(), why };
    }
    let begun = Begun { at: now, missing: rollout.missing() };
    Turn::Apply(Mark { upgrade: Some(begun), ..wanted })
}

#[cfg(test)]
mod tests;
