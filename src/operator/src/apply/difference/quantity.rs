//! Kubernetes quantities (apimachinery resource.Quantity): exact arithmetic, compared by value.
//! It knows nothing of where in an object a quantity stands.

/// A quantity in billionths: the API keeps no finer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity {
    nanos: i128,
}

const NANO: i128 = 1_000_000_000;
/// What the API holds at most: 2^63-1.
const MAX_NANOS: i128 = i64::MAX as i128 * NANO;
/// Digits after the point that are computed with; what lies beyond only rounds up.
const FRACTION_DIGITS: usize = 18;

impl Quantity {
    /// Reads `500m`, `1.5Gi`, `1e3`. None where it is no quantity or beyond what the API holds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, unsigned) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let end =
            unsigned.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(unsigned.len());
        let (number, suffix) = unsigned.split_at(end);
        let nanos = magnitude(number, scale(suffix)?)?;
        Some(Self { nanos: if negative { -nanos } else { nanos } })
    }

    /// Whole bytes, rounded up; None where it is negative or too large.
    #[must_use]
    pub fn to_bytes_ceil(self) -> Option<u64> {
        if self.nanos < 0 {
            return None;
        }
        u64::try_from(rounded_up(self.nanos, NANO)).ok()
    }
}

/// Billionths of an unsigned number times a scale, rounded up once, at the end.
fn magnitude(number: &str, (multiplier, divisor): (i128, i128)) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let fraction = fraction.trim_end_matches('0');
    let (kept, beyond) = fraction.split_at(fraction.len().min(FRACTION_DIGITS));
    let part = decimal(kept)?.checked_add(i128::from(!beyond.is_empty()))?;
    // Nine digits are billionths; more make the divisor longer, fewer make the part longer.
    let longer = power_of_ten(kept.len().saturating_sub(9))?;
    let shorter = power_of_ten(9usize.saturating_sub(kept.len()))?;
    let nanos = decimal(whole)?
        .checked_mul(NANO)?
        .checked_mul(longer)?
        .checked_add(part.checked_mul(shorter)?)?
        .checked_mul(multiplier)?;
    let total = rounded_up(nanos, divisor.checked_mul(longer)?);
    (total <= MAX_NANOS).then_some(total)
}

fn decimal(digits: &str) -> Option<i128> {
    if digits.is_empty() { Some(0) } else { digits.parse().ok() }
}

fn power_of_ten(exponent: usize) -> Option<i128> {
    10i128.checked_pow(u32::try_from(exponent).ok()?)
}

/// Of numbers that are not negative.
fn rounded_up(value: i128, divisor: i128) -> i128 {
    value / divisor + i128::from(value % divisor != 0)
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
