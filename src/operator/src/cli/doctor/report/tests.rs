use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

use super::*;
use crate::api::schema::custom_resource_definition;
use crate::rights::{in_namespaces, of_lease};

/// The document as the API server makes it from this program's definition.
fn document() -> Value {
    let definition = serde_json::to_value(custom_resource_definition()).unwrap();
    let mut schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"].clone();
    schema["properties"]["metadata"] = json!({"$ref": "ObjectMeta"});
    schema["properties"]["spec"]["description"] = json!("another wording");
    schema["properties"]["spec"]["properties"]["ruleGroups"]["items"]["properties"]["rules"]["items"]
        ["properties"]["expr"]["anyOf"] = json!([{"type": "integer"}, {"type": "string"}]);
    // As it is sent back.
    let bound = &mut schema["properties"]["spec"]["properties"]["collector"]["properties"]["autoscaling"]
        ["properties"]["minReplicas"]["minimum"];
    assert_eq!(*bound, json!(1.0));
    *bound = json!(1);
    json!({"components": {"schemas": {
        "dev.obspipe.v1alpha1.ObservabilityPipelineList": {},
        "dev.obspipe.v1alpha1.ObservabilityPipeline": schema,
    }}})
}

fn schema(document: &mut Value) -> &mut Value {
    &mut document["components"]["schemas"]["dev.obspipe.v1alpha1.ObservabilityPipeline"]
}

#[test]
fn the_definition_of_this_program_is_recognised() {
    let finding = definition(Ok(Some(document())));
    assert_eq!(finding.verdict, Verdict::Good, "{finding:?}");
}

#[test]
fn another_definition_is_told_by_the_places_that_differ() {
    let mut older = document();
    let spec = &mut schema(&mut older)["properties"]["spec"]["properties"];
    spec.as_object_mut().unwrap().remove("suspend");
    spec["collector"]["properties"]["mode"]["enum"] = json!(["DaemonSet"]);
    spec["later"] = json!({"type": "string"});
    let finding = definition(Ok(Some(older)));
    assert_eq!(finding.verdict, Verdict::Bad);
    for part in [
        "spec.suspend is not there",
        "spec.collector.mode differs",
        "spec.later is unknown to this program",
    ] {
        assert!(finding.found.contains(part), "{part} not in {}", finding.found);
    }
    assert!(finding.remedy.contains("kubectl apply --server-side -f crds/"));
}

#[test]
fn no_definition_names_the_command() {
    let finding = definition(Ok(None));
    assert_eq!(finding.verdict, Verdict::Bad);
    assert!(finding.found.contains("obspipe.dev/v1alpha1 is not served"), "{finding:?}");
    assert!(finding.remedy.contains("kubectl apply --server-side -f crds/"), "{finding:?}");
}

#[test]
fn each_right_that_lacks_is_a_finding_of_its_own() {
    let all = rights("", 9, Ok(Vec::new()));
    assert_eq!(text(&all), "✓ rights in all namespaces: all 9\n");
    let lacking = vec![in_namespaces()[2].clone(), of_lease("l")[2].clone()];
    let found = rights("team", 9, Ok(lacking));
    let printed = text(&found);
    for line in [
        "✗ rights in team: cannot patch observabilitypipelines.obspipe.dev/status",
        "✗ rights in team: cannot update leases.coordination.k8s.io l",
    ] {
        assert!(printed.lines().any(|found| found == line), "{line} not in\n{printed}");
    }
    assert!(!good(&found));
}

#[test]
fn a_lease_is_good_while_somebody_renews_it() {
    let now: Timestamp = "2026-01-01T00:01:00Z".parse().unwrap();
    let held = |holder: &str, renewed: &str| LeaseSpec {
        holder_identity: Some(holder.to_owned()),
        lease_duration_seconds: Some(15),
        renew_time: Some(MicroTime(renewed.parse().unwrap())),
        ..LeaseSpec::default()
    };
    let cases = [
        (Ok(Some(held("one", "2026-01-01T00:00:50Z"))), Verdict::Good),
        (Ok(Some(held("one", "2026-01-01T00:00:40Z"))), Verdict::Bad),
        // Its clock runs ahead of ours.
        (Ok(Some(held("one", "2026-01-01T00:02:00Z"))), Verdict::Good),
        (Ok(Some(held("", "2026-01-01T00:00:50Z"))), Verdict::Absent),
        (Ok(Some(LeaseSpec::default())), Verdict::Absent),
        (Ok(None), Verdict::Absent),
        (Err("forbidden".to_owned()), Verdict::Bad),
    ];
    for (found, wanted) in cases {
        let text = format!("{found:?}");
        assert_eq!(lease("ns/l", found, now).verdict, wanted, "{text}");
    }
}

#[test]
fn an_optional_kind_may_be_absent() {
    let absent = kind(Kind::PodMonitor, Ok(false));
    assert_eq!(absent.verdict, Verdict::Absent);
    assert!(good(&[absent, kind(Kind::PodMonitor, Ok(true))]));
    assert!(!good(&[kind(Kind::PodMonitor, Err(&"no answer".to_owned()))]));
}

#[test]
fn the_json_has_what_the_text_has() {
    let findings = [api_server(Err("refused".to_owned())), no_election()];
    let value = json(&findings);
    assert_eq!(value["good"], false);
    assert_eq!(value["checks"][0]["check"], "API server");
    assert_eq!(value["checks"][0]["verdict"], "failed");
    assert_eq!(value["checks"][0]["found"], "refused");
    assert!(value["checks"][0]["remedy"].as_str().unwrap().contains("NetworkPolicy"));
    assert_eq!(value["checks"][1]["verdict"], "absent");
}
