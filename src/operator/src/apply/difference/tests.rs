use proptest::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::*;

const US: &str = "obspipe";
const NONE: [&str; 0] = [];

/// What was applied, by `obspipe`, to a kube-apiserver 1.34 with prometheus-operator's CRDs 0.85.
const APPLIED: &str = include_str!("testdata/desired.yaml");
/// The same objects as that server returned them.
const LIVE: &str = include_str!("testdata/live.json");
/// Some of them after somebody else's patch.
const EDITED: &str = include_str!("testdata/edited.json");

fn shown(desired: &Value, live: &Value) -> Vec<String> {
    differences(desired, live, US).iter().map(ToString::to_string).collect()
}

fn applied(kind: &str) -> Value {
    serde_yaml::Deserializer::from_str(APPLIED)
        .map(|document| Value::deserialize(document).unwrap())
        .find(|object| object["kind"] == kind)
        .unwrap()
}

fn of_server(text: &str, kind: &str) -> Value {
    let objects: Vec<Value> = serde_json::from_str(text).unwrap();
    objects.into_iter().find(|object| object["kind"] == kind).unwrap()
}

fn at<'a>(object: &'a mut Value, pointer: &str) -> &'a mut Value {
    object.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"))
}

/// Only what the pointer's last step names is taken away.
fn remove(object: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match at(object, parent) {
        Value::Object(map) => map.remove(name).map(drop).unwrap(),
        Value::Array(list) => drop(list.remove(name.parse().unwrap())),
        other => panic!("{other}"),
    }
}

