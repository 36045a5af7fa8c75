//! Log records; for loki with its hints.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

use super::{Dice, text};

/// A request of any records.
pub(in super::super) fn logs(dice: &mut Dice) -> ExportLogsServiceRequest {
    request(dice, |_| Vec::new())
}

/// A request of records of which some say how Loki is to be told of them, in `format`s.
pub(in super::super) fn logs_for_loki(
    dice: &mut Dice,
    formats: &[&str],
) -> ExportLogsServiceRequest {
    request(dice, |dice| hints(dice, formats))
}

fn request(dice: &mut Dice, more: impl Fn(&mut Dice) -> Vec<KeyValue>) -> ExportLogsServiceRequest {
    let resource_logs = dice.some(3, |dice| ResourceLogs {
        resource: dice.maybe(|dice| {
            let mut resource = dice.resource();
            resource.attributes.extend(more(dice));
            resource
        }),
        scope_logs: dice.some(2, |dice| ScopeLogs {
            scope: dice.maybe(Dice::scope),
            log_records: dice.up_to(4, |dice| {
                let mut record = record(dice);
                record.attributes.extend(more(dice));
                record
            }),
            schema_url: dice.of(&["", "https://schema/1"]).into(),
        }),
        schema_url: dice.of(&["", "https://schema/2"]).into(),
    });
    ExportLogsServiceRequest { resource_logs }
}

fn record(dice: &mut Dice) -> LogRecord {
    LogRecord {
        time_unix_nano: dice.time(),
        observed_time_unix_nano: dice.time(),
        severity_number: dice.below(26) as i32,
        severity_text: dice.text(),
        body: dice.maybe(|dice| match dice.below(3) {
            0 => AnyValue { value: Some(Value::StringValue(logfmt(dice))) },
            _ => dice.value(3),
        }),
        attributes: dice.attributes(),
        dropped_attributes_count: dice.count(),
        flags: dice.count(),
        trace_id: dice.id(16),
        span_id: dice.id(8),
        event_name: dice.text(),
    }
}

/// A body that is logfmt, or nearly.
fn logfmt(dice: &mut Dice) -> String {
    let bodies = [
        "level=info msg=\"two words\" took=3ms",
        "k=v msg=\"hello \\\"w\\u00f6rld\\ud83d\\ude00\" empty= flag",
        "k==",
        "k=\"not closed",
        "=v",
        "traceID=5 severity=low x=null",
        " a=b\tc=d ",
        "",
    ];
    dice.of(&bodies).into()
}

/// Hints in any order. The names in them differ also when sanitised: which of equal ones wins is by
/// chance in otelcol.
fn hints(dice: &mut Dice, formats: &[&str]) -> Vec<KeyValue> {
    let names = [
        "a.b",
        "b",
        "level",
        "service.name",
        "http.route",
        "c-d",
        "1x",
        "_y",
        "__z",
        "no.such",
        "",
        "été",
    ];
    dice.up_to(4, |dice| match dice.below(8) {
        0 | 1 => {
            let key = dice.of(&["loki.attribute.labels", "loki.resource.labels"]);
            let names = dice.up_to(3, |dice| format!("{} ", dice.of(&names)));
            text(key, &names.join(","))
        }
        2 => {
            let value = |name: &str| AnyValue { value: Some(Value::StringValue(name.into())) };
            let values = dice.up_to(3, |dice| value(dice.of(&names)));
            let value = AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) };
            let key = dice.of(&["loki.attribute.labels", "loki.resource.labels"]);
            KeyValue { value: Some(value), ..text(key, "") }
        }
        3 => text("loki.format", dice.of(formats)),
        4 => text("loki.tenant", dice.of(&["tenant.id", "no.such"])),
        5 => text("tenant.id", dice.of(&["team-1", "team-2", ""])),
        6 => {
            let key = dice.of(&["1x", "_y", "__z", "été"]);
            text(key, "promoted")
        }
        _ => {
            let key = dice.of(&["a.b", "b"]);
            dice.pair(key.to_owned(), 2)
        }
    })
}
