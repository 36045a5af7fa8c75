//! Numbers, times and names as Go prints them.

use std::fmt::{self, Display, Formatter};

use crate::signal::otlp::AnyValue;

/// A number as Go's `%f`: six digits behind the point.
pub(super) struct Fixed(pub(super) f64);

/// A number as Go's `%v`: the fewest digits that tell it, with an exponent of two digits at least
/// below 1e-4 and from 1e6 (strconv.FormatFloat with 'g' and -1).
pub(super) struct General(pub(super) f64);

/// Nanoseconds since 1970, with the sign of an `i64`, as Go prints a time in UTC.
pub(super) struct Time(pub(super) u64);

/// Bytes of a trace or span id, in hexadecimal; nothing where all are 0.
pub(super) struct Id<'a>(pub(super) &'a [u8]);

impl Display for Fixed {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match special(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "{:.6}", self.0),
        }
    }
}

impl Display for General {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(number) = *self;
        if let Some(name) = special(number) {
            return f.write_str(name);
        }
        let scientific = format!("{number:e}");
        let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let exponent: i32 = exponent.parse().unwrap_or_default();
        if (-4..6).contains(&exponent) {
            write!(f, "{number}")
        } else {
            let sign = if exponent < 0 { '-' } else { '+' };
            write!(f, "{digits}e{sign}{:02}", exponent.unsigned_abs())
        }
    }
}

fn special(number: f64) -> Option<&'static str> {
    match number {
        _ if number.is_nan() => Some("NaN"),
        f64::INFINITY => Some("+Inf"),
        f64::NEG_INFINITY => Some("-Inf"),
        _ => None,
    }
}

impl Display for Time {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        const NANOS: i64 = 1_000_000_000;
        const DAY: i64 = 86_400;
        let nanos = self.0.cast_signed();
        let (seconds, fraction) = (nanos.div_euclid(NANOS), nanos.rem_euclid(NANOS));
        let (year, month, day) = civil(seconds.div_euclid(DAY));
        let second = seconds.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")?;
        if fraction > 0 {
            let fraction = format!("{fraction:09}");
            write!(f, ".{}", fraction.trim_end_matches('0'))?;
        }
        f.write_str(" +0000 UTC")
    }
}

/// Year, month and day of a number of days since 1970-01-01, by 400-year eras that begin in March
/// (Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days).
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

impl Display for Id<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The type of a value.
pub(super) fn value_type(value: &AnyValue<'_>) -> &'static str {
    let types = [
        (value.string.is_some(), "Str"),
        (value.bool.is_some(), "Bool"),
        (value.int.is_some(), "Int"),
        (value.double.is_some(), "Double"),
        (value.kvlist.is_some(), "Map"),
        (value.array.is_some(), "Slice"),
        (value.bytes_value.is_some(), "Bytes"),
    ];
    types.iter().find(|(is, _)| *is).map_or("Empty", |(_, name)| name)
}

/// A span's kind.
pub(super) fn span_kind(kind: i32) -> &'static str {
    name(kind, &["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"])
}

/// How a span ended.
pub(super) fn status_code(code: i32) -> &'static str {
    name(code, &["Unset", "Ok", "Error"])
}

/// Aggregation temporality.
pub(super) fn temporality(temporality: i32) -> &'static str {
    name(temporality, &["Unspecified", "Delta", "Cumulative"])
}

/// A log record's severity.
pub(super) fn severity(number: i32) -> &'static str {
    #[rustfmt::skip]
    const NAMES: [&str; 25] = [
        "Unspecified",
        "Trace", "Trace2", "Trace3", "Trace4",
        "Debug", "Debug2", "Debug3", "Debug4",
        "Info", "Info2", "Info3", "Info4",
        "Warn", "Warn2", "Warn3", "Warn4",
        "Error", "Error2", "Error3", "Error4",
        "Fatal", "Fatal2", "Fatal3", "Fatal4",
    ];
    name(number, &NAMES)
}

/// A number without a name has none.
fn name(number: i32, names: &[&'static str]) -> &'static str {
    usize::try_from(number).ok().and_then(|index| names.get(index)).copied().unwrap_or("")
}

/// A base-2 exponential histogram's step between bounds, as a natural logarithm:
/// ln 2 times 2^-scale. In two steps, as 2^-scale alone may be out of range.
pub(super) fn bucket_factor(scale: i32) -> f64 {
    let exponent = (-i64::from(scale)).clamp(-2200, 2200);
    #[allow(clippy::cast_possible_truncation)] // clamped
    let halves = ((exponent / 2) as i32, (exponent - exponent / 2) as i32);
    std::f64::consts::LN_2 * 2f64.powi(halves.0) * 2f64.powi(halves.1)
}
