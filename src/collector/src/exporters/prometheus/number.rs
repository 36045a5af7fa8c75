//! Numbers as text: as Go writes them, because the value of `le` is part of a series' identity and
//! should stay the one otelcol gives. Knows no metric.

use std::ops::Range;

/// A double as the text format has it (Go's `strconv.FormatFloat(f, 'g', -1, 64)`, but for -0, as in
/// prometheus/common's expfmt).
pub fn put_float(out: &mut Vec<u8>, value: f64) {
    if value.is_nan() {
        return out.extend_from_slice(b"NaN");
    }
    if value == 0.0 {
        return out.push(b'0');
    }
    if value.is_infinite() {
        return out.extend_from_slice(if value > 0.0 { b"+Inf" } else { b"-Inf" });
    }
    put_decimal(out, value, -4..6, 2);
}

/// A double as OpenMetrics has it: never like a whole number.
pub fn put_open_float(out: &mut Vec<u8>, value: f64) {
    let from = out.len();
    put_float(out, value);
    if value.is_finite() && !out[from..].iter().any(|b| matches!(b, b'.' | b'e')) {
        out.extend_from_slice(b".0");
    }
}

/// A double as JSON has it (ECMAScript's Number::toString, which Go's encoding/json follows); not
/// for what JSON has no number for.
pub fn put_json_float(out: &mut Vec<u8>, value: f64) {
    put_decimal(out, value, -6..21, 1);
}

/// Nanoseconds since 1970 as seconds, exactly.
pub fn put_seconds(out: &mut Vec<u8>, nanos: u64) {
    put_uint(out, nanos / 1_000_000_000);
    let fraction = format!("{:09}", nanos % 1_000_000_000);
    let fraction = fraction.trim_end_matches('0');
    out.push(b'.');
    out.extend_from_slice(if fraction.is_empty() { b"0" } else { fraction.as_bytes() });
}

/// A whole number.
pub fn put_uint(out: &mut Vec<u8>, mut value: u64) {
    let (mut digits, mut at) = ([0; 20], 20);
    loop {
        at -= 1;
        digits[at] = b'0' + (value % 10) as u8;
        value /= 10;
        if value == 0 {
            return out.extend_from_slice(&digits[at..]);
        }
    }
}

/// The shortest digits that give the value again; with an exponent of at least `width` digits where
/// it is not in `plain`.
fn put_decimal(out: &mut Vec<u8>, value: f64, plain: Range<i32>, width: usize) {
    let mut shortest = format!("{value:e}");
    if shortest.len() > 15 {
        // Where two texts are equally short and near, Go takes the one that ends in an even digit.
        let digits = shortest.bytes().take_while(|b| *b != b'e').filter(u8::is_ascii_digit).count();
        shortest = format!("{value:.*e}", digits - 1);
    }
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let digits: Vec<u8> = mantissa.bytes().filter(|b| *b != b'.').collect();
    out.extend_from_slice(sign.as_bytes());
    if value == 0.0 || plain.contains(&exponent) {
        return put_plain(out, &digits, exponent);
    }
    out.extend_from_slice(mantissa.as_bytes());
    out.push(b'e');
    out.push(if exponent < 0 { b'-' } else { b'+' });
    let exponent = exponent.unsigned_abs();
    if width == 2 && exponent < 10 {
        out.push(b'0');
    }
    put_uint(out, u64::from(exponent));
}

fn put_plain(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    if exponent < 0 {
        out.extend_from_slice(b"0.");
        out.resize(out.len() + exponent.unsigned_abs() as usize - 1, b'0');
        return out.extend_from_slice(digits);
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    let (before, after) = digits.split_at(whole.min(digits.len()));
    out.extend_from_slice(before);
    out.resize(out.len() + whole - before.len(), b'0');
    if !after.is_empty() {
        out.push(b'.');
        out.extend_from_slice(after);
    }
}

#[cfg(test)]
mod tests;
