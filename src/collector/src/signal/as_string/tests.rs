use opentelemetry_proto::tonic::common::v1::{
    AnyValue as Any, ArrayValue, KeyValue, KeyValueList, any_value::Value,
};
use prost::Message as _;

use super::*;
use crate::signal::view::View;

fn text(value: Option<Value>) -> String {
    let bytes = Any { value }.encode_to_vec();
    as_string(&AnyValue::parse(&bytes)).into_owned()
}

fn list(values: Vec<Value>) -> Value {
    let values = values.into_iter().map(|value| Any { value: Some(value) }).collect();
    Value::ArrayValue(ArrayValue { values })
}

fn map(pairs: Vec<(&str, Option<Value>)>) -> Value {
    let values = pairs
        .into_iter()
        .map(|(key, value)| KeyValue {
            key: key.to_owned(),
            value: value.map(|value| Any { value: Some(value) }),
            ..KeyValue::default()
        })
        .collect();
    Value::KvlistValue(KeyValueList { values })
}

/// What pdata v1.61's AsString answered to the same values.
#[test]
fn values_as_go_shows_them() {
    let string = |text: &str| Value::StringValue(text.to_owned());
    let cases = [
        (None, ""),
        (Some(string("a\"<\n")), "a\"<\n"),
        (Some(Value::BoolValue(true)), "true"),
        (Some(Value::BoolValue(false)), "false"),
        (Some(Value::IntValue(i64::MIN)), "-9223372036854775808"),
        (Some(Value::BytesValue(vec![0, 1, 255])), "AAH/"),
        (Some(Value::BytesValue(vec![])), ""),
        (Some(list(vec![])), "[]"),
        (Some(map(vec![])), "{}"),
        (
            Some(list(vec![
                string("a\"\\\n\r\t\u{8}\u{c}\u{1}\u{7f}<>&\u{2028}é"),
                Value::IntValue(-1),
                Value::BoolValue(false),
                Value::DoubleValue(1e21),
                Value::DoubleValue(-0.0),
                Value::BytesValue(vec![1]),
                Value::BytesValue(vec![]),
            ])),
            "[\"a\\\"\\\\\\n\\r\\t\\b\\f\\u0001\u{7f}<>&\\u2028é\",-1,false,1e+21,-0,\"AQ==\",null]",
        ),
        (
            Some(map(vec![
                ("b", Some(list(vec![map(vec![("x", None)])]))),
                ("a", Some(Value::IntValue(1))),
                ("a", Some(Value::IntValue(2))),
            ])),
            r#"{"a":2,"b":[{"x":null}]}"#,
        ),
        (Some(list(vec![Value::DoubleValue(f64::NAN)])), ""),
        (Some(map(vec![("a", Some(Value::DoubleValue(f64::INFINITY)))])), ""),
    ];
    for (value, expected) in cases {
        assert_eq!(text(value.clone()), expected, "{value:?}");
    }
}

#[test]
fn doubles_as_ecmascript_shows_them() {
    let cases = [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-6, "0.000001"),
        (9.99e-7, "9.99e-7"),
        (1e-7, "1e-7"),
        (1e-10, "1e-10"),
        (5e-324, "5e-324"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e300, "1.5e+300"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
    ];
    for (value, expected) in cases {
        assert_eq!(double_as_string(value), expected);
    }
}

#[test]
fn what_is_no_utf8_is_replaced() {
    // A string of the bytes "a", 0xff, "b", alone and in a list.
    assert_eq!(as_string(&AnyValue::parse(&[0x0a, 3, b'a', 0xff, b'b'])), "a\u{fffd}b");
    let list = [0x2a, 7, 0x0a, 5, 0x0a, 3, b'a', 0xff, b'b'];
    assert_eq!(as_string(&AnyValue::parse(&list)), r#"["a\ufffdb"]"#);
}

#[test]
fn what_is_nested_too_deep_is_empty() {
    let mut value = list(vec![]);
    for _ in 0..100 {
        value = list(vec![value]);
    }
    assert_eq!(text(Some(value)), "");
}
