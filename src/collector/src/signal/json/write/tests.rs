use super::*;
use crate::signal::json::tests::json;
use crate::signal::wire::Write as _;

/// A request of one log record with these fields.
fn record(fields: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    out.put_message(1, |out| out.put_message(2, |out| out.put_message(2, fields)));
    out
}

fn shown(fields: impl FnOnce(&mut Vec<u8>)) -> String {
    let text = json(Signal::Logs, &[&record(fields)]);
    let before = r#"{"resourceLogs":[{"resource":{},"scopeLogs":[{"scope":{},"logRecords":["#;
    text.strip_prefix(before).unwrap().strip_suffix("]}]}]}").unwrap().to_owned()
}

#[test]
fn of_nothing_comes_an_empty_document() {
    assert_eq!(json(Signal::Traces, &[]), "{}");
    assert_eq!(json(Signal::Traces, &[&[], &[]]), "{}");
    let mut out = b"before ".to_vec();
    to_json(Signal::Metrics, &[], &mut out);
    assert_eq!(out, b"before {}");
}

#[test]
fn requests_become_one_document() {
    let one = record(|_| {});
    let text = json(Signal::Logs, &[&one, &[], &one]);
    let resource = r#"{"resource":{},"scopeLogs":[{"scope":{},"logRecords":[{"body":{}}]}]}"#;
    assert_eq!(text, format!(r#"{{"resourceLogs":[{resource},{resource}]}}"#));
}

#[test]
fn a_record_as_otelcol_writes_it() {
    let text = shown(|out| {
        out.put_fixed64_field(1, 1_544_712_660_300_000_000);
        out.put_varint_field(2, 10);
        out.put_bytes_field(3, b"Info\xFFrmation");
        out.put_message(5, |out| out.put_bytes_field(7, &[1, 2]));
        out.put_message(6, |out| {
            out.put_bytes_field(1, b"key");
            out.put_message(2, |out| out.put_varint_field(3, (-5i64).cast_unsigned()));
        });
        out.put_message(6, |_| {});
        out.put_varint_field(7, 1);
        out.put_bytes_field(9, &[0xAB; 16]);
        out.put_bytes_field(10, &[0; 8]);
        out.put_bytes_field(20, b"unknown");
    });
    let right = r#"{"timeUnixNano":"1544712660300000000","severityNumber":10,
        "severityText":"Info@rmation","body":{"bytesValue":"AQI="},
        "attributes":[{"key":"key","value":{"intValue":"-5"}},{"value":{}}],
        "droppedAttributesCount":1,"traceId":"abababababababababababababababab"}"#;
    assert_eq!(text, right.replace("\n        ", "").replace('@', "\u{FFFD}"));
}

#[test]
fn a_value_at_its_default_is_written_where_absent_is_another() {
    let value = |fields: fn(&mut Vec<u8>)| shown(|out| out.put_message(5, fields));
    assert_eq!(value(|out| out.put_bytes_field(1, b"")), r#"{"body":{"stringValue":""}}"#);
    assert_eq!(value(|out| out.extend([2 << 3, 0])), r#"{"body":{"boolValue":false}}"#);
    assert_eq!(value(|out| out.extend([3 << 3, 0])), r#"{"body":{"intValue":"0"}}"#);
    assert_eq!(value(|out| out.put_bytes_field(5, b"")), r#"{"body":{"arrayValue":{}}}"#);
    assert_eq!(value(|out| out.put_bytes_field(7, b"")), r#"{"body":{"bytesValue":""}}"#);
    // The same written out where it is none.
    assert_eq!(shown(|out| out.extend([2 << 3, 0, 7 << 3, 0])), r#"{"body":{}}"#);
}

#[test]
fn doubles_are_written_as_go_writes_them() {
    let shown = |value: f64| {
        let mut out = Vec::new();
        double(value, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    for (value, text) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (5.0, "5"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1e21, "1e21"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (-2.5e300, "-2.5e300"),
        (f64::MAX, "1.7976931348623157e308"),
        (f64::from_bits(1), "5e-324"),
        (f64::NAN, "\"NaN\""),
        (f64::INFINITY, "\"Infinity\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
    ] {
        assert_eq!(shown(value), text);
    }
}

#[test]
fn strings_are_escaped() {
    let mut out = Vec::new();
    let all: Vec<u8> = (0..=0x7f).collect();
    text(&all, &mut out);
    let read: String = serde_json::from_slice(&out).unwrap();
    assert_eq!(read.as_bytes(), all);
    out.clear();
    text("\u{1}\u{1f}\n\"\\é<".as_bytes(), &mut out);
    assert_eq!(String::from_utf8(out).unwrap(), r#""\u0001\u001f\n\"\\é<""#);
}

/// What no scan lets through: written as far as it goes, and no deeper than allowed.
#[test]
fn what_was_not_scanned_is_written_without_harm() {
    let mut deep = Vec::new();
    for _ in 0..1000 {
        let mut outer = Vec::new();
        outer.put_message(5, |out| out.put_bytes_field(1, &deep));
        deep = outer;
    }
    let text = shown(|out| out.put_bytes_field(5, &deep));
    assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
    for bytes in [&b"\x0a"[..], b"\x0a\x05a", b"\x08\x01", b"\x0f", b"\xff\xff"] {
        let text = json(Signal::Logs, &[bytes]);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
    }
}

#[test]
fn a_status_has_what_is_not_at_its_default() {
    assert_eq!(status_json(3, "no \"OTLP\"\n"), r#"{"code":3,"message":"no \"OTLP\"\n"}"#);
    assert_eq!(status_json(0, "a"), r#"{"message":"a"}"#);
    assert_eq!(status_json(14, ""), r#"{"code":14}"#);
    assert_eq!(status_json(0, ""), "{}");
}
