//! Reading as go-yaml v3 does, refusing what readers disagree on, and writing what none can misread.

use proptest::prelude::*;

use super::*;
use crate::Value;
use crate::problem::Code;
use crate::value::MAX_DEPTH;
use crate::value::tests::tree;

fn read(text: &str) -> Value {
    parse(text).unwrap_or_else(|problem| panic!("{text:?}: {problem}"))
}

fn string(text: &str) -> Value {
    Value::String(text.into())
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(key, value)| (key.to_owned(), value)).into())
}

/// Refused with a code and with a message that says why.
fn refused(text: &str, code: Code, why: &str) {
    let shown: String = text.chars().take(200).collect();
    let problem = parse(text).expect_err(&shown);
    assert_eq!(problem.code, code, "{shown:?}: {problem}");
    assert!(problem.to_string().contains(why), "{shown:?}: {problem}");
}

#[test]
fn plain_scalars_mean_what_go_yaml_v3_reads() {
    let integers: &[(&str, i128)] = &[
        ("0", 0),
        ("-0", 0),
        ("42", 42),
        ("+1", 1),
        ("-17", -17),
        ("0777", 511),
        ("-010", -8),
        ("0o777", 511),
        ("0O17", 15),
        ("0x1f", 31),
        ("0X1F", 31),
        ("-0xff", -255),
        ("0b11", 3),
        ("-0b11", -3),
        ("+0b11", 3),
        ("1_000", 1000),
        ("0x_ff", 255),
        ("9007199254740993", 9_007_199_254_740_993),
        ("-9223372036854775808", i64::MIN as i128),
        ("18446744073709551615", u64::MAX as i128),
    ];
    for (text, number) in integers {
        assert_eq!(read(text), Value::Int(*number), "{text}");
    }
    let floats: &[(&str, f64)] = &[
        ("1e3", 1000.0),
        ("1E3", 1000.0),
        ("1e+3", 1000.0),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("0.5", 0.5),
        ("1_0.5", 10.5),
        ("089", 89.0),
        ("18446744073709551616", 18_446_744_073_709_551_616.0),
        (".inf", f64::INFINITY),
        ("+.INF", f64::INFINITY),
        ("-.Inf", f64::NEG_INFINITY),
    ];
    for (text, number) in floats {
        assert_eq!(read(text), Value::Float(*number), "{text}");
    }
    for text in [".nan", ".NaN", ".NAN"] {
        assert!(matches!(read(text), Value::Float(number) if number.is_nan()), "{text}");
    }
    for text in ["", "~", "null", "Null", "NULL", "a:", "a: ~", "a: # nothing"] {
        let value = read(text);
        assert_eq!(*value.get("a").unwrap_or(&value), Value::Null, "{text:?}");
    }
    for (text, value) in
        [("true", true), ("True", true), ("TRUE", true), ("false", false), ("FALSE", false)]
    {
        assert_eq!(read(text), Value::Bool(value), "{text}");
    }
}

#[test]
fn words_dates_and_times_are_text() {
    let strings = [
        "on",
        "off",
        "yes",
        "no",
        "y",
        "N",
        "tRUE",
        "nULL",
        "none",
        "inf",
        "nan",
        "12:30",
        "12:30:45",
        "2001-01-01",
        "2001-12-14t21:59:43.10-05:00",
        "1.2.3",
        "10s",
        "0x",
        "0xzz",
        "0b",
        "0b12",
        "0o8",
        "1e",
        "1e400",
        "-1e400",
        ".",
        "+",
        "+-1",
        "-.e1",
        "_1",
        ".1_0",
        "1,000",
        "0.0.0.0:4317",
        "jaeger:14250",
        "http://loki:3100/loki/api/v1/push",
        "=",
        "a=b",
        "é",
    ];
    for text in strings {
        assert_eq!(read(text), string(text), "{text}");
    }
    for (text, meant) in
        [("\"1\"", "1"), ("'true'", "true"), ("''", ""), ("|-\n  12", "12"), (">-\n  ~", "~")]
    {
        assert_eq!(read(text), string(meant), "{text}");
    }
}

