//! Kubernetes quantities (apimachinery resource.Quantity): exact arithmetic, compared by value.

use std::cmp::Ordering;

/// A quantity in billionths: the API keeps no finer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nanos: i128,
}

const NANO: i128 = 1_000_000_000;

impl Quantity {
    /// Reads `500m`, `1.5Gi`, `1e3`. None where it is no quantity or beyond what the API holds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let end = text
            .char_indices()
            .find(|(at, c)| {
                !(c.is_ascii_digit() || *c == '.' || (*at == 0 && matches!(c, '+' | '-')))
            })
            .map_or(text.len(), |(at, _)| at);
        let (number, suffix) = text.split_at(end);
        let (multiplier, divisor) = scale(suffix)?;
        let (negative, digits) = match number.as_bytes().first()? {
            b'-' => (true, &number[1..]),
            b'+' => (false, &number[1..]),
            _ => (false, number),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
            return None;
        }
        let units = decimal(whole)?.checked_mul(NANO)?.checked_mul(multiplier)?;
        let fraction = &fraction[..fraction.len().min(12)];
        let power = 10i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let part = decimal(fraction)?.checked_mul(NANO)?.checked_mul(multiplier)?;
        let total = rounded_up(units, divisor)
            .checked_add(rounded_up(part, power.checked_mul(divisor)?))?;
        Some(Self { nanos: if negative { -total } else { total } })
    }

    /// Whole bytes, rounded up; None where it is negative or too large.
    #[must_use]
    pub fn to_bytes_ceil(self) -> Option<u64> {
        u64::try_from(rounded_up(self.nanos, NANO)).ok()
    }
}

fn decimal(digits: &str) -> Option<i128> {
    if digits.is_empty() { Some(0) } else { digits.parse().ok() }
}

fn rounded_up(value: i128, divisor: i128) -> i128 {
    let quotient = value / divisor;
    match (value % divisor).cmp(&0) {
        Ordering::Greater => quotient + 1,
        Ordering::Equal | Ordering::Less => quotient,
    }
}

/// Multiplier and divisor of a suffix.
fn scale(suffix: &str) -> Option<(i128, i128)> {
    let (kilo, kibi) = (1000i128, 1024i128);
    Some(match suffix {
        "" => (1, 1),
        "n" => (1, NANO),
        "u" => (1, 1_000_000),
        "m" => (1, 1000),
        "k" => (kilo, 1),
        "M" => (kilo.pow(2), 1),
        "G" => (kilo.pow(3), 1),
        "T" => (kilo.pow(4), 1),
        "P" => (kilo.pow(5), 1),
        "E" => (kilo.pow(6), 1),
        "Ki" => (kibi, 1),
        "Mi" => (kibi.pow(2), 1),
        "Gi" => (kibi.pow(3), 1),
        "Ti" => (kibi.pow(4), 1),
        "Pi" => (kibi.pow(5), 1),
        "Ei" => (kibi.pow(6), 1),
        _ => return exponent(suffix),
    })
}

fn exponent(suffix: &str) -> Option<(i128, i128)> {
    let digits = suffix.strip_prefix(['e', 'E'])?;
    let exponent: i32 = digits.parse().ok()?;
    let power = 10i128.checked_pow(exponent.unsigned_abs())?;
    if power > NANO * NANO {
        return None;
    }
    Some(if exponent < 0 { (1, power) } else { (power, 1) })
}
