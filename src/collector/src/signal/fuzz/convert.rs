//! What views read, as the structs that prost decodes: to be compared with what prost itself reads.

use opentelemetry_proto::tonic::{
    collector::{logs::v1::ExportLogsServiceRequest, trace::v1::ExportTraceServiceRequest},
    common::v1 as common,
    logs::v1 as logs,
    resource::v1 as resource,
    trace::v1 as trace,
};

mod metrics;

use crate::signal::otlp::*;
use crate::signal::view::{Repeated, Text, View};

/// The struct of a view.
pub(crate) trait Convert {
    type Struct;
    fn convert(self) -> Self::Struct;
}

fn all<'a, M: View>(of: Repeated<'a, M>) -> Vec<<M::At<'a> as Convert>::Struct>
where
    M::At<'a>: Convert,
{
    of.iter().map(Convert::convert).collect()
}

fn text(text: Text<'_>) -> String {
    text.lossy().into_owned()
}

impl Convert for Traces<'_> {
    type Struct = ExportTraceServiceRequest;
    fn convert(self) -> Self::Struct {
        ExportTraceServiceRequest { resource_spans: all(self.resource_spans) }
    }
}

impl Convert for ResourceSpans<'_> {
    type Struct = trace::ResourceSpans;
    fn convert(self) -> Self::Struct {
        trace::ResourceSpans {
            resource: self.resource.map(|sub| sub.view().convert()),
            scope_spans: all(self.scope_spans),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for ScopeSpans<'_> {
    type Struct = trace::ScopeSpans;
    fn convert(self) -> Self::Struct {
        trace::ScopeSpans {
            scope: self.scope.map(|sub| sub.view().convert()),
            spans: all(self.spans),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for Logs<'_> {
    type Struct = ExportLogsServiceRequest;
    fn convert(self) -> Self::Struct {
        ExportLogsServiceRequest { resource_logs: all(self.resource_logs) }
    }
}

impl Convert for ResourceLogs<'_> {
    type Struct = logs::ResourceLogs;
    fn convert(self) -> Self::Struct {
        logs::ResourceLogs {
            resource: self.resource.map(|sub| sub.view().convert()),
            scope_logs: all(self.scope_logs),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for ScopeLogs<'_> {
    type Struct = logs::ScopeLogs;
    fn convert(self) -> Self::Struct {
        logs::ScopeLogs {
            scope: self.scope.map(|sub| sub.view().convert()),
            log_records: all(self.log_records),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for Resource<'_> {
    type Struct = resource::Resource;
    fn convert(self) -> Self::Struct {
        resource::Resource {
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
            entity_refs: all(self.entity_refs),
        }
    }
}

impl Convert for EntityRef<'_> {
    type Struct = common::EntityRef;
    fn convert(self) -> Self::Struct {
        common::EntityRef {
            schema_url: text(self.schema_url),
            r#type: text(self.kind),
            id_keys: self.id_keys.iter().map(text).collect(),
            description_keys: self.description_keys.iter().map(text).collect(),
        }
    }
}

impl Convert for Scope<'_> {
    type Struct = common::InstrumentationScope;
    fn convert(self) -> Self::Struct {
        common::InstrumentationScope {
            name: text(self.name),
            version: text(self.version),
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
        }
    }
}

impl Convert for KeyValue<'_> {
    type Struct = common::KeyValue;
    fn convert(self) -> Self::Struct {
        common::KeyValue {
            key: text(self.key),
            value: self.value.map(|sub| sub.view().convert()),
            ..Default::default()
        }
    }
}

impl Convert for AnyValue<'_> {
    type Struct = common::AnyValue;
    fn convert(self) -> Self::Struct {
        use common::any_value::Value;
        let value = None
            .or(self.string.map(|value| Value::StringValue(text(value))))
            .or(self.bool.map(Value::BoolValue))
            .or(self.int.map(Value::IntValue))
            .or(self.double.map(Value::DoubleValue))
            .or(self.array.map(|sub| Value::ArrayValue(sub.view().convert())))
            .or(self.kvlist.map(|sub| Value::KvlistValue(sub.view().convert())))
            .or(self.bytes_value.map(|value| Value::BytesValue(value.to_vec())));
        common::AnyValue { value }
    }
}

impl Convert for ArrayValue<'_> {
    type Struct = common::ArrayValue;
    fn convert(self) -> Self::Struct {
        common::ArrayValue { values: all(self.values) }
    }
}

impl Convert for KeyValueList<'_> {
    type Struct = common::KeyValueList;
    fn convert(self) -> Self::Struct {
        common::KeyValueList { values: all(self.values) }
    }
}

impl Convert for Span<'_> {
    type Struct = trace::Span;
    fn convert(self) -> Self::Struct {
        trace::Span {
            trace_id: self.trace_id.to_vec(),
            span_id: self.span_id.to_vec(),
            trace_state: text(self.trace_state),
            parent_span_id: self.parent_span_id.to_vec(),
            name: text(self.name),
            kind: self.kind,
            start_time_unix_nano: self.start_time_unix_nano,
            end_time_unix_nano: self.end_time_unix_nano,
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
            events: all(self.events),
            dropped_events_count: self.dropped_events_count,
            links: all(self.links),
            dropped_links_count: self.dropped_links_count,
            status: self.status.map(|sub| sub.view().convert()),
            flags: self.flags,
        }
    }
}

impl Convert for Event<'_> {
    type Struct = trace::span::Event;
    fn convert(self) -> Self::Struct {
        trace::span::Event {
            time_unix_nano: self.time_unix_nano,
            name: text(self.name),
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
        }
    }
}

impl Convert for Link<'_> {
    type Struct = trace::span::Link;
    fn convert(self) -> Self::Struct {
        trace::span::Link {
            trace_id: self.trace_id.to_vec(),
            span_id: self.span_id.to_vec(),
            trace_state: text(self.trace_state),
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
            flags: self.flags,
        }
    }
}

impl Convert for Status<'_> {
    type Struct = trace::Status;
    fn convert(self) -> Self::Struct {
        trace::Status { message: text(self.message), code: self.code }
    }
}

impl Convert for LogRecord<'_> {
    type Struct = logs::LogRecord;
    fn convert(self) -> Self::Struct {
        logs::LogRecord {
            time_unix_nano: self.time_unix_nano,
            severity_number: self.severity_number,
            severity_text: text(self.severity_text),
            body: self.body.map(|sub| sub.view().convert()),
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
            flags: self.flags,
            trace_id: self.trace_id.to_vec(),
            span_id: self.span_id.to_vec(),
            observed_time_unix_nano: self.observed_time_unix_nano,
            event_name: text(self.event_name),
        }
    }
}
