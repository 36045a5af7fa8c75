use serde_json::json;

use super::*;
use crate::cluster::cache::ChildRef;
use crate::kinds::Kind;
use crate::upgrade::{Begun, Held, PROGRESS_SECONDS};

const LIMIT: usize = 5;

fn at(name: &str) -> PipelineRef {
    PipelineRef { namespace: "n".into(), name: name.into() }
}

fn mark(template: &str, begun: Option<i64>) -> Mark {
    let upgrade = begun.map(|at| Begun { at, missing: 0 });
    Mark { spec: "s".into(), template: template.into(), upgrade, image: "i".into() }
}

/// Pipelines of a DaemonSet each, on twenty nodes.
struct Cluster {
    children: Children,
    upgrades: Upgrades,
    version: u64,
}

impl Cluster {
    fn new() -> Self {
        let children = Children::default();
        Self { upgrades: Upgrades::new(LIMIT, children.clone()), children, version: 0 }
    }

    fn place(name: &str) -> ChildRef {
        ChildRef { kind: Kind::DaemonSet, namespace: "n".into(), name: format!("{name}-collector") }
    }

    /// The watch shows a workload of this mark; on so many nodes its newest pods run.
    fn shows(&mut self, name: &str, mark: &Mark, updated: i32) {
        self.version += 1;
        let owner = json!({"apiVersion": "obspipe.dev/v1alpha1", "kind": "ObservabilityPipeline",
            "name": name, "uid": name, "controller": true});
        let object = json!({
            "metadata": {
                "uid": name, "resourceVersion": self.version.to_string(), "generation": 2,
                "annotations": {"obspipe.dev/rollout": mark.to_string()},
                "ownerReferences": [owner],
            },
            "status": {"observedGeneration": 2, "desiredNumberScheduled": 20,
                "updatedNumberScheduled": updated, "numberAvailable": 20},
        });
        self.children.record(&Self::place(name), Seen::of(Kind::DaemonSet, &object));
    }

    /// What happens to a pipeline for which the operator has the template `wanted`.
    fn turn(&self, name: &str, wanted: &str, now: i64) -> Turn {
        let live = self.children.get(&Self::place(name));
        self.upgrades.turn(&at(name), live.as_ref(), mark(wanted, None), |_| true, now)
    }

    fn halted(&self, name: &str, now: i64) -> bool {
        matches!(self.turn(name, "t2", now), Turn::Hold { why: Held::Halted { .. }, .. })
    }
}

/// One that rolls since the time 0 and was looked at, and another that would be the next.
fn one_under_way() -> Cluster {
    let mut cluster = Cluster::new();
    cluster.shows("one", &mark("t2", Some(0)), 1);
    cluster.shows("two", &mark("t1", None), 20);
    cluster.turn("one", "t2", 0);
    cluster.upgrades.note(&at("one"), Some(false));
    cluster
}

/// Between two crashes a collector runs for a while, and a list of pods can fail.
#[test]
fn who_failed_once_fails_until_it_is_available() {
    let mut cluster = one_under_way();
    cluster.upgrades.note(&at("one"), Some(true));
    for looked in [Some(false), None] {
        cluster.turn("one", "t2", 20);
        cluster.upgrades.note(&at("one"), looked);
        assert!(cluster.halted("two", 20), "{looked:?}");
    }
    cluster.shows("one", &mark("t2", Some(0)), 20);
    cluster.turn("one", "t2", 30);
    assert_eq!(cluster.turn("two", "t2", 30), Turn::Apply(mark("t2", Some(30))));
    // What failed in an upgrade that is over says nothing of the next.
    cluster.shows("one", &mark("t2", None), 20);
    cluster.turn("one", "t3", 40);
    assert_eq!(cluster.upgrades.counts().failing, 0);
}

/// Another image for one that failed: what failed was the one before.
#[test]
fn who_gets_another_template_has_not_failed_yet() {
    let cluster = one_under_way();
    cluster.upgrades.note(&at("one"), Some(true));
    assert_eq!(cluster.turn("one", "t3", 20), Turn::Apply(mark("t3", Some(20))));
    assert_eq!(cluster.upgrades.counts().failing, 0);
}

#[test]
fn nobody_begins_before_the_pods_of_those_under_way_were_listed() {
    let mut cluster = Cluster::new();
    cluster.shows("one", &mark("t2", Some(0)), 1);
    cluster.shows("two", &mark("t1", None), 20);
    cluster.upgrades.note(&at("one"), None);
    assert!(matches!(cluster.turn("two", "t2", 9), Turn::Hold { .. }), "the list failed");
    cluster.upgrades.note(&at("one"), Some(false));
    assert_eq!(cluster.turn("two", "t2", 9), Turn::Apply(mark("t2", Some(9))));
}

/// Twenty nodes of a minute each are no failure; ten minutes at the same node are one.
#[test]
fn what_goes_on_slowly_does_not_halt_the_others() {
    let mut cluster = one_under_way();
    for node in 2..20 {
        let now = i64::from(node) * 60;
        cluster.shows("one", &mark("t2", Some(0)), node);
        cluster.turn("one", "t2", now);
        assert!(!cluster.halted("two", now), "{node} nodes after {now} s");
        // Only what is looked at is the subject: the other one does not begin.
        cluster.upgrades.forget(&at("two"));
    }
    let stuck = 19 * 60 + PROGRESS_SECONDS + 1;
    cluster.turn("one", "t2", stuck);
    assert!(cluster.halted("two", stuck), "it stands still");
}

/// A place that was taken is given back by who is rolled by hand from now on.
#[test]
fn who_is_forgotten_has_no_place() {
    let mut cluster = Cluster::new();
    cluster.shows("one", &mark("t1", None), 20);
    assert_eq!(cluster.turn("one", "t2", 0), Turn::Apply(mark("t2", Some(0))));
    assert_eq!(cluster.upgrades.counts().rolling, 1);
    cluster.upgrades.forget(&at("one"));
    assert_eq!(cluster.upgrades.counts().rolling, 0);
}
