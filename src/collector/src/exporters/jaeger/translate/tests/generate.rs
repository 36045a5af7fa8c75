//! Any spans at all: all types of values, what is empty or missing, odd ids and times.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Status};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// Stand for bytes that are no UTF-8 and that a String cannot have; as long as these, and every
/// byte above 0x7f, so that whatever else happens to have them stays well-formed.
pub(super) const NO_UTF8: [(&str, [u8; 3]); 2] =
    [("\u{e000}", [0xed, 0xa0, 0x80]), ("\u{e001}", [0xf0, 0x9f, 0x98])];

/// Request of one to four resources, which are equal more often than chance has it.
pub(super) fn resource_spans() -> impl Strategy<Value = Vec<ResourceSpans>> {
    let scopes = vec(scope_spans(), 0..3);
    let resources = vec(option::weighted(0.9, resource()), 1..3);
    (resources, vec((any::<prop::sample::Index>(), scopes, words()), 0..5)).prop_map(
        |(resources, spans)| {
            let one = |(index, scope_spans, schema_url): (prop::sample::Index, _, _)| {
                ResourceSpans { resource: index.get(&resources).clone(), scope_spans, schema_url }
            };
            spans.into_iter().map(one).collect()
        },
    )
}

fn resource() -> impl Strategy<Value = Resource> {
    (attributes(), any::<bool>()).prop_map(|(attributes, dropped)| Resource {
        attributes,
        dropped_attributes_count: u32::from(dropped),
        ..Resource::default()
    })
}

fn scope_spans() -> impl Strategy<Value = ScopeSpans> {
    let scope = (words(), words(), attributes()).prop_map(|(name, version, attributes)| {
        InstrumentationScope { name, version, attributes, dropped_attributes_count: 0 }
    });
    (option::of(scope), vec(span(), 0..4)).prop_map(|(scope, spans)| ScopeSpans {
        scope,
        spans,
        schema_url: String::new(),
    })
}

fn span() -> impl Strategy<Value = Span> {
    let ids = (id(16), id(8), prop_oneof![Just(vec![]), id(8)]);
    let status = (words(), 0..4i32).prop_map(|(message, code)| Status { message, code });
    let times = (time(), time());
    let many = (attributes(), vec(event(), 0..3), vec(link(), 0..4));
    (ids, words(), words(), 0..7i32, times, many, option::of(status)).prop_map(
        |((trace_id, span_id, parent_span_id), name, trace_state, kind, times, many, status)| {
            Span {
                trace_id,
                span_id,
                parent_span_id,
                name,
                trace_state,
                kind,
                start_time_unix_nano: times.0,
                end_time_unix_nano: times.1,
                attributes: many.0,
                events: many.1,
                links: many.2,
                status,
                flags: 1,
                ..Span::default()
            }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    (time(), words(), attributes()).prop_map(|(time_unix_nano, name, attributes)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: 3,
    })
}

fn link() -> impl Strategy<Value = Link> {
    let of_type = prop_oneof![
        2 => attributes(),
        1 => prop::sample::select(vec!["child_of", "follows_from", ""])
            .prop_map(|of| vec![text("opentracing.ref_type", of)]),
    ];
    (id(16), id(8), words(), of_type).prop_map(|(trace_id, span_id, trace_state, attributes)| {
        Link { trace_id, span_id, trace_state, attributes, ..Link::default() }
    })
}

/// Few different ones, so that links meet parents; now and then of a wrong length.
fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        30 => (0..3u8).prop_map(move |byte| vec![byte; length]),
        5 => vec(any::<u8>(), length),
        1 => vec(any::<u8>(), 0..20),
        1 => Just(vec![]),
    ]
}

fn time() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => 1_700_000_000_000_000_000..1_700_000_009_000_000_000u64,
        1 => Just(0u64),
        1 => 0..=i64::MAX.cast_unsigned(),
    ]
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    vec(key_value(value()), 0..5)
}

fn key_value(value: impl Strategy<Value = Option<AnyValue>>) -> impl Strategy<Value = KeyValue> {
    let known =
        prop::sample::select(vec!["service.name", "event", "opentracing.ref_type", "error", "a"]);
    (prop_oneof![known.prop_map(String::from), words()], value).prop_map(|(key, value)| KeyValue {
        key,
        value,
        ..KeyValue::default()
    })
}

fn value() -> impl Strategy<Value = Option<AnyValue>> {
    let flat = prop_oneof![
        4 => words().prop_map(Value::StringValue),
        2 => any::<i64>().prop_map(Value::IntValue),
        1 => (-9..9i64).prop_map(Value::IntValue),
        1 => any::<bool>().prop_map(Value::BoolValue),
        3 => double().prop_map(Value::DoubleValue),
        1 => vec(any::<u8>(), 0..5).prop_map(Value::BytesValue),
    ]
    .prop_map(|value| AnyValue { value: Some(value) });
    let flat = prop_oneof![9 => flat, 1 => Just(AnyValue { value: None })].boxed();
    let nested = flat.prop_recursive(4, 24, 4, |inner| {
        let pairs = vec(key_value(option::weighted(0.9, inner.clone())), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(|values| any_value(Value::ArrayValue(ArrayValue { values }))),
            pairs.prop_map(|values| any_value(map(values))),
        ]
    });
    option::weighted(0.95, nested)
}

fn double() -> impl Strategy<Value = f64> {
    let digits = (any::<i32>(), -30..30i32)
        .prop_map(|(digits, power)| f64::from(digits % 1000) * 10f64.powi(power));
    let limits = [0.0, -0.0, 1e21, 1e-6, 999_999_999_999_999_900_000.0, 9.99e-7, f64::MAX, 5e-324];
    prop_oneof![
        20 => any::<u64>().prop_map(f64::from_bits).prop_filter("told apart", |f| f.is_finite()),
        20 => digits,
        10 => prop::sample::select(limits.to_vec()),
        1 => prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
    ]
}

/// Text with what JSON escapes and what is not ASCII.
fn words() -> impl Strategy<Value = String> {
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
        "\u{2029}",
        "\u{fffd}",
        "\u{ffff}",
        "😀",
        "\u{e000}",
        "\u{e001}",
        "{}",
        "'",
    ];
    prop_oneof![
        1 => Just(String::new()),
        2 => "[a-z]{1,8}",
        3 => vec(prop::sample::select(pieces.to_vec()), 1..5).prop_map(|pieces| pieces.concat()),
        1 => any::<char>().prop_map(String::from),
    ]
}
