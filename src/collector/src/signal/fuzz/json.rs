//! JSON, both ways: what is written is JSON and is read as what it was; what is read is canonical,
//! within its limit, and JSON to others, too.

use serde::de::IgnoredAny;

use super::{Decoded, input, profiles};
use crate::signal::json::generate::Dice;
use crate::signal::json::{JsonError, from_json, to_json};
use crate::signal::{Signal, rewrite, scan};

/// More than any request of a target becomes.
const ROOM: usize = 1 << 24;

fn text(signal: Signal, request: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    to_json(signal, &[request], &mut out);
    out
}

/// A request made of the bytes comes back byte for byte; the bytes as a request come back as what
/// JSON can say of them.
pub fn json(data: &[u8]) {
    let Some((signal, rest)) = input(data) else { return };
    let made = rewrite::canonical(signal, &Dice::new(rest, true).request(signal));
    let read = from_json(signal, &text(signal, &made), ROOM);
    assert_eq!(read.as_ref(), Ok(&made), "there and back");
    if scan::scan(signal, rest).is_ok() {
        check_back(signal, &rewrite::canonical(signal, rest));
    }
}

/// Written, read and written again: the same text, of as many items.
fn check_back(signal: Signal, request: &[u8]) {
    let written = text(signal, request);
    let valid = serde_json::from_slice::<IgnoredAny>(&written);
    let read = match from_json(signal, &written, ROOM) {
        Ok(read) => read,
        Err(refused) => {
            assert!(unsaid(&refused), "what is written is refused: {refused}");
            return;
        }
    };
    assert!(valid.is_ok(), "no JSON");
    check_canonical(signal, &read);
    assert_eq!(text(signal, &read), written, "another text the second time");
    if let (Ok(before), Ok(after)) = (Decoded::of(signal, request), Decoded::of(signal, &read)) {
        assert!(before.items() == after.items() || profiles(&before), "items");
    }
}

/// What protobuf has and JSON has not: ids of other lengths, and the depth that serde_json reads.
fn unsaid(refused: &JsonError) -> bool {
    match refused {
        JsonError::Value { expected, .. } => expected.contains("hexadecimal"),
        JsonError::Syntax { problem, .. } => problem.contains("recursion limit"),
        _ => false,
    }
}

fn check_canonical(signal: Signal, request: &[u8]) {
    let scan = scan::scan(signal, request);
    assert!(scan.as_ref().is_ok_and(|scan| scan.canonical), "not canonical: {scan:?}");
    assert!(Decoded::of(signal, request).is_ok(), "prost refuses what was read");
}

/// The first byte chooses the signal, the second the limit in bytes (4 for each), the others are
/// the text.
pub fn json_text(data: &[u8]) {
    let [first, limit, text @ ..] = data else { return };
    let Some((signal, _)) = input(&[*first]) else { return };
    let limit = usize::from(*limit) * 4;
    let whole = from_json(signal, text, ROOM);
    match (from_json(signal, text, limit), &whole) {
        (Ok(read), whole) => {
            assert!(read.len() <= limit, "{} bytes of {limit}", read.len());
            assert_eq!(whole.as_ref(), Ok(&read), "another request with more room");
        }
        (Err(JsonError::TooLarge { .. }), _) => {}
        (Err(refused), whole) => assert_eq!(whole.as_ref(), Err(&refused), "another refusal"),
    }
    let Ok(read) = whole else { return };
    if let Err(refused) = serde_json::from_slice::<IgnoredAny>(text) {
        // A line break or the like within a string is taken as it is.
        assert!(refused.to_string().contains("control character"), "no JSON: {refused}");
    }
    check_canonical(signal, &read);
    check_back(signal, &read);
}
