use opentelemetry_proto::tonic::common::v1::{self as proto, any_value};
use proptest::prelude::*;
use prost::Message as _;

use super::*;
use crate::signal::generate;

fn encoded(key: &str, value: Option<any_value::Value>) -> Vec<u8> {
    let value = value.map(|value| proto::AnyValue { value: Some(value) });
    proto::KeyValue { key: key.into(), value, ..Default::default() }.encode_to_vec()
}

#[test]
fn simple_ones_are_read() {
    use any_value::Value::{BoolValue, DoubleValue, IntValue, StringValue};
    let long = "x".repeat(125);
    let cases = [
        (StringValue("v".into()), Value::String(b"v")),
        (StringValue(String::new()), Value::String(b"")),
        (StringValue(long.clone()), Value::String(long.as_bytes())),
        (BoolValue(true), Value::Bool(true)),
        (IntValue(-1), Value::Int(-1)),
        (IntValue(i64::MAX), Value::Int(i64::MAX)),
        (DoubleValue(-0.5), Value::Double(-0.5)),
    ];
    for (given, value) in cases {
        let bytes = encoded("key", Some(given));
        assert_eq!(Simple::of(&bytes), Some(Simple { key: b"key", value }));
    }
}

#[test]
fn others_take_the_walk() {
    use any_value::Value::{BytesValue, IntValue, StringValue};
    let int = || Some(IntValue(1));
    let doubled = [encoded("k", int()), encoded("k", int())].concat();
    let unknown = [encoded("k", int()), vec![0x18, 0x01]].concat();
    let others = [
        encoded("k", None),
        encoded("", int()),
        encoded(&"k".repeat(128), int()),
        encoded("k", Some(StringValue("x".repeat(126)))),
        encoded("k", Some(BytesValue(vec![1]))),
        doubled,
        unknown,
        Vec::new(),
    ];
    for bytes in others {
        assert_eq!(Simple::of(&bytes), None, "{bytes:?}");
    }
}

/// The fields of what prost reads.
fn decoded(bytes: &[u8]) -> Option<(Vec<u8>, any_value::Value)> {
    let decoded = proto::KeyValue::decode(bytes).ok()?;
    Some((decoded.key.into_bytes(), decoded.value?.value?))
}

fn owned(value: Value<'_>) -> Option<any_value::Value> {
    Some(match value {
        Value::String(text) => any_value::Value::StringValue(str::from_utf8(text).ok()?.into()),
        Value::Bool(value) => any_value::Value::BoolValue(value),
        Value::Int(value) => any_value::Value::IntValue(value),
        Value::Double(value) => any_value::Value::DoubleValue(value),
    })
}

proptest! {
    /// What is found simple means just that to prost, also where a byte was changed.
    #[test]
    fn what_is_simple_is_what_prost_reads(
        attributes in generate::attributes(),
        at in any::<prop::sample::Index>(),
        changed in proptest::option::of(any::<u8>()),
    ) {
        for attribute in attributes {
            let mut bytes = attribute.encode_to_vec();
            if let (Some(byte), false) = (changed, bytes.is_empty()) {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let Some(simple) = Simple::of(&bytes) else { continue };
            let Some(value) = owned(simple.value).filter(|_| str::from_utf8(simple.key).is_ok())
            else { continue };
            let (key, of_prost) = decoded(&bytes).expect("prost reads it");
            prop_assert_eq!(key, simple.key);
            prop_assert_eq!(format!("{of_prost:?}"), format!("{value:?}"));
        }
    }
}
