use proptest::prelude::*;

use super::*;

/// Grows by pieces, half of them written in place, as its users do.
fn grown(pieces: &[Vec<u8>], limit: usize) -> Buffer {
    let mut buffer = Buffer::new(limit);
    for (number, piece) in pieces.iter().enumerate() {
        buffer.reserve(buffer.len() + piece.len());
        if number % 2 == 0 {
            buffer.extend(piece);
        } else {
            // A reader may be offered more than it fills.
            buffer.spare(piece.len()).copy_from_slice(piece);
            buffer.advance(piece.len());
        }
    }
    buffer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn what_is_written_is_read(
        pieces in prop::collection::vec((any::<u8>(), 0..LARGE / 2), 0..8),
        generous in any::<bool>(),
    ) {
        let pieces: Vec<Vec<u8>> =
            pieces.into_iter().map(|(byte, length)| vec![byte; length]).collect();
        let whole = pieces.concat();
        let buffer = grown(&pieces, if generous { usize::MAX } else { whole.len() });
        prop_assert_eq!(buffer.len(), whole.len());
        prop_assert_eq!(matches!(buffer.memory, Memory::Mapped(_)), whole.len() >= LARGE);
        let (bytes, taken) = buffer.freeze();
        prop_assert!(bytes == whole);
        prop_assert!(taken >= whole.len() && taken <= whole.len() + whole.len() / 3 + 1);
    }
}

#[test]
fn what_was_offered_and_not_filled_is_not_there() {
    let mut buffer = Buffer::new(100);
    buffer.reserve(100);
    buffer.spare(100)[..3].copy_from_slice(b"abc");
    buffer.advance(3);
    buffer.extend(b"de");
    assert_eq!(&buffer.freeze().0[..], b"abcde");
}

#[test]
fn a_large_one_stays_where_it_is() {
    let mut buffer = Buffer::new(8 * LARGE);
    buffer.reserve(LARGE);
    buffer.extend(b"here");
    let place = buffer.bytes().as_ptr();
    buffer.reserve(8 * LARGE);
    assert_eq!(buffer.bytes().as_ptr(), place);
}

#[test]
fn one_larger_than_was_thought_moves() {
    let mut buffer = Buffer::new(usize::MAX);
    buffer.reserve(LARGE);
    buffer.extend(b"there");
    buffer.reserve(AHEAD + 1);
    assert_eq!(buffer.spare(AHEAD - 4).len(), AHEAD - 4);
    assert_eq!(&buffer.freeze().0[..], b"there");
}

#[test]
fn where_there_are_no_addresses_the_allocator_is_asked() {
    assert!(mapping(usize::MAX / 2).is_none());
    for first in [10, LARGE] {
        let mut buffer = Buffer::new(2 * LARGE);
        buffer.reserve(first);
        buffer.extend(b"safe");
        buffer.move_to(None, 2 * LARGE);
        assert!(matches!(buffer.memory, Memory::Shared(_)));
        buffer.extend(&[b'!'; LARGE]);
        assert_eq!(buffer.freeze().0[..5], *b"safe!");
    }
}
