//! What is fuzzed: what the checks and rewrites of requests promise, whatever the bytes, with prost
//! as the judge. What runs them is `crate::fuzz`.

mod convert;
pub(crate) mod json;
#[cfg(test)]
pub(crate) mod mutate;
pub(crate) mod oracle;

use bytes::Bytes;
use oracle::{Decoded, apart, unknown};

use super::scan::{Malformed, Scan};
use super::wire::varint;
use super::{Signal, cut as cutting, rewrite, scan as scanning};

/// The first byte chooses the signal, the others are the request.
pub(crate) fn input(data: &[u8]) -> Option<(Signal, &[u8])> {
    let (first, request) = data.split_first()?;
    let signal = match first % 3 {
        0 => Signal::Traces,
        1 => Signal::Metrics,
        _ => Signal::Logs,
    };
    Some((signal, request))
}

/// A scan accepts what prost accepts and counts the same, but for the differences meant.
pub fn scan(data: &[u8]) {
    if let Some((signal, request)) = input(data) {
        check_scan(signal, request);
    }
}

/// Scans, and compares with prost. Returns both where both accept.
pub(crate) fn check_scan(signal: Signal, request: &[u8]) -> Option<(Scan, Decoded)> {
    match (scanning::scan(signal, request), Decoded::of(signal, request)) {
        (Ok(scan), Ok(decoded)) => {
            // Of what is written twice but counts once, the items count until it is rewritten.
            let more = scan.items as usize - decoded.items();
            assert!(more == 0 || !scan.canonical, "{more} items more");
            Some((scan, decoded))
        }
        (Ok(_), Err(refused)) => {
            assert!(laxer(&refused.to_string()), "prost refuses: {refused}");
            None
        }
        (Err(refused), Ok(_)) => {
            assert!(stricter(&refused, request), "prost accepts, the scan says: {refused}");
            None
        }
        (Err(_), Err(_)) => None,
    }
}

/// Whether the scan is meant to let through what prost refuses: strings that are no UTF-8, and
/// fields of profiles only (`key_strindex`, `string_value_strindex`), which are as unknown here.
fn laxer(refused: &str) -> bool {
    // The innermost field is named first.
    let field = |name| refused.contains(&format!("message: {name}: "));
    refused.contains("not UTF-8")
        || field("KeyValue.key_strindex")
        || (field("AnyValue.value") && refused.contains("expected Varint"))
}

/// Whether the scan is meant to refuse what prost accepts: deep nesting, and groups.
fn stricter(refused: &Malformed, request: &[u8]) -> bool {
    match refused {
        Malformed::TooDeep { .. } => true,
        Malformed::WireType { at, .. } => {
            request.get(*at..).and_then(varint).is_some_and(|(tag, _)| tag & 7 == 3)
        }
        Malformed::Truncated { .. } => false,
    }
}

/// The canonical form is canonical, decodes to the same, keeps what is unknown, and does not change
/// again.
pub fn canonical(data: &[u8]) {
    let Some((signal, request)) = input(data) else { return };
    let Ok(scan) = scanning::scan(signal, request) else { return };
    let written = rewrite::canonical(signal, request);
    let again = scanning::scan(signal, &written);
    assert!(again.is_ok_and(|again| again.canonical && again.items <= scan.items));
    assert_eq!(rewrite::canonical(signal, &written), written, "canonical twice");
    check_accept(signal, request, scan);
    if let Some(before) = unknown(super::request(signal), request) {
        let after = unknown(super::request(signal), &written);
        assert_eq!(after, Some(before), "unknown fields");
    }
    let (before, after) = (Decoded::of(signal, request), Decoded::of(signal, &written));
    if let Ok(before) = before {
        let profiles = profiles(&before) || after.as_ref().is_ok_and(profiles);
        let same = after.is_ok_and(|after| after.encoded() == before.encoded());
        assert!(same || profiles, "canonical changed the content");
    }
}

