use proptest::prelude::*;

use super::*;

fn text(put: fn(&mut Vec<u8>, f64), value: f64) -> String {
    let mut out = Vec::new();
    put(&mut out, value);
    String::from_utf8(out).unwrap()
}

#[test]
fn floats_are_written_as_go_does() {
    // As printed by strconv.FormatFloat(f, 'g', -1, 64); expfmt has no -0.
    let table = [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (10.0, "10"),
        (100_000.0, "100000"),
        (1e6, "1e+06"),
        (12_345_678.0, "1.2345678e+07"),
        (1_234_567.5, "1.2345675e+06"),
        (1.234_567_890_123_456_8e20, "1.2345678901234568e+20"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (0.000_012_345, "1.2345e-05"),
        (482_418_282_474_657.0 / 16.0, "3.0151142654666062e+13"),
        (2.5, "2.5"),
        (-2.5, "-2.5"),
        (5e-324, "5e-324"),
        (f64::MAX, "1.7976931348623157e+308"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ];
    for (value, written) in table {
        assert_eq!(text(put_float, value), written);
    }
}

#[test]
fn open_metrics_floats_never_look_whole() {
    for (value, written) in
        [(1.0, "1.0"), (0.0, "0.0"), (1e6, "1e+06"), (0.5, "0.5"), (f64::INFINITY, "+Inf")]
    {
        assert_eq!(text(put_open_float, value), written);
    }
}

#[test]
fn json_floats_are_written_as_ecmascript_does() {
    for (value, written) in [
        (1e6, "1000000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (0.000_001, "0.000001"),
        (1.5e-7, "1.5e-7"),
        (1e-10, "1e-10"),
        (-3.25, "-3.25"),
    ] {
        assert_eq!(text(put_json_float, value), written);
    }
}

#[test]
fn seconds_are_exact() {
    for (nanos, written) in [
        (0, "0.0"),
        (1_700_000_000_000_000_000, "1700000000.0"),
        (1_700_000_000_123_456_789, "1700000000.123456789"),
        (1_050_000_000, "1.05"),
    ] {
        let mut out = Vec::new();
        put_seconds(&mut out, nanos);
        assert_eq!(String::from_utf8(out).unwrap(), written);
    }
}

proptest! {
    #[test]
    fn every_double_reads_back(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(value.is_finite());
        for put in [put_float, put_open_float, put_json_float] {
            prop_assert_eq!(text(put, value).parse::<f64>().unwrap().to_bits(), bits);
        }
    }

    #[test]
    fn every_whole_number_is_written(value in any::<u64>()) {
        let mut out = Vec::new();
        put_uint(&mut out, value);
        prop_assert_eq!(String::from_utf8(out).unwrap(), value.to_string());
    }
}
