use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{self as proto, ArrayValue, KeyValueList};
use prost::Message;

use super::super::make::{any, attribute};
use super::*;
use crate::signal::view::View;

fn shown(value: Value) -> String {
    let encoded = proto::AnyValue { value: Some(value) }.encode_to_vec();
    text(&AnyValue::parse(&encoded))
}

#[test]
fn each_type_is_text_as_pdata_makes_it() {
    let nested = KeyValueList {
        values: vec![
            attribute("b", Value::StringValue("<\"\\\n\u{1}\u{2028}>".into())),
            attribute("a", Value::DoubleValue(1e21)),
            attribute(
                "a",
                Value::ArrayValue(ArrayValue { values: vec![proto::AnyValue { value: None }] }),
            ),
        ],
    };
    for (value, expected) in [
        (Value::StringValue("a\"b".into()), "a\"b"),
        (Value::BoolValue(true), "true"),
        (Value::IntValue(-5), "-5"),
        (Value::DoubleValue(1e6), "1000000"),
        (Value::DoubleValue(f64::NAN), "NaN"),
        (Value::DoubleValue(f64::INFINITY), "Infinity"),
        (Value::DoubleValue(f64::NEG_INFINITY), "-Infinity"),
        (Value::BytesValue(vec![0, 255]), "AP8="),
        (Value::KvlistValue(nested), r#"{"a":[null],"b":"<\"\\\n\u0001\u2028>"}"#),
        (Value::ArrayValue(ArrayValue { values: vec![] }), "[]"),
        (Value::BytesValue(Vec::new()), ""),
        (
            Value::ArrayValue(ArrayValue {
                values: any(Value::BytesValue(Vec::new())).into_iter().collect(),
            }),
            "[null]",
        ),
        // No number in JSON: nothing, as encoding/json fails on it.
        (
            Value::ArrayValue(ArrayValue {
                values: any(Value::DoubleValue(f64::NAN)).into_iter().collect(),
            }),
            "",
        ),
    ] {
        assert_eq!(shown(value), expected);
    }
    assert_eq!(text(&AnyValue::parse(&[])), "");
}

#[test]
fn depth_has_an_end() {
    let mut value = Value::IntValue(1);
    for _ in 0..90 {
        value = Value::ArrayValue(ArrayValue { values: any(value).into_iter().collect() });
    }
    assert_eq!(shown(value), "");
}
