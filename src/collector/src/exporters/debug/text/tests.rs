//! Each form of a request that has everything. debugexporter v0.155 wrote the same texts of the
//! same requests.

mod requests;

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message as _;

use super::format::{Fixed, General, Id, Time, bucket_factor};
use super::*;
use crate::signal::generate;

#[test]
fn traces() {
    let request = requests::traces().encode_to_vec();
    assert_eq!(
        counts(Signal::Traces, &[&request]),
        "Traces\t{\"resource spans\": 2, \"spans\": 2}"
    );
    assert_eq!(normal(Signal::Traces, &[&request]), include_str!("tests/traces.normal.txt"));
    assert_eq!(detailed(Signal::Traces, &[&request]), include_str!("tests/traces.detailed.txt"));
}

#[test]
fn metrics() {
    let request = requests::metrics().encode_to_vec();
    assert_eq!(
        counts(Signal::Metrics, &[&request]),
        "Metrics\t{\"resource metrics\": 1, \"metrics\": 6, \"data points\": 7}"
    );
    assert_eq!(normal(Signal::Metrics, &[&request]), include_str!("tests/metrics.normal.txt"));
    assert_eq!(detailed(Signal::Metrics, &[&request]), include_str!("tests/metrics.detailed.txt"));
}

#[test]
fn logs() {
    let request = requests::logs().encode_to_vec();
    assert_eq!(
        counts(Signal::Logs, &[&request]),
        "Logs\t{\"resource logs\": 1, \"log records\": 3}"
    );
    assert_eq!(normal(Signal::Logs, &[&request]), include_str!("tests/logs.normal.txt"));
    assert_eq!(detailed(Signal::Logs, &[&request]), include_str!("tests/logs.detailed.txt"));
}

/// Requests one after the other are one request.
#[test]
fn requests_count_on() {
    let request = requests::traces().encode_to_vec();
    let both = request.repeat(2);
    let apart = [&request[..], &request];
    assert_eq!(counts(Signal::Traces, &apart), counts(Signal::Traces, &[&both]));
    assert_eq!(normal(Signal::Traces, &apart), normal(Signal::Traces, &[&both]));
    assert_eq!(detailed(Signal::Traces, &apart), detailed(Signal::Traces, &[&both]));
    assert!(detailed(Signal::Traces, &apart).contains("ResourceSpans #3\n"));
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs] {
        assert_eq!((normal(signal, &[]), detailed(signal, &[&[]])), (String::new(), String::new()));
    }
}

#[test]
fn text_ends_where_it_is_full() {
    let write = |out: &mut Bounded| {
        out.write_str("abé")?;
        out.write_char('c')
    };
    assert_eq!(bounded(5, write), "abéc");
    assert_eq!(bounded(4, write), "abé\n… and more\n");
    assert_eq!(bounded(3, write), "ab\n… and more\n");
    assert_eq!(bounded(0, write), "\n… and more\n");
    // Names of ten megabytes.
    let request = requests::named(&"x".repeat(10 << 20)).encode_to_vec();
    for text in [normal(Signal::Traces, &[&request]), detailed(Signal::Traces, &[&request])] {
        assert_eq!(text.len(), MAX_BYTES + "\n… and more\n".len());
    }
}

/// Of very many buckets below 0, the last come first.
#[test]
fn many_buckets_begin_at_the_last() {
    let request = requests::buckets(2_000_000).encode_to_vec();
    let text = normal(Signal::Metrics, &[&request]);
    // 2^(1999999 / 2^20), 2^(1999998 / 2^20)
    let begin = text.lines().nth(2).unwrap();
    assert!(begin.starts_with("h{} count=0 le-3.7511882"), "{}", &begin[..100]);
    assert_eq!(begin.split('=').nth(2).map(|count| count.split(' ').next()), Some(Some("9")));
    assert!(begin.contains(" le-3.7511858") && text.len() > MAX_BYTES);
}

#[test]
fn numbers_as_go_prints_them() {
    let cases = [
        (0.0, "0.000000", "0"),
        (-0.0, "-0.000000", "-0"),
        (1.5, "1.500000", "1.5"),
        (0.000_123, "0.000123", "0.000123"),
        (0.000_012_5, "0.000013", "1.25e-05"),
        (999_999.0, "999999.000000", "999999"),
        (1_000_000.0, "1000000.000000", "1e+06"),
        (-1_234_567.5, "-1234567.500000", "-1.2345675e+06"),
        (1e21, "1000000000000000000000.000000", "1e+21"),
        (1e-100, "0.000000", "1e-100"),
        (f64::NAN, "NaN", "NaN"),
        (f64::INFINITY, "+Inf", "+Inf"),
        (f64::NEG_INFINITY, "-Inf", "-Inf"),
    ];
    for (number, fixed, general) in cases {
        assert_eq!(
            (Fixed(number).to_string(), General(number).to_string()),
            (fixed.into(), general.into())
        );
    }
}

#[test]
fn times_as_go_prints_them() {
    let cases = [
        (0, "1970-01-01 00:00:00 +0000 UTC"),
        (1, "1970-01-01 00:00:00.000000001 +0000 UTC"),
        (951_782_400_500_000_000, "2000-02-29 00:00:00.5 +0000 UTC"),
        (4_107_542_399_999_999_990, "2100-02-28 23:59:59.99999999 +0000 UTC"),
        (4_107_542_400_000_000_000, "2100-03-01 00:00:00 +0000 UTC"),
        (i64::MAX.cast_unsigned(), "2262-04-11 23:47:16.854775807 +0000 UTC"),
        (i64::MIN.cast_unsigned(), "1677-09-21 00:12:43.145224192 +0000 UTC"),
        (u64::MAX, "1969-12-31 23:59:59.999999999 +0000 UTC"),
    ];
    for (nanos, text) in cases {
        assert_eq!(Time(nanos).to_string(), text);
    }
}

#[test]
fn ids_of_zeros_are_none() {
    assert_eq!(Id(&[]).to_string(), "");
    assert_eq!(Id(&[0; 16]).to_string(), "");
    assert_eq!(Id(&[0, 0xab, 1]).to_string(), "00ab01");
}

#[test]
fn factors_reach_as_far_as_numbers_do() {
    assert_eq!(bucket_factor(0).to_bits(), std::f64::consts::LN_2.to_bits());
    assert_eq!(bucket_factor(-1).to_bits(), (2.0 * std::f64::consts::LN_2).to_bits());
    // ln 2 times 2^1024 is a number, though 2^1024 is none.
    assert!((bucket_factor(-1024) / 1.246_066e308 - 1.0).abs() < 1e-6);
    assert!(bucket_factor(-1025).is_infinite());
    assert!(bucket_factor(i32::MIN).is_infinite());
    assert_eq!(bucket_factor(i32::MAX), 0.0);
}

proptest! {
    /// Items are as many as the scan counts; bytes that are cut short or of another signal are no
    /// harm.
    #[test]
    fn any_bytes_do_no_harm(
        (signal, request) in generate::any_request(),
        other in generate::signal(),
        cut: Index,
    ) {
        let items = crate::signal::scan::scan(signal, &request).unwrap().items;
        let counted = counts(signal, &[&request]);
        prop_assert!(counted.ends_with(&format!(": {items}}}")), "{}", counted);
        let cut = &request[..cut.index(request.len() + 1)];
        let _ = (counts(other, &[cut]), normal(other, &[cut]), detailed(other, &[cut]));
        prop_assert_eq!(normal(signal, &[&request]).is_empty(), request.is_empty());
        prop_assert_eq!(detailed(signal, &[&request]).is_empty(), request.is_empty());
    }
}
