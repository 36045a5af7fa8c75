use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric, number_data_point};
use prost::Message as _;

use super::*;
use crate::signal::json::tests::{SIGNALS, json, proto, request};
use crate::signal::scan::scan;

mod shapes;

const LOGS: Signal = Signal::Logs;

fn record(members: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{members}}}]}}]}}]}}"#)
}

/// The record that is read.
fn read(members: &str) -> LogRecord {
    let bytes = proto(LOGS, &record(members)).unwrap();
    assert!(scan(LOGS, &bytes).unwrap().canonical);
    let request = ExportLogsServiceRequest::decode(bytes.as_slice()).unwrap();
    request.resource_logs[0].scope_logs[0].log_records[0].clone()
}

fn body(value: &str) -> Option<Any> {
    read(&format!(r#""body":{value}"#)).body.unwrap().value
}

fn refused(members: &str) -> String {
    proto(LOGS, &record(members)).unwrap_err().to_string()
}

#[test]
fn a_span_as_the_specification_shows_it() {
    let text = r#"{"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "my.service"}}]},
        "scopeSpans": [{
            "scope": {"name": "my.library", "version": "1.0.0",
                "attributes": [{"key": "my.scope.attribute", "value": {"stringValue": "some"}}]},
            "spans": [{
                "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174",
                "parentSpanId": "EEE19B7EC3C1B173", "name": "I'm a server span",
                "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": 1544712661000000000,
                "kind": 2, "flags": 257, "status": {"code": 2, "message": "no"},
                "attributes": [{"key": "my.span.attr", "value": {"stringValue": "some value"}}],
                "links": [{"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "", "flags": 1}],
                "events": [{"timeUnixNano": "1", "name": "e"}]
            }]
        }]
    }]}"#;
    let bytes = proto(Signal::Traces, text).unwrap();
    let request = ExportTraceServiceRequest::decode(bytes.as_slice()).unwrap();
    let resource = &request.resource_spans[0];
    assert_eq!(resource.resource.as_ref().unwrap().attributes[0].key, "service.name");
    let scope = &resource.scope_spans[0];
    assert_eq!(scope.scope.as_ref().unwrap().version, "1.0.0");
    let span = &scope.spans[0];
    assert_eq!(span.trace_id, 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c_u128.to_be_bytes());
    assert_eq!(span.span_id, 0xeee1_9b7e_c3c1_b174_u64.to_be_bytes());
    assert_eq!(span.parent_span_id, 0xeee1_9b7e_c3c1_b173_u64.to_be_bytes());
    assert_eq!(span.start_time_unix_nano, 1_544_712_660_000_000_000);
    assert_eq!(span.end_time_unix_nano, 1_544_712_661_000_000_000);
    assert_eq!((span.kind, span.flags), (2, 257));
    let status = span.status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "no"));
    assert_eq!((span.links[0].flags, span.links[0].span_id.len()), (1, 0));
    assert_eq!(span.events[0].name, "e");
}

fn metric(text: &str) -> Metric {
    let text = format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{text}]}}]}}]}}"#);
    let bytes = proto(Signal::Metrics, &text).unwrap();
    let request = ExportMetricsServiceRequest::decode(bytes.as_slice()).unwrap();
    request.resource_metrics[0].scope_metrics[0].metrics[0].clone()
}

#[test]
fn metrics_as_the_specification_shows_them() {
    let Some(metric::Data::Sum(sum)) = metric(
        r#"{"name": "my.counter", "unit": "1", "description": "I am a Counter", "sum": {
            "aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "isMonotonic": true,
            "dataPoints": [{"asDouble": 5}, {"asInt": "-5"}, {"asInt": 0}, {}]}}"#,
    )
    .data
    else {
        panic!("no sum")
    };
    assert!(sum.is_monotonic && sum.aggregation_temporality == 1);
    let values: Vec<_> = sum.data_points.iter().map(|point| point.value).collect();
    let (double, int) = (number_data_point::Value::AsDouble, number_data_point::Value::AsInt);
    assert_eq!(values, [Some(double(5.0)), Some(int(-5)), Some(int(0)), None]);

    let Some(metric::Data::Histogram(histogram)) = metric(
        r#"{"histogram": {"aggregationTemporality": 1, "dataPoints": [{"count": 2, "sum": 0,
            "bucketCounts": ["1", 1], "explicitBounds": [1, "2.5", "Infinity"], "min": 0,
            "max": null}]}}"#,
    )
    .data
    else {
        panic!("no histogram")
    };
    let point = &histogram.data_points[0];
    assert_eq!((point.sum, point.min, point.max), (Some(0.0), Some(0.0), None));
    assert_eq!(point.bucket_counts, [1, 1]);
    assert_eq!(point.explicit_bounds, [1.0, 2.5, f64::INFINITY]);

    let Some(metric::Data::ExponentialHistogram(histogram)) = metric(
        r#"{"exponentialHistogram": {"dataPoints": [{"scale": -3, "zeroCount": "1",
            "positive": {"offset": -2, "bucketCounts": ["18446744073709551615", 0]}}]}}"#,
    )
    .data
    else {
        panic!("no exponential histogram")
    };
    let point = &histogram.data_points[0];
    assert_eq!((point.scale, point.zero_count, &point.negative), (-3, 1, &None));
    let positive = point.positive.as_ref().unwrap();
    assert_eq!((positive.offset, &positive.bucket_counts), (-2, &vec![u64::MAX, 0]));
}

