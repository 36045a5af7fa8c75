//! Spans in OTLP to batches in jaeger.api_v2 (contrib pkg/translator/jaeger v0.85.0). Here: which
//! spans make a batch and where it is cut; a span's own form is in `span`, a tag's in `tags`. Pure:
//! knows no connection, and never makes a message in memory but as the bytes sent.

mod json;
mod span;
mod tags;

use bytes::Bytes;

use crate::signal::otlp::{Resource, Scope, ScopeSpans, Traces};
use crate::signal::view::View;
use crate::signal::wire::{BYTES, Field, Fields, Raw, Write, varint_len};

/// How many times as long as the spans may be what is repeated with them: a Process with each
/// request, a scope's tags with each span. Bounds what megabytes of a resource or of a scope's name
/// become beside many small spans; nothing well-meant comes near.
const REPEATED: usize = 8;

/// Bytes of the shortest span that is sent: its two ids, and tag and length of each and of itself.
const SHORTEST_SPAN: usize = 2 + 2 + 16 + 2 + 8;

/// Fields of OTLP's ScopeSpans.
const SCOPE_SPANS_SCOPE: u32 = 1;
const SCOPE_SPANS_SPANS: u32 = 2;

/// Bytes kept before the spans for what stands before them: a tag and a length.
const HEAD: usize = 1 + 10;

/// PostSpansRequest.batch.
const BATCH: u32 = 1;
/// Batch.spans.
const SPANS: u32 = 1;
/// Batch.process.
const PROCESS: u32 = 2;

/// What became of spans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Translated {
    /// What is to be sent, in the order of the spans.
    pub requests: Vec<Request>,
    /// Spans left out, as an id has a length that Jaeger cannot express.
    pub untranslatable: u64,
    /// Spans that end before they start; they are sent with a duration of 0.
    pub negative_durations: u64,
}

/// A call of PostSpans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// An encoded `jaeger.api_v2.PostSpansRequest`.
    pub bytes: Bytes,
    /// Spans in it, at least one.
    pub spans: usize,
    /// After how many spans those of another client's request begin, rising.
    pub joints: Vec<usize>,
}

/// Translates scanned, canonical ExportTraceServiceRequests. Each ResourceSpans makes a request;
/// consecutive ones of a byte-equal resource share it, also where one export request ends and the
/// next begins. What is longer than `max_bytes` is split, its Process repeated; longer all the same
/// are a request of a single span, and those of a Process that nearly takes `max_bytes` alone.
/// Resources without spans make no request. A scope's tags are left out where they are eight times
/// as long as all that they were sent with.
#[must_use]
pub fn translate<'a>(
    requests: impl IntoIterator<Item = &'a [u8], IntoIter: Clone>,
    max_bytes: usize,
) -> Translated {
    let requests = requests.into_iter();
    let mut batch = Batch::new(max_bytes, requests.clone().map(<[u8]>::len).sum());
    let mut scope = Vec::new();
    for request in requests {
        for resource_spans in Traces::parse(request).resource_spans.iter() {
            batch.resource(resource_spans.resource.map_or(&[], |resource| resource.bytes));
            for scope_spans in resource_spans.scope_spans.bytes() {
                scope_tags(scope_spans, &mut scope);
                ScopeSpans::walk(scope_spans, |number, bytes| {
                    if number == SCOPE_SPANS_SPANS {
                        batch.span(bytes, &scope);
                    }
                });
            }
        }
        batch.joint();
    }
    batch.cut(batch.body.len(), batch.spans);
    batch.out
}

/// A scope's tags, as they stand in each of its spans.
fn scope_tags(scope_spans: &[u8], out: &mut Vec<u8>) {
    out.clear();
    // Mostly it stands first; it is looked for behind the spans only where it does not.
    let scope = match Fields::of(scope_spans).next() {
        Some(Field { number: SCOPE_SPANS_SCOPE, value: Raw::Bytes(scope), .. }) => scope,
        _ => ScopeSpans::parse(scope_spans).scope.map_or(&[][..], |scope| scope.bytes),
    };
    span::scope(&Scope::parse(scope), out);
    // Shorter ones cannot exceed the bound, whatever the number of spans, which is not counted then.
    if out.len() <= REPEATED * SHORTEST_SPAN {
        return;
    }
    let repeated = out.len().saturating_mul(ScopeSpans::parse(scope_spans).spans.len());
    if repeated / REPEATED > scope_spans.len() {
        out.clear();
    }
}

/// The batch being filled.
struct Batch<'a> {
    max_bytes: usize,
    /// The resource whose spans these are.
    resource: Option<&'a [u8]>,
    /// Its Process, as a field of Batch.
    process: Vec<u8>,
    /// Room for what stands before them, then the spans, as fields of Batch.
    body: Vec<u8>,
    spans: usize,
    joints: Vec<usize>,
    /// Bytes of what is still to be translated.
    expected: usize,
    out: Translated,
}

