//! JSON that is no OTLP: values of every wrong form in every place, text that is no JSON, nesting
//! without end. The forms are those of ProtoJSON with OTLP's own rules for ids (OTLP specification,
//! JSON Protobuf Encoding).

use serde_json::{Value, json};

use super::Victim;
use crate::web::{Answer, Version, Web};

const JSON: (&str, &str) = ("content-type", "application/json");

/// Every field of a trace request that has a form of its own, with a good value.
fn good() -> Value {
    let attribute = json!({"key": "k", "value": {"stringValue": "v"}});
    let values = json!({"values": [
        {"boolValue": true}, {"intValue": "7"}, {"doubleValue": 0.5}, {"bytesValue": "AAEC"},
        {"kvlistValue": {"values": [attribute]}},
    ]});
    let status = json!({"message": "m", "code": 1});
    let event = json!({"timeUnixNano": "1", "name": "e", "attributes": [attribute],
        "droppedAttributesCount": 1});
    let link = json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
        "traceState": "a=b", "attributes": [attribute], "flags": 1});
    let span = json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174",
        "parentSpanId": "eee19b7ec3c1b173", "traceState": "a=b", "flags": 1, "name": "n", "kind": 2,
        "startTimeUnixNano": "1544712660000000000", "endTimeUnixNano": "1544712661000000000",
        "attributes": [attribute, {"key": "list", "value": {"arrayValue": values}}],
        "droppedAttributesCount": 1, "events": [event], "links": [link], "status": status});
    json!({"resourceSpans": [{
        "resource": {"attributes": [attribute], "droppedAttributesCount": 1},
        "scopeSpans": [{"scope": {"name": "s", "version": "1"}, "spans": [span], "schemaUrl": "u"}],
        "schemaUrl": "u",
    }]})
}

