//! Requests in great variety for the comparison with the oracle.

use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;

use super::model;

/// Takes out of requests what differs on purpose in logfmt, where otelcol loses what follows the
/// first line, and drops a record because of a key.
fn tame(mut logs: LogsData) -> LogsData {
    for resource in &mut logs.resource_logs {
        for record in resource.scope_logs.iter_mut().flat_map(|scope| &mut scope.log_records) {
            match record.body.as_mut().and_then(|body| body.value.as_mut()) {
                Some(Value::StringValue(text)) => *text = text.replace('\n', "\t"),
                Some(Value::KvlistValue(map)) => name_keys(map),
                _ => {}
            }
        }
    }
    logs
}

fn name_keys(map: &mut KeyValueList) {
    for pair in &mut map.values {
        if pair.key.chars().all(|char| char <= ' ' || matches!(char, '=' | '"' | '\u{fffd}')) {
            pair.key.push('k');
        }
        if let Some(Value::KvlistValue(inner)) = pair.value.as_mut().and_then(|v| v.value.as_mut())
        {
            name_keys(inner);
        }
    }
}

const KEYS: &[&str] = &[
    "a",
    "a.b",
    "b",
    "c.d.e",
    "c",
    "d.e",
    "d",
    "e",
    "level",
    "job",
    "exporter",
    "service.name",
    "service.namespace",
    "service.instance.id",
    "1x",
    "_x",
    "__y",
    "éa",
    "x y",
    "=",
    "\"",
    "",
    "traceID",
    "severity",
    "<&>",
    "日本",
    "\u{fffd}",
    "tenant.id",
];

fn key() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(KEYS).prop_map(str::to_owned), 1 => "[a-c.]{1,5}", 1 => any::<String>()]
}

fn text() -> impl Strategy<Value = String> {
    let special = &[
        "",
        "null",
        "a b",
        "\"quoted\" \\ <tag> & = é 世 \u{2028}\u{2029}\u{0}\u{1}\u{7f}\u{8}\u{c}",
        "line\nline\r\n\tline",
        "k=v msg=\"hello \\\"w\\u00f6rld\\ud83d\\ude00\\ud83d\" empty= flag",
        "k=\"a\\/b\\'\\b\\f\\n\\r\\t\" é=ü",
        "k==",
        "k=\"",
        "k=\"\\x\"",
        "\"k",
        "=v",
        "k=\"\tb\\n\"",
        "k=\"\tb\"",
        " a=b\r",
        "a=b\u{fffd} c=\u{e2}",
        "\u{fffd}=b",
        "level=info",
        "🦀",
        "a\u{a0}b",
        "x=\"\" y=null traceID=5",
        "k=\"\\u12\"",
        "k=\"\\udc00\\ud800\" ",
        "k=\"a\"b=c",
    ];
    prop_oneof![3 => select(special).prop_map(str::to_owned), 2 => "[ -~]{0,20}", 1 => any::<String>()]
}

fn double() -> impl Strategy<Value = f64> {
    let special = select(vec![
        0.0,
        -0.0,
        1.0,
        -1.5,
        1e6,
        999_999.0,
        1e20,
        1e21,
        1e-4,
        9.9e-5,
        1e-6,
        9.99e-7,
        1e-7,
        1e300,
        5e-324,
        f64::MAX,
        0.1,
        123_456_789.125,
        1e-10,
        -1e-100,
    ]);
    prop_oneof![special, any::<f64>().prop_filter("has a form in JSON", |f| f.is_finite())]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        1 => Just(None),
        4 => text().prop_map(|text| Some(Value::StringValue(text))),
        1 => any::<bool>().prop_map(|flag| Some(Value::BoolValue(flag))),
        1 => any::<i64>().prop_map(|int| Some(Value::IntValue(int))),
        2 => double().prop_map(|double| Some(Value::DoubleValue(double))),
        1 => vec(any::<u8>(), 0..6).prop_map(|bytes| Some(Value::BytesValue(bytes))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(model::list),
            attributes(inner, 4)
                .prop_map(|values| model::any(Value::KvlistValue(KeyValueList { values }))),
        ]
    })
}

fn attributes(
    value: impl Strategy<Value = AnyValue>,
    most: usize,
) -> impl Strategy<Value = Vec<KeyValue>> {
    let pair = (key(), option::weighted(0.9, value));
    vec(pair.prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }), 0..most)
}

