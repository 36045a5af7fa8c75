use proptest::prelude::*;

use super::*;

fn whole(kind: Kind, text: &str) -> Option<Raw<'static>> {
    number(kind, Number::parse(text)?)
}

#[test]
fn whole_numbers_end_where_their_kind_ends() {
    let most = Some(Raw::Varint(u64::MAX));
    assert_eq!(whole(Kind::Uints, "18446744073709551615"), most);
    assert_eq!(whole(Kind::Uints, "18446744073709551616"), None);
    assert_eq!(whole(Kind::Uints, "-1"), None);
    assert_eq!(whole(Kind::Int, "-1"), most);
    assert_eq!(whole(Kind::Int, "9223372036854775808"), None);
    assert_eq!(whole(Kind::Int, "-9223372036854775808"), Some(Raw::Varint(1 << 63)));
    assert_eq!(whole(Kind::Int, "-9223372036854775809"), None);
    assert_eq!(whole(Kind::Uint, "4294967295"), Some(Raw::Varint(u64::from(u32::MAX))));
    assert_eq!(whole(Kind::Uint, "4294967296"), None);
    assert_eq!(whole(Kind::Fixed32, "4294967296"), None);
    assert_eq!(whole(Kind::Enum, "-1"), most);
    assert_eq!(whole(Kind::Enum, "2147483648"), None);
    assert_eq!(whole(Kind::Sint, "-2147483648"), Some(Raw::Varint(u64::from(u32::MAX))));
    assert_eq!(whole(Kind::Sint, "2147483647"), Some(Raw::Varint(u64::from(u32::MAX - 1))));
    assert_eq!(whole(Kind::Sint, "2147483648"), None);
    assert_eq!(whole(Kind::Fixed64, &"9".repeat(1000)), None);
}

#[test]
fn a_double_that_is_whole_is_a_whole_number() {
    let from = |value| number(Kind::Int, Number::Double(value));
    assert_eq!(from(1e3), Some(Raw::Varint(1000)));
    assert_eq!(from(-0.0), Some(Raw::Varint(0)));
    assert_eq!(from(1e18), Some(Raw::Varint(1_000_000_000_000_000_000)));
    for wrong in [0.5, 1e19, -1e19, TWO_TO_63, -TWO_TO_63, f64::NAN, f64::INFINITY, 1e300] {
        assert_eq!(from(wrong), None, "{wrong}");
    }
    let most = number(Kind::Fixed64, Number::Double(2.0 * TWO_TO_63));
    assert_eq!(most, None);
    assert_eq!(whole(Kind::Fixed64, "1.5e1"), Some(Raw::Fixed64(15)));
}

#[test]
fn only_the_words_are_infinite_or_no_number() {
    let double = |text| match Number::parse(text)? {
        Number::Double(value) => Some(value),
        Number::Whole(_) => None,
    };
    assert_eq!(double("Infinity"), Some(f64::INFINITY));
    assert_eq!(double("-Infinity"), Some(f64::NEG_INFINITY));
    assert!(double("NaN").unwrap().is_nan());
    assert_eq!(double("1e-999"), Some(0.0));
    for wrong in ["1e999", "-1e999", "", " 1", "1 ", "0x10", "1_0", "true", "١", "1,5"] {
        assert_eq!(Number::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn ids_are_hexadecimal_of_the_right_length_or_none() {
    let read = |text: &str| {
        let mut out = b"before".to_vec();
        let read = hex(text, 2, &mut out);
        assert!(read.is_some() || out == b"before");
        read.map(|()| out.split_off(6))
    };
    assert_eq!(read("0fAf"), Some(vec![0x0f, 0xaf]));
    assert_eq!(read(""), Some(vec![]));
    for wrong in ["0f", "0fa", "0faff", "0faf00", "0fag", "+faf", "éé", "0x0f", " 0fa"] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

#[test]
fn base64_is_of_either_alphabet_with_padding_or_without() {
    let read = |text: &str| {
        let mut out = b"before".to_vec();
        let read = base64(text, &mut out);
        assert!(read.is_some() || out == b"before");
        read.map(|()| out.split_off(6))
    };
    for text in ["+/8=", "+/8", "-_8=", "-_8", "-_9"] {
        assert_eq!(read(text), Some(vec![0xFB, 0xFF]), "{text}");
    }
    assert_eq!(read(""), Some(vec![]));
    for wrong in ["+_8=", "A", "AAAAA", "AA=A", "====", "AA\n==", "é", "AA==AA=="] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_read(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
        use base64::engine::general_purpose as engines;
        let texts = [
            engines::STANDARD.encode(&bytes), engines::STANDARD_NO_PAD.encode(&bytes),
            engines::URL_SAFE.encode(&bytes), engines::URL_SAFE_NO_PAD.encode(&bytes),
        ];
        for encoded in texts {
            let mut out = Vec::new();
            prop_assert_eq!(base64(&encoded, &mut out), Some(()));
            prop_assert_eq!(&out, &bytes);
        }
    }

    #[test]
    fn text_comes_out_as_utf8(bytes in prop::collection::vec(any::<u8>(), 0..50)) {
        let mut out = Vec::new();
        text(&bytes, &mut out);
        let right = std::str::from_utf8(&bytes).is_ok();
        prop_assert!(std::str::from_utf8(&out).is_ok() && (!right || out == bytes));
    }

    #[test]
    fn any_text_is_a_number_or_none(text in "[-+0-9.eE]{0,12}") {
        if let Some(Number::Double(value)) = Number::parse(&text) {
            prop_assert!(value.is_finite());
        }
    }
}