/// Pointers (RFC 6901) to every value within one.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(list) => {
            for (index, element) in list.iter().enumerate() {
                places(element, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(map) => {
            for (key, element) in map {
                places(element, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

/// Whether a value of this form can stand where that one is.
fn can_stand(new: &Value, old: &Value, place: &str) -> bool {
    match (new, old) {
        (Value::Object(_), Value::Object(_)) | (Value::Array(_), Value::Array(_)) => true,
        (Value::Bool(_), Value::Bool(_)) => true,
        // 64-bit numbers are text or numbers; so are the others (ProtoJSON).
        (Value::Number(_), Value::Number(_)) => true,
        (Value::Number(_), Value::String(_)) => {
            place.ends_with("Nano") || place.ends_with("/intValue")
        }
        // The text tried is no number, no id, no base64 and no name of an enumeration's value.
        (Value::String(_), Value::String(_)) => {
            !(place.ends_with("Nano")
                || place.ends_with("/intValue")
                || place.ends_with("Id")
                || place.ends_with("/bytesValue"))
        }
        // Absent.
        (Value::Null, _) => !place.is_empty(),
        _ => false,
    }
}

async fn post(web: &mut Web, body: impl Into<Vec<u8>>) -> Answer {
    web.post("/v1/traces", &[JSON], body.into()).await.expect("an answer")
}

/// The answer is a google.rpc.Status in JSON.
fn assert_status(answer: &Answer, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {:?}", answer.body);
    assert_eq!(answer.headers["content-type"], "application/json");
    let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(body["code"], 3, "{what}: {body}");
    assert!(body["message"].as_str().is_some_and(|text| !text.is_empty()), "{what}: {body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_form_in_every_place() {
    let victim = Victim::start().await;
    let good = good();
    let mut found = Vec::new();
    places(&good, "", &mut found);
    assert!(found.len() > 70, "{}", found.len());
    let forms = [Value::Null, json!(true), json!(1), json!("no, thanks!"), json!([]), json!({})];
    let mut wrong = 0;
    for version in Version::ALL {
        let mut web = victim.web(version);
        assert_eq!(post(&mut web, good.to_string()).await.status, 200);
        for place in &found {
            for form in &forms {
                let mut changed = good.clone();
                let old = changed.pointer_mut(place).expect("a place");
                let stands = can_stand(form, old, place);
                *old = form.clone();
                let answer = post(&mut web, changed.to_string()).await;
                let what = format!("{form} at {place:?}");
                if stands {
                    assert_eq!(answer.status, 200, "{what}: {:?}", answer.body);
                } else {
                    assert_status(&answer, &what);
                    wrong += 1;
                }
            }
        }
    }
    assert!(wrong > 300, "{wrong}");
    victim.was_well().await;
}

/// Around a value of a span.
fn span(field: &str) -> String {
    format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{{field}}}]}}]}}]}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn values_out_of_range_and_text_that_is_no_json() {
    let victim = Victim::start().await;
    let values = [
        r#""startTimeUnixNano":"-1""#,
        r#""startTimeUnixNano":-1"#,
        r#""startTimeUnixNano":"18446744073709551616""#,
        r#""startTimeUnixNano":1.5"#,
        r#""startTimeUnixNano":"""#,
        r#""startTimeUnixNano":" 1""#,
        r#""droppedAttributesCount":4294967296"#,
        r#""droppedAttributesCount":-1"#,
        r#""kind":2147483648"#,
        r#""flags":1e99"#,
        r#""traceId":"5b8efff798038103d269b633813fc60""#,
        r#""traceId":"5b8efff798038103d269b633813fc60x""#,
        r#""attributes":[{"key":"k","value":{"intValue":"9223372036854775808"}}]"#,
        r#""attributes":[{"key":"k","value":{"doubleValue":"one"}}]"#,
        r#""attributes":[{"key":"k","value":{"bytesValue":"*"}}]"#,
    ];
    let texts: [&[u8]; 21] = [
        b"",
        b" ",
        b"{",
        b"}",
        b"{]",
        b"[}",
        b"{\"",
        b"{\"resourceSpans\"",
        b"{\"resourceSpans\":",
        b"{\"resourceSpans\":[",
        b"{\"resourceSpans\":[]",
        b"{\"resourceSpans\":[]}}",
        b"{\"resourceSpans\":[],}",
        b"{\"resourceSpans\":[,]}",
        b"{resourceSpans:[]}",
        b"{'resourceSpans':[]}",
        b"{} {}",
        b"{}x",
        b"{\"a\":NaN}",
        b"{\"a\":01}",
        b"\xef\xbb\xbf{}",
    ];
    for version in Version::ALL {
        let mut web = victim.web(version);
        for value in values {
            assert_status(&post(&mut web, span(value)).await, value);
        }
        for text in texts {
            let what = String::from_utf8_lossy(text);
            assert_status(&post(&mut web, text.to_vec()).await, &what);
        }
        // Characters that are none cost no item (docs/compatibility.md).
        assert_eq!(post(&mut web, span(r#""name":"\ud800""#)).await.status, 200);
        let no_text = b"{\"resourceSpans\":[{\"schemaUrl\":\"\xff\"}]}";
        assert_eq!(post(&mut web, no_text.as_slice()).await.status, 200);
        let control = span("\"name\":\"a\nb\"");
        assert_eq!(post(&mut web, control).await.status, 200);
        // Cut short at every byte.
        let whole = good().to_string();
        for length in 0..whole.len() {
            assert_status(&post(&mut web, &whole.as_bytes()[..length]).await, "cut short");
        }
    }
    victim.was_well().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_without_end() {
    const DEEP: usize = 10_000;
    let victim = Victim::start().await;
    let value = |depth: usize| {
        let open = r#"{"arrayValue":{"values":["#.repeat(depth);
        let close = "]}}".repeat(depth);
        span(&format!(r#""attributes":[{{"key":"k","value":{open}{{"intValue":1}}{close}}}]"#))
    };
    let kvlist = r#"{"kvlistValue":{"values":[{"key":"k","value":"#.repeat(DEEP);
    let close = "}]}}".repeat(DEEP);
    let maps = format!(r#""attributes":[{{"key":"k","value":{kvlist}{{}}{close}}}]"#);
    let texts = [
        "[".repeat(DEEP),
        r#"{"a":"#.repeat(DEEP),
        format!(r#"{{"resourceSpans":{}"#, "[".repeat(DEEP)),
        format!(r#"{{"resourceSpans":{}{}}}"#, "[".repeat(DEEP), "]".repeat(DEEP)),
        r#"{"resourceSpans":[{"scopeSpans":["#.repeat(DEEP),
        value(DEEP),
        span(&maps),
        // Never closed, below a key that nobody knows.
        format!(r#"{{"unknown":{}"#, "[".repeat(DEEP)),
    ];
    for version in Version::ALL {
        let mut web = victim.web(version);
        for text in &texts {
            assert_status(&post(&mut web, text.as_str()).await, &text[..text.len().min(60)]);
        }
        assert_eq!(post(&mut web, value(10)).await.status, 200);
        // Unknown keys are ignored, whatever is below them: without following it.
        let closed = format!(r#"{{"unknown":{}{}}}"#, "[".repeat(DEEP), "]".repeat(DEEP));
        assert_eq!(post(&mut web, closed).await.status, 200);
    }
    victim.was_well().await;
}