/// Names in a hint, whose sanitised forms differ: which of equal ones wins is by chance in otelcol.
fn names() -> impl Strategy<Value = AnyValue> {
    let name = select(vec![
        "a",
        "a.b",
        "b",
        "c.d.e",
        "level",
        "exporter",
        "service.name",
        "1x",
        "_x",
        "__y",
        "éa",
        "",
        "no.such.name",
        "7",
        "true",
    ]);
    let padded = (name.clone(), select(vec!["", " ", "\t", "\u{a0}"]))
        .prop_map(|(name, space)| format!("{space}{name}{space}"));
    let element = prop_oneof![
        8 => name.prop_map(model::text),
        1 => Just(model::any(Value::IntValue(7))),
        1 => Just(model::any(Value::BoolValue(true))),
        1 => Just(AnyValue::default()),
    ];
    prop_oneof![
        5 => vec(padded, 0..4).prop_map(|names| model::text(&names.join(","))),
        4 => vec(element, 0..4).prop_map(|values| model::any(Value::ArrayValue(ArrayValue { values }))),
        1 => Just(model::any(Value::IntValue(7))),
        1 => Just(AnyValue::default()),
    ]
}

/// Attributes that hint, in random order among others.
fn hinted(formats: &'static [&'static str]) -> impl Strategy<Value = Vec<KeyValue>> {
    let tenant = prop_oneof![
        3 => select(vec!["tenant.id", "b", "", "no"]).prop_map(model::text),
        1 => Just(model::any(Value::IntValue(1))),
    ];
    let hint = prop_oneof![
        2 => names().prop_map(|names| ("loki.attribute.labels", names)),
        2 => names().prop_map(|names| ("loki.resource.labels", names)),
        1 => tenant.prop_map(|name| ("loki.tenant", name)),
        2 => select(formats).prop_map(|format| ("loki.format", model::text(format))),
        1 => select(vec!["team-1", "team-2", ""]).prop_map(|team| ("tenant.id", model::text(team))),
        1 => Just(("7", model::text("seven"))),
    ];
    let hint = hint.prop_map(|hint| model::attributes(&[hint]).remove(0));
    (attributes(value(), 6), vec(hint, 0..4)).prop_flat_map(|(mut all, hints)| {
        // An attribute without a name that becomes a label leaves the line of otelcol.
        all.iter_mut().filter(|a| a.key.is_empty()).for_each(|a| a.key.push('k'));
        all.extend(hints);
        Just(all).prop_shuffle()
    })
}

fn record(formats: &'static [&'static str]) -> impl Strategy<Value = LogRecord> {
    let times = [0, 1, 999_999_999, 1_700_000_000_123_456_789, 1_700_000_000_000_000_000];
    let id =
        |bytes| prop_oneof![Just(vec![]), Just(vec![0; bytes]), vec(any::<u8>(), bytes..=bytes)];
    let head = (select(times.to_vec()), select(times.to_vec()), -1..27i32, text());
    let tail = (option::weighted(0.9, value()), hinted(formats), any::<bool>(), id(16), id(8));
    (head, tail).prop_map(|((time, observed, severity_number, severity_text), tail)| LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: observed,
        severity_number,
        severity_text,
        body: tail.0,
        attributes: tail.1,
        flags: u32::from(tail.2),
        trace_id: tail.3,
        span_id: tail.4,
        ..LogRecord::default()
    })
}

fn request(formats: &'static [&'static str]) -> impl Strategy<Value = LogsData> {
    let scope = (text(), text(), attributes(value(), 3)).prop_map(|(name, version, attributes)| {
        InstrumentationScope { name, version, attributes, ..InstrumentationScope::default() }
    });
    let scope_logs =
        (option::of(scope), vec(record(formats), 0..4)).prop_map(|(scope, records)| ScopeLogs {
            scope,
            log_records: records,
            ..ScopeLogs::default()
        });
    let resource =
        hinted(formats).prop_map(|attributes| Resource { attributes, ..Resource::default() });
    let resource_logs = (option::weighted(0.9, resource), vec(scope_logs, 0..3)).prop_map(
        |(resource, scope_logs)| ResourceLogs { resource, scope_logs, ..ResourceLogs::default() },
    );
    vec(resource_logs, 0..3).prop_map(|resource_logs| LogsData { resource_logs })
}

/// Requests of which logfmt is asked, tamed, and others, with labels to leave out.
pub(super) fn requests(count: usize) -> Vec<(String, LogsData)> {
    let disabled = select(vec!["", "", "", "level", "job,instance", "exporter,level,job,instance"]);
    let json = request(&["json", "raw", "xml", ""]);
    let logfmt = request(&["logfmt", "logfmt", "logfmt", "raw"]).prop_map(tame);
    let cases = (disabled.prop_map(str::to_owned), prop_oneof![json, logfmt]);
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| cases.new_tree(&mut runner).unwrap().current()).collect()
}
