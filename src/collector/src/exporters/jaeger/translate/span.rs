//! An OTLP span as a Jaeger span (jaeger.api_v2 Span): ids, references, times, tags and logs. Knows
//! no batch and no resource.

use super::tags;
use crate::signal::otlp::{Event, Link, Scope, Span};
use crate::signal::view::View as _;
use crate::signal::wire::Write;

/// Fields of Span.
const TRACE_ID: u32 = 1;
const SPAN_ID: u32 = 2;
const OPERATION_NAME: u32 = 3;
const REFERENCES: u32 = 4;
const START_TIME: u32 = 6;
const DURATION: u32 = 7;
const TAGS: u32 = 8;
const LOGS: u32 = 9;

/// Fields of OTLP's Span.
const ATTRIBUTES: u32 = 9;
const EVENTS: u32 = 11;

/// Values of SpanRefType.
const CHILD_OF: u64 = 0;
const FOLLOWS_FROM: u64 = 1;

/// OTLP's status code of an error.
const ERROR: i32 = 2;

const TRACE_ID_LEN: usize = 16;
const SPAN_ID_LEN: usize = 8;
const NANOS: u64 = 1_000_000_000;

/// Whether Jaeger can take the ids: 16 bytes and 8. A parent may be empty, and a link may be to
/// nothing (pdata reads an empty id as zeros).
fn expressible(span: &Span<'_>) -> bool {
    let or_empty = |id: &[u8], length| id.is_empty() || id.len() == length;
    span.trace_id.len() == TRACE_ID_LEN
        && span.span_id.len() == SPAN_ID_LEN
        && or_empty(span.parent_span_id, SPAN_ID_LEN)
        && span.links.iter().all(|link| {
            or_empty(link.trace_id, TRACE_ID_LEN) && or_empty(link.span_id, SPAN_ID_LEN)
        })
}

/// The scope's tags, as fields of Span.
pub(super) fn scope(scope: &Scope<'_>, out: &mut Vec<u8>) {
    tags::put_string(TAGS, "otel.scope.name", scope.name, out);
    tags::put_string(TAGS, "otel.scope.version", scope.version, out);
}

/// The fields of a Span, from the bytes of OTLP's, with the scope's tags as [`scope`] made them; and
/// the span as read. None where Jaeger cannot take it, whatever was written then. Flags, process and
/// warnings stay unset, as in contrib. The bytes are walked over once, and attributes and events
/// written as they are come by.
pub(super) fn put<'a>(bytes: &'a [u8], scope: &[u8], out: &mut Vec<u8>) -> Option<Span<'a>> {
    out.extend_from_slice(scope);
    let span = Span::walk(bytes, |number, bytes| match number {
        ATTRIBUTES => tags::put(TAGS, bytes, out),
        EVENTS => log(&Event::parse(bytes), out),
        _ => {}
    });
    if !expressible(&span) {
        return None;
    }
    out.put_bytes_field(TRACE_ID, span.trace_id);
    out.put_bytes_field(SPAN_ID, span.span_id);
    tags::put_text(OPERATION_NAME, span.name, out);
    references(&span, out);
    put_time(START_TIME, span.start_time_unix_nano, out);
    // Jaeger refuses a request with a duration that does not fit Go's, 63 bits of nanoseconds.
    let duration = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
    put_time(DURATION, duration.min(i64::MAX.cast_unsigned()), out);
    own_tags(&span, out);
    Some(span)
}

/// What OTLP has fields for and Jaeger only tags.
fn own_tags(span: &Span<'_>, out: &mut Vec<u8>) {
    let status = span.status.map(|status| status.view());
    let (code, message) = status.map_or_else(Default::default, |it| (it.code, it.message));
    tags::put_known(TAGS, "span.kind", kind(span.kind), out);
    tags::put_known(TAGS, "otel.status_code", status_code(code), out);
    if code == ERROR {
        tags::put_true(TAGS, "error", out);
    }
    tags::put_string(TAGS, "otel.status_description", message, out);
    tags::put_string(TAGS, "w3c.tracestate", span.trace_state, out);
}

fn kind(kind: i32) -> &'static str {
    match kind {
        1 => "internal",
        2 => "server",
        3 => "client",
        4 => "producer",
        5 => "consumer",
        _ => "",
    }
}

fn status_code(code: i32) -> &'static str {
    match code {
        1 => "OK",
        ERROR => "ERROR",
        _ => "",
    }
}

/// The parent first, as backends look there for it, then the links. A link to the parent is no
/// second reference, but tells the first one's type (Jaeger's translator after v0.85).
fn references(span: &Span<'_>, out: &mut Vec<u8>) {
    let parent = span.parent_span_id;
    let root = parent.iter().all(|byte| *byte == 0);
    let is_parent = |link: &Link<'_>| !root && target(link) == (span.trace_id, parent);
    if !root {
        let types = span.links.iter().filter(is_parent).map(|link| reference_type(&link));
        reference((span.trace_id, parent), types.last().unwrap_or(CHILD_OF), out);
    }
    for link in span.links.iter().filter(|link| !is_parent(link)) {
        reference(target(&link), reference_type(&link), out);
    }
}

/// Trace and span that a link is to; zeros for what is empty.
fn target<'a>(link: &Link<'a>) -> (&'a [u8], &'a [u8]) {
    let or_zeros = |id: &'a [u8], zeros: &'static [u8]| if id.is_empty() { zeros } else { id };
    (or_zeros(link.trace_id, &[0; TRACE_ID_LEN]), or_zeros(link.span_id, &[0; SPAN_ID_LEN]))
}

/// FOLLOWS_FROM unless the attribute says otherwise (semantic conventions, OpenTracing).
fn reference_type(link: &Link<'_>) -> u64 {
    let child_of = tags::find(link.attributes, b"opentracing.ref_type")
        .is_some_and(|attribute| tags::string(attribute).0 == b"child_of");
    if child_of { CHILD_OF } else { FOLLOWS_FROM }
}

fn reference((trace_id, span_id): (&[u8], &[u8]), of: u64, out: &mut Vec<u8>) {
    out.put_message(REFERENCES, |out| {
        out.put_bytes_field(1, trace_id);
        out.put_bytes_field(2, span_id);
        out.put_varint_field(3, of);
    });
}

/// An event as a Log. Its name is the field `event`, unless an attribute is called so.
fn log(event: &Event<'_>, out: &mut Vec<u8>) {
    out.put_message(LOGS, |out| {
        put_time(1, event.time_unix_nano, out);
        if tags::find(event.attributes, b"event").is_none() {
            tags::put_string(2, "event", event.name, out);
        }
        event.attributes.bytes().for_each(|attribute| tags::put(2, attribute, out));
    });
}

/// Nanoseconds as a Timestamp or Duration, which have the same fields. Written also when 0: Go
/// reads a time that is not there as the year 1.
fn put_time(number: u32, nanos: u64, out: &mut Vec<u8>) {
    let (seconds, nanos) = (nanos / NANOS, nanos % NANOS);
    out.put_message(number, |out| {
        out.put_varint_field(1, seconds);
        out.put_varint_field(2, nanos);
    });
}