#[test]
fn tags_of_the_core_schema_are_followed_and_no_others() {
    assert_eq!(read("!!str 12"), string("12"));
    assert_eq!(read("!!int \"12\""), Value::Int(12));
    assert_eq!(read("!!float 1"), Value::Float(1.0));
    assert_eq!(read("!!bool \"true\""), Value::Bool(true));
    assert_eq!(read("!!null ''"), Value::Null);
    assert_eq!(read("!!map {a: !!seq [1]}"), map([("a", Value::List(vec![Value::Int(1)]))]));
    for text in [
        "!secret x",
        "!!binary aGk=",
        "!!set {a}",
        "!!seq {a: 1}",
        "!!map [1]",
        "!<tag:example.com,2000:x> y",
    ] {
        refused(text, Code::Syntax, "core schema");
    }
    for text in ["!!int ten", "!!bool \"yes\"", "!!float x", "!!null x", "!!int 1.5"] {
        refused(text, Code::Syntax, "is no");
    }
}

#[test]
fn keys_are_text_whatever_they_look_like() {
    let value = read("{1: a, true: b, 1.5: c, \"null\": d, \"<<\": e, '': f}");
    let keys: Vec<&str> = value.entries().iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["1", "true", "1.5", "null", "<<", ""]);
}

#[test]
fn what_readers_disagree_on_is_refused_with_its_line() {
    refused("a: &x 1\nb: *x\n", Code::Syntax, "line 2, column 4: an alias");
    refused("a: *nobody\n", Code::Syntax, "line 1");
    refused("a: &x {b: 1}\nc:\n  <<: *x\n", Code::Syntax, "line 3");
    refused("<<: {a: 1}\n", Code::Syntax, "a merge key");
    refused("a: 1\nb: 2\na: 3\n", Code::Syntax, "line 3, column 1: the key \"a\" stands twice");
    refused("x: {a: 1, 'a': 2}\n", Code::Syntax, "the key \"a\" stands twice");
    refused("1: a\n0x1: b\n", Code::Syntax, "the key \"1\" stands twice");
    refused("a: 1\n---\nb: 2\n", Code::Syntax, "a second document");
    refused("---\na: 1\n...\n---\n", Code::Syntax, "a second document");
    refused("? [a, b]\n: 1\n", Code::Syntax, "a key that is a list or a map");
    refused("{{a: 1}: 2}\n", Code::Syntax, "a key that is a list or a map");
    refused("? {a: 1}\n: 2\n", Code::Syntax, "a key that is a list or a map");
    refused("~: 1\n", Code::Syntax, "a key that is nothing");
    refused("{a: 1\n", Code::Syntax, "line");
    refused("a: \"b\n", Code::Syntax, "line");
    refused("a:\n\t- b\n", Code::Syntax, "line");
    refused("a: b: c\n", Code::Syntax, "line 1");
    refused("a: @b\n", Code::Syntax, "line 1");
}

/// An anchor changes nothing as long as nobody refers to it.
#[test]
fn an_anchor_without_an_alias_is_harmless() {
    assert_eq!(read("a: &x {b: &y 1}\n"), map([("a", map([("b", Value::Int(1))]))]));
}

#[test]
fn documents_without_content_are_nothing() {
    for text in ["", "\n\n", "# only\n# comments\n", "---\n", "---\n...\n", "\u{feff}", "  \n"] {
        assert_eq!(read(text), Value::Null, "{text:?}");
    }
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    let meant = map([("a", map([("b", Value::Int(1))])), ("c", string("x\ny\n"))]);
    assert_eq!(read("a:\n  b: 1\nc: |\n  x\n  y\n"), meant);
    assert_eq!(read("a:\r\n  b: 1\r\nc: |\r\n  x\r\n  y\r\n"), meant);
    assert_eq!(read("\u{feff}a:\n  b: 1\nc: |\n  x\n  y\n"), meant);
    assert_eq!(read("%YAML 1.2\n---\na: 1\n"), map([("a", Value::Int(1))]));
}

