//! What is remembered of the children: not their content, only who they are, whose they are, and
//! whether they were last seen to be as wanted. Memory follows the number of pipelines.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use crate::kinds::Kind;
use crate::names::{REVISION_ANNOTATION, ROLLOUT_ANNOTATION};
use crate::upgrade::Mark;

/// A child's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChildRef {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// What a watch or an answer showed of a child.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its uid.
    pub uid: String,
    /// Its resource version.
    pub resource_version: String,
    /// Name and uid of the pipeline that is its controller, if one is.
    pub owner: Option<(String, String)>,
    /// The number of an accepted spec (ControllerRevision only).
    pub revision: Option<i64>,
    /// How far a workload's pods are (workloads only).
    pub rollout: Option<Rollout>,
    /// What a workload was last rolled out with (workloads only).
    pub mark: Option<Mark>,
    /// Changes with everything that an apply could change, but not with status.
    fingerprint: u64,
    /// Hash of the manifest that this fingerprint was found to agree with.
    verified: Option<String>,
}

/// How far a workload's pods are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rollout {
    /// Whether the numbers speak of the current spec.
    pub current: bool,
    /// Pods wanted.
    pub wanted: i32,
    /// Pods of the current template.
    pub updated: i32,
    /// Pods of older templates that are still there.
    pub outdated: i32,
    /// Pods ready.
    pub ready: i32,
    /// Pods available.
    pub available: i32,
}

impl Seen {
    /// Reads what is remembered from a whole object or from its metadata.
    #[must_use]
    pub fn of(kind: Kind, object: &Value) -> Self {
        let metadata = &object["metadata"];
        let text = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
        let revision = metadata["annotations"][REVISION_ANNOTATION].as_str();
        let mark = metadata["annotations"][ROLLOUT_ANNOTATION].as_str();
        Self {
            uid: text("uid"),
            resource_version: text("resourceVersion"),
            owner: controller_pipeline(metadata),
            revision: revision.and_then(|text| text.parse().ok()),
            rollout: kind.is_workload().then(|| Rollout::of(kind, object)),
            mark: mark.filter(|_| kind.is_workload()).and_then(|text| text.parse().ok()),
            fingerprint: fingerprint(kind, metadata),
            verified: None,
        }
    }

    fn version(&self) -> u64 {
        self.resource_version.parse().unwrap_or(0)
    }
}

impl Rollout {
    fn of(kind: Kind, object: &Value) -> Self {
        let (spec, status) = (&object["spec"], &object["status"]);
        let number =
            |value: &Value| value.as_i64().and_then(|n| i32::try_from(n).ok()).unwrap_or(0);
        let generation = object["metadata"]["generation"].as_i64();
        let current = generation.is_some() && status["observedGeneration"].as_i64() == generation;
        match kind {
            Kind::DaemonSet => Self {
                current,
                wanted: number(&status["desiredNumberScheduled"]),
                updated: number(&status["updatedNumberScheduled"]),
                // A node counts as updated once its old pod is gone.
                outdated: 0,
                ready: number(&status["numberReady"]),
                available: number(&status["numberAvailable"]),
            },
            _ => Self {
                current,
                wanted: spec["replicas"].as_i64().map_or(1, |_| number(&spec["replicas"])),
                updated: number(&status["updatedReplicas"]),
                outdated: number(&status["replicas"]) - number(&status["updatedReplicas"]),
                ready: number(&status["readyReplicas"]),
                available: number(&status["availableReplicas"]),
            },
        }
    }

    /// Whether every pod wanted is of the current template and available. While a surge comes up, the
    /// old pods are the available ones: as for `kubectl rollout status`, they must be gone.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.complete_but(0)
    }

    /// The same where so many pods were missing before it began.
    #[must_use]
    pub fn complete_but(&self, missing: i32) -> bool {
        let enough = self.wanted - missing;
        let replaced = self.updated >= enough && self.outdated <= missing;
        self.current && replaced && self.available >= enough
    }

    /// Pods wanted that are not available.
    #[must_use]
    pub fn missing(&self) -> i32 {
        (self.wanted - self.available).max(0)
    }

    /// Whether it can take over from another workload: a DaemonSet that no node wants is complete,
    /// and runs nothing.
    #[must_use]
    pub fn can_take_over(&self, kind: Kind) -> bool {
        self.complete() && (self.wanted > 0 || kind != Kind::DaemonSet)
    }
}

/// Name and uid of the ObservabilityPipeline that is an object's controller.
#[must_use]
pub fn controller_pipeline(metadata: &Value) -> Option<(String, String)> {
    let references = metadata["ownerReferences"].as_array()?;
    let controller = references.iter().find(|r| r["controller"] == Value::Bool(true))?;
    let ours = controller["kind"] == "ObservabilityPipeline"
        && controller["apiVersion"].as_str().is_some_and(|v| v.starts_with("obspipe.dev/"));
    let text = |name: &str| controller[name].as_str().unwrap_or_default().to_owned();
    ours.then(|| (text("name"), text("uid")))
}

