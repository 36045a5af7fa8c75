//! The functions and aggregations of PromQL and what they take
//! (prometheus/prometheus, promql/parser/functions.go at v3.16, and `holt_winters` of v2).

use super::types::Type;

/// What a function takes and yields.
pub(super) struct Signature {
    /// Types of the arguments; the last one repeats where `more` allows it.
    pub(super) takes: Vec<Type>,
    /// Fewest arguments.
    pub(super) least: usize,
    /// Most arguments; absent when unbounded.
    pub(super) most: Option<usize>,
    /// Type of the result.
    pub(super) yields: Type,
}

/// Name, arguments (v vector, r range vector, s scalar, t text) and how many of them may be more
/// or fewer, as Prometheus' `Variadic`: 0 exact, n the last is optional and up to n in its place,
/// -1 any number in its place.
const FUNCTIONS: &[(&str, &str, i32)] = &[
    ("abs", "v", 0),
    ("absent", "v", 0),
    ("absent_over_time", "r", 0),
    ("acos", "v", 0),
    ("acosh", "v", 0),
    ("asin", "v", 0),
    ("asinh", "v", 0),
    ("atan", "v", 0),
    ("atanh", "v", 0),
    ("avg_over_time", "r", 0),
    ("ceil", "v", 0),
    ("changes", "r", 0),
    ("clamp", "vss", 0),
    ("clamp_max", "vs", 0),
    ("clamp_min", "vs", 0),
    ("cos", "v", 0),
    ("cosh", "v", 0),
    ("count_over_time", "r", 0),
    ("day_of_month", "v", 1),
    ("day_of_week", "v", 1),
    ("day_of_year", "v", 1),
    ("days_in_month", "v", 1),
    ("deg", "v", 0),
    ("delta", "r", 0),
    ("deriv", "r", 0),
    ("double_exponential_smoothing", "rss", 0),
    ("end", "", 0),
    ("exp", "v", 0),
    ("first_over_time", "r", 0),
    ("floor", "v", 0),
    ("histogram_avg", "v", 0),
    ("histogram_count", "v", 0),
    ("histogram_fraction", "ssv", 0),
    ("histogram_quantile", "sv", 0),
    ("histogram_quantiles", "vtss", 9),
    ("histogram_stddev", "v", 0),
    ("histogram_stdvar", "v", 0),
    ("histogram_sum", "v", 0),
    ("holt_winters", "rss", 0),
    ("hour", "v", 1),
    ("idelta", "r", 0),
    ("increase", "r", 0),
    ("info", "vv", 1),
    ("integral", "rs", 1),
    ("irate", "r", 0),
    ("label_join", "vttt", -1),
    ("label_replace", "vtttt", 0),
    ("last_over_time", "r", 0),
    ("ln", "v", 0),
    ("log10", "v", 0),
    ("log2", "v", 0),
    ("mad_over_time", "r", 0),
    ("max_of", "ss", 0),
    ("max_over_time", "r", 0),
    ("min_of", "ss", 0),
    ("min_over_time", "r", 0),
    ("minute", "v", 1),
    ("month", "v", 1),
    ("pi", "", 0),
    ("predict_linear", "rs", 0),
    ("present_over_time", "r", 0),
    ("quantile_over_time", "sr", 0),
    ("rad", "v", 0),
    ("range", "", 0),
    ("rate", "r", 0),
    ("resets", "r", 0),
    ("round", "vs", 1),
    ("scalar", "v", 0),
    ("sgn", "v", 0),
    ("sin", "v", 0),
    ("sinh", "v", 0),
    ("sort", "v", 0),
    ("sort_by_label", "vt", -1),
    ("sort_by_label_desc", "vt", -1),
    ("sort_desc", "v", 0),
    ("sqrt", "v", 0),
    ("start", "", 0),
    ("start_timestamp", "v", 0),
    ("stddev_over_time", "r", 0),
    ("stdvar_over_time", "r", 0),
    ("step", "", 0),
    ("sum_over_time", "r", 0),
    ("tan", "v", 0),
    ("tanh", "v", 0),
    ("time", "", 0),
    ("timestamp", "v", 0),
    ("ts_of_first_over_time", "r", 0),
    ("ts_of_last_over_time", "r", 0),
    ("ts_of_max_over_time", "r", 0),
    ("ts_of_min_over_time", "r", 0),
    ("vector", "s", 0),
    ("year", "v", 1),
];

/// Functions that yield a scalar; all others yield a vector.
const SCALARS: &[&str] =
    &["end", "max_of", "min_of", "pi", "range", "scalar", "start", "step", "time"];

/// The function of that name. Names are case-sensitive, unlike keywords.
pub(super) fn function(name: &str) -> Option<Signature> {
    let (_, letters, variadic) = FUNCTIONS.iter().find(|(known, _, _)| *known == name)?;
    let takes: Vec<Type> = letters.chars().map(letter).collect();
    let count = takes.len();
    let (least, most) = match usize::try_from(*variadic) {
        Ok(0) => (count, Some(count)),
        Ok(more) => (count.saturating_sub(1), Some(count.saturating_sub(1) + more)),
        Err(_) => (count.saturating_sub(1), None),
    };
    let yields = if SCALARS.contains(&name) { Type::Scalar } else { Type::Vector };
    Some(Signature { takes, least, most, yields })
}

/// The parameter in front of the vector that an aggregation takes, if it takes one. `None` when
/// the word (in lower case) is no aggregation.
pub(super) fn aggregation(word: &str) -> Option<Option<Type>> {
    Some(match word {
        "avg" | "count" | "group" | "max" | "min" | "stddev" | "stdvar" | "sum" => None,
        "bottomk" | "limit_ratio" | "limitk" | "quantile" | "topk" => Some(Type::Scalar),
        "count_values" => Some(Type::Text),
        _ => return None,
    })
}

fn letter(letter: char) -> Type {
    match letter {
        'v' => Type::Vector,
        'r' => Type::Range,
        's' => Type::Scalar,
        _ => Type::Text,
    }
}
