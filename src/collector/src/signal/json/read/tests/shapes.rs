//! A value of every shape at every field of the table: taken where ProtoJSON takes it, and refused
//! with the right path elsewhere.

use super::*;

/// A message of the table: how a document reaches it.
struct Reached {
    of: &'static Message,
    path: String,
    before: String,
    after: String,
}

/// Every message of a signal, by the shortest way.
fn reached(signal: Signal) -> Vec<Reached> {
    let root = crate::signal::request(signal);
    let empty = String::new();
    let first =
        Reached { of: root, path: empty.clone(), before: empty.clone(), after: empty.clone() };
    let mut all = vec![first];
    let mut next = 0;
    while next < all.len() {
        let Reached { of, path, before, after } = &all[next];
        let dot = if path.is_empty() { "" } else { "." };
        let mut found = Vec::new();
        for field in of.fields {
            let name = field.json;
            let (inner, path, open, close) = match field.kind {
                Kind::One(inner) => (inner, format!("{path}{dot}{name}"), "", ""),
                Kind::Many(inner) => (inner, format!("{path}{dot}{name}[0]"), "[", "]"),
                _ => continue,
            };
            let before = format!(r#"{before}{{"{name}":{open}"#);
            found.push(Reached { of: inner, path, before, after: format!("{close}}}{after}") });
        }
        for found in found {
            if !all.iter().any(|known| known.of.name == found.of.name) {
                all.push(found);
            }
        }
        next += 1;
    }
    all
}

const SHAPES: [&str; 26] = [
    "null",
    "true",
    "false",
    "0",
    "5",
    "-5",
    "1.5",
    "1e3",
    "4294967296",
    "1e30",
    r#""""#,
    r#""5""#,
    r#""-5""#,
    r#""1.5""#,
    r#""1e3""#,
    r#""NaN""#,
    r#""text""#,
    r#""AQI=""#,
    "[]",
    "{}",
    "[5]",
    r#"["5"]"#,
    "[{}]",
    "[null]",
    r#"["-5"]"#,
    "[[]]",
];

/// Whether ProtoJSON, with otelcol's rules for ids, takes a value; if not, what the path ends in.
fn taken(field: &FieldInfo, shape: &str) -> Result<(), &'static str> {
    let list = matches!(
        field.kind,
        Kind::Many(_) | Kind::Strings | Kind::Fixed64s | Kind::Doubles | Kind::Uints
    );
    if shape == "null" {
        return Ok(());
    }
    let Some(element) = shape.strip_prefix('[').and_then(|shape| shape.strip_suffix(']')) else {
        let good = match field.kind {
            _ if list => false,
            Kind::One(_) => shape == "{}",
            _ => single(field.kind, shape),
        };
        return if good { Ok(()) } else { Err("") };
    };
    if !list {
        return Err("");
    }
    let good = match field.kind {
        _ if element.is_empty() => true,
        Kind::Many(_) => matches!(element, "{}" | "null"),
        kind => single(kind, element),
    };
    if good { Ok(()) } else { Err("[0]") }
}

fn single(kind: Kind, shape: &str) -> bool {
    let small = matches!(shape, "0" | "5" | "1e3" | r#""5""# | r#""1e3""#);
    let negative = matches!(shape, "-5" | r#""-5""#);
    match kind {
        Kind::String | Kind::Strings => shape.starts_with('"'),
        Kind::Bool => matches!(shape, "true" | "false"),
        Kind::Uint | Kind::Fixed32 => small,
        Kind::Sint => small || negative,
        Kind::Enum => matches!(shape, "0" | "5" | "1e3" | "-5"),
        Kind::Fixed64 | Kind::Fixed64s | Kind::Uints => small || shape == "4294967296",
        Kind::Int | Kind::Sfixed64 => small || negative || shape == "4294967296",
        Kind::Double | Kind::Doubles => {
            let other = ["1.5", r#""1.5""#, "1e30", r#""NaN""#, "4294967296"];
            small || negative || other.contains(&shape)
        }
        Kind::Hex => shape == r#""""#,
        // What of the shapes is base64, by length modulo 4 without padding.
        Kind::Bytes => matches!(
            shape,
            r#""""# | r#""-5""# | r#""1e3""# | r#""NaN""# | r#""text""# | r#""AQI=""#
        ),
        _ => false,
    }
}

#[test]
fn every_shape_at_every_field() {
    let mut tried = 0;
    for signal in SIGNALS {
        for Reached { of, path, before, after } in reached(signal) {
            let dot = if path.is_empty() { "" } else { "." };
            for (field, shape) in of.fields.iter().flat_map(|f| SHAPES.map(|shape| (f, shape))) {
                let name = field.json;
                let text = format!(r#"{before}{{"{name}":{shape}}}{after}"#);
                match (proto(signal, &text), taken(field, shape)) {
                    (Ok(bytes), Ok(())) => assert!(scan(signal, &bytes).unwrap().canonical),
                    (Err(JsonError::Value { path: found, .. }), Err(end)) => {
                        assert_eq!(found, format!("{path}{dot}{name}{end}"), "{text}");
                    }
                    (found, right) => panic!("{text}: {found:?}, {right:?}"),
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 3000, "{tried}");
}