/// What is accepted is canonical, has so many items, and is shared if it was canonical before.
fn check_accept(signal: Signal, request: &[u8], scan: Scan) {
    let request = Bytes::copy_from_slice(request);
    let accepted = rewrite::accept(signal, request.clone());
    let (bytes, items) = accepted.unwrap_or_else(|refused| unreachable!("{refused}"));
    assert_eq!(scanning::scan(signal, &bytes), Ok(Scan { items, canonical: true }));
    assert_eq!(bytes.as_ptr() == request.as_ptr(), scan.canonical, "shared");
    if let Ok(decoded) = Decoded::of(signal, &bytes) {
        assert_eq!(decoded.items(), items as usize, "items");
    }
}

/// Whether fields of profiles are in it, which only prost knows.
pub(crate) fn profiles(decoded: &Decoded) -> bool {
    let text = format!("{decoded:?}");
    let mut keys = text.match_indices("key_strindex: ");
    text.contains("StringValueStrindex(")
        || keys.any(|(at, found)| !text[at + found.len()..].starts_with('0'))
}

/// Pieces are within their limits, and hold what the request holds.
pub fn cut(data: &[u8]) {
    let [first, max_items, max_bytes, request @ ..] = data else { return };
    let Some((signal, _)) = input(&[*first]) else { return };
    let Ok(scan) = scanning::scan(signal, request) else { return };
    let request = match scan.canonical {
        true => Bytes::copy_from_slice(request),
        false => Bytes::from(rewrite::canonical(signal, request)),
    };
    let (max_items, max_bytes) = (usize::from(*max_items), usize::from(*max_bytes) * 4);
    check_cut(signal, &request, max_items, max_bytes);
}

/// Cuts a canonical request in all ways, and checks the pieces.
pub(crate) fn check_cut(signal: Signal, request: &Bytes, max_items: usize, max_bytes: usize) {
    let whole = apart(signal, request);
    // How much may be repeated is limited too, and such a request is not cut to the end.
    let limited = request.len().saturating_mul(whole.len()) < 1 << 20;
    let pieces = cutting::cut(signal, request, max_items, max_bytes);
    for piece in pieces.iter().filter(|_| limited && !whole.is_empty()) {
        assert!(max_items == 0 || piece.items <= max_items, "items over the limit");
        let fits = max_bytes == 0 || piece.bytes.len() <= max_bytes;
        assert!(fits || piece.items == 1, "bytes over the limit");
        assert!(piece.items > 0, "an empty piece");
    }
    check_pieces(signal, &whole, &pieces);

    match cutting::halve(signal, request) {
        None => assert!(whole.len() < 2, "not halved"),
        Some((first, second)) => {
            assert!(first.items.abs_diff(second.items) <= 1, "no halves");
            check_pieces(signal, &whole, &[first, second]);
        }
    }
    let (first, rest) = cutting::take(signal, request, max_items);
    assert_eq!(first.items, max_items.max(1).min(whole.len()), "taken");
    let pieces: Vec<_> = [Some(first), rest].into_iter().flatten().collect();
    check_pieces(signal, &whole, &pieces);
}

fn check_pieces(signal: Signal, whole: &[Vec<Vec<u8>>], pieces: &[cutting::Piece]) {
    for piece in pieces {
        let expected = Scan { items: piece.items as u32, canonical: true };
        assert_eq!(scanning::scan(signal, &piece.bytes), Ok(expected), "a piece");
    }
    let joined: Vec<_> = pieces.iter().flat_map(|piece| apart(signal, &piece.bytes)).collect();
    assert!(joined == whole, "pieces do not hold what the request holds");
}

/// Views read what prost reads, and read anything without panic.
pub fn views(data: &[u8]) {
    let Some((signal, request)) = input(data) else { return };
    let Ok(scan) = scanning::scan(signal, request) else { return };
    let viewed = Decoded::viewed(signal, request).encoded();
    if let (true, Ok(decoded)) = (scan.canonical, Decoded::of(signal, request)) {
        assert!(viewed == decoded.encoded() || profiles(&decoded), "views read something else");
    }
}

#[cfg(test)]
mod tests;
