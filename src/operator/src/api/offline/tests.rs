//! Tests of `offline`: what is refused, and that what is good is not.

use serde_json::json;

use super::*;

fn pipeline() -> Value {
    json!({
        "apiVersion": "obspipe.dev/v1alpha1",
        "kind": "ObservabilityPipeline",
        "metadata": {"name": "otel", "namespace": "shop"},
        "spec": {"collector": {"config": config()}},
    })
}

fn config() -> Value {
    json!({
        "receivers": {"otlp": {"protocols": {"grpc": null}}},
        "exporters": {"debug": {}},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
    })
}

/// The problems of a good pipeline with `value` at `pointer`, whose parents exist.
fn with(pointer: &str, value: Value) -> Vec<String> {
    let mut object = pipeline();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    object.pointer_mut(parent).unwrap()[name] = value;
    problems(&object)
}

#[test]
fn a_good_pipeline_has_no_problem() {
    assert_eq!(problems(&pipeline()), Vec::<String>::new());
    assert_eq!(with("/spec/suspend", Value::Null), Vec::<String>::new());
}

#[test]
fn every_rule_and_pattern_can_be_evaluated() {
    assert!(RULES.compilation_errors().is_empty(), "{:?}", RULES.compilation_errors());
    let mut open = vec![&*SCHEMA];
    while let Some(schema) = open.pop() {
        if let Some(pattern) = schema["pattern"].as_str() {
            assert!(Regex::new(pattern).is_ok(), "{pattern}");
        }
        open.extend(schema["properties"].as_object().into_iter().flat_map(Map::values));
        open.extend(["items", "additionalProperties"].iter().filter_map(|name| schema.get(*name)));
    }
}

#[test]
fn shape() {
    for (pointer, value, expected) in [
        ("/kind", json!("Pipeline"), "kind: must be \"ObservabilityPipeline\", not \"Pipeline\""),
        ("/spec/suspend", json!("yes"), "spec.suspend: must be true or false, not \"yes\""),
        (
            "/spec/dashbords",
            json!([]),
            "spec.dashbords: unknown field, did you mean \"dashboards\"?",
        ),
        ("/spec/colour", json!(1), "spec.colour: unknown field"),
        ("/spec/collector", json!(null), "spec.collector: required"),
        (
            "/spec/collector/replicas",
            json!(1.5),
            "spec.collector.replicas: must be an integer, not 1.5",
        ),
    ] {
        assert_eq!(with(pointer, value), [expected], "{pointer}");
    }
}

#[test]
fn modes_are_an_enumeration() {
    let found = with("/spec/collector/mode", json!("Sidecar"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("spec.collector.mode: must be one of "), "{found:?}");
    assert!(found[0].ends_with("not \"Sidecar\""), "{found:?}");
}

#[test]
fn elements_are_known_by_their_key() {
    let env = json!([{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]);
    let found = with("/spec/collector/env", env);
    assert_eq!(found, ["spec.collector.env[1]: duplicate name \"A\""]);
}

#[test]
fn rules_are_evaluated() {
    let found = with("/spec/collector/replicas", json!(2));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("spec.collector.replicas: replicas is for"), "{found:?}");
    let found = with("/metadata/name", json!("9lives"));
    assert!(found.iter().any(|line| line.contains("metadata.name must be")), "{found:?}");
    let both = json!([{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]);
    let found = with("/spec/collector/env", both);
    assert!(found.iter().any(|line| line.contains("value or valueFrom, not both")), "{found:?}");
    let labels = json!({"app.kubernetes.io/name": "x"});
    let found = with("/spec/collector/podLabels", labels);
    assert!(found.iter().any(|line| line.contains("they select the pods")), "{found:?}");
}

#[test]
fn an_unknown_field_does_not_hide_a_rule() {
    let mut object = pipeline();
    object["spec"]["collector"]["replicas"] = json!(2);
    object["spec"]["collector"]["tolerrations"] = json!([]);
    let found = problems(&object);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("did you mean \"tolerations\"?"), "{found:?}");
}

#[test]
fn bounds_hold() {
    let schema = json!({"type": "object", "properties": {
        "text": {"type": "string", "minLength": 2, "maxLength": 3, "pattern": "^[a-z]+$"},
        "count": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 5},
        "list": {"type": "array", "maxItems": 1, "items": {"type": "string"}},
        "map": {"type": "object", "maxProperties": 1, "additionalProperties": {"type": "string"}},
        "either": {"x-kubernetes-int-or-string": true},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "set": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
    }});
    let found = |value: Value| {
        let mut walk = Walk::default();
        walk.value("at", &value, &schema);
        [walk.problems, walk.unknown].concat()
    };
    for (value, expected) in [
        (json!({"text": "é"}), "at.text: must have at least 2 characters, not 1"),
        (json!({"text": "ab1"}), "at.text: must match ^[a-z]+$, not \"ab1\""),
        (json!({"text": "abcd"}), "at.text: must have at most 3 characters, not 4"),
        (json!({"count": 0}), "at.count: must be at least 1, not 0"),
        (json!({"count": 6}), "at.count: must be at most 5, not 6"),
        (json!({"count": 5_000_000_000_i64}), "at.count: must be an integer, not 5000000000"),
        (json!({"list": ["a", "b"]}), "at.list: must have at most 1 items, not 2"),
        (json!({"list": [1]}), "at.list[0]: must be a string, not 1"),
        (json!({"map": {"a.b": 1}}), "at.map[a.b]: must be a string, not 1"),
        (json!({"map": {"a": "", "b": ""}}), "at.map: must have at most 1 entries, not 2"),
        (json!({"either": true}), "at.either: must be an integer or a string, not true"),
        (json!({"set": ["a", "a"]}), "at.set[1]: duplicate \"a\""),
        (json!([]), "at: must be an object, not a list"),
    ] {
        let mut lines = found(value);
        lines.retain(|line| !line.contains("must match ^[a-z]+$, not \"é\""));
        assert_eq!(lines, [expected]);
    }
    let good = json!({"count": 2.0, "either": "10%", "any": {"x": [null]}, "map": {"a": "b"}});
    assert_eq!(found(good), Vec::<String>::new());
}
