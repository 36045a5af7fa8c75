//! The detailed form: every field on a line of its own.

use std::fmt::{self, Write};

use super::format::{Id, Time, severity, span_kind, status_code, value_type};
use super::{Attributes, points, value};
use crate::signal::as_string::Shown;
use crate::signal::otlp::{
    EntityRef, Event, Link, LogRecord, Logs, Metrics, Resource, Scope, Span, Traces,
};
use crate::signal::view::{Repeated, Sub, Text, View};

pub(super) fn traces(requests: &[&[u8]], out: &mut dyn Write) -> fmt::Result {
    let resources = requests.iter().flat_map(|bytes| Traces::parse(bytes).resource_spans.iter());
    for (index, one) in resources.enumerate() {
        writeln!(out, "ResourceSpans #{index}")?;
        resource(one.schema_url, one.resource, out)?;
        for (index, scope) in one.scope_spans.iter().enumerate() {
            self::scope("ScopeSpans", index, scope.schema_url, scope.scope, out)?;
            for (index, one) in scope.spans.iter().enumerate() {
                writeln!(out, "Span #{index}")?;
                span(&one, out)?;
            }
        }
    }
    Ok(())
}

pub(super) fn metrics(requests: &[&[u8]], out: &mut dyn Write) -> fmt::Result {
    let resources = requests.iter().flat_map(|bytes| Metrics::parse(bytes).resource_metrics.iter());
    for (index, one) in resources.enumerate() {
        writeln!(out, "ResourceMetrics #{index}")?;
        resource(one.schema_url, one.resource, out)?;
        for (index, scope) in one.scope_metrics.iter().enumerate() {
            self::scope("ScopeMetrics", index, scope.schema_url, scope.scope, out)?;
            for (index, metric) in scope.metrics.iter().enumerate() {
                writeln!(out, "Metric #{index}")?;
                points::metric(&metric, out)?;
            }
        }
    }
    Ok(())
}

pub(super) fn logs(requests: &[&[u8]], out: &mut dyn Write) -> fmt::Result {
    let resources = requests.iter().flat_map(|bytes| Logs::parse(bytes).resource_logs.iter());
    for (index, one) in resources.enumerate() {
        writeln!(out, "ResourceLog #{index}")?;
        resource(one.schema_url, one.resource, out)?;
        for (index, scope) in one.scope_logs.iter().enumerate() {
            self::scope("ScopeLogs", index, scope.schema_url, scope.scope, out)?;
            for (index, record) in scope.log_records.iter().enumerate() {
                writeln!(out, "LogRecord #{index}")?;
                log_record(&record, out)?;
            }
        }
    }
    Ok(())
}

fn resource(
    schema_url: Text<'_>,
    resource: Option<Sub<'_, Resource<'static>>>,
    out: &mut dyn Write,
) -> fmt::Result {
    writeln!(out, "Resource SchemaURL: {}", schema_url.lossy())?;
    let Some(resource) = resource.map(Sub::view) else { return Ok(()) };
    attributes("Resource attributes:", "     ->", resource.attributes, out)?;
    entity_refs(resource.entity_refs, out)
}

fn entity_refs(refs: Repeated<'_, EntityRef<'static>>, out: &mut dyn Write) -> fmt::Result {
    if refs.is_empty() {
        return Ok(());
    }
    out.write_str("Resource entity refs:\n")?;
    for (index, entity) in refs.iter().enumerate() {
        writeln!(out, "     -> Entity ref #{index}:")?;
        writeln!(out, "          -> Type: {}", entity.kind.lossy())?;
        if !entity.schema_url.is_empty() {
            writeln!(out, "          -> Schema URL: {}", entity.schema_url.lossy())?;
        }
        let keys = [("ID", entity.id_keys), ("Description", entity.description_keys)];
        for (name, keys) in keys {
            if keys.iter().next().is_some() {
                writeln!(out, "          -> {name} keys:")?;
            }
            for key in keys.iter() {
                writeln!(out, "               -> {}", key.lossy())?;
            }
        }
    }
    Ok(())
}

fn scope(
    kind: &str,
    index: usize,
    schema_url: Text<'_>,
    scope: Option<Sub<'_, Scope<'static>>>,
    out: &mut dyn Write,
) -> fmt::Result {
    writeln!(out, "{kind} #{index}")?;
    writeln!(out, "{kind} SchemaURL: {}", schema_url.lossy())?;
    let scope = scope.map_or(Scope::parse(&[]), Sub::view);
    writeln!(out, "InstrumentationScope {} {}", scope.name.lossy(), scope.version.lossy())?;
    attributes("InstrumentationScope attributes:", "     ->", scope.attributes, out)
}

