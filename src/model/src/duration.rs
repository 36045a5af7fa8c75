//! Durations in Go's syntax, as otelcol's configurations have them.

use std::time::Duration;

use crate::decode::{Decoder, Setting, shown, text};
use crate::problem::Code;
use crate::value::Value;

impl Setting for Duration {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        if let Value::Int(0) = value {
            return Some(Self::ZERO);
        }
        if let Value::Int(_) | Value::Float(_) = value {
            d.wrong_type(value, "a duration, as in 200ms, 10s or 1m30s,");
            return None;
        }
        let text = text(value, d)?;
        let parsed = parse_duration(text);
        if parsed.is_none() {
            let message = format!(
                "{} is no duration: a number with a unit, as in 200ms, 10s or 1m30s",
                shown(value)
            );
            d.problem(Code::InvalidValue, message);
        }
        parsed
    }

    fn type_name() -> String {
        "duration".into()
    }

    fn show(&self) -> String {
        format!("{self:?}")
    }
}

/// A duration in Go's syntax (time.ParseDuration), not negative.
#[must_use]
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    let mut nanos = 0u128;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let unit: u128 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        nanos = nanos.checked_add(scaled(number, unit)?)?;
        rest = tail;
    }
    // Go's durations end at 2^63 ns, some 292 years.
    u64::try_from(nanos).ok().filter(|n| i64::try_from(*n).is_ok()).map(Duration::from_nanos)
}

/// `number` with a decimal point times `unit`, in whole nanoseconds.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let digits = &fraction[..fraction.len().min(18)];
    let part: u128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let scale = 10u128.checked_pow(u32::try_from(digits.len()).ok()?)?;
    whole.checked_mul(unit)?.checked_add(part.checked_mul(unit)? / scale)
}

#[cfg(test)]
mod tests;