/// Where the API counts generations of the content, status is not in it; elsewhere the resource
/// version is all there is.
fn fingerprint(kind: Kind, metadata: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    let content = if kind.info().generation { "generation" } else { "resourceVersion" };
    for field in ["uid", content, "labels", "annotations", "ownerReferences", "deletionTimestamp"] {
        metadata[field].to_string().hash(&mut hasher);
    }
    hasher.finish()
}

/// All children seen, of all pipelines.
#[derive(Clone, Default)]
pub struct Children {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    seen: HashMap<ChildRef, Seen>,
    /// By the owner's uid, so that one pipeline's children are found without a search.
    by_owner: HashMap<String, BTreeMap<ChildRef, ()>>,
}

impl Children {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing below can panic half-way through a change.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers what was seen, unless something newer was. Answers whether a reconcile is due:
    /// whether anything changed that was not already found to be as wanted.
    pub fn record(&self, at: &ChildRef, mut seen: Seen) -> bool {
        let mut inner = self.lock();
        let before = inner.seen.get(at);
        let mut due = true;
        if let Some(before) = before {
            if before.uid == seen.uid && before.version() > seen.version() {
                return false;
            }
            if before.fingerprint == seen.fingerprint {
                due = before.verified.is_none() || before.rollout != seen.rollout;
                seen.verified.clone_from(&before.verified);
            }
        }
        inner.replace(at, Some(seen));
        due
    }

    /// Remembers that `seen` was found to be, or was made to be, as the manifest of hash `wanted`.
    ///
    /// The answer of a request can be overtaken by the watch: what is newer stays, and counts as
    /// verified only if nothing but status changed in between.
    pub fn verify(&self, at: &ChildRef, mut seen: Seen, wanted: String) {
        let mut inner = self.lock();
        if let Some(known) = inner.seen.get_mut(at)
            && known.uid == seen.uid
            && known.version() > seen.version()
        {
            known.verified = (known.fingerprint == seen.fingerprint).then_some(wanted);
            return;
        }
        seen.verified = Some(wanted);
        inner.replace(at, Some(seen));
    }

    /// Forgets a child.
    pub fn forget(&self, at: &ChildRef) {
        self.lock().replace(at, None);
    }

    /// What is remembered of a child.
    #[must_use]
    pub fn get(&self, at: &ChildRef) -> Option<Seen> {
        self.lock().seen.get(at).cloned()
    }

    /// Whether a child is known to be as the manifest of hash `wanted`.
    #[must_use]
    pub fn is_verified(&self, at: &ChildRef, wanted: &str) -> bool {
        self.lock().seen.get(at).is_some_and(|seen| seen.verified.as_deref() == Some(wanted))
    }

    /// The children whose controller has this uid.
    #[must_use]
    pub fn of_owner(&self, uid: &str) -> BTreeMap<ChildRef, Seen> {
        let inner = self.lock();
        let Some(places) = inner.by_owner.get(uid) else {
            return BTreeMap::new();
        };
        places
            .keys()
            .filter_map(|at| inner.seen.get(at).map(|seen| (at.clone(), seen.clone())))
            .collect()
    }

    /// Every workload seen, of all pipelines.
    #[must_use]
    pub fn workloads(&self) -> Vec<(ChildRef, Seen)> {
        let inner = self.lock();
        let of_pods = inner.seen.iter().filter(|(at, _)| at.kind.is_workload());
        of_pods.map(|(at, seen)| (at.clone(), seen.clone())).collect()
    }

    /// Children of a kind and namespace (all namespaces for None) that a complete list did not
    /// show: they were deleted while nobody watched. They are forgotten; their owners are returned.
    pub fn retain_listed(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        listed: &std::collections::HashSet<ChildRef>,
    ) -> Vec<(ChildRef, Seen)> {
        let mut inner = self.lock();
        let gone: Vec<(ChildRef, Seen)> = inner
            .seen
            .iter()
            .filter(|(at, _)| {
                at.kind == kind
                    && namespace.is_none_or(|namespace| namespace == at.namespace)
                    && !listed.contains(at)
            })
            .map(|(at, seen)| (at.clone(), seen.clone()))
            .collect();
        for (at, _) in &gone {
            inner.replace(at, None);
        }
        gone
    }
}

impl Inner {
    fn replace(&mut self, at: &ChildRef, seen: Option<Seen>) {
        let owner = seen.as_ref().and_then(|seen| seen.owner.clone());
        let before = match seen {
            Some(seen) => self.seen.insert(at.clone(), seen),
            None => self.seen.remove(at),
        };
        if let Some((_, uid)) = before.and_then(|before| before.owner)
            && let Some(places) = self.by_owner.get_mut(&uid)
        {
            places.remove(at);
            if places.is_empty() {
                self.by_owner.remove(&uid);
            }
        }
        if let Some((_, uid)) = owner {
            self.by_owner.entry(uid).or_default().insert(at.clone(), ());
        }
    }
}

#[cfg(test)]
mod tests;
