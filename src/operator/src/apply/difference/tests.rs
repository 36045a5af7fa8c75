use proptest::prelude::*;
use serde_json::json;

use super::*;

const US: &str = "obspipe";

fn with_fields(mut live: Value, fields: Value) -> Value {
    live["metadata"]["managedFields"] = json!([
        {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:theirs": {}}}},
        {"manager": US, "operation": "Apply", "fieldsV1": fields},
    ]);
    live
}

fn shown(desired: &Value, live: &Value) -> Vec<String> {
    differences(desired, live, US).iter().map(ToString::to_string).collect()
}

fn desired_daemon_set() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "c", "namespace": "n", "labels": {"a": "b"}},
        "spec": {"template": {"spec": {
            "containers": [{
                "name": "collector", "image": "i:1",
                "ports": [{"name": "g", "containerPort": 4317}],
                "resources": {"limits": {"memory": "1024Mi", "cpu": 1}},
                "env": [{"name": "A", "value": ""}],
                "args": ["--config=x"],
            }],
            "nodeSelector": {},
            "tolerations": [{"operator": "Exists"}],
            "hostNetwork": false,
        }}},
    })
}

fn live_daemon_set() -> Value {
    with_fields(
        json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {
                "name": "c", "namespace": "n", "uid": "u", "resourceVersion": "7", "generation": 1,
                "labels": {"a": "b", "theirs": "x"}, "annotations": {"deprecated.daemonset": "1"},
            },
            "spec": {"revisionHistoryLimit": 10, "template": {"spec": {
                "containers": [
                    {
                        "name": "collector", "image": "i:1", "imagePullPolicy": "IfNotPresent",
                        "ports": [{"name": "g", "containerPort": 4317, "protocol": "TCP"}],
                        "resources": {"limits": {"memory": "1Gi", "cpu": "1"}},
                        "env": [{"name": "A"}],
                        "args": ["--config=x"],
                        "terminationMessagePath": "/dev/termination-log",
                    },
                    {"name": "sidecar", "image": "injected"},
                ],
                "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "securityContext": {},
                "tolerations": [{"operator": "Exists"}],
            }}},
            "status": {"numberReady": 3},
        }),
        json!({
            "f:metadata": {"f:labels": {"f:a": {}}},
            "f:spec": {"f:template": {"f:spec": {
                "f:containers": {"k:{\"name\":\"collector\"}": {
                    ".": {}, "f:name": {}, "f:image": {}, "f:args": {},
                    "f:ports": {"k:{\"containerPort\":4317,\"protocol\":\"TCP\"}": {
                        ".": {}, "f:containerPort": {}, "f:name": {},
                    }},
                    "f:resources": {"f:limits": {"f:memory": {}, "f:cpu": {}}},
                    "f:env": {"k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}},
                }},
                "f:hostNetwork": {}, "f:nodeSelector": {}, "f:tolerations": {},
            }}},
        }),
    )
}

#[test]
fn what_the_server_defaulted_and_others_added_is_no_difference() {
    assert_eq!(shown(&desired_daemon_set(), &live_daemon_set()), Vec::<String>::new());
}

#[test]
fn every_kind_of_difference_is_found_and_named() {
    type Change = fn(&mut Value, &mut Value);
    let cases: [(Change, &str); 9] = [
        (
            |_, live| live["spec"]["template"]["spec"]["containers"][0]["image"] = json!("i:2"),
            "spec.template.spec.containers[name=collector].image changed",
        ),
        (|_, live| live["metadata"]["labels"] = json!({}), "metadata.labels.a missing"),
        (
            |_, live| live["spec"]["template"]["spec"]["containers"] = json!([]),
            "spec.template.spec.containers[name=collector] missing",
        ),
        (
            |_, live| {
                live["spec"]["template"]["spec"]["containers"][0]["resources"]["limits"]["memory"] =
                    json!("1Mi");
            },
            "spec.template.spec.containers[name=collector].resources.limits.memory changed",
        ),
        (
            |_, live| live["spec"]["template"]["spec"]["hostNetwork"] = json!(true),
            "spec.template.spec.hostNetwork changed",
        ),
        (
            |_, live| live["spec"]["template"]["spec"]["tolerations"] = json!([{}, {}]),
            "spec.template.spec.tolerations changed",
        ),
        (
            |desired, _| {
                desired["metadata"]["labels"] = json!({});
            },
            "metadata.labels no longer wanted",
        ),
        (
            |desired, _| {
                desired["spec"]["template"]["spec"]["containers"][0]["ports"] =
                    json!([{"name": "h", "containerPort": 4318}]);
            },
            "spec.template.spec.containers[\"name\":\"collector\"].ports[\"containerPort\":4317,\"protocol\":\"TCP\"] no longer wanted",
        ),
        (
            |_, live| live["metadata"]["managedFields"] = json!([]),
            "metadata.managedFields not recorded as ours",
        ),
    ];
    for (change, expected) in cases {
        let (mut desired, mut live) = (desired_daemon_set(), live_daemon_set());
        change(&mut desired, &mut live);
        let found = shown(&desired, &live);
        assert!(found.iter().any(|found| found == expected), "{expected}: {found:?}");
    }
}

#[test]
fn an_entry_of_a_subresource_is_not_our_apply() {
    let mut live = live_daemon_set();
    live["metadata"]["managedFields"][1]["subresource"] = json!("status");
    assert_eq!(
        shown(&desired_daemon_set(), &live),
        ["metadata.managedFields not recorded as ours"]
    );
}

#[test]
fn no_value_is_ever_shown() {
    let desired = json!({"data": {"k": "secret-wanted"}});
    let live = with_fields(json!({"data": {"k": "secret-live"}}), json!({"f:data": {"f:k": {}}}));
    assert_eq!(shown(&desired, &live), ["data.k changed"]);
}

#[test]
fn quantities_are_compared_by_value() {
    for (a, b) in
        [("1", "1000m"), ("1Gi", "1024Mi"), ("0.5", "500m"), ("1e3", "1k"), ("1.5Gi", "1536Mi")]
    {
        assert_eq!(Quantity::parse(a), Quantity::parse(b), "{a} {b}");
        assert!(Quantity::parse(a).is_some(), "{a}");
    }
    for bad in ["", "x", "1.2.3", "1Xi", "--1", "1e", "1e99", "."] {
        assert_eq!(Quantity::parse(bad), None, "{bad:?}");
    }
    assert!(Quantity::parse("1Gi") > Quantity::parse("1G"));
    assert_eq!(Quantity::parse("1m").unwrap().to_bytes_ceil(), Some(1));
    assert_eq!(Quantity::parse("2Ki").unwrap().to_bytes_ceil(), Some(2048));
    assert_eq!(Quantity::parse("-1").unwrap().to_bytes_ceil(), None);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[fkv]?:?[a-z.]{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_compared(desired in json_value(), live in json_value(), fields in json_value()) {
        let _ = differences(&desired, &live, US);
        if live.is_object() {
            let _ = differences(&desired, &json!({"spec": live, "metadata": {"managedFields": [
                {"manager": US, "operation": "Apply", "fieldsV1": fields},
            ]}}), US);
        }
    }

    #[test]
    fn an_object_is_as_itself(spec in json_value()) {
        let object = json!({"spec": spec, "metadata": {"managedFields": [
            {"manager": US, "operation": "Apply", "fieldsV1": {}},
        ]}});
        prop_assert_eq!(shown(&object, &object), Vec::<String>::new());
    }

    #[test]
    fn a_quantity_never_panics(text in ".{0,12}") {
        let _ = Quantity::parse(&text);
    }
}