impl<'a> Batch<'a> {
    fn new(max_bytes: usize, source: usize) -> Self {
        Self {
            max_bytes,
            resource: None,
            process: Vec::new(),
            body: Vec::new(),
            spans: 0,
            joints: Vec::new(),
            expected: source.saturating_add(source / 2),
            out: Translated::default(),
        }
    }

    /// The spans that follow are this resource's.
    fn resource(&mut self, resource: &'a [u8]) {
        if self.resource == Some(resource) {
            return;
        }
        self.cut(self.body.len(), self.spans);
        if self.body.is_empty() {
            self.body = room(self.expected.min(self.max_bytes));
        }
        self.resource = Some(resource);
        self.process.clear();
        let resource = Resource::parse(resource);
        self.process.put_message(PROCESS, |out| tags::process(&resource, out));
    }

    fn span(&mut self, span: &[u8], scope: &[u8]) {
        let before = self.body.len();
        let mut put = None;
        self.body.put_long_message(SPANS, |out| put = span::put(span, scope, out));
        let Some(span) = put else {
            self.body.truncate(before);
            self.out.untranslatable += 1;
            return;
        };
        if span.end_time_unix_nano < span.start_time_unix_nano {
            self.out.negative_durations += 1;
        }
        let full = request_len(self.body.len() - HEAD + self.process.len()) > self.max_bytes;
        if full && before - HEAD >= self.process.len() / REPEATED {
            self.cut(before, self.spans);
        }
        self.spans += 1;
    }

    /// The spans that follow are another client's.
    fn joint(&mut self) {
        if self.spans > 0 && self.joints.last() != Some(&self.spans) {
            self.joints.push(self.spans);
        }
    }

    /// Makes a request of the first `end` bytes, which are so many spans, if any.
    fn cut(&mut self, end: usize, spans: usize) {
        if spans == 0 {
            return;
        }
        let (joints, rest) = divided(&self.joints, spans);
        let next = self.body.split_off(end);
        let room = if self.body.len() < self.body.capacity() / 2 {
            // What fills little of its room leaves it to those that follow.
            let mut small = Vec::with_capacity(end + self.process.len());
            small.extend_from_slice(&self.body);
            std::mem::replace(&mut self.body, small)
        } else {
            self.expected = self.expected.saturating_sub(end);
            room(self.expected.min(self.max_bytes))
        };
        let body = std::mem::replace(&mut self.body, room);
        self.body.truncate(HEAD);
        self.body.extend_from_slice(&next);
        self.out.requests.push(request(body, &self.process, spans, joints));
        self.spans -= spans;
        self.joints = rest;
    }
}

/// Length of a request whose Batch has so many bytes.
fn request_len(batch: usize) -> usize {
    1 + varint_len(batch as u64) + batch
}

/// The joints of what is cut after so many spans, and of the rest.
fn divided(joints: &[usize], spans: usize) -> (Vec<usize>, Vec<usize>) {
    let (first, rest) = joints.split_at(joints.partition_point(|joint| *joint <= spans));
    let first = first.iter().copied().filter(|joint| *joint < spans).collect();
    (first, rest.iter().map(|joint| joint - spans).collect())
}

/// Where about so many bytes of spans will stand.
fn room(bytes: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(HEAD.saturating_add(bytes));
    body.resize(HEAD, 0);
    body
}

/// A request of a body and its process.
fn request(mut body: Vec<u8>, process: &[u8], spans: usize, joints: Vec<usize>) -> Request {
    body.extend_from_slice(process);
    let mut head = Vec::with_capacity(HEAD);
    head.put_tag(BATCH, BYTES);
    head.put_varint((body.len() - HEAD) as u64);
    let start = HEAD - head.len();
    body[start..HEAD].copy_from_slice(&head);
    Request { bytes: Bytes::from(body).slice(start..), spans, joints }
}

/// Two requests for the halves of one that was refused, as [`translate`] made it; together they
/// have its spans in its order. It is halved between clients' requests where there are several.
/// None where there is nothing to halve: of a single span, or of bytes that are no such request.
#[must_use]
pub fn halve(request: &[u8], joints: &[usize]) -> Option<(Request, Request)> {
    let Raw::Bytes(batch) = Fields::of(request).find(|field| field.number == BATCH)?.value else {
        return None;
    };
    let process = Fields::of(batch).find(|field| field.number == PROCESS)?.written;
    let spans = || Fields::of(batch).take_while(|field| field.number == SPANS);
    let count = spans().count();
    let first = joints.get(joints.len() / 2).copied().unwrap_or(count / 2);
    if first == 0 || first >= count {
        return None;
    }
    let end: usize = spans().map(|field| field.written.len()).sum();
    let middle = spans().take(first).map(|field| field.written.len()).sum();
    let (one, other) = batch.get(..end)?.split_at_checked(middle)?;
    let (before, after) = divided(joints, first);
    let request = |spans: &[u8], count, joints| {
        let mut body = room(spans.len() + process.len());
        body.extend_from_slice(spans);
        self::request(body, process, count, joints)
    };
    Some((request(one, first, before), request(other, count - first, after)))
}

#[cfg(test)]
mod tests;
