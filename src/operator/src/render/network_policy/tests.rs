use serde_json::json;

use super::*;
use crate::api::ObservabilityPipelineSpec;
use crate::names::Identity;
use crate::validate::{External, validate};

fn policy(receiver: &str, settings: &Settings) -> Option<Value> {
    let spec = json!({"collector": {"config": {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": receiver}}}},
        "exporters": {"debug": {}},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
    }}});
    let spec: ObservabilityPipelineSpec = serde_json::from_value(spec).unwrap();
    let identity = Identity { namespace: "ns".into(), name: "p".into(), uid: "u".into() };
    let validated = validate(&identity, &spec, &External::new()).validated.expect("valid");
    network_policy(&validated, settings).map(|object| object.body["spec"].clone())
}

#[test]
fn telemetry_may_come_from_everywhere_and_nothing_else_is_open() {
    let spec = policy("0.0.0.0:4317", &Settings::default()).expect("a policy");
    let open = json!([
        {"ports": [{"port": 4317, "protocol": "TCP"}]},
        {"ports": [{"port": 13134, "protocol": "TCP"}]},
    ]);
    assert_eq!(spec["ingress"], open);
    assert_eq!(spec["policyTypes"], json!(["Ingress"]), "what leaves is not restricted");
}

#[test]
fn what_listens_to_its_own_pod_alone_is_not_opened() {
    let spec = policy("127.0.0.1:4317", &Settings::default()).expect("a policy");
    assert_eq!(spec["ingress"], json!([{"ports": [{"port": 13134, "protocol": "TCP"}]}]));
}

#[test]
fn the_admin_listener_is_for_the_operator_and_for_who_scrapes() {
    let settings = Settings {
        operator_namespace: "obspipe-system".into(),
        scrape_namespaces: vec!["monitoring".into()],
        ..Settings::default()
    };
    let spec = policy("0.0.0.0:4317", &settings).expect("a policy");
    let peers = json!([{"namespaceSelector": {"matchExpressions": [{
        "key": "kubernetes.io/metadata.name",
        "operator": "In",
        "values": ["monitoring", "obspipe-system"],
    }]}}]);
    assert_eq!(spec["ingress"][1]["from"], peers);
    assert_eq!(spec["ingress"][0]["from"], Value::Null);
}

#[test]
fn there_is_none_where_the_operator_is_told_so() {
    let settings = Settings { network_policies: false, ..Settings::default() };
    assert_eq!(policy("0.0.0.0:4317", &settings), None);
}
