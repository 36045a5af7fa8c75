//! Each action by itself.

use super::*;
use obspipe_model::components::attributes::ConvertedType;

use ActionKind::{Convert, Delete, Extract, Hash, Insert, Update, Upsert};

type Pairs = Vec<(&'static str, Option<Value>)>;

fn check(actions: Vec<Action>, before: Pairs, after: Pairs) {
    assert_eq!(edited(actions.clone(), &before, &Silent), attributes(&after), "{actions:?}");
}

#[test]
fn insert_update_and_upsert_mind_what_is_there() {
    let cases = [
        (Insert, vec![], vec![("a", text("new"))]),
        (Insert, vec![("a", text("old"))], vec![("a", text("old"))]),
        (Update, vec![], vec![]),
        (Update, vec![("a", text("old"))], vec![("a", text("new"))]),
        (Upsert, vec![], vec![("a", text("new"))]),
        (Upsert, vec![("a", text("old"))], vec![("a", text("new"))]),
        // Of a key that stands twice, the first; the order is kept.
        (
            Upsert,
            vec![("b", None), ("a", text("1")), ("a", text("2")), ("c", None)],
            vec![("b", None), ("a", text("new")), ("a", text("2")), ("c", None)],
        ),
        // An attribute without a value is there.
        (Insert, vec![("a", None)], vec![("a", None)]),
    ];
    for (kind, before, after) in cases {
        check(vec![put(kind, "a", "new")], before, after);
    }
}

#[test]
fn values_may_be_of_any_type() {
    let string = |text: &str| Setting::String(text.to_owned());
    let expanded = Setting::Expanded {
        written: "${env:X}".to_owned(),
        text: "1".to_owned(),
        parsed: Box::new(Setting::Int(1)),
    };
    let cases = [
        (Setting::Null, None),
        (string(""), text("")),
        (Setting::Bool(false), Some(Value::BoolValue(false))),
        (Setting::Int(0), Some(Value::IntValue(0))),
        (Setting::Int(-5), Some(Value::IntValue(-5))),
        (Setting::Int(u64::MAX.into()), Some(Value::IntValue(-1))),
        (Setting::Float(0.0), Some(Value::DoubleValue(0.0))),
        (expanded, Some(Value::IntValue(1))),
        (Setting::List(vec![]), list(vec![])),
        (
            Setting::List(vec![string("a"), Setting::List(vec![Setting::Null]), Setting::Int(300)]),
            list(vec![text("a"), list(vec![None]), Some(Value::IntValue(300))]),
        ),
        (
            Setting::Map(vec![
                ("b".to_owned(), Setting::Map(vec![])),
                ("a".to_owned(), string(&"x".repeat(200))),
            ]),
            map(&[("b", map(&[])), ("a", text(&"x".repeat(200)))]),
        ),
    ];
    for (setting, value) in cases {
        let upsert = Action { value: Some(setting), ..action(Upsert, "a") };
        check(vec![upsert.clone()], vec![("a", text("old"))], vec![("a", value.clone())]);
        check(vec![upsert], vec![], vec![("a", value)]);
    }
}

#[test]
fn values_from_another_attribute() {
    let from = |kind, default: Option<&str>| Action {
        from_attribute: Some("b".to_owned()),
        default_value: default.map(|text| Setting::String(text.to_owned())),
        ..action(kind, "a")
    };
    let nested = map(&[("x", list(vec![Some(Value::IntValue(1))]))]);
    check(
        vec![from(Insert, None)],
        vec![("b", nested.clone())],
        vec![("b", nested.clone()), ("a", nested)],
    );
    check(vec![from(Upsert, None)], vec![("a", text("old"))], vec![("a", text("old"))]);
    check(vec![from(Upsert, Some("d"))], vec![("a", text("old"))], vec![("a", text("d"))]);
    check(
        vec![from(Update, Some("d"))],
        vec![("a", text("old")), ("b", None)],
        vec![("a", None), ("b", None)],
    );
    let default = Action { default_value: Some(Setting::Int(1)), ..action(Insert, "a") };
    check(vec![default], vec![], vec![("a", Some(Value::IntValue(1)))]);
}

#[test]
fn values_from_what_the_client_said() {
    struct Client;
    impl Metadata for Client {
        fn get(&self, key: &str) -> Option<String> {
            match key {
                "metadata.x-tenant" => Some("t1;t2".to_owned()),
                "client.address" => Some("10.0.0.1".to_owned()),
                "auth.subject" => Some("never".to_owned()),
                _ => None,
            }
        }
    }
    let from = |key: &str| Action {
        from_context: Some(key.to_owned()),
        default_value: Some(Setting::String("default".to_owned())),
        ..action(Insert, "a")
    };
    let cases = [
        ("metadata.x-tenant", "t1;t2"),
        ("x-tenant", "t1;t2"),
        ("metadata.other", "default"),
        ("other", "default"),
        ("client.address", "10.0.0.1"),
        ("auth.subject", "default"),
    ];
    for (key, expected) in cases {
        let after = edited(vec![from(key)], &[], &Client);
        assert_eq!(after, attributes(&[("a", text(expected))]), "{key}");
    }
    let unknown = edited(vec![from("client.address")], &[], &Silent);
    assert_eq!(unknown, attributes(&[("a", text(""))]));
}

#[test]
fn delete_by_key_and_by_pattern() {
    let before = || vec![("a", text("1")), ("ab", None), ("b", None), ("a", text("2")), ("", None)];
    check(
        vec![action(Delete, "a")],
        before(),
        vec![("ab", None), ("b", None), ("a", text("2")), ("", None)],
    );
    let pattern = Action { pattern: Some("^a".to_owned()), ..action(Delete, "") };
    // The empty key is a key.
    check(vec![pattern.clone()], before(), vec![("b", None)]);
    let both = Action { key: "b".to_owned(), ..pattern };
    check(vec![both], before(), vec![("", None)]);
    // What is removed may come again, at the end.
    let again = vec![action(Delete, "a"), put(Insert, "a", "3")];
    check(again, vec![("a", None), ("b", None)], vec![("b", None), ("a", text("3"))]);
}

#[test]
fn hash_is_sha_256_in_hexadecimal() {
    let cases = [
        (text(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (text("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Some(Value::BoolValue(true)),
            "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a",
        ),
        (
            Some(Value::BoolValue(false)),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        ),
        (
            Some(Value::IntValue(1)),
            "7c9fa136d4413fa6173637e883b6998d32e1d675f88cddff9dcbcf331820f4b8",
        ),
        // 0x3ff0000000000000, the least byte first.
        (
            Some(Value::DoubleValue(1.0)),
            "6c3c396ed6b5c36dcae172271f462051b1266b851e92df3deea8ac65478fd712",
        ),
        (None, ""),
        (list(vec![text("a")]), ""),
        (map(&[]), ""),
        (Some(Value::BytesValue(vec![1])), ""),
    ];
    for (value, expected) in cases {
        check(vec![action(Hash, "a")], vec![("a", value)], vec![("a", text(expected))]);
    }
}

#[test]
fn hash_by_pattern_hashes_all_and_the_key_once_more() {
    let twice = text("a57b5956dbc6e02127bbb40c87cb8244196d6d18e0e141936ffcd8cffad457ad");
    let z = text("594e519ae499312b29433b7dd8a97ff068defcba9755b6d5d00e84c524d67b06");
    let w = text("50e721e49c013f00c62cf59f2163542a9d8df02464efeb615d31051b0fddc326");
    let pattern = Action { pattern: Some("^p".to_owned()), ..action(Hash, "p1") };
    check(
        vec![pattern],
        vec![("p1", text("x")), ("q", text("y")), ("p2", text("z")), ("p2", text("w"))],
        vec![("p1", twice), ("q", text("y")), ("p2", z), ("p2", w)],
    );
}

#[test]
fn extract_sets_an_attribute_for_each_group() {
    let extract = |pattern: &str| {
        vec![Action { pattern: Some(pattern.to_owned()), ..action(Extract, "url") }]
    };
    let pattern = r"^(?P<proto>.*):\/\/(?P<host>[^/]*)(?:\/(?P<path>\w+))?";
    check(
        extract(pattern),
        vec![("host", Some(Value::IntValue(1))), ("url", text("http://h/p?q"))],
        vec![
            ("host", text("h")),
            ("url", text("http://h/p?q")),
            ("proto", text("http")),
            ("path", text("p")),
        ],
    );
    // A group that took no part.
    check(
        extract(pattern),
        vec![("url", text("http://h"))],
        vec![
            ("url", text("http://h")),
            ("proto", text("http")),
            ("host", text("h")),
            ("path", text("")),
        ],
    );
    check(extract(pattern), vec![("url", text("no"))], vec![("url", text("no"))]);
    check(extract(pattern), vec![("x", text("http://h"))], vec![("x", text("http://h"))]);
    let number = Some(Value::IntValue(1));
    check(extract("(?P<a>1)"), vec![("url", number.clone())], vec![("url", number)]);
    // The source itself may be set.
    check(
        extract("(?P<url>b)(?P<a>c)"),
        vec![("url", text("abc"))],
        vec![("url", text("b")), ("a", text("c"))],
    );
}

#[test]
fn convert_changes_the_type_where_it_can() {
    use ConvertedType::{Double, Int, String as Text};
    let int = |value| Some(Value::IntValue(value));
    let double = |value| Some(Value::DoubleValue(value));
    let cases = [
        (Text, text("x"), text("x")),
        (Text, int(-1), text("-1")),
        (Text, double(1e-7), text("1e-7")),
        (Text, Some(Value::BoolValue(true)), text("true")),
        (Text, None, text("")),
        (Text, Some(Value::BytesValue(vec![1, 2])), text("AQI=")),
        (Text, list(vec![int(1), text("<")]), text("[1,\"<\"]")),
        (Text, map(&[("b", None), ("a", int(1))]), text("{\"a\":1,\"b\":null}")),
        (Int, int(7), int(7)),
        (Int, text("-42"), int(-42)),
        (Int, text("+42"), int(42)),
        (Int, text("1_000"), text("1_000")),
        (Int, text("0x10"), text("0x10")),
        (Int, text("1.0"), text("1.0")),
        (Int, text(""), text("")),
        (Int, text("9223372036854775808"), text("9223372036854775808")),
        (Int, double(-1.9), int(-1)),
        (Int, double(1e300), int(i64::MAX)),
        (Int, double(f64::NAN), int(0)),
        (Int, Some(Value::BoolValue(true)), int(1)),
        (Int, None, None),
        (Int, list(vec![]), list(vec![])),
        (Double, text("1e3"), double(1000.0)),
        (Double, text(".5"), double(0.5)),
        (Double, text("-Inf"), double(f64::NEG_INFINITY)),
        (Double, text("+infinity"), double(f64::INFINITY)),
        (Double, text("1e400"), text("1e400")),
        (Double, text("+nan"), text("+nan")),
        (Double, text(" 1"), text(" 1")),
        (Double, int(3), double(3.0)),
        (Double, Some(Value::BoolValue(false)), double(0.0)),
        (Double, Some(Value::BytesValue(vec![])), Some(Value::BytesValue(vec![]))),
    ];
    for (to, before, after) in cases {
        let convert = Action { converted_type: Some(to), ..action(Convert, "a") };
        check(vec![convert], vec![("a", before)], vec![("a", after)]);
    }
}

#[test]
fn actions_follow_one_another() {
    check(
        vec![
            put(Insert, "a", "1"),
            Action { from_attribute: Some("a".to_owned()), ..action(Insert, "b") },
            put(Update, "a", "2"),
            action(Delete, "c"),
        ],
        vec![("c", text("x")), ("d", text("y"))],
        vec![("d", text("y")), ("a", text("2")), ("b", text("1"))],
    );
    // What comes and goes is no change.
    check(
        vec![put(Insert, "a", "1"), action(Delete, "a")],
        vec![("d", text("y"))],
        vec![("d", text("y"))],
    );
    check(
        vec![put(Update, "d", "1"), put(Update, "d", "y")],
        vec![("d", text("y"))],
        vec![("d", text("y"))],
    );
}

#[test]
fn what_is_no_action_is_told_by_path() {
    let with_pattern =
        |kind, pattern: &str| Action { pattern: Some(pattern.to_owned()), ..action(kind, "a") };
    let deep = (0..30).fold(Setting::Null, |inner, _| Setting::List(vec![inner]));
    let unknown = Setting::List(vec![Setting::Deferred("${env:X}".to_owned())]);
    let cases = [
        (Action::default(), "actions[1].action: must be given"),
        (action(Delete, ""), "actions[1].key: must be given"),
        (
            action(Insert, "a"),
            "actions[1].value: needs exactly one of value, from_attribute and from_context",
        ),
        (
            with_pattern(Delete, "secret("),
            "actions[1].pattern: is no regular expression: unclosed group",
        ),
        (with_pattern(Extract, "a"), "actions[1].pattern: has no named groups"),
        (with_pattern(Extract, "(?P<a>.)(.)"), "actions[1].pattern: has a group without a name"),
        (action(Convert, "a"), "actions[1].converted_type: must be given"),
        (
            Action { value: Some(unknown), ..action(Insert, "a") },
            "actions[1].value: is not known here",
        ),
        (
            Action { default_value: Some(deep), ..action(Insert, "a") },
            "actions[1].default_value: is nested too deep for an attribute",
        ),
    ];
    for (wrong, expected) in cases {
        let actions = vec![put(Insert, "a", "x"), wrong];
        let error = Editor::attributes(&Attributes { actions, ..Attributes::default() }).err();
        assert_eq!(error.map(|error| error.to_string()).as_deref(), Some(expected));
    }
    let error = Editor::resource(&Resource { attributes: vec![Action::default()] }).err().unwrap();
    assert_eq!(error.path, "attributes[0].action");
}
