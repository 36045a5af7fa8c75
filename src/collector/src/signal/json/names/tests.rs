use opentelemetry_proto::tonic::logs::v1::SeverityNumber;
use opentelemetry_proto::tonic::metrics::v1::AggregationTemporality;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use super::*;
use crate::signal::{Signal, request};

#[test]
fn every_name_of_the_proto_files_is_known_and_no_other() {
    for number in -1..40 {
        let names = [
            ("kind", SpanKind::try_from(number).ok().map(|v| v.as_str_name())),
            ("code", StatusCode::try_from(number).ok().map(|v| v.as_str_name())),
            ("severityNumber", SeverityNumber::try_from(number).ok().map(|v| v.as_str_name())),
            (
                "aggregationTemporality",
                AggregationTemporality::try_from(number).ok().map(|v| v.as_str_name()),
            ),
        ];
        for (field, name) in names.into_iter().filter_map(|(field, name)| Some((field, name?))) {
            assert_eq!(enumeration(field, name), Some(number), "{name}");
            assert_eq!(enumeration(field, &name.to_lowercase()), None);
            assert_eq!(enumeration(field, &format!("{name} ")), None);
            assert_eq!(enumeration("flags", name), None);
        }
    }
    for wrong in ["", "SEVERITY_NUMBER_", "SEVERITY_NUMBER_TRACE1", "SEVERITY_NUMBER_TRACE5"] {
        assert_eq!(enumeration("severityNumber", wrong), None, "{wrong}");
    }
    assert_eq!(enumeration("severityNumber", "SEVERITY_NUMBER_4"), None);
    assert_eq!(enumeration("severityNumber", "SEVERITY_NUMBER_é"), None);
}

#[test]
fn a_key_names_a_field_in_either_spelling_and_in_no_mixture() {
    let logs = request(Signal::Logs);
    let found = |key: &str| field(logs, key.as_bytes()).map(|field| field.number);
    assert_eq!((found("resourceLogs"), found("resource_logs")), (Some(1), Some(1)));
    for wrong in ["", "resource", "resourcelogs", "resource_Logs", "ResourceLogs", "resource_logs_"]
    {
        assert_eq!(found(wrong), None, "{wrong}");
    }
}
