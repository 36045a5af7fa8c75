//! Requests that look random and are the same every time: values of all types and within one
//! another, fields present, empty and missing, several resources and scopes. What a comparison
//! leaves out it takes out itself.

mod logs;
mod metrics;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

pub(super) use logs::{logs, logs_for_loki};
pub(super) use metrics::{metrics, metrics_for_a_page};

/// Numbers that look random (splitmix64).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub(super) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    pub(super) fn of<T: Clone>(&mut self, all: &[T]) -> T {
        let at = self.below(all.len() as u64);
        all[usize::try_from(at).unwrap()].clone()
    }

    /// None to so many.
    pub(super) fn up_to<T>(&mut self, most: u64, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| one(self)).collect()
    }

    /// One to so many; now and then none.
    fn some<T>(&mut self, most: u64, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = if self.one_in(12) { 0 } else { 1 + self.below(most) };
        (0..count).map(|_| one(self)).collect()
    }

    /// Now and then there is none.
    pub(super) fn maybe<T>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.one_in(8) { None } else { Some(one(self)) }
    }

    /// A count that is mostly 0.
    fn count(&mut self) -> u32 {
        if self.one_in(4) { self.next() as u32 >> self.below(31) } else { 0 }
    }

    /// A time in nanoseconds: unknown, usual, or any.
    fn time(&mut self) -> u64 {
        match self.below(12) {
            0 => 0,
            1 => self.next() >> 1,
            _ => 1_700_000_000_000_000_000 + self.below(9_000_000_000),
        }
    }

    /// A double of any size.
    fn double(&mut self) -> f64 {
        let special =
            [0.0, -0.0, 1.0, 1e21, 1e-7, 999_999.0, f64::MAX, 5e-324, f64::NAN, f64::INFINITY];
        match self.below(3) {
            0 => self.of(&special),
            1 => self.below(100_000) as f64 / 16.0 - 1000.0,
            _ => {
                let bits = f64::from_bits(self.next());
                if bits.is_finite() { bits } else { -0.5 }
            }
        }
    }

    /// An id: few different ones, so that links meet parents; zeros or missing now and then.
    fn id(&mut self, length: usize) -> Vec<u8> {
        match self.below(16) {
            0 => Vec::new(),
            1 => vec![0; length],
            2..8 => (0..length).map(|_| self.next() as u8).collect(),
            _ => vec![self.below(3) as u8 + 1; length],
        }
    }

    fn text(&mut self) -> String {
        let pieces = [
            "a",
            "zz",
            "\"",
            "\\",
            "/",
            "<b>&",
            "\n\r\t",
            "\u{0}",
            "\u{8}\u{c}",
            "\u{1b}",
            "\u{7f}",
            "é",
            "ß",
            "\u{2028}",
            "\u{fffd}",
            "\u{ffff}",
            "😀",
            "{}",
            "'",
            " ",
            NO_UTF8.0,
        ];
        match self.below(8) {
            0 => String::new(),
            1 => "x".repeat(usize::try_from(self.below(300)).unwrap()),
            2 | 3 => self.up_to(5, |dice| dice.of(&pieces)).concat(),
            _ => self.of(&["GET", "checkout", "/cart/items", "a b", "true", "17", "null"]).into(),
        }
    }

    fn value(&mut self, depth: u32) -> AnyValue {
        let value = match self.below(if depth == 0 { 9 } else { 12 }) {
            0 => return AnyValue { value: None },
            1 => Value::BoolValue(self.one_in(2)),
            2 => Value::IntValue(self.next().cast_signed() >> self.below(63)),
            3 => Value::DoubleValue(self.double()),
            4 => Value::BytesValue(self.up_to(5, |dice| dice.next() as u8)),
            9 | 10 => {
                let values = self.up_to(3, |dice| dice.value(depth - 1));
                Value::ArrayValue(ArrayValue { values })
            }
            11 => {
                let values = self.up_to(3, |dice| {
                    let key = dice.key();
                    dice.pair(key, depth - 1)
                });
                Value::KvlistValue(KeyValueList { values })
            }
            _ => Value::StringValue(self.text()),
        };
        AnyValue { value: Some(value) }
    }

    fn pair(&mut self, key: String, depth: u32) -> KeyValue {
        KeyValue { key, value: self.maybe(|dice| dice.value(depth)), ..Default::default() }
    }

    fn key(&mut self) -> String {
        let known = ["service.name", "event", "error", "http.route", "a.b", "b", "level", "c-d"];
        if self.one_in(6) { self.text() } else { self.of(&known).into() }
    }

    fn attributes(&mut self) -> Vec<KeyValue> {
        self.up_to(4, |dice| {
            let key = dice.key();
            dice.pair(key, 3)
        })
    }

    fn resource(&mut self) -> Resource {
        let mut attributes = self.attributes();
        for (key, one_in) in
            [("service.name", 4), ("service.namespace", 2), ("service.instance.id", 2)]
        {
            if self.one_in(one_in) {
                let value = self.of(&["shop", "pay", ""]);
                attributes.push(text(key, value));
            }
        }
        let entity = |dice: &mut Self| EntityRef {
            schema_url: dice.text(),
            r#type: dice.text(),
            id_keys: dice.up_to(2, Self::text),
            description_keys: dice.up_to(2, Self::text),
        };
        Resource {
            attributes,
            dropped_attributes_count: self.count(),
            entity_refs: self.up_to(1, entity),
        }
    }

    fn scope(&mut self) -> InstrumentationScope {
        InstrumentationScope {
            name: self.text(),
            version: self.of(&["", "1.2.3"]).into(),
            attributes: self.attributes(),
            dropped_attributes_count: self.count(),
        }
    }

    fn span(&mut self) -> Span {
        let status = |dice: &mut Self| Status { message: dice.text(), code: dice.below(4) as i32 };
        Span {
            trace_id: self.id(16),
            span_id: self.id(8),
            trace_state: self.of(&["", "", "k=v,l=w"]).into(),
            parent_span_id: self.id(8),
            flags: self.count(),
            name: self.text(),
            kind: self.below(7) as i32,
            start_time_unix_nano: self.time(),
            end_time_unix_nano: self.time(),
            attributes: self.attributes(),
            dropped_attributes_count: self.count(),
            events: self.up_to(2, Self::event),
            dropped_events_count: self.count(),
            links: self.up_to(3, Self::link),
            dropped_links_count: self.count(),
            status: self.maybe(status),
        }
    }

    fn event(&mut self) -> Event {
        Event {
            time_unix_nano: self.time(),
            name: self.text(),
            attributes: self.attributes(),
            dropped_attributes_count: self.count(),
        }
    }

    fn link(&mut self) -> Link {
        let mut attributes = self.attributes();
        if self.one_in(3) {
            let kind = self.of(&["child_of", "follows_from", ""]);
            attributes.push(text("opentracing.ref_type", kind));
        }
        Link {
            trace_id: self.id(16),
            span_id: self.id(8),
            trace_state: self.of(&["", "k=v"]).into(),
            attributes,
            dropped_attributes_count: self.count(),
            flags: self.count(),
        }
    }
}