fn with_record(mut live: Value, fields: Value) -> Value {
    live["metadata"]["managedFields"] = json!([
        {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:data": {"f:theirs": {}}}},
        {"manager": US, "operation": "Apply", "subresource": "status", "fieldsV1": {"f:x": {}}},
        {"manager": US, "operation": "Update", "fieldsV1": {"f:y": {}}},
        {"manager": US, "operation": "Apply", "fieldsV1": fields},
    ]);
    live
}

#[test]
fn what_a_server_returns_of_what_was_applied_is_no_difference() {
    let live: Vec<Value> = serde_json::from_str(LIVE).unwrap();
    assert_eq!(live.len(), 11);
    for live in live {
        let kind = live["kind"].as_str().unwrap();
        assert_eq!(shown(&applied(kind), &live), NONE, "{kind}");
    }
}

/// Each of these leaves every value that we want in place, or a value that reads as empty absent.
#[test]
fn what_somebody_else_wrote_shows_in_the_record() {
    let cases: [(&str, &[&str]); 4] = [
        (
            "DaemonSet",
            &[
                "metadata.labels.e: not owned",
                "spec.template.spec.automountServiceAccountToken: not owned",
                "spec.template.spec.tolerations: not owned",
            ],
        ),
        ("ServiceAccount", &["automountServiceAccountToken: not owned"]),
        ("PodMonitor", &["spec.podMetricsEndpoints: not owned"]),
        ("Service", &["spec.selector: not owned"]),
    ];
    for (kind, expected) in cases {
        assert_eq!(shown(&applied(kind), &of_server(EDITED, kind)), expected, "{kind}");
    }
}

const POD: &str = "/spec/template/spec";

#[test]
fn a_changed_live_object_is_found() {
    let cases: [(&str, &str, Value, &str); 19] = [
        (
            "DaemonSet",
            "/containers/0/image",
            json!("i:2"),
            "containers[name=collector].image: changed",
        ),
        ("DaemonSet", "/containers", json!([]), "containers[name=collector]: missing"),
        (
            "DaemonSet",
            "/containers/0/args/0",
            json!("y"),
            "containers[name=collector].args[0]: changed",
        ),
        (
            "DaemonSet",
            "/containers/0/resources/limits/memory",
            json!("1Mi"),
            "containers[name=collector].resources.limits.memory: changed",
        ),
        (
            "DaemonSet",
            "/containers/0/ports/0/name",
            json!("z"),
            "containers[name=collector].ports[containerPort=4317,protocol=TCP].name: changed",
        ),
        (
            "DaemonSet",
            "/containers/0/ports/1/protocol",
            json!("SCTP"),
            "containers[name=collector].ports[containerPort=4317,protocol=UDP]: missing",
        ),
        (
            "DaemonSet",
            "/containers/0/env/0/value",
            json!("x"),
            "containers[name=collector].env[name=A].value: changed",
        ),
        (
            "DaemonSet",
            "/containers/0/volumeMounts/0/readOnly",
            json!(true),
            "containers[name=collector].volumeMounts[mountPath=/v].readOnly: changed",
        ),
        ("DaemonSet", "/hostNetwork", json!(true), "hostNetwork: changed"),
        ("DaemonSet", "/tolerations", json!([{}, {}]), "tolerations: changed"),
        (
            "DaemonSet",
            "/volumes/2/projected/sources/0/configMap/name",
            json!("y"),
            "volumes[name=p].projected.sources[0].configMap.name: changed",
        ),
        (
            "DaemonSet",
            "/volumes/1/emptyDir/sizeLimit",
            json!("2Gi"),
            "volumes[name=w].emptyDir.sizeLimit: changed",
        ),
        (
            "DaemonSet",
            "/topologySpreadConstraints/0/maxSkew",
            json!(2),
            "topologySpreadConstraints[topologyKey=z,whenUnsatisfiable=ScheduleAnyway].maxSkew: changed",
        ),
        (
            "Service",
            "/spec/ports/0/targetPort",
            json!(1),
            "spec.ports[port=4317,protocol=TCP].targetPort: changed",
        ),
        ("ConfigMap", "/data/config.yaml", json!("a: c\n"), "data.config.yaml: changed"),
        (
            "PrometheusRule",
            "/spec/groups/0/rules/0/expr",
            json!(2),
            "spec.groups[name=g].rules[0].expr: changed",
        ),
        ("PrometheusRule", "/spec/groups/0/name", json!("h"), "spec.groups[name=g]: missing"),
        (
            "StatefulSet",
            "/spec/volumeClaimTemplates/0/spec/resources/requests/storage",
            json!("2Gi"),
            "spec.volumeClaimTemplates[0].spec.resources.requests.storage: changed",
        ),
        (
            "HorizontalPodAutoscaler",
            "/spec/metrics/1/resource/target/averageValue",
            json!("2Gi"),
            "spec.metrics[1].resource.target.averageValue: changed",
        ),
    ];
    for (kind, pointer, value, expected) in cases {
        let mut live = of_server(LIVE, kind);
        let (pointer, expected) = match kind {
            "DaemonSet" => (format!("{POD}{pointer}"), format!("spec.template.spec.{expected}")),
            _ => (pointer.to_owned(), expected.to_owned()),
        };
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        match at(&mut live, parent) {
            Value::Array(list) => list[name.parse::<usize>().unwrap()] = value,
            parent => parent[name] = value,
        }
        assert_eq!(shown(&applied(kind), &live), [expected], "{kind} {pointer}");
    }
}

#[test]
fn what_the_spec_stopped_asking_for_is_found() {
    let cases = [
        ("DaemonSet", "/metadata/labels/a", "metadata.labels.a: no longer wanted"),
        ("DaemonSet", "/metadata/finalizers/0", "metadata.finalizers: no longer wanted"),
        (
            "DaemonSet",
            "/spec/template/spec/containers/0/ports/0",
            "spec.template.spec.containers[name=collector].ports[containerPort=4317,protocol=TCP]: no longer wanted",
        ),
        (
            "DaemonSet",
            "/spec/template/spec/containers/0/env/1",
            "spec.template.spec.containers[name=collector].env[name=B]: no longer wanted",
        ),
        (
            "DaemonSet",
            "/spec/template/spec/containers/0/resources/limits",
            "spec.template.spec.containers[name=collector].resources.limits: no longer wanted",
        ),
        (
            "DaemonSet",
            "/spec/template/spec/tolerations",
            "spec.template.spec.tolerations: no longer wanted",
        ),
        (
            "DaemonSet",
            "/spec/template/spec/volumes/2",
            "spec.template.spec.volumes[name=p]: no longer wanted",
        ),
        ("ConfigMap", "/data/empty", "data.empty: no longer wanted"),
        ("Service", "/spec/ports/1", "spec.ports[port=80,protocol=TCP]: no longer wanted"),
        ("PrometheusRule", "/spec/groups/0", "spec.groups[name=g]: no longer wanted"),
    ];
    for (kind, pointer, expected) in cases {
        let mut desired = applied(kind);
        remove(&mut desired, pointer);
        assert_eq!(shown(&desired, &of_server(LIVE, kind)), [expected], "{kind} {pointer}");
    }
}

#[test]
fn an_element_that_is_not_recorded_is_found() {
    let (pod, container) = ("f:spec/f:template/f:spec", "f:containers/k:{\"name\":\"collector\"}");
    let cases = [
        (format!("/{pod}/f:volumes/k:{{\"name\":\"p\"}}"), "volumes[name=p]"),
        (
            format!("/{pod}/{container}/f:env/k:{{\"name\":\"A\"}}"),
            "containers[name=collector].env[name=A]",
        ),
        (
            format!("/{pod}/{container}/f:ports/k:{{\"containerPort\":4317,\"protocol\":\"TCP\"}}"),
            "containers[name=collector].ports[containerPort=4317,protocol=TCP]",
        ),
    ];
    for (pointer, expected) in cases {
        let mut live = of_server(LIVE, "DaemonSet");
        remove(&mut live, &format!("/metadata/managedFields/0/fieldsV1{pointer}"));
        let expected = format!("spec.template.spec.{expected}: not owned");
        assert_eq!(shown(&applied("DaemonSet"), &live), [expected]);
    }
    let mut live = of_server(LIVE, "DaemonSet");
    let record = "/metadata/managedFields/0/fieldsV1/f:metadata/f:finalizers";
    *at(&mut live, record) = json!({"v:\"theirs\"": {}});
    let expected = ["metadata.finalizers: no longer wanted"];
    assert_eq!(shown(&applied("DaemonSet"), &live), expected);
    *at(&mut live, record) = json!({".": {}});
    assert_eq!(shown(&applied("DaemonSet"), &live), ["metadata.finalizers: not owned"]);
}

#[test]
fn emptying_what_is_recorded_gives_up_what_stood_in_it() {
    for empty in [json!({}), Value::Null] {
        let mut desired = applied("ConfigMap");
        desired["data"] = empty.clone();
        let found = shown(&desired, &of_server(LIVE, "ConfigMap"));
        assert!(!found.is_empty(), "{empty}");
        assert!(found.iter().all(|found| found.starts_with("data")), "{found:?}");
    }
}

#[test]
fn without_a_record_of_ours_one_apply_is_due() {
    type Change = fn(&mut Value);
    let changes: [Change; 6] = [
        |live| remove(live, "/metadata/managedFields"),
        |live| live["metadata"]["managedFields"] = json!([]),
        |live| live["metadata"]["managedFields"][0]["manager"] = json!("other"),
        |live| live["metadata"]["managedFields"][0]["operation"] = json!("Update"),
        |live| live["metadata"]["managedFields"][0]["subresource"] = json!("status"),
        |live| live["metadata"]["managedFields"][0]["fieldsV1"] = json!("?"),
    ];
    for change in changes {
        let mut live = of_server(LIVE, "ConfigMap");
        change(&mut live);
        assert_eq!(shown(&applied("ConfigMap"), &live), ["metadata.managedFields: not owned"]);
    }
}

#[test]
fn what_the_server_alone_writes_is_not_compared() {
    let mut desired = applied("ConfigMap");
    desired["metadata"]["uid"] = json!("other");
    desired["metadata"]["resourceVersion"] = json!("1");
    desired["metadata"]["creationTimestamp"] = Value::Null;
    desired["status"] = json!({"a": 1});
    assert_eq!(shown(&desired, &of_server(LIVE, "ConfigMap")), NONE);
}

#[test]
fn no_value_is_ever_shown() {
    let desired = json!({"data": {"k": "secret-wanted"}, "metadata": {"finalizers": ["wanted"]}});
    let live = with_record(
        json!({"data": {"k": "secret-live"}}),
        json!({"f:data": {"f:k": {}}, "f:metadata": {"f:finalizers": {"v:\"secret\"": {}}}}),
    );
    assert_eq!(shown(&desired, &live), ["data.k: changed", "metadata.finalizers: missing"]);
}

#[test]
fn scalars_are_compared_as_the_field_means_them() {
    let cases = [
        (json!({"spec": {"minReadySeconds": 1}}), json!({"spec": {"minReadySeconds": 1.0}}), true),
        (
            json!({"spec": {"x": 9_007_199_254_740_993_i64}}),
            json!({"spec": {"x": 9_007_199_254_740_992_i64}}),
            false,
        ),
        (json!({"spec": {"maxSurge": "80"}}), json!({"spec": {"maxSurge": 80}}), true),
        (json!({"spec": {"maxSurge": "80%"}}), json!({"spec": {"maxSurge": 80}}), false),
        (json!({"spec": {"expr": "80"}}), json!({"spec": {"expr": 80}}), false),
        (
            json!({"resources": {"limits": {"cpu": 0.5}}}),
            json!({"resources": {"limits": {"cpu": "500m"}}}),
            true,
        ),
        (json!({"data": {"sizeLimit": "1Gi"}}), json!({"data": {"sizeLimit": "1024Mi"}}), false),
        (json!({"data": {"limits": "1Gi"}}), json!({"data": {"limits": "1024Mi"}}), false),
        (json!({"spec": {"x": false}}), json!({"spec": {}}), true),
        (json!({"spec": {"x": false}}), json!({"spec": {"x": null}}), true),
        (json!({"spec": {"x": false}}), json!({"spec": {"x": ""}}), false),
        (json!({"spec": {"x": true}}), json!({"spec": {"x": null}}), false),
        (json!({"spec": {"x": {}}}), json!({"spec": {"x": {"theirs": 1}}}), true),
        (json!({"spec": {"x": []}}), json!({"spec": {"x": [1]}}), false),
        (
            json!({"secrets": [{"name": "a"}]}),
            json!({"secrets": [{"name": "b"}, {"name": "a"}]}),
            true,
        ),
        (
            json!({"imagePullSecrets": [{"name": "a"}]}),
            json!({"imagePullSecrets": [{"name": "b"}, {"name": "a"}]}),
            false,
        ),
    ];
    for (desired, live, same) in cases {
        let live = with_record(live, record_of(&desired, ""));
        assert_eq!(shown(&desired, &live).is_empty(), same, "{desired} {live}");
    }
}

#[test]
fn quantities_are_compared_by_value() {
    for (a, b) in [
        ("1", "1000m"),
        ("1Gi", "1024Mi"),
        ("0.5", "500m"),
        (".5", "+0.50"),
        ("1e3", "1k"),
        ("1E3", "1k"),
        ("1.", "1"),
        ("1.5Gi", "1536Mi"),
        ("0.00000000001Gi", "10.73741824m"),
        ("100m", "0.1"),
        ("-1", "-1000m"),
        // Finer than a billionth is rounded away from zero, once.
        ("0.1n", "1n"),
        ("-0.1n", "-1n"),
        ("15.5e-10", "2n"),
        ("0.1000000000000000055", "0.100000001"),
        ("0.0000000000000000001", "1n"),
    ] {
        assert!(Quantity::parse(a).is_some(), "{a}");
        assert_eq!(Quantity::parse(a), Quantity::parse(b), "{a} {b}");
    }
    for bad in ["", "x", "1.2.3", "1Xi", "--1", "+-1", "1e", "1e99", ".", "-", "1 ", "8Ei", "½"] {
        assert_eq!(Quantity::parse(bad), None, "{bad:?}");
    }
    let ascending = [
        "-1", "-1m", "0", "1n", "1u", "1m", "1", "1k", "1Ki", "1M", "1Mi", "1G", "1Gi", "1T",
        "1Ti", "1P", "1Pi", "1E", "1Ei", "7Ei",
    ];
    for pair in ascending.windows(2) {
        assert!(Quantity::parse(pair[0]).unwrap() < Quantity::parse(pair[1]).unwrap(), "{pair:?}");
    }
    for (text, bytes) in [
        ("1m", Some(1)),
        ("2Ki", Some(2048)),
        ("0", Some(0)),
        ("-1", None),
        ("-1m", None),
        ("9223372036854775807", Some(9_223_372_036_854_775_807)),
    ] {
        assert_eq!(Quantity::parse(text).unwrap().to_bytes_ceil(), bytes, "{text}");
    }
}

/// FieldsV1 of exactly this value, as the server records an apply of it; a model of its own, for
/// what `object()` generates.
fn record_of(value: &Value, field: &str) -> Value {
    match (value, field) {
        (Value::Object(map), _) => map
            .iter()
            .map(|(key, value)| (format!("f:{key}"), record_of(value, key)))
            .collect::<Map<_, _>>()
            .into(),
        (Value::Array(list), "containers" | "env" | "volumes" | "groups" | "secrets") => list
            .iter()
            .map(|element| {
                let mut record = record_of(element, "");
                record["."] = json!({});
                (format!("k:{}", json!({"name": element["name"]})), record)
            })
            .collect::<Map<_, _>>()
            .into(),
        (Value::Array(list), "ports") => list
            .iter()
            .map(|element| {
                let mut record = record_of(element, "");
                record["."] = json!({});
                let key = json!({"containerPort": element["containerPort"], "protocol": "TCP"});
                (format!("k:{key}"), record)
            })
            .collect::<Map<_, _>>()
            .into(),
        _ => json!({}),
    }
}

/// As the server returns it: empty fields left out, defaults and other people's elements added,
/// others' elements before ours.
fn with_noise(value: &Value, field: &str, keep_empty: bool) -> Value {
    match (value, field) {
        (Value::Object(map), "labels" | "data") => json!(map),
        (Value::Object(map), _) => {
            let mut noisy: Map<String, Value> = map
                .iter()
                .filter(|(_, value)| keep_empty || !is_empty(value))
                .map(|(key, value)| (key.clone(), with_noise(value, key, keep_empty)))
                .collect();
            noisy.insert("serverDefault".into(), json!({"of": ["the", "server"]}));
            noisy.into()
        }
        (Value::Array(list), _) => {
            let mut noisy: Vec<Value> =
                list.iter().map(|element| with_noise(element, "", keep_empty)).collect();
            if matches!(field, "containers" | "env") {
                noisy.insert(0, json!({"name": "injected", "value": "x"}));
            }
            if field == "ports" {
                for port in &mut noisy {
                    port["protocol"] = json!("TCP");
                }
                noisy.insert(0, json!({"containerPort": 4317, "protocol": "UDP"}));
            }
            noisy.into()
        }
        _ => value.clone(),
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-2i32..3).prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
    ]
}

