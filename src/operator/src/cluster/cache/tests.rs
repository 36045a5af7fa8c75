use serde_json::json;

use super::*;

fn at(name: &str) -> ChildRef {
    ChildRef { kind: Kind::ConfigMap, namespace: "ns".into(), name: name.into() }
}

fn object(version: &str, label: &str) -> Value {
    json!({"metadata": {
        "name": "a", "uid": "child", "resourceVersion": version, "labels": {"l": label},
        "ownerReferences": [{
            "apiVersion": "obspipe.dev/v1alpha1", "kind": "ObservabilityPipeline",
            "name": "otel", "uid": "owner", "controller": true,
        }],
    }})
}

fn seen(version: &str, label: &str) -> Seen {
    Seen::of(Kind::ConfigMap, &object(version, label))
}

#[test]
fn our_own_write_coming_back_is_not_due() {
    let children = Children::default();
    children.verify(&at("a"), seen("5", "x"), "hash".into());
    assert!(!children.record(&at("a"), seen("5", "x")));
    assert!(children.is_verified(&at("a"), "hash"));
    assert!(!children.is_verified(&at("a"), "another"));
}

#[test]
fn somebody_elses_write_is_due() {
    let children = Children::default();
    children.verify(&at("a"), seen("5", "x"), "hash".into());
    assert!(children.record(&at("a"), seen("6", "x")));
    assert!(!children.is_verified(&at("a"), "hash"));
}

#[test]
fn an_older_event_does_not_undo_a_newer_answer() {
    let children = Children::default();
    children.verify(&at("a"), seen("9", "x"), "hash".into());
    assert!(!children.record(&at("a"), seen("8", "old")));
    assert!(children.is_verified(&at("a"), "hash"));
}

#[test]
fn a_workloads_status_is_no_change_of_its_content() {
    let workload = |version: &str, ready: i32| {
        let mut object = object(version, "x");
        object["metadata"]["generation"] = json!(3);
        object["status"] = json!({
            "observedGeneration": 3, "desiredNumberScheduled": 1,
            "updatedNumberScheduled": 1, "numberReady": ready, "numberAvailable": ready,
        });
        Seen::of(Kind::DaemonSet, &object)
    };
    let place = ChildRef { kind: Kind::DaemonSet, ..at("a") };
    let children = Children::default();
    children.verify(&place, workload("1", 0), "hash".into());
    assert!(children.record(&place, workload("2", 1)), "progress is due");
    assert!(children.is_verified(&place, "hash"), "but nothing has to be read");
    assert!(children.get(&place).unwrap().rollout.unwrap().complete());
}

#[test]
fn an_answer_that_the_watch_overtook_does_not_turn_back_time() {
    let workload = |version: &str, ready: i32| {
        let mut object = object(version, "x");
        object["metadata"]["generation"] = json!(1);
        object["status"] = json!({"observedGeneration": 1, "numberReady": ready});
        Seen::of(Kind::DaemonSet, &object)
    };
    let place = ChildRef { kind: Kind::DaemonSet, ..at("a") };
    let children = Children::default();
    assert!(children.record(&place, workload("2", 7)));
    children.verify(&place, workload("1", 0), "hash".into());
    assert_eq!(children.get(&place).unwrap().rollout.unwrap().ready, 7);
    assert!(children.is_verified(&place, "hash"), "only status changed in between");
    assert!(children.record(&at("b"), seen("2", "theirs")));
    children.verify(&at("b"), seen("1", "ours"), "hash".into());
    assert!(!children.is_verified(&at("b"), "hash"), "somebody changed it in between");
}

#[test]
fn children_are_found_by_owner_and_forgotten() {
    let children = Children::default();
    children.record(&at("a"), seen("1", "x"));
    assert_eq!(children.of_owner("owner").len(), 1);
    assert!(children.of_owner("other").is_empty());
    children.forget(&at("a"));
    assert!(children.of_owner("owner").is_empty());
    assert!(children.lock().by_owner.is_empty(), "nothing is left behind");
}

#[test]
fn what_a_list_does_not_show_is_gone() {
    let children = Children::default();
    children.record(&at("a"), seen("1", "x"));
    children.record(&at("b"), seen("1", "x"));
    let listed = std::collections::HashSet::from([at("a")]);
    let other = children.retain_listed(Kind::ConfigMap, Some("other"), &listed);
    assert!(other.is_empty(), "another namespace's list says nothing");
    let gone = children.retain_listed(Kind::ConfigMap, None, &listed);
    assert_eq!(gone.into_iter().map(|(at, _)| at.name).collect::<Vec<_>>(), ["b"]);
}

#[test]
fn a_reference_that_is_not_the_controller_is_no_owner() {
    let mut object = object("1", "x");
    object["metadata"]["ownerReferences"][0]["controller"] = json!(false);
    assert_eq!(Seen::of(Kind::ConfigMap, &object).owner, None);
}

#[test]
fn a_surge_that_does_not_come_up_is_not_complete() {
    let deployment = |replicas: i32, available: i32| {
        let object = json!({
            "metadata": {"generation": 2},
            "spec": {"replicas": 1},
            "status": {
                "observedGeneration": 2, "replicas": replicas, "updatedReplicas": 1,
                "readyReplicas": available, "availableReplicas": available,
            },
        });
        Seen::of(Kind::Deployment, &object).rollout.unwrap().complete()
    };
    assert!(!deployment(2, 1), "the available one is the old one");
    assert!(!deployment(2, 2), "the old one is still there");
    assert!(deployment(1, 1));
}
