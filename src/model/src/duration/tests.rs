//! Go's durations.

use super::*;

#[test]
fn durations_are_read_as_go_reads_them() {
    let table: &[(&str, u64)] = &[
        ("0", 0),
        ("0s", 0),
        ("+0", 0),
        ("1ns", 1),
        ("1us", 1_000),
        ("1µs", 1_000),
        ("1μs", 1_000),
        ("200ms", 200_000_000),
        ("10s", 10_000_000_000),
        ("+5s", 5_000_000_000),
        ("1m30s", 90_000_000_000),
        ("1.5h", 5_400_000_000_000),
        (".5s", 500_000_000),
        ("1.s", 1_000_000_000),
        ("1h1m1s1ms1us1ns", 3_661_001_001_001),
        ("1s1h", 3_601_000_000_000),
        ("0.9ns", 0),
        ("1.0000000004s", 1_000_000_000),
        ("0.3333333333333333333333333h", 1_199_999_999_999),
        ("9223372036854775807ns", i64::MAX as u64),
        ("2562047h", 9_223_369_200_000_000_000),
    ];
    for (text, nanos) in table {
        assert_eq!(parse_duration(text), Some(Duration::from_nanos(*nanos)), "{text}");
    }
}

#[test]
fn what_go_would_not_read_or_is_negative_is_no_duration() {
    let table = [
        "",
        "5",
        "s",
        "-5s",
        "5 s",
        " 5s",
        "5s ",
        "5S",
        "5sec",
        "1d",
        "1w",
        ".s",
        ".",
        "1..5s",
        "1.2.3s",
        "++5s",
        "1h-5m",
        "1e3s",
        "0x5s",
        "5µ",
        "five",
        "9223372036854775808ns",
        "2562048h",
        "99999999999999999999999999999999999999999h",
        "340282366920938463463374607431768211455h",
        "1s1",
        "٣s",
    ];
    for text in table {
        assert_eq!(parse_duration(text), None, "{text:?}");
    }
}

#[test]
fn a_number_without_a_unit_is_told_so() {
    for (value, why) in [
        (Value::Int(5), "5 where a duration"),
        (Value::Float(1.5), "where a duration"),
        (Value::String("5".into()), "\"5\" is no duration"),
        (Value::Bool(true), "true where"),
    ] {
        let mut d = Decoder::default();
        assert_eq!(Duration::decode(&value, &mut d), None);
        assert!(d.problems.told()[0].message.contains(why), "{:?}", d.problems.told());
    }
    let mut d = Decoder::default();
    assert_eq!(Duration::decode(&Value::Int(0), &mut d), Some(Duration::ZERO));
    assert_eq!(d.problems.told(), []);
}

proptest::proptest! {
    #[test]
    fn any_whole_number_of_nanoseconds_is_read(nanos in 0..=i64::MAX as u64) {
        let read = parse_duration(&format!("{nanos}ns"));
        proptest::prop_assert_eq!(read, Some(Duration::from_nanos(nanos)));
    }

    #[test]
    fn reading_a_duration_never_panics(text in "[-+.0-9hmsnuµ]{0,30}") {
        let _ = parse_duration(&text);
    }
}
