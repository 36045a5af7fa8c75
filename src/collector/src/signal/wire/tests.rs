use proptest::prelude::*;
use prost::encoding::{decode_varint, encode_varint, encoded_len_varint};

use super::*;

fn encoded(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_varint(value, &mut bytes);
    bytes
}

/// The fields of a message, without what was written.
fn values(bytes: &[u8]) -> Vec<(u32, Raw<'_>)> {
    Fields::of(bytes).map(|field| (field.number, field.value)).collect()
}

#[test]
fn a_varint_has_at_most_64_bits() {
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    assert_eq!(varint(&most), Some((u64::MAX, &[][..])));
    let over = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
    assert_eq!(varint(&over), None);
    assert_eq!(varint(&[0x80; 11]), None);
}

#[test]
fn a_varint_may_be_longer_than_it_need_be() {
    assert_eq!(varint(&[0x81, 0x00, 7]), Some((1, &[7][..])));
    let zero = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00];
    assert_eq!(varint(&zero), Some((0, &[][..])));
}

#[test]
fn a_varint_cut_short_is_none() {
    for value in [0, 1, 127, 128, 16_383, 16_384, u64::from(u32::MAX), u64::MAX] {
        let bytes = encoded(value);
        for length in 0..bytes.len() {
            assert_eq!(varint(&bytes[..length]), None, "{value} in {length} bytes");
        }
    }
}

#[test]
fn a_message_has_its_length_before_it() {
    for length in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152] {
        let content = vec![7; length];
        let mut bytes = vec![1, 2];
        bytes.put_message(5, |out| out.extend_from_slice(&content));
        let mut expected = vec![1, 2];
        expected.put_bytes_field(5, &content);
        assert!(bytes == expected, "{length} bytes");
    }
}

#[test]
fn messages_stand_within_one_another() {
    let mut bytes = Vec::new();
    bytes.put_message(1, |out| {
        out.put_message(2, |out| out.extend_from_slice(&[9; 200]));
        out.put_varint_field(3, 300);
    });
    let [(1, Raw::Bytes(outer))] = values(&bytes)[..] else { panic!("{bytes:?}") };
    assert_eq!(values(outer), [(2, Raw::Bytes(&[9; 200])), (3, Raw::Varint(300))]);
}

#[test]
fn what_is_nothing_is_not_written() {
    let mut bytes = Vec::new();
    bytes.put_varint_field(1, 0);
    bytes.put_fixed64_field(2, 0);
    assert!(bytes.is_empty());
    bytes.put_varint_field(1, 1);
    bytes.put_fixed64_field(20, u64::MAX);
    assert_eq!(values(&bytes), [(1, Raw::Varint(1)), (20, Raw::Fixed64(u64::MAX))]);
}

#[test]
fn fields_tell_what_was_written() {
    // A tag and a length longer than they need be, eight bytes, four bytes.
    let parts: [&[u8]; 3] =
        [&[0x8a, 0x00, 0x83, 0x00, 1, 2, 3], &[0x11, 1, 0, 0, 0, 0, 0, 0, 0], &[0x1d, 5, 0, 0, 0]];
    let bytes = parts.concat();
    let fields: Vec<_> = Fields::of(&bytes).collect();
    assert_eq!(fields.iter().map(|field| field.written).collect::<Vec<_>>(), parts);
    assert_eq!(fields[0].value, Raw::Bytes(&[1, 2, 3]));
    assert_eq!(fields[1].value, Raw::Fixed64(1));
    assert_eq!(fields[2].value, Raw::Fixed32(5));
}

#[test]
fn fields_end_where_bytes_are_no_message() {
    let good = [0x08, 0x01];
    for bad in [
        &[0x0a, 0x05, 1][..], // a length that lies
        &[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], // 2^64 - 1 bytes
        &[0x09, 1, 2],
        &[0x0d, 1, 2],
        &[0x0b],
        &[0x0c],
        &[0x0e],
        &[0x80],
    ] {
        assert_eq!(values(&[&good, bad].concat()), [(1, Raw::Varint(1))], "{bad:?}");
    }
}

proptest! {
    #[test]
    fn varints_are_prosts(value in prop_oneof![any::<u64>(), 0..70_000u64], rest: Vec<u8>) {
        let mut bytes = Vec::new();
        bytes.put_varint(value);
        prop_assert_eq!(&bytes, &encoded(value));
        prop_assert_eq!(varint_len(value), bytes.len());
        prop_assert_eq!(varint_len(value), encoded_len_varint(value));
        bytes.extend_from_slice(&rest);
        prop_assert_eq!(varint(&bytes), Some((value, &rest[..])));
    }

    #[test]
    fn any_bytes_are_read_as_prost_reads_them(bytes in proptest::collection::vec(
        prop_oneof![any::<u8>(), 0x80..=0xffu8], 0..12)) {
        let mut left = &bytes[..];
        let expected = decode_varint(&mut left).ok().map(|value| (value, left));
        prop_assert_eq!(varint(&bytes), expected);
    }
}
