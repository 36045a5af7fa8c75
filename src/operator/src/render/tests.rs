use serde_json::json;

use super::*;
use crate::api::ObservabilityPipelineSpec;
use crate::validate::{External, validate};

fn rendered(change: impl FnOnce(&mut Value), served: &[Kind]) -> Prepared {
    let mut spec = json!({"collector": {"config": {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}},
        "exporters": {"debug": {}},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
    }}});
    change(&mut spec);
    let spec: ObservabilityPipelineSpec = serde_json::from_value(spec).unwrap();
    let identity = Identity { namespace: "ns".into(), name: "p".into(), uid: "u".into() };
    let validated = validate(&identity, &spec, &External::new()).validated.expect("valid");
    render(
        &validated,
        &Surroundings {
            settings: &Settings::default(),
            served: &served.iter().copied().collect(),
            placement: &BTreeMap::new(),
            revision: 1,
        },
    )
}

#[test]
fn kinds_that_are_not_served_are_named_and_not_rendered() {
    let rules = |spec: &mut Value| {
        spec["ruleGroups"] = json!([{"name": "g", "rules": [{"record": "r", "expr": "1"}]}]);
    };
    let without = rendered(rules, &[]);
    assert!(without.objects.iter().all(|object| !object.kind.info().optional));
    let unserved = [Kind::PrometheusRule, Kind::PodMonitor];
    assert_eq!(without.summary.unserved, unserved.into_iter().collect());
    let with = rendered(rules, &unserved);
    assert_eq!(with.objects.iter().filter(|object| object.kind.info().optional).count(), 2);
    assert!(with.summary.unserved.is_empty());
}

#[test]
fn what_a_pod_needs_is_applied_before_it() {
    let prepared = rendered(|_| {}, &[]);
    let position = |kind: Kind| prepared.objects.iter().position(|object| object.kind == kind);
    let workload = position(Kind::DaemonSet).expect("a workload");
    for kind in [Kind::ControllerRevision, Kind::ServiceAccount, Kind::ConfigMap] {
        assert!(position(kind).expect("rendered") < workload, "{kind}");
    }
}

#[test]
fn rendering_twice_gives_the_same_hashes() {
    let hashes = || -> Vec<String> {
        rendered(|_| {}, &[Kind::PodMonitor]).objects.iter().map(Object::hash).collect()
    };
    assert_eq!(hashes(), hashes());
}

#[test]
fn suspension_is_no_new_revision() {
    let name = |suspend: bool| {
        let prepared = rendered(|spec| spec["suspend"] = json!(suspend), &[]);
        prepared.objects[0].name.clone()
    };
    assert_eq!(name(true), name(false));
}

#[test]
fn every_pod_meets_the_restricted_standard() {
    for mode in ["DaemonSet", "Deployment", "StatefulSet"] {
        let prepared = rendered(|spec| spec["collector"]["mode"] = json!(mode), &[]);
        let workload = prepared.objects.iter().find(|o| o.kind.is_workload()).expect("one");
        let pod = &workload.body["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{mode}");
        assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
        assert_eq!(pod["automountServiceAccountToken"], false);
        let container = &pod["containers"][0]["securityContext"];
        assert_eq!(container["allowPrivilegeEscalation"], false);
        assert_eq!(container["capabilities"]["drop"], json!(["ALL"]));
        assert_eq!(container["readOnlyRootFilesystem"], true);
    }
}
