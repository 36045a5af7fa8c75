//! Stage four, the only writer of children: makes the cluster hold what was prepared, and nothing
//! of ours beyond it.
//!
//! Flow, for each object in order:
//! 1. What was already found to be as wanted, and has not changed since, is not read again.
//! 2. The object is read. None: it is applied without force. Another's: a conflict, untouched.
//! 3. Ours and different: it is applied with force and the uid that was read.
//! 4. What is ours and no longer wanted is deleted, with the uid and version that were seen.
//!
//! Guarantees: an object that another controller owns is never written; a converged pipeline costs
//! no write. Assumes that owner references tell the truth; labels prove nothing.
//! One object's failure does not keep the others from being applied.

pub mod difference;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::api::FIELD_MANAGER;
use crate::cluster::cache::{ChildRef, Children, Rollout, Seen};
use crate::cluster::{Cluster, RequestError};
use crate::names::Identity;
use crate::render::{Object, Prepared};
use difference::{Difference, differences};

/// What happened to one object.
#[derive(Debug)]
pub enum Outcome {
    /// It was as wanted.
    Unchanged,
    /// It was not there.
    Created,
    /// It was there and differed.
    Updated,
    /// It is ours, no longer wanted, and gone now.
    Deleted,
    /// It is ours, no longer wanted, and kept until its successor is available.
    Retiring,
    /// An object of this name belongs to somebody else.
    NameConflict {
        /// Whose it is, in words.
        owner: String,
    },
    /// It belongs to a deleted pipeline of the same name and will be collected.
    Collecting,
    /// The API server refuses it.
    Failed(RequestError),
}

/// What the cluster holds after an apply. Made by [`apply`] alone.
#[derive(Debug)]
pub struct Applied {
    outcomes: Vec<(ChildRef, Outcome)>,
    workload: (ChildRef, Rollout),
}

impl Applied {
    /// What happened, in the order of applying.
    #[must_use]
    pub fn outcomes(&self) -> &[(ChildRef, Outcome)] {
        &self.outcomes
    }

    /// The workload that is wanted, and how far its pods are.
    #[must_use]
    pub fn workload(&self) -> (&ChildRef, &Rollout) {
        (&self.workload.0, &self.workload.1)
    }

    /// The same, unless an object was not applied for a reason that passes by itself.
    ///
    /// # Errors
    /// That reason.
    pub fn or_passing_trouble(mut self) -> Result<Self, RequestError> {
        let passing = |outcome: &Outcome| match outcome {
            Outcome::Failed(error) => error.passes(),
            _ => false,
        };
        match self.outcomes.iter().position(|(_, outcome)| passing(outcome)) {
            None => Ok(self),
            Some(at) => match self.outcomes.swap_remove(at) {
                (_, Outcome::Failed(error)) => Err(error),
                _ => Ok(self),
            },
        }
    }

    /// Whether something is left to do that no watch will tell of.
    #[must_use]
    pub fn incomplete(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| {
            matches!(
                outcome,
                Outcome::NameConflict { .. } | Outcome::Collecting | Outcome::Failed(_)
            )
        })
    }
}

/// Applies all that was prepared and removes what is left over.
pub async fn apply(cluster: &Cluster, children: &Children, prepared: &Prepared) -> Applied {
    let identity = &prepared.identity;
    let mut outcomes = Vec::new();
    for object in &prepared.objects {
        let at = place(identity, object);
        let outcome = match ensure(cluster, children, identity, object).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Failed(error),
        };
        report(identity, &at, &outcome);
        outcomes.push((at, outcome));
    }
    let workload = workload(children, prepared);
    let available = workload.1.can_take_over(workload.0.kind);
    outcomes.extend(prune(cluster, children, prepared, available).await);
    Applied { outcomes, workload }
}

/// What the cluster holds of what was prepared, without writing: for a suspended pipeline.
#[must_use]
pub fn look(children: &Children, prepared: &Prepared) -> Applied {
    Applied { outcomes: Vec::new(), workload: workload(children, prepared) }
}

fn workload(children: &Children, prepared: &Prepared) -> (ChildRef, Rollout) {
    let (kind, name) = prepared.workload.clone();
    let at = ChildRef { kind, namespace: prepared.identity.namespace.clone(), name };
    let rollout = children.get(&at).and_then(|seen| seen.rollout).unwrap_or_default();
    (at, rollout)
}

fn place(identity: &Identity, object: &Object) -> ChildRef {
    ChildRef { kind: object.kind, namespace: identity.namespace.clone(), name: object.name.clone() }
}

async fn ensure(
    cluster: &Cluster,
    children: &Children,
    identity: &Identity,
    object: &Object,
) -> Result<Outcome, RequestError> {
    let at = place(identity, object);
    let wanted = object.hash();
    if children.is_verified(&at, &wanted) {
        return Ok(Outcome::Unchanged);
    }
    let live = cluster.read(at.kind, &at.namespace, &at.name).await?;
    let observed_uid = match &live {
        None => None,
        Some(live) => match claim(identity, &at, live) {
            Some(stranger) => return Ok(stranger),
            None => live["metadata"]["uid"].as_str(),
        },
    };
    let found = live.as_ref().map(|live| differences(&object.body, live, FIELD_MANAGER));
    if let (Some(live), Some([])) = (&live, found.as_deref()) {
        children.verify(&at, Seen::of(at.kind, live), wanted);
        return Ok(Outcome::Unchanged);
    }
    let answer = cluster.apply(&at.namespace, object, observed_uid).await?;
    warn_of_unstable(&at, object, &answer);
    children.verify(&at, Seen::of(at.kind, &answer), wanted);
    Ok(match found {
        None => Outcome::Created,
        Some(found) => {
            changed(identity, &at, &found);
            Outcome::Updated
        }
    })
}