/// Nothing where there are none.
pub(super) fn attributes(
    header: &str,
    prefix: &str,
    attributes: Attributes<'_>,
    out: &mut dyn Write,
) -> fmt::Result {
    if attributes.is_empty() {
        return Ok(());
    }
    writeln!(out, "{header}")?;
    for attribute in attributes.iter() {
        let value = value(attribute.value);
        let (kind, text) = (value_type(&value), Shown(&value));
        writeln!(out, "{prefix} {}: {kind}({text})", attribute.key.lossy())?;
    }
    Ok(())
}

fn span(span: &Span<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "    Trace ID       : {}", Id(span.trace_id))?;
    writeln!(out, "    Parent ID      : {}", Id(span.parent_span_id))?;
    writeln!(out, "    ID             : {}", Id(span.span_id))?;
    writeln!(out, "    Name           : {}", span.name.lossy())?;
    writeln!(out, "    Kind           : {}", span_kind(span.kind))?;
    if !span.trace_state.is_empty() {
        writeln!(out, "    TraceState     : {}", span.trace_state.lossy())?;
    }
    writeln!(out, "    Start time     : {}", Time(span.start_time_unix_nano))?;
    writeln!(out, "    End time       : {}", Time(span.end_time_unix_nano))?;
    let status = span.status.map(Sub::view);
    let (code, message) = status.map_or_else(Default::default, |s| (s.code, s.message));
    writeln!(out, "    Status code    : {}", status_code(code))?;
    writeln!(out, "    Status message : {}", message.lossy())?;
    writeln!(out, "    DroppedAttributesCount: {}", span.dropped_attributes_count)?;
    writeln!(out, "    DroppedEventsCount: {}", span.dropped_events_count)?;
    writeln!(out, "    DroppedLinksCount: {}", span.dropped_links_count)?;
    attributes("Attributes:", "     ->", span.attributes, out)?;
    events(span.events, out)?;
    links(span.links, out)
}

fn events(events: Repeated<'_, Event<'static>>, out: &mut dyn Write) -> fmt::Result {
    if !events.is_empty() {
        out.write_str("Events:\n")?;
    }
    for (index, event) in events.iter().enumerate() {
        writeln!(out, "SpanEvent #{index}")?;
        writeln!(out, "     -> Name: {}", event.name.lossy())?;
        writeln!(out, "     -> Timestamp: {}", Time(event.time_unix_nano))?;
        writeln!(out, "     -> DroppedAttributesCount: {}", event.dropped_attributes_count)?;
        attributes("     -> Attributes::", "          ->", event.attributes, out)?;
    }
    Ok(())
}

fn links(links: Repeated<'_, Link<'static>>, out: &mut dyn Write) -> fmt::Result {
    if !links.is_empty() {
        out.write_str("Links:\n")?;
    }
    for (index, link) in links.iter().enumerate() {
        writeln!(out, "SpanLink #{index}")?;
        writeln!(out, "     -> Trace ID: {}", Id(link.trace_id))?;
        writeln!(out, "     -> ID: {}", Id(link.span_id))?;
        writeln!(out, "     -> TraceState: {}", link.trace_state.lossy())?;
        writeln!(out, "     -> DroppedAttributesCount: {}", link.dropped_attributes_count)?;
        attributes("     -> Attributes::", "          ->", link.attributes, out)?;
    }
    Ok(())
}

fn log_record(record: &LogRecord<'_>, out: &mut dyn Write) -> fmt::Result {
    writeln!(out, "ObservedTimestamp: {}", Time(record.observed_time_unix_nano))?;
    writeln!(out, "Timestamp: {}", Time(record.time_unix_nano))?;
    writeln!(out, "SeverityText: {}", record.severity_text.lossy())?;
    let number = record.severity_number;
    writeln!(out, "SeverityNumber: {}({number})", severity(number))?;
    if !record.event_name.is_empty() {
        writeln!(out, "EventName: {}", record.event_name.lossy())?;
    }
    let body = value(record.body);
    writeln!(out, "Body: {}({})", value_type(&body), Shown(&body))?;
    attributes("Attributes:", "     ->", record.attributes, out)?;
    writeln!(out, "Trace ID: {}", Id(record.trace_id))?;
    writeln!(out, "Span ID: {}", Id(record.span_id))?;
    writeln!(out, "Flags: {}", record.flags)
}
