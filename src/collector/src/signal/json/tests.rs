//! There and back, against prost.

use proptest::prelude::*;

use super::*;
use crate::signal::Signal;
use crate::signal::fuzz::mutate;
use crate::signal::rewrite::canonical;
use crate::signal::scan::scan;
use generate::Dice;

pub(crate) const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

pub(crate) fn json(signal: Signal, requests: &[&[u8]]) -> String {
    let mut out = Vec::new();
    to_json(signal, requests, &mut out);
    String::from_utf8(out).unwrap()
}

pub(crate) fn proto(signal: Signal, text: &str) -> Result<Vec<u8>, JsonError> {
    from_json(signal, text.as_bytes(), 1 << 24)
}

/// A request of any form, in canonical order (prost writes asInt before exemplars); with `whole`
/// with all messages that JSON always has.
pub(crate) fn request(signal: Signal, choices: &[u8], whole: bool) -> Vec<u8> {
    canonical(signal, &Dice::new(choices, whole).request(signal))
}

fn choices() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..1500)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_prost_encodes_comes_back_byte_for_byte(choices in choices(), signal in 0..3usize) {
        let signal = SIGNALS[signal];
        let bytes = request(signal, &choices, true);
        prop_assert!(scan(signal, &bytes).unwrap().canonical);
        let text = json(signal, &[&bytes]);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        prop_assert_eq!(proto(signal, &text).unwrap(), bytes);
    }

    /// As the Go collector writes it: from the last field to the first.
    #[test]
    fn the_order_of_fields_does_not_matter(choices in choices(), signal in 0..3usize) {
        let signal = SIGNALS[signal];
        let bytes = request(signal, &choices, false);
        let reversed = mutate::reverse(crate::signal::request(signal), &bytes);
        prop_assert_eq!(json(signal, &[&bytes]), json(signal, &[&reversed]));
    }

    /// Without the messages that JSON always has, the second time is as the first.
    #[test]
    fn what_is_absent_stays_at_its_default(choices in choices(), signal in 0..3usize) {
        let signal = SIGNALS[signal];
        let text = json(signal, &[&request(signal, &choices, false)]);
        prop_assert_eq!(&text, &json(signal, &[&request(signal, &choices, true)]));
    }

    /// Keys in reverse order and in snake_case, numbers as numbers, and unknown keys between.
    #[test]
    fn another_spelling_is_the_same_request(choices in choices(), signal in 0..3usize) {
        let signal = SIGNALS[signal];
        let bytes = request(signal, &choices, true);
        let text = json(signal, &[&bytes]);
        let other = respelled(&serde_json::from_str(&text).unwrap());
        let read = proto(signal, &other).unwrap();
        prop_assert_eq!(scan(signal, &read).unwrap().canonical, true);
        prop_assert_eq!(read, bytes, "{}", other);
    }

    #[test]
    fn several_requests_become_one_document(
        parts in prop::collection::vec(choices(), 0..4),
        signal in 0..3usize,
    ) {
        let signal = SIGNALS[signal];
        let parts: Vec<Vec<u8>> = parts.iter().map(|c| request(signal, c, true)).collect();
        let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(proto(signal, &json(signal, &slices)).unwrap(), parts.concat());
    }

    #[test]
    fn any_bytes_are_read_or_refused(text in prop::collection::vec(any::<u8>(), 0..200)) {
        for signal in SIGNALS {
            if let Ok(bytes) = from_json(signal, &text, 1 << 20) {
                prop_assert!(scan(signal, &bytes).unwrap().canonical);
            }
        }
    }

    /// A byte of a document changed: what is still read is a canonical request.
    #[test]
    fn what_is_read_is_canonical(
        choices in choices(),
        signal in 0..3usize,
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let signal = SIGNALS[signal];
        let mut text = json(signal, &[&request(signal, &choices, true)]).into_bytes();
        let at = at.index(text.len());
        text[at] = byte;
        if let Ok(bytes) = from_json(signal, &text, 1 << 24) {
            prop_assert!(scan(signal, &bytes).unwrap().canonical);
        }
    }
}

fn respelled(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(members) => {
            let mut all: Vec<String> = members
                .iter()
                .map(|(key, value)| {
                    let whole = value.as_str().is_some_and(|text| text.parse::<i128>().is_ok());
                    let numeric = whole && (key.ends_with("Nano") || key == "intValue");
                    let value =
                        if numeric { value.as_str().unwrap().to_owned() } else { respelled(value) };
                    format!("{:?} : {value}", snake(key))
                })
                .collect();
            all.push(r#""unknown": {"spans": [{"name": 5}], "x": [1e999, null]}"#.to_owned());
            all.reverse();
            format!("{{ {} }}", all.join(" ,\n"))
        }
        Value::Array(values) => {
            format!("[{}]", values.iter().map(respelled).collect::<Vec<_>>().join("\t,"))
        }
        other => other.to_string(),
    }
}

fn snake(camel: &str) -> String {
    camel.chars().fold(String::new(), |mut snake, letter| {
        if letter.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
        snake
    })
}