/// None where the object is this pipeline's own; what to say where it is not.
fn claim(identity: &Identity, at: &ChildRef, live: &Value) -> Option<Outcome> {
    let metadata = &live["metadata"];
    let references = metadata["ownerReferences"].as_array();
    let controller = references
        .into_iter()
        .flatten()
        .find(|reference| reference["controller"] == Value::Bool(true));
    let Some(controller) = controller else {
        let owner = format!(
            "{} {} exists and was not made by this pipeline; to let the pipeline have it: \
             kubectl delete {} {} -n {}",
            at.kind,
            at.name,
            at.kind.kubectl_name(),
            at.name,
            at.namespace
        );
        return Some(Outcome::NameConflict { owner });
    };
    if controller["uid"] == identity.uid.as_str() {
        // Ours, but on its way out: it is made anew when it is gone.
        return metadata["deletionTimestamp"].is_string().then_some(Outcome::Collecting);
    }
    let text = |name: &str| controller[name].as_str().unwrap_or_default();
    if text("kind") == "ObservabilityPipeline" && text("name") == identity.name {
        return Some(Outcome::Collecting);
    }
    let owner = format!(
        "{} {} belongs to {} {}; to see it: kubectl get {} {} -n {}",
        at.kind,
        at.name,
        text("kind"),
        text("name"),
        text("kind").to_ascii_lowercase(),
        text("name"),
        at.namespace
    );
    Some(Outcome::NameConflict { owner })
}

/// What is ours and was not prepared. The old workload of a mode switch stays until the new one is
/// available; the accepted spec before the current one stays.
async fn prune(
    cluster: &Cluster,
    children: &Children,
    prepared: &Prepared,
    workload_available: bool,
) -> Vec<(ChildRef, Outcome)> {
    let identity = &prepared.identity;
    let mut outcomes = Vec::new();
    for (at, seen) in leftovers(children, prepared) {
        let outcome = if at.kind.is_workload() && !workload_available {
            Outcome::Retiring
        } else {
            match cluster.delete(at.kind, &at.namespace, &at.name, &seen).await {
                Ok(()) => {
                    children.forget(&at);
                    Outcome::Deleted
                }
                Err(error) => Outcome::Failed(error),
            }
        };
        report(identity, &at, &outcome);
        outcomes.push((at, outcome));
    }
    outcomes
}

fn leftovers(children: &Children, prepared: &Prepared) -> BTreeMap<ChildRef, Seen> {
    let mut owned = children.of_owner(&prepared.identity.uid);
    owned.retain(|at, _| {
        let wanted = prepared.objects.iter().any(|o| o.kind == at.kind && o.name == at.name);
        !wanted && !prepared.untouched.contains(&(at.kind, at.name.clone()))
    });
    owned
}

/// One line per change.
fn report(identity: &Identity, at: &ChildRef, outcome: &Outcome) {
    let (namespace, pipeline) = (&identity.namespace, &identity.name);
    let (kind, name) = (at.kind.info().name, &at.name);
    match outcome {
        Outcome::Created => tracing::info!(namespace, pipeline, kind, name, "created"),
        Outcome::Deleted => tracing::info!(namespace, pipeline, kind, name, "deleted"),
        Outcome::Failed(error) => {
            tracing::warn!(namespace, pipeline, kind, name, %error, "not applied");
        }
        Outcome::NameConflict { owner } => {
            tracing::debug!(namespace, pipeline, kind, name, owner, "name conflict");
        }
        Outcome::Unchanged | Outcome::Updated | Outcome::Retiring | Outcome::Collecting => {}
    }
}

fn changed(identity: &Identity, at: &ChildRef, found: &[Difference]) {
    const SHOWN: usize = 5;
    let mut fields: Vec<String> = found.iter().take(SHOWN).map(ToString::to_string).collect();
    if found.len() > SHOWN {
        fields.push(format!("and {} more", found.len() - SHOWN));
    }
    tracing::info!(
        namespace = identity.namespace,
        pipeline = identity.name,
        kind = at.kind.info().name,
        name = at.name,
        fields = fields.join(", "),
        "updated"
    );
}

/// The API server may store something else than what was applied (a webhook, a normalised value).
/// Said once, because the next read would find the same difference for ever.
fn warn_of_unstable(at: &ChildRef, object: &Object, answer: &Value) {
    let left = differences(&object.body, answer, FIELD_MANAGER);
    if let Some(first) = left.first() {
        tracing::warn!(kind = at.kind.info().name, name = at.name, field = %first,
            "the API server stored something else than what was applied");
    }
}
