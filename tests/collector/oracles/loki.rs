//! The loki exporter beside that of otelcol v0.130, the last that had it: what is pushed.

mod model;

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use obspipe_backends::{Answer, Capture, Received, Release};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use prost::Message as _;

use self::model::{PushRequest, labels};
use super::generate::{Dice, logs_for_loki, spoil, text};
use super::{Differences, LOGS, Pair, REQUESTS, assert_same};

/// Without a queue the answer comes when the backend has answered. Without retries, as otelcol
/// sends again what was taken with what no header can say.
const CONFIGURATION: &str = "
receivers:
  otlp: { protocols: { grpc: { endpoint: '{grpc}' } } }
exporters:
  loki:
    endpoint: 'http://{loki}/loki/api/v1/push'
    sending_queue: { enabled: false }
    retry_on_failure: { enabled: false }
service:
  pipelines:
    logs: { receivers: [otlp], exporters: [loki] }
";

const SECTION: &str = "loki exporter (v0.130)";

const ASCII: &str = "names of labels are ASCII";
const LOSSY: &str = "values of labels are UTF-8";

/// By tenant and labels: times and lines.
type Streams = BTreeMap<(String, BTreeMap<String, Bytes>), Vec<(i128, String)>>;

async fn pair() -> ([Capture; 2], Pair) {
    let start = async || Capture::http(|_| Answer::status(204)).await.expect("a backend");
    let backends = [start().await, start().await];
    let named = [("{loki}", backends.each_ref().map(Capture::address))];
    let pair = Pair::start(Release::Loki, CONFIGURATION, &named).await;
    (backends, pair)
}

/// What was pushed since the last time.
fn arrived(backend: &Capture) -> Streams {
    let received = backend.received();
    backend.forget();
    let mut all = Streams::new();
    for request in &received {
        assert_eq!(request.path, "/loki/api/v1/push");
        assert_eq!(request.headers["content-type"], "application/x-protobuf");
        let tenant = request.headers.get("x-scope-orgid").map_or("", |it| it.to_str().unwrap());
        for stream in pushed(request).streams {
            let entries = all.entry((tenant.to_owned(), labels(&stream.labels))).or_default();
            for entry in stream.entries {
                let time = entry.timestamp.expect("a time");
                let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
                entries.push((if is_now(nanos) { 0 } else { nanos }, entry.line));
            }
        }
    }
    all
}

fn pushed(request: &Received) -> PushRequest {
    let bytes = snap::raw::Decoder::new().decompress_vec(&request.body).expect("snappy");
    PushRequest::decode(&bytes[..]).expect("a push")
}

/// A record without a time gets the time it is; the generated ones are years ago.
fn is_now(nanos: i128) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_nanos();
    (nanos - i128::try_from(now).unwrap()).abs() < 600_000_000_000
}

/// Makes of their streams ours.
fn as_ours(theirs: Streams, differences: &mut Differences) -> Streams {
    let mut all = Streams::new();
    for ((tenant, labels), entries) in theirs {
        let mut written = BTreeMap::new();
        for (name, value) in labels {
            differences.met(ASCII, usize::from(!name.is_ascii()));
            differences.met(LOSSY, usize::from(std::str::from_utf8(&value).is_err()));
            let value = String::from_utf8_lossy(&value).into_owned();
            written.insert(in_ascii(name), value.into());
        }
        all.entry((tenant, written)).or_default().extend(entries);
    }
    all
}

/// A name that starts with one underscore gets `key`, as one that starts with a digit does.
fn in_ascii(name: String) -> String {
    if name.is_ascii() {
        return name;
    }
    let name: String = name.chars().map(|it| if it.is_ascii() { it } else { '_' }).collect();
    let one = name.starts_with('_') && !name.starts_with("__");
    if one { format!("key{name}") } else { name }
}

/// Takes out what otelcol drops or loses: the cases below are of it.
fn tame(request: &mut ExportLogsServiceRequest, logfmt: bool) {
    for resource in &mut request.resource_logs {
        if let Some(resource) = &mut resource.resource {
            tame_attributes(&mut resource.attributes);
        }
        for scope in &mut resource.scope_logs {
            if let Some(scope) = &mut scope.scope {
                tame_attributes(&mut scope.attributes);
            }
            for record in &mut scope.log_records {
                tame_attributes(&mut record.attributes);
                record.body.iter_mut().for_each(tame_value);
                match record.body.as_mut().and_then(|body| body.value.as_mut()) {
                    Some(Value::StringValue(text)) if logfmt => *text = text.replace('\n', "\t"),
                    Some(Value::KvlistValue(map)) if logfmt => name_keys(&mut map.values),
                    _ => {}
                }
            }
        }
    }
}

fn tame_attributes(pairs: &mut [KeyValue]) {
    for pair in pairs {
        if pair.key.is_empty() {
            pair.key.push('k');
        }
        pair.value.iter_mut().for_each(tame_value);
    }
}

