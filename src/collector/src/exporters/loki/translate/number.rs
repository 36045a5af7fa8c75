//! Doubles as Go writes them: with as few digits as tell them from others. (Rust's own writer
//! takes another last digit where two are as close.)

use super::value::put;

/// A finite double in decimal.
struct Decimal {
    negative: bool,
    /// At least one, without zeros at either end but for 0 itself.
    digits: String,
    /// The power of ten of the first digit.
    exponent: i32,
}

impl Decimal {
    fn of(number: f64) -> Self {
        let text = serde_json::to_string(&number.abs()).unwrap_or_default();
        let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = [whole, fraction].concat();
        let significant = all.trim_start_matches('0');
        let zeros = all.len() - significant.len();
        let places = i32::try_from(whole.len()).unwrap_or(0) - i32::try_from(zeros).unwrap_or(0);
        let digits = significant.trim_end_matches('0');
        let exponent = power.parse::<i32>().unwrap_or(0) + places - 1;
        let zero = digits.is_empty();
        Self {
            negative: number.is_sign_negative(),
            digits: if zero { "0".into() } else { digits.into() },
            exponent: if zero { 0 } else { exponent },
        }
    }
}

/// With an exponent of at least `width` digits unless it is in `plain`.
pub(super) fn double(out: &mut Vec<u8>, number: f64, plain: std::ops::Range<i32>, width: usize) {
    let Decimal { negative, digits, exponent } = Decimal::of(number);
    if negative {
        out.push(b'-');
    }
    if plain.contains(&exponent) {
        return put_plain(out, &digits, exponent);
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let sign = if exponent < 0 { '-' } else { '+' };
    put(out, format_args!("{first}{point}{rest}e{sign}{:0width$}", exponent.unsigned_abs()));
}

fn put_plain(out: &mut Vec<u8>, digits: &str, exponent: i32) {
    let Ok(exponent) = usize::try_from(exponent) else {
        let zeros = usize::try_from(-1 - exponent).unwrap_or(0);
        return put(out, format_args!("0.{:0<zeros$}{digits}", ""));
    };
    let whole = exponent + 1;
    match digits.split_at_checked(whole) {
        Some((whole, "")) => put(out, whole),
        Some((whole, fraction)) => put(out, format_args!("{whole}.{fraction}")),
        None => put(out, format_args!("{digits:0<whole$}")),
    }
}
