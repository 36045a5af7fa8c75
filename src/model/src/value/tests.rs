//! JSON in and out, as the API server hands configurations over.

use proptest::prelude::*;

use super::*;

fn json(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str(text)
}

fn nested(levels: usize, open: &str, close: &str) -> String {
    format!("{}{}", open.repeat(levels), close.repeat(levels))
}

#[test]
fn integers_pass_through_json_without_losing_a_digit() {
    let numbers = [
        ("-9223372036854775808", i128::from(i64::MIN)),
        ("9223372036854775807", i128::from(i64::MAX)),
        ("18446744073709551615", i128::from(u64::MAX)),
        ("9007199254740993", (1 << 53) + 1),
        ("0", 0),
        ("-1", -1),
    ];
    for (text, number) in numbers {
        assert_eq!(json(text).unwrap(), Value::Int(number), "{text}");
        assert_eq!(serde_json::to_string(&Value::Int(number)).unwrap(), text);
    }
}

#[test]
fn floats_stay_floats_in_json() {
    assert_eq!(json("1.0").unwrap(), Value::Float(1.0));
    assert_eq!(serde_json::to_string(&Value::Float(1.0)).unwrap(), "1.0");
    assert_eq!(json("1e3").unwrap(), Value::Float(1000.0));
}

#[test]
fn a_key_that_stands_twice_is_refused_at_any_depth() {
    for text in [r#"{"a": 1, "a": 2}"#, r#"[{"b": {"a": 1, "a": 1}}]"#, r#"{"a": 1, "\u0061": 2}"#]
    {
        let error = json(text).unwrap_err().to_string();
        assert!(error.contains("\"a\" stands twice"), "{text}: {error}");
    }
}

#[test]
fn json_may_nest_sixty_four_levels_and_no_deeper() {
    let shapes = [("[", "]", ""), (r#"{"a":"#, "}", "1")];
    for (open, close, leaf) in shapes {
        let text = |levels: usize| format!("{}{leaf}{}", open.repeat(levels), close.repeat(levels));
        assert!(json(&text(MAX_DEPTH)).is_ok(), "{open}");
        let error = json(&text(MAX_DEPTH + 1)).unwrap_err().to_string();
        assert!(error.contains("nested deeper than 64 levels"), "{open}: {error}");
    }
    assert!(json(&nested(10_000, "[", "]")).is_err());
}

#[test]
fn keys_keep_their_order_and_sorted_puts_them_in_the_alphabets() {
    let value = json(r#"{"b": {"z": 1, "y": [{"d": 1, "c": 2}]}, "a": null}"#).unwrap();
    let written = serde_json::to_string(&value).unwrap();
    assert_eq!(written, r#"{"b":{"z":1,"y":[{"d":1,"c":2}]},"a":null}"#);
    let sorted = serde_json::to_string(&value.sorted()).unwrap();
    assert_eq!(sorted, r#"{"a":null,"b":{"y":[{"c":2,"d":1}],"z":1}}"#);
}

#[test]
fn what_was_written_stands_for_what_it_became() {
    let expanded = Value::Expanded {
        written: "${env:TOKEN}".into(),
        text: "hunter2".into(),
        parsed: Box::new(Value::String("hunter2".into())),
    };
    let map = Value::Map(vec![
        ("token".into(), expanded),
        ("later".into(), Value::Deferred("${env:LATER}".into())),
    ]);
    let written = serde_json::to_string(&map).unwrap();
    assert_eq!(written, r#"{"token":"${env:TOKEN}","later":"${env:LATER}"}"#);
    let debug = format!("{map:?} {map:#?}");
    assert!(!debug.contains("hunter2"), "{debug}");
    assert!(debug.contains("${env:TOKEN}"), "{debug}");
}

#[test]
fn a_raw_configuration_is_its_value_and_its_schema_keeps_every_field() {
    let raw: RawConfig = serde_json::from_str(r#"{"a": {"b": [1, null]}}"#).unwrap();
    assert_eq!(raw.value().get("a").unwrap().entries().len(), 1);
    assert_eq!(serde_json::to_string(&raw).unwrap(), r#"{"a":{"b":[1,null]}}"#);
    let schema = serde_json::to_value(schemars::schema_for!(RawConfig)).unwrap();
    assert_eq!(schema["x-kubernetes-preserve-unknown-fields"], true);
    assert_eq!(schema["type"], "object");
}

/// Any tree that a document can hold; floats are finite, as JSON has no others.
pub(crate) fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Int(n.into())),
        any::<u64>().prop_map(|n| Value::Int(n.into())),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Value::Float),
        any::<String>().prop_map(Value::String),
        text().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        let entry = (prop_oneof![text(), any::<String>()], inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(Value::List),
            prop::collection::vec(entry, 0..5).prop_map(|entries| {
                let mut seen = std::collections::HashSet::new();
                Value::Map(
                    entries.into_iter().filter(|(key, _)| seen.insert(key.clone())).collect(),
                )
            }),
        ]
    })
}

/// Text of the characters that mean something to YAML.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[-:?#&*!|>%@`'\"\\[\\]{},=<~ \\t\\n\\r0-9a-z_./]{0,12}",
        "(true|no|null|~|<<|=|0x1f|1e3|12:30|1_000|\u{85}|\u{2028}|\u{feff}|---|\\.\\.\\.|on|y)",
    ]
}

/// serde_json reads a number of seventeen digits to the last digit but one only.
fn short_floats(value: Value) -> Value {
    match value {
        Value::Float(number) => Value::Float((number % 1e6).trunc() / 8.0),
        Value::List(list) => Value::List(list.into_iter().map(short_floats).collect()),
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|(key, value)| (key, short_floats(value))).collect())
        }
        other => other,
    }
}

proptest! {
    #[test]
    fn any_tree_survives_json(value in tree()) {
        let value = short_floats(value);
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(json(&text).unwrap(), value);
    }
}