#[test]
fn sixty_four_levels_are_read_and_sixty_five_refused() {
    let flow = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let flow_maps = |levels: usize| format!("{}1{}", "{a: ".repeat(levels), "}".repeat(levels));
    let block = |levels: usize| {
        (0..levels).map(|level| format!("{}a:\n", " ".repeat(level))).collect::<String>()
    };
    let items = |levels: usize| format!("{}1\n", "- ".repeat(levels));
    let shapes: [&dyn Fn(usize) -> String; 4] = [&flow, &flow_maps, &block, &items];
    for (index, shape) in shapes.iter().enumerate() {
        let value =
            parse(&shape(MAX_DEPTH)).unwrap_or_else(|problem| panic!("shape {index}: {problem}"));
        assert_eq!(depth(&value), MAX_DEPTH, "shape {index}");
        refused(&shape(MAX_DEPTH + 1), Code::TooLarge, "nested deeper than 64 levels");
    }
    refused(&"[".repeat(500_000), Code::TooLarge, "nested");
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

#[test]
fn one_mebibyte_is_read_and_a_byte_more_refused() {
    let comment = |bytes: usize| format!("a: 1\n#{}", "x".repeat(bytes - 6));
    assert_eq!(comment(MAX_DOCUMENT_BYTES).len(), MAX_DOCUMENT_BYTES);
    assert_eq!(read(&comment(MAX_DOCUMENT_BYTES)), map([("a", Value::Int(1))]));
    refused(&comment(MAX_DOCUMENT_BYTES + 1), Code::TooLarge, "1048577 bytes, more than 1048576");
}

#[test]
fn maps_and_lists_are_written_two_spaces_a_level() {
    let value = read("{a: {b: [1, {c: 2, d: []}, [3, [4]]], e: {}}, f: null, g: 1.0, h: 'on'}");
    let text = "\
a:
  b:
    - 1
    - c: 2
      d: []
    - - 3
      - - 4
  e: {}
f: null
g: 1.0
h: \"on\"
";
    assert_eq!(emit(&value), text);
    for (value, text) in [
        (Value::Null, "null\n"),
        (Value::Map(vec![]), "{}\n"),
        (Value::List(vec![]), "[]\n"),
        (Value::List(vec![Value::Bool(true)]), "- true\n"),
    ] {
        assert_eq!(emit(&value), text);
    }
}

#[test]
fn what_anyone_could_mistake_is_quoted() {
    let ambiguous = [
        "",
        " ",
        "  x",
        "x ",
        "\t",
        "x\ty",
        "a\nb",
        "a\r\nb",
        "~",
        "null",
        "Null",
        "NULL",
        "none",
        "None",
        "true",
        "True",
        "TRUE",
        "false",
        "yes",
        "Yes",
        "no",
        "NO",
        "on",
        "On",
        "ON",
        "off",
        "y",
        "Y",
        "n",
        "N",
        "0",
        "1",
        "-1",
        "+1",
        "0777",
        "0o7",
        "0x1f",
        "0b11",
        "1_000",
        "1e3",
        "1.0",
        ".5",
        ".inf",
        "-.inf",
        ".nan",
        "inf",
        "nan",
        "NaN",
        "Infinity",
        "9007199254740993",
        "12:30",
        "1:2:3",
        "2001-01-01",
        "2001-12-14t21:59:43.10-05:00",
        "=",
        "<<",
        "!x",
        "!!str x",
        "&a",
        "*a",
        "- x",
        "-",
        "---",
        "...",
        "? x",
        ": x",
        "a: b",
        "a:",
        "a #b",
        "#a",
        "a #",
        "[a]",
        "{a}",
        "a, b",
        "a]",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'a'",
        "\"a\"",
        "a\"b",
        "\\",
        "a\\b",
        "\u{85}",
        "a\u{85}b",
        "a\u{2028}b",
        "a\u{2029}b",
        "\u{feff}a",
        "\u{0}",
        "\u{7f}",
        "\u{1b}[0m",
        "\u{fffe}",
        "😀",
        "ü",
        "10s",
        "0.0.0.0:4317",
        "[::]:80",
        "${env:X}",
    ];
    for text in ambiguous {
        let written = emit(&string(text));
        assert!(written.starts_with('"') && written.ends_with("\"\n"), "{text:?}: {written}");
        assert_eq!(written.lines().count(), 1, "{text:?}: {written}");
        let bad = |c: char| {
            c != '\n' && (c.is_control() || "\u{2028}\u{2029}\u{feff}\u{fffe}".contains(c))
        };
        assert!(!written.contains(bad), "{text:?}: {written:?}");
        let everywhere = Value::List(vec![string(text), map([(text, string(text))])]);
        assert_eq!(read(&emit(&everywhere)), everywhere, "{text:?}");
        let theirs: serde_json::Value = serde_yaml::from_str(&emit(&everywhere)).unwrap();
        assert_eq!(theirs, serde_json::to_value(&everywhere).unwrap(), "{text:?}");
    }
}

#[test]
fn what_nobody_could_mistake_stays_plain() {
    for text in [
        "otlp",
        "otlp/2",
        "jaeger:14250",
        "http://loki:3100/loki/api/v1/push",
        "/v1/traces",
        "memory_limiter",
        "a.b-c",
    ] {
        assert_eq!(emit(&string(text)), format!("{text}\n"));
        assert_eq!(emit(&map([(text, Value::Null)])), format!("{text}: null\n"));
    }
}

#[test]
fn numbers_are_written_exactly() {
    let table = [
        (Value::Int(i64::MIN.into()), "-9223372036854775808"),
        (Value::Int(u64::MAX.into()), "18446744073709551615"),
        (Value::Int((1 << 53) + 1), "9007199254740993"),
        (Value::Float(1.0), "1.0"),
        (Value::Float(-0.0), "-0.0"),
        (Value::Float(0.1), "0.1"),
        (Value::Float(1e300), "1.0e+300"),
        (Value::Float(1.5e-9), "1.5e-9"),
        (Value::Float(f64::INFINITY), ".inf"),
        (Value::Float(f64::NEG_INFINITY), "-.inf"),
    ];
    for (value, text) in table {
        assert_eq!(emit(&value).trim_end(), text);
        assert_eq!(read(text), value);
    }
    assert_eq!(emit(&Value::Float(f64::NAN)), ".nan\n");
}

/// YAML allows no more than 1024 characters before the colon of a plain `key: value`.
#[test]
fn keys_longer_than_yaml_takes_in_one_line_are_read_back() {
    for length in [1_000, 1_022, 1_023, 1_024, 1_025, 5_000] {
        for letter in ["k", "é", "\u{85}"] {
            let key = letter.repeat(length);
            let leaf = map([(key.as_str(), Value::Int(1))]);
            let value = map([(key.as_str(), leaf.clone()), ("z", Value::List(vec![leaf]))]);
            assert_eq!(parse(&emit(&value)), Ok(value.clone()), "{length} times {letter:?}");
            let theirs: serde_json::Value = serde_yaml::from_str(&emit(&value)).unwrap();
            assert_eq!(theirs, serde_json::to_value(&value).unwrap(), "{length} times {letter:?}");
        }
    }
}

#[test]
fn references_are_written_as_they_were() {
    let expanded = Value::Expanded {
        written: "${env:A}".into(),
        text: "hunter2".into(),
        parsed: Box::new(string("hunter2")),
    };
    let value = Value::List(vec![expanded, Value::Deferred("${env:B}".into())]);
    assert_eq!(emit(&value), "- \"${env:A}\"\n- \"${env:B}\"\n");
}

/// What a reader of YAML 1.1 (PyYAML, Kubernetes' and Helm's older tools) takes for something else
/// than a string.
fn special_to_yaml_1_1(plain: &str) -> bool {
    let lower = plain.to_ascii_lowercase();
    let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<", ""];
    words.contains(&lower.as_str())
        || plain.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_written_is_read_back_the_same(value in tree()) {
        let text = emit(&value);
        prop_assert_eq!(parse(&text), Ok(value), "{}", text);
    }

    #[test]
    fn another_reader_reads_the_same(value in tree()) {
        let text = emit(&value);
        let theirs: serde_json::Value = serde_yaml::from_str(&text).map_err(|error| {
            TestCaseError::fail(format!("{error}: {text}"))
        })?;
        prop_assert_eq!(theirs, serde_json::to_value(&value).unwrap(), "{}", text);
    }

    #[test]
    fn plain_strings_are_strings_to_yaml_1_1(text in "[-a-zA-Z0-9_./:~=<]{0,6}") {
        let written = emit(&string(&text));
        prop_assert!(written.starts_with('"') || !special_to_yaml_1_1(&text), "{}", written);
    }

    #[test]
    fn reading_never_panics(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn reading_yaml_like_text_never_panics(text in "([-:?&*!|>%@'\"\\[\\]{},#~ \\t\\n]|<<|a|b|1|!!int|\r\n|---|\\.\\.\\.){0,40}") {
        if let Ok(value) = parse(&text) {
            prop_assert!(depth(&value) <= MAX_DEPTH);
        }
    }
}
