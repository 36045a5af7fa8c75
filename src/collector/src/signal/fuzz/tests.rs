use std::panic::catch_unwind;

use super::*;

/// The oracle must see what is wrong: pieces in another order, and one missing.
#[test]
fn pieces_that_differ_are_seen() {
    let one = |time: u8| {
        let span = [0x39, time, 0, 0, 0, 0, 0, 0, 0];
        [&[0x0a, 13, 0x12, 11, 0x12, 9][..], &span].concat()
    };
    let request = Bytes::from([one(1), one(2)].concat());
    let whole = apart(Signal::Traces, &request);
    let pieces = cutting::cut(Signal::Traces, &request, 1, 0);
    check_pieces(Signal::Traces, &whole, &pieces);
    let turned: Vec<_> = pieces.iter().rev().cloned().collect();
    assert!(catch_unwind(|| check_pieces(Signal::Traces, &whole, &turned)).is_err());
    assert!(catch_unwind(|| check_pieces(Signal::Traces, &whole, &pieces[..1])).is_err());
}