/// Fields that no table knows: objects of atomic lists.
fn unknown() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[m-q.]{1,3}", inner, 0..4).prop_map(|map| json!(map)),
        ]
    })
}

fn named(element: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::btree_map("[a-d]", element, 0..4).prop_map(|elements| {
        elements
            .into_iter()
            .map(|(name, mut element)| {
                element["name"] = json!(name);
                element
            })
            .rev()
            .collect()
    })
}

fn container() -> impl Strategy<Value = Value> {
    let variable = scalar().prop_map(|value| json!({"value": value}));
    let ports = prop::collection::btree_set(4315..4319, 0..3);
    (named(variable), ports, unknown(), any::<bool>()).prop_map(|(env, ports, more, with_args)| {
        let ports: Vec<Value> =
            ports.into_iter().map(|port| json!({"containerPort": port, "name": "p"})).collect();
        let mut container = json!({"env": env, "ports": ports, "more": more});
        if with_args {
            container["args"] = json!(["a", "b"]);
        }
        container
    })
}

fn object() -> impl Strategy<Value = Value> {
    let labels = prop::collection::btree_map("[a-d./]{1,4}", "[a-z]{0,2}", 0..4);
    (labels.clone(), labels, named(container()), named(unknown_object()), unknown()).prop_map(
        |(labels, data, containers, volumes, more)| {
            json!({
                "apiVersion": "apps/v1", "kind": "DaemonSet",
                "metadata": {"name": "c", "namespace": "n", "labels": labels},
                "data": data,
                "spec": {"template": {"spec": {"containers": containers, "volumes": volumes}}, "more": more},
            })
        },
    )
}

