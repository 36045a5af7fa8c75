//! Prometheus' durations (prometheus/common, model.ParseDuration): the words `5m` and `1h30m`.

/// Units from the largest to the smallest, with their milliseconds: each at most once, in this
/// order.
const UNITS: [(&str, u64); 7] = [
    ("y", 365 * 86_400_000),
    ("w", 7 * 86_400_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Largest duration in milliseconds: Prometheus holds nanoseconds in 63 bits.
const MOST: u64 = i64::MAX as u64 / 1_000_000;

/// The same in seconds, in which a bare number is written.
pub(super) const MOST_SECONDS: f64 = (MOST / 1_000) as f64;

/// Milliseconds of a duration with units. `None`: not written as a duration, or too long.
pub(super) fn milliseconds(word: &str) -> Option<u64> {
    let mut rest = word;
    let mut units = UNITS.iter();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let after = &rest[digits..];
        let unit = after.len() - after.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let count: u64 = rest[..digits].parse().ok()?;
        let (_, size) = units.find(|(name, _)| *name == &after[..unit])?;
        total = total.checked_add(count.checked_mul(*size)?)?;
        rest = &after[unit..];
    }
    (!word.is_empty() && total <= MOST).then_some(total)
}

/// Whether a word is a duration with units.
pub(super) fn is_duration(word: &str) -> bool {
    milliseconds(word).is_some()
}

/// Whether a rule's setting (`for`, `interval`) is a duration: with units, or a bare `0`.
pub(in super::super) fn is_setting(word: &str) -> bool {
    word == "0" || is_duration(word)
}
