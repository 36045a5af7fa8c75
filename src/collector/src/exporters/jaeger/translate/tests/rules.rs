//! Each rule of contrib's translator by itself.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Status};

use super::super::json;
use super::model::{SpanRef, Time};
use super::*;
use crate::signal::otlp;
use crate::signal::view::View;
use crate::signal::wire::{BYTES, Write};

fn time(seconds: i64, nanos: i32) -> Option<Time> {
    Some(Time { seconds, nanos })
}

fn process(attributes: Vec<KeyValue>) -> (String, Vec<String>) {
    let process = single(of(attributes, vec![bare()])).process.expect("a process");
    (utf8(&process.service_name).to_owned(), tags(&process.tags))
}

#[test]
fn a_process_is_the_resource() {
    let none = Vec::<String>::new();
    assert_eq!(process(vec![]), ("OTLPResourceNoServiceName".into(), none.clone()));
    assert_eq!(process(vec![text("service.name", "shop")]), ("shop".into(), none.clone()));
    assert_eq!(process(vec![text("service.name", "")]), (String::new(), none.clone()));
    assert_eq!(process(vec![text("a", "b")]), (String::new(), vec!["a STRING b".into()]));
    let attributes = vec![
        text("z", "1"),
        text("service.name", "shop"),
        pair("a", Value::IntValue(2)),
        text("service.name", "again"),
        text("z", "3"),
    ];
    let tags = ["z STRING 1", "a INT64 2", "z STRING 3"].map(String::from).to_vec();
    assert_eq!(process(attributes), ("shop".into(), tags));
}

#[test]
fn a_service_name_that_is_no_string_is_lost_as_in_contrib() {
    let number = pair("service.name", Value::IntValue(5));
    assert_eq!(process(vec![number]), (String::new(), vec![]));
    let nothing = KeyValue { key: "service.name".into(), ..KeyValue::default() };
    assert_eq!(process(vec![nothing, text("service.name", "x")]), (String::new(), vec![]));
}

#[test]
fn a_resource_that_is_missing_has_no_attributes() {
    let missing = ResourceSpans { resource: None, ..of(vec![], vec![bare()]) };
    let process = single(missing).process.expect("a process");
    assert_eq!(utf8(&process.service_name), "OTLPResourceNoServiceName");
}

#[test]
fn each_type_of_value_has_its_type_of_tag() {
    let cases = [
        (Value::StringValue("x".into()), "a STRING x"),
        (Value::StringValue(String::new()), "a STRING "),
        (Value::IntValue(i64::MIN), "a INT64 -9223372036854775808"),
        (Value::IntValue(0), "a INT64 0"),
        (Value::BoolValue(true), "a BOOL true"),
        (Value::BoolValue(false), "a BOOL false"),
        (Value::DoubleValue(1.5), "a FLOAT64 1.5"),
        (Value::DoubleValue(0.0), "a FLOAT64 0"),
        (Value::DoubleValue(f64::NAN), "a FLOAT64 NaN"),
        (Value::BytesValue(vec![255, 1]), "a STRING /wE="),
        (Value::BytesValue(vec![]), "a STRING "),
        (list(vec![]), "a STRING []"),
        (map(vec![]), "a STRING {}"),
    ];
    for (value, expected) in cases {
        assert_eq!(tag(value.clone()), expected, "{value:?}");
    }
    let nothing = KeyValue { key: "a".into(), ..KeyValue::default() };
    let untyped = KeyValue { value: Some(AnyValue { value: None }), ..nothing.clone() };
    let both = span(Span { attributes: vec![nothing, untyped], ..bare() });
    assert_eq!(tags(&both.tags), ["a STRING ", "a STRING "]);
}

