//! Plain types: what each takes, and what is said of the rest.

use std::collections::BTreeMap;

use super::*;
use crate::yaml;

fn decode<T: Setting>(value: &Value) -> (Option<T>, Decoder) {
    let mut d = Decoder::default();
    let read = T::decode(value, &mut d);
    (read, d)
}

fn good<T: Setting>(text: &str) -> T {
    let (read, d) = decode(&yaml::parse(text).unwrap());
    assert_eq!(d.problems.told(), [], "{text}");
    read.unwrap()
}

fn bad<T: Setting>(text: &str) -> String {
    let (_, d) = decode::<T>(&yaml::parse(text).unwrap());
    let [problem] = d.problems.told() else { panic!("{text}: {:?}", d.problems.told()) };
    problem.to_string()
}

/// What a reference to a variable of this value becomes.
fn from_environment(value: &str) -> Value {
    Value::Expanded {
        written: "${env:X}".into(),
        text: value.into(),
        parsed: Box::new(yaml::parse(value).unwrap_or(Value::String(value.into()))),
    }
}

#[test]
fn plain_types_take_their_own_kind_only() {
    assert!(good::<bool>("true"));
    assert_eq!(good::<u32>("4294967295"), u32::MAX);
    assert_eq!((good::<u32>("1e3"), good::<i64>("-2.0")), (1000, -2));
    assert_eq!(good::<u64>("18446744073709551615"), u64::MAX);
    assert_eq!(good::<i64>("-9223372036854775808"), i64::MIN);
    assert!((good::<f64>("2") - 2.0).abs() < f64::EPSILON);
    assert_eq!(good::<String>("'12'"), "12");
    assert_eq!(good::<Vec<String>>("[a, b]"), ["a", "b"]);
    assert_eq!(good::<BTreeMap<String, u32>>("{a: 1}"), BTreeMap::from([("a".into(), 1)]));
    let table = [
        (bad::<bool>("'true'"), "\"true\" where true or false is wanted [wrong-type]"),
        (bad::<bool>("1"), "1 where true or false is wanted [wrong-type]"),
        (bad::<u32>("'1'"), "\"1\" where an integer is wanted [wrong-type]"),
        (bad::<u32>("1.5"), "a number where an integer is wanted [wrong-type]"),
        (bad::<u32>("-1"), "must be from 0 to 4294967295 [invalid-value]"),
        (bad::<u32>("4294967296"), "must be from 0 to 4294967295 [invalid-value]"),
        (bad::<f64>("'1'"), "\"1\" where a number is wanted [wrong-type]"),
        (bad::<String>("1"), "1 where a string is wanted [wrong-type]"),
        (bad::<String>("[a]"), "a list where a string is wanted [wrong-type]"),
        (bad::<Vec<String>>("a"), "\"a\" where a list is wanted [wrong-type]"),
        (bad::<Vec<String>>("[a, 5]"), "[1]: 5 where a string is wanted [wrong-type]"),
        (
            bad::<Vec<String>>("[a, ~]"),
            "[1]: nothing where an item (string) is wanted [wrong-type]",
        ),
        (
            bad::<BTreeMap<String, u32>>("{a: b}"),
            "a: \"b\" where an integer is wanted [wrong-type]",
        ),
        (bad::<BTreeMap<String, u32>>("[]"), "a list where a map is wanted [wrong-type]"),
    ];
    for (message, expected) in table {
        assert_eq!(message, expected);
    }
}

#[test]
fn a_value_from_the_environment_is_read_as_yaml_but_text_stays_text() {
    assert_eq!(decode::<u32>(&from_environment("0x10")).0, Some(16));
    assert_eq!(decode::<bool>(&from_environment("true")).0, Some(true));
    assert_eq!(decode::<f64>(&from_environment("1.5")).0, Some(1.5));
    assert_eq!(decode::<Vec<u32>>(&from_environment("[1, 2]")).0, Some(vec![1, 2]));
    assert_eq!(decode::<String>(&from_environment("0123")).0.as_deref(), Some("0123"));
    assert_eq!(decode::<String>(&from_environment("1e3")).0.as_deref(), Some("1e3"));
    assert_eq!(decode::<String>(&from_environment("true")).0.as_deref(), Some("true"));
    assert_eq!(decode::<String>(&from_environment("")).0.as_deref(), Some(""));
    let map = decode::<BTreeMap<String, u32>>(&from_environment("{a: 1}")).0;
    assert_eq!(map, Some(BTreeMap::from([("a".into(), 1)])));
}

#[test]
fn what_a_variable_holds_is_not_in_any_message() {
    fn message<T: Setting>(value: &str) -> String {
        let (_, d) = decode::<T>(&from_environment(value));
        d.problems.told().iter().map(|problem| format!("{problem} {problem:?}")).collect()
    }
    let messages = [
        message::<u32>("hunter2"),
        message::<bool>("hunter2"),
        message::<f64>("hunter2"),
        message::<std::time::Duration>("hunter2"),
        message::<String>("[hunter2]"),
        message::<Vec<String>>("hunter2"),
        message::<BTreeMap<String, String>>("hunter2"),
        message::<crate::components::network::Retry>("hunter2"),
        message::<crate::components::network::Sizer>("hunter2"),
        message::<crate::settings::ListenAddress>("hunter2"),
        message::<crate::settings::Target>("hunter2"),
        message::<crate::settings::HttpUrl>("hunter2"),
    ];
    for message in messages {
        assert!(message.contains("the value of \"${env:X}\""), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn an_unknown_key_is_told_the_key_meant_or_all_there_are() {
    let value = yaml::parse("{tiemout: 1, x: 2}").unwrap();
    let mut d = Decoder::default();
    d.at("batch", |d| unknown_keys(&value, &["timeout", "send_batch_size"], d));
    let messages: Vec<String> = d.problems.told().iter().map(ToString::to_string).collect();
    assert_eq!(
        messages,
        [
            "batch.tiemout: unknown key; did you mean \"timeout\"? [unknown-key]",
            "batch.x: unknown key; known here: timeout, send_batch_size [unknown-key]",
        ]
    );
}

#[test]
fn unsettled_is_what_is_deferred_or_wrong_at_a_key_or_below_it() {
    let mut d = Decoder::default();
    d.at("a", |d| {
        d.at("b", |d| d.item(0, |d| d.defer("${env:X}")));
        d.at("c", |d| d.problem(Code::WrongType, "x"));
        for (key, unsettled) in [("b", true), ("c", true), ("bb", false), ("d", false)] {
            assert_eq!(d.is_unsettled(key), unsettled, "{key}");
        }
    });
    assert!(d.is_unsettled("a") && !d.is_unsettled("b"));
    assert_eq!(d.deferred, BTreeSet::from(["a.b[0]".to_owned()]));
}