#[test]
fn of_a_key_given_twice_the_last_counts_and_lists_are_appended() {
    let found = read(
        r#""flags": 1, "attributes": [{"key": "a"}], "severityText": "x", "severity_text": "y",
        "attributes": [{"key": "b"}], "flags": 0, "timeUnixNano": 5, "timeUnixNano": null"#,
    );
    assert_eq!((found.flags, found.severity_text.as_str(), found.time_unix_nano), (0, "y", 5));
    let keys: Vec<_> = found.attributes.iter().map(|pair| pair.key.as_str()).collect();
    assert_eq!(keys, ["a", "b"]);
    let numbers = r#"{"histogram": {"dataPoints": [{"bucketCounts": [1], "count": 1,
        "bucketCounts": ["2"], "bucketCounts": []}]}}"#;
    let Some(metric::Data::Histogram(histogram)) = metric(numbers).data else { panic!() };
    assert_eq!(histogram.data_points[0].bucket_counts, [1, 2]);
}

#[test]
fn of_fields_that_exclude_one_another_the_last_counts() {
    let text = || Some(Any::StringValue("a".to_owned()));
    assert_eq!(body(r#"{"stringValue": "a", "intValue": 5}"#), Some(Any::IntValue(5)));
    assert_eq!(body(r#"{"intValue": 5, "stringValue": "a"}"#), text());
    assert_eq!(body(r#"{"intValue": 5, "stringValue": "a", "boolValue": null}"#), text());
    assert_eq!(body(r#"{"stringValue": "a", "intValue": 5, "stringValue": ""}"#).unwrap(), {
        Any::StringValue(String::new())
    });
    assert_eq!(body("{}"), None);
}

#[test]
fn more_keys_than_fields_are_refused() {
    let keys = |count| vec![r#""flags":0"#; count].join(",");
    assert_eq!(read(&keys(256)).flags, 0);
    assert!(
        refused(&keys(257)).contains("logRecords[0]: too many keys"),
        "{}",
        refused(&keys(257))
    );
    let unknown = vec![r#""x":0"#; 10_000].join(",");
    assert_eq!(read(&unknown), LogRecord::default());
}

#[test]
fn half_a_surrogate_pair_and_bytes_that_are_no_text_become_the_replacement() {
    let text = |text: &str| Some(Any::StringValue(text.to_owned()));
    assert_eq!(body(r#"{"stringValue": "\ud83d\ude00 a\ud83db\ude00\ud800"}"#), {
        text("😀 a\u{FFFD}b\u{FFFD}\u{FFFD}")
    });
    let mut bytes = record(r#""body": {"stringValue": "a?b"}, "?": "?""#).into_bytes();
    bytes.iter_mut().filter(|byte| **byte == b'?').for_each(|byte| *byte = 0xFF);
    let read = from_json(LOGS, &bytes, 1000).unwrap();
    assert_eq!(read, proto(LOGS, &record(r#""body": {"stringValue": "a\ufffdb"}"#)).unwrap());
    assert_eq!(body(r#"{"\u0073tringValue": "\u0000\"\\\/\b\f\n\r\t"}"#), {
        text("\0\"\\/\u{8}\u{c}\n\r\t")
    });
}

#[test]
fn a_document_is_one_object() {
    let error = |text: &str| proto(LOGS, text).unwrap_err().to_string();
    assert_eq!(proto(LOGS, " {} \n"), Ok(Vec::new()));
    assert_eq!(error("null"), "expected an object, found null");
    assert_eq!(error("[]"), "expected an object, found an array");
    assert_eq!(error("\"x\""), "expected an object, found the string \"x\"");
    for text in ["", " ", "{", "{}{}", "{} x", "\u{feff}{}", "{,}", "{'a':1}", "{\"a\":}", "x"] {
        assert!(error(text).starts_with("no valid JSON: "), "{text}: {}", error(text));
    }
}

#[test]
fn an_error_tells_where_and_little_of_the_input() {
    let text = r#"{"resourceSpans":[{"scopeSpans":[{},{"spans":[{},{},{},{"traceId":"xyz"}]}]}]}"#;
    assert_eq!(
        proto(Signal::Traces, text).unwrap_err().to_string(),
        "resourceSpans[0].scopeSpans[1].spans[3].traceId: expected 32 hexadecimal digits or none, \
         found the string \"xyz\""
    );
    let long = "é".repeat(5000);
    let shown = format!("found the string \"{}\"...", "é".repeat(64));
    assert!(refused(&format!(r#""traceId": "{long}""#)).ends_with(&shown));
    let long = refused(&format!(r#""flags": {}.5"#, "9".repeat(300)));
    assert!(long.len() < 200 && long.contains("an unsigned number of 32 bits"), "{long}");
    let wrong = refused(r#""severityText": 5"#);
    assert!(wrong.ends_with("severityText: expected a string, found a value of another type"));
    let deep =
        refused(r#""attributes":[{"value":{"arrayValue":{"values":[{},{"intValue":{}}]}}}]"#);
    let path = "logRecords[0].attributes[0].value.arrayValue.values[1].intValue: ";
    assert!(deep.contains(path), "{deep}");
    let syntax = refused(r#""attributes":[{"key": tru}]"#);
    assert!(syntax.contains("attributes[0].key: no valid JSON: "), "{syntax}");
}

#[test]
fn a_document_cut_short_is_refused_wherever_it_is_cut() {
    let choices: Vec<u8> =
        (1..600u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    for signal in SIGNALS {
        let bytes = request(signal, &choices, true);
        let text = json(signal, &[&bytes]);
        assert!(text.len() > 500, "{text}");
        for end in 0..text.len() {
            let cut = from_json(signal, &text.as_bytes()[..end], 1 << 20);
            assert!(matches!(cut, Err(JsonError::Syntax { .. })), "{cut:?}");
        }
    }
}

#[test]
fn what_is_larger_in_protobuf_than_allowed_is_refused() {
    let counts = vec!["1"; 1000].join(",");
    let numbers = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"histogram":
        {{"dataPoints":[{{"bucketCounts":[{counts}]}}]}}}}]}}]}}]}}"#
    );
    let empty = format!(r#"{{"resourceMetrics":[{}]}}"#, vec!["null"; 1000].join(","));
    for text in [&numbers, &empty] {
        let bytes = proto(Signal::Metrics, text).unwrap();
        let limited = |max| from_json(Signal::Metrics, text.as_bytes(), max);
        assert_eq!(limited(bytes.len()).as_ref(), Ok(&bytes));
        for max_bytes in [0, 1, bytes.len() / 2, bytes.len() - 1] {
            assert_eq!(limited(max_bytes), Err(JsonError::TooLarge { max_bytes }));
        }
    }
}

/// The limit holds while reading, not only in the end: what comes after it is not looked at.
#[test]
fn reading_stops_at_the_limit() {
    let elements = format!(r#"{{"resourceLogs":[{}"#, "{},".repeat(100));
    let keys = record(&format!(r#""severityText":"{}","#, "a".repeat(100)));
    let packed = r#"{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"histogram":
        {"dataPoints":[{"explicitBounds":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,"#;
    for (signal, text) in [(LOGS, &*elements), (LOGS, &*keys), (Signal::Metrics, packed)] {
        let read = |max_bytes| from_json(signal, text.as_bytes(), max_bytes);
        assert_eq!(read(90), Err(JsonError::TooLarge { max_bytes: 90 }), "{text}");
        assert!(matches!(read(900), Err(JsonError::Syntax { .. })), "{text}");
    }
}

/// A body of `levels` arrays within one another. The body itself is the fifth
/// message, each level two more, but the innermost one.
fn nested(levels: usize, innermost: &str) -> String {
    let open = r#"{"arrayValue":{"values":["#.repeat(levels - 1);
    let close = "]}}".repeat(levels - 1);
    record(&format!(r#""body":{open}{{"arrayValue":{innermost}}}{close}"#))
}

#[test]
fn nesting_ends_where_scan_ends_it() {
    let deepest = proto(LOGS, &nested(30, "{}")).unwrap();
    assert!(scan(LOGS, &deepest).is_ok());
    assert_eq!(json(LOGS, &[&deepest]).matches("arrayValue").count(), 30);
    for (levels, innermost) in [(30, r#"{"values":[{}]}"#), (31, "{}"), (10_000, "{}")] {
        let deep = proto(LOGS, &nested(levels, innermost));
        assert!(matches!(deep, Err(JsonError::TooDeep { .. })), "{deep:?}");
    }
    let lists = r#"{"kvlistValue":{"values":[{"value":"#;
    let text = record(&format!(r#""body":{}"#, lists.repeat(10_000)));
    assert!(matches!(proto(LOGS, &text), Err(JsonError::TooDeep { .. })));
}

#[test]
fn nesting_in_what_is_ignored_or_wrong_needs_no_stack() {
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"body":"#, "}]")] {
        let deep = format!("{}0{}", open.repeat(10_000), close.repeat(10_000));
        assert_eq!(read(&format!(r#""unknown":{deep}"#)), LogRecord::default());
        let cut = proto(LOGS, &record(&format!(r#""unknown":{}"#, open.repeat(10_000))));
        assert!(matches!(cut, Err(JsonError::Syntax { .. })));
        let wrong = proto(LOGS, &record(&format!(r#""flags":{deep}"#)));
        assert!(matches!(wrong, Err(JsonError::Value { .. })));
    }
}