#[test]
fn lists_and_maps_are_json_as_go_writes_it() {
    let doubles = [0.0, -0.0, 1.0, 1e20, 1e21, 1e-6, 1e-7, 1.25e-10, -5e300, f64::MIN_POSITIVE];
    let cases = [
        (
            list(doubles.map(Value::DoubleValue).to_vec()),
            "[0,-0,1,100000000000000000000,1e+21,0.000001,1e-7,1.25e-10,-5e+300,2.2250738585072014e-308]",
        ),
        (
            list(vec![
                Value::BoolValue(true),
                Value::IntValue(-7),
                Value::BytesValue(vec![1]),
                Value::BytesValue(vec![]),
            ]),
            r#"[true,-7,"AQ==",null]"#,
        ),
        (
            list(vec![Value::StringValue("\"\\/\n\r\t\u{8}\u{c}\u{1}\u{7f}<&>é\u{2028}😀".into())]),
            "[\"\\\"\\\\/\\n\\r\\t\\b\\f\\u0001\u{7f}\\u003c\\u0026\\u003eé\\u2028😀\"]",
        ),
        (
            map(vec![text("b", "1"), text("a", "2"), text("b", "3"), text("", "4")]),
            r#"{"":"4","a":"2","b":"3"}"#,
        ),
        (map(vec![pair("<", list(vec![map(vec![])]))]), r#"{"\u003c":[{}]}"#),
    ];
    for (value, expected) in cases {
        assert_eq!(tag(value), format!("a STRING {expected}"));
    }
    let unset = map(vec![KeyValue { key: "a".into(), ..KeyValue::default() }]);
    assert_eq!(tag(unset), r#"a STRING {"a":null}"#);
}

#[test]
fn a_number_that_json_cannot_tell_leaves_the_whole_text_empty() {
    let bad = Value::DoubleValue(f64::INFINITY);
    assert_eq!(tag(list(vec![Value::IntValue(1), map(vec![pair("a", bad.clone())])])), "a STRING ");
    // In a map the last of a key counts, so what went before does not matter.
    assert_eq!(tag(map(vec![pair("a", bad), text("a", "x")])), r#"a STRING {"a":"x"}"#);
}

#[test]
fn values_nested_deeper_than_any_scan_lets_through_have_no_text() {
    let nested = |depth| (1..depth).fold(list(vec![]), |inner, _| list(vec![inner]));
    assert_eq!(tag(nested(20)), format!("a STRING {}{}", "[".repeat(20), "]".repeat(20)));
    // Not scanned: what is looked at is that it ends.
    let mut value = Vec::new();
    for _ in 0..100_000 {
        // One more list around, written from the inside: its head comes last and is turned around.
        let length = value.len();
        value.extend(head(length).into_iter().rev());
    }
    value.reverse();
    let value = otlp::AnyValue::parse(&value);
    let mut out = Vec::new();
    assert!(!json::put(&value, &mut out));
    assert!(out.len() < 100, "{}", out.len());
}

/// AnyValue.array_value of an ArrayValue of one value of so many bytes.
fn head(length: usize) -> Vec<u8> {
    let mut values = Vec::new();
    values.put_tag(1, BYTES);
    values.put_varint(length as u64);
    let mut head = Vec::new();
    head.put_tag(5, BYTES);
    head.put_varint((values.len() + length) as u64);
    head.extend(values);
    head
}

#[test]
fn what_is_no_utf8_is_replaced() {
    let spans = vec![Span {
        name: "@@".into(),
        attributes: vec![
            text("k@@", "v@@"),
            pair("l", list(vec![Value::StringValue("@@".into())])),
        ],
        ..bare()
    }];
    let mut bytes = encode(vec![of(vec![], spans)]);
    for at in 1..bytes.len() {
        if &bytes[at - 1..=at] == b"@@" {
            bytes[at - 1..=at].copy_from_slice(&[0xe2, 0x82]);
        }
    }
    let batch = batch(&translate([bytes.as_slice()], usize::MAX).requests[0]);
    assert_eq!(utf8(&batch.spans[0].operation_name), "\u{fffd}");
    // One for each byte in JSON, as Go has it.
    let expected = ["k\u{fffd} STRING v\u{fffd}", r#"l STRING ["\ufffd\ufffd"]"#];
    assert_eq!(tags(&batch.spans[0].tags), expected);
}

#[test]
fn tags_stand_in_contribs_order() {
    let scope = InstrumentationScope {
        name: "lib".into(),
        version: "1".into(),
        attributes: vec![text("left", "out")],
        ..InstrumentationScope::default()
    };
    let full = Span {
        kind: 2,
        attributes: vec![text("z", "1"), text("a", "2")],
        status: Some(Status { code: 2, message: "why".into() }),
        trace_state: "k=v".into(),
        ..bare()
    };
    let scoped = ResourceSpans {
        scope_spans: vec![
            ScopeSpans { scope: Some(scope), spans: vec![full], ..ScopeSpans::default() },
            ScopeSpans { spans: vec![bare()], ..ScopeSpans::default() },
        ],
        ..ResourceSpans::default()
    };
    let batch = single(scoped);
    let expected = [
        "otel.scope.name STRING lib",
        "otel.scope.version STRING 1",
        "z STRING 1",
        "a STRING 2",
        "span.kind STRING server",
        "otel.status_code STRING ERROR",
        "error BOOL true",
        "otel.status_description STRING why",
        "w3c.tracestate STRING k=v",
    ];
    assert_eq!(tags(&batch.spans[0].tags), expected);
    assert_eq!(batch.spans[1].tags, [], "the scope before is not this span's");
}

#[test]
fn kind_and_status_are_tags_where_they_say_something() {
    let kinds = ["", "internal", "server", "client", "producer", "consumer", ""];
    for (kind, name) in (0..).zip(kinds) {
        let expected: Vec<_> = Some(format!("span.kind STRING {name}"))
            .filter(|_| !name.is_empty())
            .into_iter()
            .collect();
        assert_eq!(tags(&span(Span { kind, ..bare() }).tags), expected);
    }
    let status = |code, message: &str| {
        let status = Some(Status { code, message: message.into() });
        tags(&span(Span { status, ..bare() }).tags)
    };
    assert_eq!(status(0, ""), [""; 0]);
    assert_eq!(status(0, "m"), ["otel.status_description STRING m"]);
    assert_eq!(status(1, ""), ["otel.status_code STRING OK"]);
    assert_eq!(status(2, ""), ["otel.status_code STRING ERROR", "error BOOL true"]);
    assert_eq!(status(3, ""), [""; 0]);
}

#[test]
fn times_are_seconds_and_nanoseconds() {
    let of = |start_time_unix_nano, end_time_unix_nano| {
        let span = span(Span { start_time_unix_nano, end_time_unix_nano, ..bare() });
        (span.start_time, span.duration)
    };
    assert_eq!(of(0, 0), (time(0, 0), time(0, 0)), "written, as without them it is the year 1");
    assert_eq!(of(1_500_000_001, 4_000_000_000), (time(1, 500_000_001), time(2, 499_999_999)));
    let last = u64::MAX;
    assert_eq!(of(last, last), (time(18_446_744_073, 709_551_615), time(0, 0)));
    // No longer than Go's durations: Jaeger refuses the request otherwise.
    assert_eq!(of(0, last), (time(0, 0), time(9_223_372_036, 854_775_807)));
}

#[test]
fn an_end_before_the_start_is_no_time_and_counted() {
    let late = Span { start_time_unix_nano: 2, end_time_unix_nano: 1, ..bare() };
    let open = Span { start_time_unix_nano: 2, ..bare() };
    let translated = translated(vec![of(vec![], vec![late, bare(), open])]);
    assert_eq!(translated.negative_durations, 2);
    let spans = &batches(&translated)[0].spans;
    assert!(spans.iter().all(|span| span.duration == time(0, 0)), "{spans:?}");
    assert_eq!(spans[0].start_time, time(0, 2));
}

fn link(trace: u8, span: u8, child_of: bool) -> Link {
    let attributes = child_of.then(|| text("opentracing.ref_type", "child_of"));
    Link {
        trace_id: vec![trace; 16],
        span_id: vec![span; 8],
        attributes: attributes.into_iter().collect(),
        ..Link::default()
    }
}

fn refers(trace: u8, span: u8, ref_type: i32) -> SpanRef {
    SpanRef { trace_id: vec![trace; 16], span_id: vec![span; 8], ref_type }
}

#[test]
fn references_are_the_parent_and_then_the_links() {
    let of = |parent: &[u8], links| {
        span(Span { parent_span_id: parent.into(), links, ..bare() }).references
    };
    assert_eq!(of(&[], vec![]), []);
    assert_eq!(of(&[0; 8], vec![]), [], "zeros are no parent");
    assert_eq!(of(&[9; 8], vec![]), [refers(7, 9, 0)]);
    assert_eq!(
        of(&[], vec![link(1, 2, false), link(3, 4, true)]),
        [refers(1, 2, 1), refers(3, 4, 0)]
    );
    assert_eq!(of(&[9; 8], vec![link(7, 2, false)]), [refers(7, 9, 0), refers(7, 2, 1)]);
    let nowhere = Link { trace_id: vec![], span_id: vec![], ..link(0, 0, false) };
    assert_eq!(of(&[], vec![nowhere]), [refers(0, 0, 1)], "zeros, as pdata reads it");
}

#[test]
fn a_link_to_the_parent_tells_its_type() {
    let of = |links| span(Span { parent_span_id: vec![9; 8], links, ..bare() }).references;
    assert_eq!(of(vec![link(7, 9, false)]), [refers(7, 9, 1)]);
    assert_eq!(of(vec![link(7, 9, true)]), [refers(7, 9, 0)]);
    let links = vec![link(1, 9, false), link(7, 9, true), link(7, 9, false)];
    assert_eq!(of(links), [refers(7, 9, 1), refers(1, 9, 1)], "the last one counts");
}

#[test]
fn only_the_first_ref_type_and_only_a_string_counts() {
    let of = |attributes| {
        let links = vec![Link { attributes, ..link(1, 2, false) }];
        span(Span { links, ..bare() }).references[0].ref_type
    };
    assert_eq!(of(vec![text("opentracing.ref_type", "follows_from")]), 1);
    assert_eq!(of(vec![text("opentracing.ref_type", "CHILD_OF")]), 1);
    assert_eq!(of(vec![pair("opentracing.ref_type", Value::BytesValue(b"child_of".into()))]), 1);
    let child = text("opentracing.ref_type", "child_of");
    assert_eq!(of(vec![text("a", "b"), child.clone()]), 0);
    assert_eq!(of(vec![text("opentracing.ref_type", ""), child]), 1);
}

#[test]
fn events_are_logs() {
    let event = |name: &str, attributes| Event {
        time_unix_nano: 1_000_000_002,
        name: name.into(),
        attributes,
        ..Event::default()
    };
    let events = vec![
        event("boom", vec![text("a", "b"), pair("n", Value::IntValue(1))]),
        event("", vec![]),
        event("boom", vec![text("a", "b"), pair("event", Value::BoolValue(true))]),
        Event::default(),
    ];
    let logs = span(Span { events, ..bare() }).logs;
    let fields: Vec<_> = logs.iter().map(|log| tags(&log.fields)).collect();
    assert_eq!(fields[0], ["event STRING boom", "a STRING b", "n INT64 1"]);
    assert_eq!(fields[1], [""; 0]);
    assert_eq!(fields[2], ["a STRING b", "event BOOL true"], "the attribute stands for the name");
    assert_eq!(fields[3], [""; 0]);
    let times: Vec<_> = logs.iter().map(|log| log.timestamp).collect();
    assert_eq!(times, [time(1, 2), time(1, 2), time(1, 2), time(0, 0)]);
}

#[test]
fn the_rest_stays_unset() {
    let full = Span {
        flags: 0x301,
        dropped_attributes_count: 1,
        dropped_events_count: 2,
        dropped_links_count: 3,
        name: "GET /".into(),
        ..bare()
    };
    let expected = model::Span {
        trace_id: vec![7; 16],
        span_id: vec![8; 8],
        operation_name: b"GET /".into(),
        start_time: time(0, 0),
        duration: time(0, 0),
        ..model::Span::default()
    };
    assert_eq!(span(full), expected);
}

#[test]
fn spans_with_odd_ids_are_left_out_and_counted() {
    let odd = [
        Span { trace_id: vec![], ..bare() },
        Span { trace_id: vec![1; 8], ..bare() },
        Span { trace_id: vec![1; 17], ..bare() },
        Span { span_id: vec![], ..bare() },
        Span { span_id: vec![1; 16], ..bare() },
        Span { parent_span_id: vec![1; 7], ..bare() },
        Span { links: vec![Link { trace_id: vec![1; 15], ..link(1, 1, false) }], ..bare() },
        Span {
            links: vec![link(1, 1, false), Link { span_id: vec![1], ..link(1, 1, false) }],
            ..bare()
        },
    ];
    for span in odd {
        let alone = translated(vec![of(vec![text("a", "b")], vec![span.clone()])]);
        assert_eq!(alone, Translated { untranslatable: 1, ..Translated::default() }, "{span:?}");
        let among = translated(vec![of(vec![], vec![bare(), span, bare()])]);
        assert_eq!((among.untranslatable, among.requests[0].spans), (1, 2));
    }
}

/// The Go collector writes fields descending: the scope behind its spans.
#[test]
fn a_scope_behind_its_spans_is_theirs_all_the_same() {
    let scope = InstrumentationScope { name: "lib".into(), ..InstrumentationScope::default() };
    let mut scope_spans = Vec::new();
    scope_spans.put_bytes_field(2, &bare().encode_to_vec());
    scope_spans.put_bytes_field(1, &scope.encode_to_vec());
    let mut request = Vec::new();
    request.put_message(1, |out| out.put_bytes_field(2, &scope_spans));
    assert!(scan(Signal::Traces, &request).expect("OTLP").canonical);
    let translated = translate([&request[..]], usize::MAX);
    assert_eq!(tags(&batches(&translated)[0].spans[0].tags), ["otel.scope.name STRING lib"]);
}
