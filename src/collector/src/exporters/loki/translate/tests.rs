use super::*;
use model::{PushRequest, labels, list, logs, map, record, text};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData};
use prost::Message as _;

mod bounds;
mod model;
mod oracle;
mod requests;

/// The time it is.
const NOW: u64 = 1_800_000_000_000_000_000;

/// Bounds so large that nothing is cut.
fn settings() -> Loki {
    Loki { max_request_bytes: 1 << 30, max_line_size: 1 << 20, ..Loki::default() }
}

fn translate(logs: &LogsData) -> Translated {
    Translator::new(&settings()).translate([&logs.encode_to_vec()[..]], NOW)
}

/// What was sent, as labels and line, in the order of streams.
fn sent(pushes: &[Push]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for push in pushes {
        let request = PushRequest::decode(&push.bytes[..]).unwrap();
        let entries = |stream: model::Stream| {
            let labels = stream.labels;
            stream.entries.into_iter().map(move |entry| (labels.clone(), entry.line))
        };
        let entries: Vec<_> = request.streams.into_iter().flat_map(entries).collect();
        assert_eq!(entries.len(), push.records);
        all.extend(entries);
    }
    all
}

/// The labels and the line of one record.
#[track_caller]
fn one(resource: &[(&str, AnyValue)], record: LogRecord) -> (String, String) {
    let all = sent(&translate(&logs(resource, vec![record])).pushes);
    assert_eq!(all.len(), 1);
    all[0].clone()
}

fn double(value: f64) -> AnyValue {
    model::any(Value::DoubleValue(value))
}

/// A body in logfmt.
#[track_caller]
fn logfmt(body: AnyValue) -> String {
    let hint = [("loki.format", text("logfmt"))];
    one(&[], LogRecord { body: Some(body), ..record("", &hint) }).1
}

