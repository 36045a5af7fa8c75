//! However large or repetitive a configuration is, a check ends soon and says little. These are
//! what one tenant could write to stop an operator that serves them all.

use super::*;
use crate::findings::MAX_TOLD;
use crate::value::MAX_DEPTH;
use crate::{MAX_EXPANDED_BYTES, RawConfig};

/// So many of something: what took a minute when each looked at all the others.
const MANY: usize = 20_000;

fn repeated(entry: impl Fn(usize) -> String) -> String {
    (0..MANY).map(entry).collect()
}

/// Little is said, the last thing being how much is not.
fn little(report: &Report) {
    for list in [&report.problems, &report.warnings] {
        assert!(list.len() <= MAX_TOLD + 1, "{}", list.len());
        let bytes: usize = list.iter().map(|problem| problem.to_string().len()).sum();
        assert!(bytes < 4 * 1024 * 1024, "{bytes}");
    }
}

#[test]
fn many_mistakes_are_counted() {
    let components = repeated(|i| format!("  batch/{i}: {{}}\n"));
    let references = repeated(|i| format!("batch/x{i}, "));
    let addresses =
        repeated(|i| format!("  prometheus/{i}: {{endpoint: '10.0.{}.{}:1'}}\n", i / 256, i % 256));
    for text in [
        format!(
            "processors:\n{components}service: {{pipelines: {{traces: {{processors: [{references}]}}}}}}"
        ),
        format!("processors:\n{}", repeated(|i| format!("  memory_limiter/{i}: {{}}\n"))),
        format!("processors: {{resource: {{attributes: [{}]}}}}", repeated(|_| "{}, ".into())),
        format!(
            "processors: {{resource: {{attributes: [{}]}}}}",
            repeated(|_| "{key: '${UNKNOWN}'}, ".into())
        ),
        format!(
            "processors: {{batch/{}: {{{}}}}}",
            "x".repeat(1000),
            repeated(|i| format!("k{i}: , "))
        ),
        format!("exporters:\n{addresses}"),
        format!("exporters: {{debug: {{output_paths: [{}]}}}}", repeated(|_| "'${', ".into())),
        format!("exporters: {{debug: {{output_paths: [{}]}}}}", repeated(|_| "'${GONE}', ".into())),
    ] {
        let report = report_in(&text, &partly);
        assert!(report.checked.is_none());
        little(&report);
    }
}

#[test]
fn how_many_are_not_told_is_the_first_line() {
    let keys = repeated(|i| format!("k{i}: , "));
    let text = with(Class::Processor, "batch", &format!("{{{keys}}}"));
    let report = report(&text);
    assert_eq!(report.problems.len(), MAX_TOLD + 1);
    let expected =
        format!("{} more were found than the 500 told here [too-large]", MANY - MAX_TOLD);
    assert_eq!(report.problems[0].to_string(), expected);
}

#[test]
fn many_listeners_that_do_not_conflict_are_all_there() {
    let exporters = (0..1000)
        .map(|i| format!("  prometheus/{i}: {{endpoint: '10.0.{}.{}:1'}}\n", i / 256, i % 256));
    let names: Vec<String> = (0..1000).map(|i| format!("prometheus/{i}")).collect();
    let text = format!(
        "receivers: {{otlp: {{protocols: {{grpc: }}}}}}\nexporters:\n{}service: {{pipelines: {{metrics: {{receivers: [otlp], exporters: [{}]}}}}}}",
        exporters.collect::<String>(),
        names.join(", ")
    );
    assert_eq!(accepted(&text).listeners().len(), 1002);
}

#[test]
fn a_variable_repeated_without_end_is_refused() {
    let long = |name: &str| match name {
        "A" => Answer::Value("x".repeat(32 * 1024)),
        _ => Answer::Unset,
    };
    let often = MAX_EXPANDED_BYTES / (32 * 1024);
    let list = |times: usize| {
        with(Class::Exporter, "debug", &format!("{{output_paths: [{}]}}", "'${A}', ".repeat(times)))
    };
    let text = |times: usize| {
        with(Class::Exporter, "debug", &format!("{{output_paths: ['{}']}}", "${A}".repeat(times)))
    };
    for text in [list(often), text(often)] {
        assert_eq!(lines(&report_in(&text, &long).problems), Vec::<String>::new());
    }
    let path = "exporters.debug.output_paths";
    let why = "from here on, references become more than 1048576 bytes [too-large]";
    let report = report_in(&list(often + 2), &long);
    let expected = [often, often + 1].map(|index| format!("{path}[{index}]: {why}"));
    assert_eq!(lines(&report.problems), expected);
    assert_eq!(report.warnings, []);
    let report = report_in(&text(often + 2), &long);
    assert_eq!(lines(&report.problems), [format!("{path}[0]: {why}")]);
    little(&report_in(&list(MANY), &long));
}

/// As it comes from the API server, where there is no limit on a document of ours.
fn exceeded(value: Value) -> String {
    let report = check(&value, &nothing, &Options::default());
    assert!(report.checked.is_none() && report.warnings.is_empty());
    lines(&report.problems).join("\n")
}

#[test]
fn what_is_no_configuration_by_its_size_is_not_looked_at() {
    let map = |key: &str, value: Value| Value::Map(vec![(key.to_owned(), value)]);
    let reference = Value::String("${GONE}".into());
    let long = map("a", map(&"k".repeat(100_000), Value::List(vec![reference; 100])));
    let expected = "a: keys below here make a path longer than 4096 bytes [too-large]";
    assert_eq!(exceeded(long), expected);
    let wide = map("a", Value::List(vec![Value::Null; 100_000]));
    assert_eq!(exceeded(wide), "more than 100000 values [too-large]");
    let deep = (0..=MAX_DEPTH).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    assert!(exceeded(deep).ends_with("nested deeper than 64 levels [too-large]"));
    let deep = (0..MAX_DEPTH).fold(Value::Null, |inner, _| Value::List(vec![inner]));
    assert_eq!(exceeded(deep), "a list where a map is wanted [wrong-type]");
}

/// Names as long as otelcol takes them are no reason to refuse.
#[test]
fn the_longest_name_is_accepted() {
    let id = format!("resource/{}", "n".repeat(1024));
    let key = "k".repeat(1000);
    accepted(&with(
        Class::Processor,
        &id,
        &format!("{{attributes: [{{key: {key}, action: insert, value: 1}}]}}"),
    ));
}

#[test]
fn what_the_api_server_sends_is_read_in_order() {
    let raw: RawConfig = serde_json::from_str(r#"{"b": 1, "a": [9007199254740993]}"#).unwrap();
    let Value::Map(entries) = raw.value() else { panic!("{raw:?}") };
    assert_eq!(entries[0].0, "b");
}