fn unknown_object() -> impl Strategy<Value = Value> {
    unknown().prop_map(|value| json!({"more": value}))
}

/// Pointers of all leaves that are no list or object.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            leaves(value, &format!("{at}/{key}"), found);
        }),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(index, value)| leaves(value, &format!("{at}/{index}"), found)),
        _ => found.push(at.to_owned()),
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let word = "(metadata|spec|data|status|containers|ports|env|name|managedFields|[a-c]{0,2})";
    let step = "([fkvix]:|)(metadata|spec|containers|ports|\\{\"name\":\"a\"\\}|\"a\"|-?[0-9]|\\.|[a-c]{0,2})";
    prop_oneof![scalar(), Just(Value::Null), Just(json!(1.5))].prop_recursive(
        5,
        48,
        4,
        move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(word, inner.clone(), 0..4).prop_map(|map| json!(map)),
                prop::collection::btree_map(step, inner, 0..4).prop_map(|map| json!(map)),
            ]
        },
    )
}

proptest! {
    #[test]
    fn what_is_recorded_as_ours_is_as_applied(object in object(), keep_empty in any::<bool>()) {
        let live = with_record(with_noise(&object, "", keep_empty), record_of(&object, ""));
        prop_assert_eq!(shown(&object, &live), NONE);
    }

    #[test]
    fn every_changed_leaf_is_found(object in object(), which in any::<prop::sample::Index>()) {
        let mut all = Vec::new();
        leaves(&object, "", &mut all);
        all.retain(|leaf| !["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"].contains(&leaf.as_str()));
        prop_assume!(!all.is_empty());
        let mut live = with_record(object.clone(), record_of(&object, ""));
        let leaf: &String = which.get(&all);
        *at(&mut live, leaf) = json!("changed");
        prop_assert!(!differences(&object, &live, US).is_empty(), "{leaf}");
    }

    #[test]
    fn every_leaf_that_is_not_wanted_any_more_is_found(object in object(), which in any::<prop::sample::Index>()) {
        let record = record_of(&object, "");
        let mut desired = object.clone();
        let mut all = Vec::new();
        leaves(&object, "", &mut all);
        // A leaf inside an atomic list is the list's affair.
        all.retain(|leaf| !leaf.contains("/more") && !leaf.contains("/args"));
        all.retain(|leaf| leaf.starts_with("/data") || leaf.contains("/env/") || leaf.contains("/labels/"));
        prop_assume!(!all.is_empty());
        let (parent, name) = which.get(&all).rsplit_once('/').unwrap();
        let name = name.replace("~1", "/");
        at(&mut desired, parent).as_object_mut().unwrap().remove(&name);
        prop_assert!(!differences(&desired, &with_record(object, record), US).is_empty());
    }

    #[test]
    fn whatever_comes_is_compared(desired in anything(), live in anything(), fields in anything()) {
        let _ = differences(&desired, &live, US);
        let _ = differences(&desired, &with_record(json!({"spec": live}), fields), US);
    }

    #[test]
    fn differences_are_sorted_and_one_for_each_place(desired in anything(), live in anything()) {
        let found = differences(&desired, &live, US);
        prop_assert!(found.is_sorted_by(|a, b| a.path < b.path), "{found:?}");
    }

    #[test]
    fn a_quantity_never_panics(text in "[+-]?[0-9.]{0,40}([numkMGTPE]i?|[eE][+-]?[0-9]{0,11})?|.{0,12}") {
        let _ = Quantity::parse(&text).map(Quantity::to_bytes_ceil);
    }
}