/// Stands for bytes that are no UTF-8 and that a String cannot have; as many bytes as they are.
pub(super) const NO_UTF8: (&str, [u8; 3]) = ("\u{e000}", [0xed, 0xa0, 0x80]);

/// Puts in the bytes that are no UTF-8.
pub(super) fn spoil(bytes: Vec<u8>) -> Vec<u8> {
    replace(bytes, NO_UTF8.0.as_bytes(), &NO_UTF8.1)
}

/// Takes them out again.
pub(super) fn mend(bytes: Vec<u8>) -> Vec<u8> {
    replace(bytes, &NO_UTF8.1, NO_UTF8.0.as_bytes())
}

fn replace(mut bytes: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    for at in from.len()..=bytes.len() {
        let piece = &mut bytes[at - from.len()..at];
        if piece == from {
            piece.copy_from_slice(to);
        }
    }
    bytes
}

/// An attribute of text.
pub(super) fn text(key: &str, value: &str) -> KeyValue {
    crate::telemetry::text(key, value)
}

/// A request of spans. Resources follow one another that are the same.
pub(super) fn traces(dice: &mut Dice) -> ExportTraceServiceRequest {
    let resources = dice.up_to(2, |dice| dice.maybe(Dice::resource));
    let resource_spans = dice.some(3, |dice| ResourceSpans {
        resource: if resources.is_empty() { None } else { dice.of(&resources) },
        scope_spans: dice.some(2, |dice| ScopeSpans {
            scope: dice.maybe(Dice::scope),
            spans: dice.up_to(4, Dice::span),
            schema_url: dice.of(&["", "https://schema/1"]).into(),
        }),
        schema_url: dice.of(&["", "https://schema/2"]).into(),
    });
    ExportTraceServiceRequest { resource_spans }
}