/// There is no NaN and no infinity in JSON.
fn tame_value(value: &mut AnyValue) {
    match &mut value.value {
        Some(Value::DoubleValue(double)) if !double.is_finite() => *double = 1.5,
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(tame_value),
        Some(Value::KvlistValue(map)) => {
            map.values.iter_mut().filter_map(|it| it.value.as_mut()).for_each(tame_value);
        }
        _ => {}
    }
}

/// A key of which logfmt can show nothing.
fn name_keys(pairs: &mut [KeyValue]) {
    for pair in pairs {
        if pair.key.chars().all(|char| char <= ' ' || matches!(char, '=' | '"' | '\u{fffd}')) {
            pair.key.push('k');
        }
        if let Some(Value::KvlistValue(map)) = pair.value.as_mut().and_then(|it| it.value.as_mut())
        {
            name_keys(&mut map.values);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_pushed_as_by_otelcol() {
    let (backends, mut pair) = pair().await;
    let mut differences = Differences::new(SECTION, &[ASCII, LOSSY]);
    let mut dice = Dice::new(3);
    let mut lines = 0;
    for number in 0..REQUESTS {
        let logfmt = number % 2 == 1;
        let formats: &[&str] = if logfmt { &["logfmt", "logfmt", "raw"] } else { &["json", "xml"] };
        let mut request = logs_for_loki(&mut dice, formats);
        tame(&mut request, logfmt);
        let request = spoil(request.encode_to_vec());
        // Where nothing could be translated otelcol tells the client.
        let [code, _] = pair.export(LOGS, &request, &request).await;
        assert_eq!(code, 0);
        let [ours, theirs] = backends.each_ref().map(arrived);
        let theirs = as_ours(theirs, &mut differences);
        if ours != theirs {
            assert_same(&ours, &theirs, &format!("request {number}"));
        }
        lines += ours.values().map(Vec::len).sum::<usize>();
    }
    assert!(lines > REQUESTS, "{lines} lines are too few to tell");
    differences.end();
}

/// A record by its body and attributes, and what is pushed of it: by us and by otelcol.
struct Case {
    name: &'static str,
    body: Value,
    attributes: Vec<KeyValue>,
    ours: Option<&'static str>,
    theirs: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let body = |text: &str| Value::StringValue(text.into());
    let logfmt = || vec![text("loki.format", "logfmt")];
    let odd = KeyValueList { values: vec![text("=", "v"), text("k", "w")] };
    let tenant = vec![text("loki.tenant", "tenant.id"), text("tenant.id", "team\n1")];
    vec![
        Case {
            name: "NaN and infinities are text in JSON",
            body: Value::DoubleValue(f64::NAN),
            attributes: Vec::new(),
            ours: Some(r#"{"body":"NaN"}"#),
            theirs: None,
        },
        Case {
            name: "logfmt keeps all lines of a body",
            body: body("first=1\nsecond=2"),
            attributes: logfmt(),
            ours: Some("msg=\"first=1\\nsecond=2\""),
            theirs: Some("first=1"),
        },
        Case {
            name: "logfmt has a key for everything",
            body: Value::KvlistValue(odd),
            attributes: logfmt(),
            ours: Some("_=v k=w"),
            theirs: None,
        },
        Case {
            name: "a tenant that no header can have is dropped alone",
            body: body("x"),
            attributes: tenant,
            ours: None,
            theirs: None,
        },
    ]
}

/// What differs, and that a neighbour in the request does not suffer.
#[tokio::test(flavor = "multi_thread")]
async fn what_otelcol_loses_is_pushed() {
    let (backends, mut pair) = pair().await;
    for Case { name, body, attributes, ours, theirs } in cases() {
        let mut differences = Differences::new(SECTION, &[name]);
        let record = |body: Value, attributes: Vec<KeyValue>| LogRecord {
            time_unix_nano: 1_700_000_000_000_000_000,
            body: Some(AnyValue { value: Some(body) }),
            attributes,
            ..LogRecord::default()
        };
        let raw = vec![text("loki.format", "raw")];
        let log_records =
            vec![record(body, attributes), record(Value::StringValue("beside".into()), raw)];
        let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
        let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
        let request = ExportLogsServiceRequest { resource_logs }.encode_to_vec();
        let [code, _] = pair.export(LOGS, &request, &request).await;
        assert_eq!(code, 0, "{name}");
        let lines = backends.each_ref().map(|backend| {
            let streams = arrived(backend);
            streams.into_values().flatten().map(|(_, line)| line).collect::<Vec<_>>()
        });
        let wanted = |line: Option<&str>| -> Vec<String> {
            line.into_iter().chain(["beside"]).map(str::to_owned).collect()
        };
        assert_eq!(lines, [wanted(ours), wanted(theirs)], "{name}");
        differences.met(name, 1);
        differences.end();
    }
}