#[test]
fn labels_that_need_no_hint() {
    let resource = [
        ("service.instance.id", text("pod-1")),
        ("service.name", text("shop")),
        ("service.namespace", text("eu")),
    ];
    let record = LogRecord { severity_number: 10, ..record("hello", &[]) };
    let (labels, line) = one(&resource, record);
    assert_eq!(labels, r#"{exporter="OTLP", instance="pod-1", job="eu/shop", level="INFO2"}"#);
    assert_eq!(
        line,
        concat!(
            r#"{"body":"hello","resources":{"service.instance.id":"pod-1","#,
            r#""service.name":"shop","service.namespace":"eu"}}"#
        )
    );
}

#[test]
fn level_is_absent_without_severity() {
    assert_eq!(one(&[], record("", &[])).0, r#"{exporter="OTLP"}"#);
}

#[test]
fn hints_make_labels_and_leave_the_line() {
    let resource = [
        ("loki.resource.labels", text("host.name, k8s.pod")),
        ("host.name", text("h")),
        ("k8s", map(&[("pod", text("p")), ("node", text("n"))])),
    ];
    let attributes = [
        ("loki.attribute.labels", list(vec![text("event.id"), text("none")])),
        ("event.id", model::any(Value::IntValue(7))),
        ("kept", model::any(Value::BoolValue(true))),
    ];
    let (labels, line) = one(&resource, record("b", &attributes));
    assert_eq!(labels, r#"{event_id="7", exporter="OTLP", host_name="h", k8s_pod="p"}"#);
    let resources = r#""resources":{"k8s":{"node":"n","pod":"p"}}"#;
    assert_eq!(line, format!(r#"{{"body":"b","attributes":{{"kept":true}},{resources}}}"#));
}

#[test]
fn of_labels_alike_when_sanitised_the_last_wins() {
    let resource = [("loki.resource.labels", text("a.b")), ("a.b", text("resource"))];
    let attributes =
        [("loki.attribute.labels", text("a_b,a-b")), ("a-b", text("last")), ("a_b", text("first"))];
    let (labels, _) = one(&resource, record("", &attributes));
    assert_eq!(labels, r#"{a_b="last", exporter="OTLP"}"#);
}

#[test]
fn label_names_are_what_loki_takes() {
    let attributes = [
        ("loki.attribute.labels", text("1x,_y,é,")),
        ("1x", text("1")),
        ("_y", text("2")),
        ("é", text("3")),
        ("", text("no name, no label")),
    ];
    let (labels, line) = one(&[], record("", &attributes));
    assert_eq!(labels, r#"{exporter="OTLP", key_="3", key_1x="1", key_y="2"}"#);
    assert_eq!(line, r#"{"body":"","attributes":{"":"no name, no label"}}"#);
}

#[test]
fn label_values_are_quoted() {
    let value = "a\"b\\c\nd\u{1}e\u{fffd}f é";
    let (written, _) = one(&[("service.name", text(value))], record("", &[]));
    assert_eq!(written, r#"{exporter="OTLP", job="a\"b\\c\nd\x01e\ufffdf é"}"#);
    assert_eq!(labels(&written)["job"], value);
}

#[test]
fn a_tenant_gets_a_push() {
    let tenant = |name: &str| record("x", &[("loki.tenant", text("t")), ("t", text(name))]);
    let records = vec![tenant("a"), tenant("b"), record("y", &[]), tenant("a")];
    let translated = translate(&logs(&[], records));
    let mut found: Vec<_> =
        translated.pushes.iter().map(|push| (push.tenant.as_deref(), push.records)).collect();
    found.sort_unstable();
    assert_eq!(found, [(None, 1), (Some("a"), 2), (Some("b"), 1)]);
    let with_line_feed = translate(&logs(&[], vec![tenant("a\nb"), tenant(&"a".repeat(1025))]));
    assert_eq!(with_line_feed, Translated { untranslatable: 2, ..Translated::default() });
}

#[test]
fn without_labels_or_a_known_format_nothing_is_sent() {
    let mut settings = settings();
    for label in ["exporter", "job", "instance", "level"] {
        settings.default_labels_enabled.insert(label.into(), false);
    }
    let empty = [("loki.attribute.labels", text("a")), ("a", text(""))];
    let records = vec![
        record("x", &[]),
        record("y", &empty),
        LogRecord { severity_number: 9, ..record("z", &[]) },
    ];
    let request = logs(&[("service.name", text("s"))], records).encode_to_vec();
    let translated = Translator::new(&settings).translate([&request[..]], NOW);
    assert_eq!(translated, Translated { untranslatable: 3, ..Translated::default() });

    let unknown = record("x", &[("loki.format", text("xml"))]);
    assert_eq!(translate(&logs(&[], vec![unknown])).untranslatable, 1);
}

#[test]
fn json_has_every_field_in_order() {
    let mut logs = logs(
        &[("r", text("1"))],
        vec![LogRecord {
            body: Some(map(&[("b", AnyValue::default()), ("a", text("<"))])),
            severity_text: "WARNING".into(),
            trace_id: vec![0xab; 16],
            span_id: vec![1; 8],
            flags: 1,
            ..record("", &[("x", double(1e21)), ("x", double(0.1))])
        }],
    );
    logs.resource_logs[0].scope_logs[0].scope = Some(InstrumentationScope {
        name: "lib".into(),
        version: "2".into(),
        attributes: model::attributes(&[("s", text("t"))]),
        ..InstrumentationScope::default()
    });
    let (_, line) = sent(&translate(&logs).pushes).remove(0);
    let expected = [
        r#"{"body":{"a":"\u003c","b":null},"traceid":"abababababababababababababababab","#,
        r#""spanid":"0101010101010101","severity":"WARNING","flags":1,"attributes":{"x":0.1},"#,
        r#""resources":{"r":"1"},"#,
        r#""instrumentation_scope":{"name":"lib","version":"2","attributes":{"s":"t"}}}"#,
    ];
    assert_eq!(line, expected.concat());
}

#[test]
fn an_empty_record_is_an_empty_line() {
    let empty = LogRecord { time_unix_nano: 1, ..LogRecord::default() };
    assert_eq!(one(&[], empty.clone()).1, "{}");
    assert_eq!(one(&[("loki.format", text("logfmt"))], empty.clone()).1, "");
    assert_eq!(one(&[("loki.format", text("raw"))], empty).1, "");
}

/// Here otelcol drops the record in JSON, and writes an error's text into labels.
#[test]
fn what_is_no_number_is_a_string() {
    let body = list(vec![double(f64::NAN), double(f64::INFINITY), double(f64::NEG_INFINITY)]);
    let attributes = [("loki.attribute.labels", text("n")), ("n", double(f64::NAN))];
    let record = LogRecord { body: Some(body), ..record("", &attributes) };
    let (labels, line) = one(&[], record);
    assert_eq!(labels, r#"{exporter="OTLP", n="NaN"}"#);
    assert_eq!(line, r#"{"body":["NaN","Infinity","-Infinity"]}"#);
}

#[test]
fn logfmt_joins_keys() {
    let attributes = [("loki.format", text("logfmt")), ("m", map(&[("k", text("v w"))]))];
    let record = LogRecord {
        body: Some(map(&[("traceID", text("theirs")), ("n", list(vec![text("null")]))])),
        trace_id: vec![0x12; 16],
        severity_text: "INFO".into(),
        ..record("", &attributes)
    };
    let (_, line) = one(&[("r", double(1e6))], record);
    let expected = r#"traceID=12121212121212121212121212121212 n_0="null" severity=INFO attribute_m_k="v w" resource_r=1e+06"#;
    assert_eq!(line, expected);
}

/// Here otelcol loses what follows the first line.
#[test]
fn logfmt_keeps_a_body_of_several_lines() {
    assert_eq!(logfmt(text("a=b\nat f\n")), r#"msg="a=b\nat f\n""#);
    assert_eq!(logfmt(text("a=b c\r\n")), "a=b c=");
    assert_eq!(logfmt(text("a=\"b")), r#"msg="a=\"b""#);
}

/// Go's bufio.Scanner takes no line of 65 536 bytes.
#[test]
fn logfmt_does_not_look_into_a_long_body() {
    assert_eq!(logfmt(text(&"a".repeat(65_535))), format!("{}=", "a".repeat(65_535)));
    assert_eq!(logfmt(text(&"a".repeat(65_536))), format!("msg={}", "a".repeat(65_536)));
}

/// Here otelcol drops the record.
#[test]
fn logfmt_has_a_key_for_everything() {
    assert_eq!(logfmt(map(&[("", text("v")), ("a=", text("w"))])), "_=v a=w");
}

#[test]
fn text_that_is_no_utf8_is_replaced() {
    // prost refuses to make such text, so bytes are replaced in what it makes.
    let bad = |format: &str| {
        let resource = [("service.name", text("XX")), ("loki.format", text(format))];
        let mut request = logs(&resource, vec![record("aXXb", &[])]).encode_to_vec();
        for at in 0..request.len() - 1 {
            if request[at..].starts_with(b"XX") {
                request[at..at + 2].copy_from_slice(b"\xe2\x80");
            }
        }
        sent(&Translator::new(&settings()).translate([&request[..]], NOW).pushes).remove(0)
    };
    let (labels, line) = bad("json");
    assert_eq!(labels, r#"{exporter="OTLP", job="\ufffd"}"#);
    assert_eq!(line, r#"{"body":"a\ufffd\ufffdb","resources":{"service.name":"\ufffd\ufffd"}}"#);
    let line = bad("logfmt").1;
    assert_eq!(line, r#"msg="a\ufffd\ufffdb" resource_service.name="\ufffd\ufffd""#);
    assert_eq!(bad("raw").1, "a\u{fffd}b");
}

#[test]
fn time_is_the_records_or_observed_or_now() {
    let at = |time_unix_nano, observed_time_unix_nano| {
        let record = LogRecord { time_unix_nano, observed_time_unix_nano, ..LogRecord::default() };
        let pushes = translate(&logs(&[], vec![record])).pushes;
        let request = PushRequest::decode(&pushes[0].bytes[..]).unwrap();
        request.streams[0].entries[0].nanos()
    };
    assert_eq!(at(5_000_000_007, 6), 5_000_000_007);
    assert_eq!(at(0, 6), 6);
    assert_eq!(at(0, 0), NOW.into());
    // Beyond the year 2262 otelcol turns to the year 1677.
    assert_eq!(at(u64::MAX, 0), u64::MAX.into());
}
