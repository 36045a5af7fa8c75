//! References: what becomes of them under each of the three answers, and what of their values shows.

use super::*;

fn world(name: &str) -> Answer {
    match name {
        "HOST" => Answer::Value("jaeger".into()),
        "PORT" => Answer::Value("4317".into()),
        "ZEROS" => Answer::Value("0123".into()),
        "LIST" => Answer::Value("[a, 2]".into()),
        "MAP" => Answer::Value("{a: 1}".into()),
        "EMPTY" => Answer::Value(String::new()),
        "NOT_YAML" => Answer::Value("a: b: c".into()),
        "DOLLAR" => Answer::Value("${env:HOST}$$".into()),
        "_SECRET1" => Answer::Unknown,
        _ => Answer::Unset,
    }
}

struct Outcome {
    value: Value,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

fn outcome(written: &str) -> Outcome {
    let (mut problems, mut warnings) = (Findings::default(), Findings::default());
    let value = Value::Map(vec![("k".into(), Value::List(vec![Value::String(written.into())]))]);
    let value = expand(&value, &world, &mut problems, &mut warnings);
    let Some(Value::List(list)) = value.get("k") else { panic!("{value:?}") };
    let [problems, warnings] = [problems, warnings].map(|findings| findings.sorted(|_| {}));
    Outcome { value: list[0].clone(), problems, warnings }
}

/// Text and parsed value of what a reference became.
fn expanded(written: &str) -> (String, Value) {
    let outcome = outcome(written);
    assert_eq!(outcome.problems, [], "{written}");
    match outcome.value {
        Value::Expanded { written: kept, text, parsed } => {
            assert_eq!(kept, written);
            (text, *parsed)
        }
        other => panic!("{written}: {other:?}"),
    }
}

#[test]
fn a_reference_alone_is_read_as_yaml_and_keeps_its_text() {
    let list = Value::List(vec![Value::String("a".into()), Value::Int(2)]);
    let table = [
        ("${env:PORT}", "4317", Value::Int(4317)),
        ("${PORT}", "4317", Value::Int(4317)),
        ("${env:ZEROS}", "0123", Value::Int(83)),
        ("${env:HOST}", "jaeger", Value::String("jaeger".into())),
        ("${env:LIST}", "[a, 2]", list),
        ("${env:MAP}", "{a: 1}", Value::Map(vec![("a".into(), Value::Int(1))])),
        ("${env:EMPTY}", "", Value::Null),
        ("${env:NOT_YAML}", "a: b: c", Value::String("a: b: c".into())),
        ("${env:NOPE:-5s}", "5s", Value::String("5s".into())),
        ("${env:NOPE:-}", "", Value::Null),
        ("${env:NOPE:-true}", "true", Value::Bool(true)),
        ("${NOPE:-a:-b}", "a:-b", Value::String("a:-b".into())),
        ("${env:PORT:-9}", "4317", Value::Int(4317)),
        ("${env:EMPTY:-9}", "", Value::Null),
    ];
    for (written, text, parsed) in table {
        assert_eq!(expanded(written), (text.to_owned(), parsed), "{written}");
        assert_eq!(outcome(written).warnings, [], "{written}");
    }
}

#[test]
fn a_reference_inside_text_makes_text() {
    let table = [
        ("${env:HOST}:${env:PORT}", "jaeger:4317"),
        ("x${env:PORT}", "x4317"),
        ("${env:PORT} ", "4317 "),
        ("${env:PORT}${env:PORT}", "43174317"),
        ("$$${env:PORT}", "$4317"),
        ("${env:NOPE:-a}b", "ab"),
        ("é${env:HOST}é", "éjaegeré"),
    ];
    for (written, text) in table {
        assert_eq!(expanded(written), (text.to_owned(), Value::String(text.into())), "{written}");
    }
}

#[test]
fn what_a_variable_holds_is_not_expanded_again() {
    assert_eq!(expanded("${env:DOLLAR}").0, "${env:HOST}$$");
}

#[test]
fn two_dollar_signs_are_one_and_one_alone_is_itself() {
    let table = [
        ("$$", "$"),
        ("a$$b", "a$b"),
        ("$$$$", "$$"),
        ("$${env:HOST}", "${env:HOST}"),
        ("$HOST", "$HOST"),
        ("a$", "a$"),
        ("$1.00", "$1.00"),
        ("^x$|y", "^x$|y"),
    ];
    for (written, text) in table {
        let outcome = outcome(written);
        assert_eq!(outcome.value, Value::String(text.into()), "{written}");
        assert!(outcome.problems.is_empty() && outcome.warnings.is_empty(), "{written}");
    }
}

#[test]
fn a_variable_that_is_not_set_is_empty_with_a_warning() {
    let outcome = outcome("a${env:NOPE}b");
    assert!(matches!(&outcome.value, Value::Expanded { text, .. } if text == "ab"));
    assert_eq!(outcome.problems, []);
    let [warning] = outcome.warnings.as_slice() else { panic!("{:?}", outcome.warnings) };
    assert_eq!((warning.path.as_str(), warning.code), ("k[0]", Code::UnsetVariable));
    assert_eq!(
        warning.to_string(),
        "k[0]: the variable NOPE is not set: its place stays empty; write ${env:NOPE:-default} for \
         a default [unset-variable]"
    );
}

#[test]
fn what_is_not_known_here_is_deferred_without_a_word() {
    for written in
        ["${env:_SECRET1}", "${_SECRET1}", "a${env:_SECRET1}b${env:HOST}", "${env:_SECRET1:-x}"]
    {
        let outcome = outcome(written);
        assert_eq!(outcome.value, Value::Deferred(written.into()));
        assert!(outcome.problems.is_empty() && outcome.warnings.is_empty(), "{written}");
    }
}

#[test]
fn a_reference_that_is_spelt_wrong_is_a_problem_at_its_path() {
    let table = [
        ("${env:}", "no name of a variable"),
        ("${}", "no name of a variable"),
        ("${:-x}", "no name of a variable"),
        ("${1X}", "no name of a variable"),
        ("${env:A-B}", "no name of a variable"),
        ("${env:A B}", "no name of a variable"),
        ("${env:É}", "no name of a variable"),
        ("${env: A}", "no name of a variable"),
        ("${env:HOST", "without \"}\""),
        ("x ${", "without \"}\""),
        ("${file:/etc/passwd}", "${file:…} is not supported: only ${env:NAME} is"),
        ("${yaml:a}", "${yaml:…} is not supported"),
        ("${https://x}", "${https:…} is not supported"),
        ("${env:A:-${env:HOST}}", "inside a reference"),
    ];
    for (written, why) in table {
        let outcome = outcome(written);
        let [problem] = outcome.problems.as_slice() else {
            panic!("{written}: {:?}", outcome.problems)
        };
        assert_eq!(
            (problem.path.as_str(), problem.code),
            ("k[0]", Code::InvalidReference),
            "{written}"
        );
        assert!(problem.message.contains(why), "{written}: {problem}");
        assert_eq!(outcome.value, Value::Deferred(written.into()));
    }
}

#[test]
fn keys_and_what_is_no_text_are_left_as_they_are() {
    let value = Value::Map(vec![
        ("${env:HOST}".into(), Value::Int(1)),
        ("$$".into(), Value::Null),
        ("plain".into(), Value::String("x".into())),
    ]);
    let (mut problems, mut warnings) = (Findings::default(), Findings::default());
    assert_eq!(expand(&value, &world, &mut problems, &mut warnings), value);
    assert_eq!((problems.count(), warnings.count()), (0, 0));
}
