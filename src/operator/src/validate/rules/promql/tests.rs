use super::*;

fn verdict(text: &str) -> String {
    check(text, Dialect::Prometheus).err().unwrap_or_else(|| "ok".into())
}

/// Accepted here and by promql-parser.
const GOOD: &[&str] = &[
    "1",
    "up",
    "sum(rate(http_requests_total{status=~\"5..\"}[5m])) \n/ sum(rate(http_requests_total[5m])) > 0.01",
    "histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m])) > 1\n",
    "sum by (job, le) (rate(x_bucket[5m]))",
    "sum(rate(x[5m])) without (pod)",
    "topk(3, sum by (job) (up))",
    "count_values(\"version\", build_info)",
    "quantile(0.9, x)",
    "a + on(x) group_left(y) b",
    "a * ignoring(x) group_right b",
    "a == bool b",
    "1 == bool 2",
    "a and on() b or c unless d",
    "-x ^ 2 % 3 atan2 4",
    "x[5m:1m]",
    "max_over_time(rate(x[5m])[1h:])",
    "rate(x[5m] offset 1h)",
    "x offset -5m",
    "x @ 1609746000",
    "x @ start() offset 5m",
    "rate(x[5m] @ end())",
    "{__name__=~\"a.+\", job!=\"\"}",
    "{\"metric.name\", job='x'}",
    "x{a=`raw`, b='s'}",
    "absent(up{job=\"x\"}) # comment",
    "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")",
    "label_join(up, \"a\", \",\", \"b\", \"c\")",
    "time() - x > 1h",
    "vector(1) or vector(0x1F)",
    "day_of_week() == 1",
    "round(x, 0.1)",
    "Inf > bool NaN",
    "1e3 + .5 + 5m",
    "sum:rate5m{a=\"b\",}",
    "SUM BY (a) (x)",
    "sum",
    "x[300]",
    "x{a=~\"[a-z]{2,3}|(?i)b+?\"}",
];

/// Refused, with the place to which the reader is sent.
const BAD: &[(&str, &str)] = &[
    ("", "1:1: the expression is empty"),
    (" # only a comment", "1:1: the expression is empty"),
    ("sum(up", "1:4: \"(\" is never closed"),
    ("up)", "1:3: unexpected \")\""),
    ("sum(up))\n> 1", "1:8: unexpected \")\""),
    ("up{a=\"b\"", "1:3: \"{\" is never closed"),
    ("up{a=\"b\"}}", "1:10: unexpected \"}\""),
    ("rate(x[5m)", "1:10: unexpected \")\", expected \":\" or \"]\""),
    ("up +", "1:5: unexpected end of expression, expected an expression"),
    ("up + * 2", "1:6: unexpected \"*\", expected an expression"),
    ("up up", "1:4: unexpected \"up\", expected an operator"),
    ("rat(x[5m])", "1:1: unknown function \"rat\""),
    (
        "sum(\n  rate(x))",
        "2:8: function \"rate\" takes a range vector, not a instant vector (a range such as [5m] is missing)",
    ),
    ("rate(x[5m], 1)", "1:1: \"rate\" takes 1 argument(s), got 2"),
    ("rate(x[5m],)", "1:11: unexpected \",\" before \")\""),
    ("sum(x[5m])", "1:5: aggregation \"sum\" takes a instant vector, not a range vector"),
    ("topk(x)", "1:1: \"topk\" takes 2 argument(s), got 1"),
    (
        "histogram_quantile(x, 0.9)",
        "1:20: function \"histogram_quantile\" takes a scalar, not a instant vector",
    ),
    ("up ? 1", "1:4: unexpected character '?'"),
    ("up & 1", "1:4: unexpected character '&'"),
    ("up =~ \"x\"", "1:4: unexpected \"=~\""),
    ("up = 1", "1:4: unexpected \"=\", expected an operator"),
    ("up{a=\"b}", "1:6: unterminated string"),
    ("up{a=\"b\nc\"}", "1:6: unterminated string"),
    ("up{a=b}", "1:6: unexpected \"b\", expected a string in quotes"),
    ("up{a}", "1:5: unexpected \"}\", expected \"=\", \"!=\", \"=~\" or \"!~\""),
    ("up{a==\"b\"}", "1:5: unexpected \"==\", expected \"=\", \"!=\", \"=~\" or \"!~\""),
    ("up{a=~\"(\"}", "1:7: invalid regular expression: missing closing \")\""),
    ("up{a=~\"*\"}", "1:7: invalid regular expression: a repetition of nothing"),
    ("up{a=\"\\d\"}", r#"1:7: invalid escape "\d" in a string (a backslash is written "\\")"#),
    ("{}", "1:1: a selector needs a name or a matcher that refuses the empty value"),
    ("{a=~\".*\"}", "1:1: a selector needs a name or a matcher that refuses the empty value"),
    ("up{__name__=\"x\"}", "1:4: the metric's name is given twice"),
    ("x[5]m", "1:5: unexpected \"m\", expected an operator"),
    ("x[5q]", "1:3: bad number or duration \"5q\""),
    ("x[]", "1:3: unexpected \"]\", expected a duration such as 5m"),
    ("x[0s]", "1:3: the duration must be greater than 0"),
    ("x[-5m]", "1:3: the duration must be greater than 0"),
    ("1__0", "1:1: bad number or duration \"1__0\""),
    ("x offset 1e10", "1:10: the duration is too long"),
    ("x + 1e400", "1:5: bad number or duration \"1e400\""),
    ("x[1m1h]", "1:3: bad number or duration \"1m1h\""),
    ("sum(x)[5m]", "1:7: a range needs a selector before it (a subquery is written [1h:5m])"),
    ("x offset 5m[5m]", "1:12: the range goes before \"offset\""),
    ("rate(x[5m]) offset 5m", "1:13: \"offset\" needs a selector or subquery before it"),
    ("x offset", "1:9: unexpected end of expression, expected a duration such as 5m"),
    ("1 > 2", "1:3: comparing two scalars needs \"> bool\""),
    ("a + bool b", "1:5: \"bool\" is for comparisons only"),
    ("a and 1", "1:3: \"and\" takes instant vectors, not a scalar"),
    ("a + on(x) 1", "1:5: matching is for two instant vectors only"),
    ("a and on(x) group_left b", "1:13: \"and\" takes no grouping or filling"),
    ("a + on(x) group_left(x) b", "1:3: label \"x\" stands in the on and the group clause"),
    ("a + on b", "1:8: unexpected \"b\", expected \"(\" and labels"),
    ("\"text\" + 1", "1:1: \"+\" takes scalars and instant vectors, not a string"),
    ("-\"text\"", "1:2: a sign needs a scalar or instant vector, not a string"),
    ("sum by job (x)", "1:8: unexpected \"job\", expected \"(\" and labels"),
    ("é + 1", "1:1: unexpected character 'é'"),
    ("x{a=\"é\"} + ?", "1:12: unexpected character '?'"),
];

/// What Prometheus 3 reads and promql-parser does not, or only in part.
const NEWER: &[&str] = &[
    "x </ 5 >/ 1",
    "rate(x[max_of(1m, step())]) > min_of(1, 2)",
    "sum by (a:b) (x)",
    "x{a=`raw\\d`, b='it\\'s'}",
    "rate(x[5m] anchored)",
    "x[5m + step()]",
    "x[max(1m, step())] offset (1m * 2)",
    "integral(x[5m])",
    "a + fill(0) b",
    "info(up, {k8s_pod_name=~\".*\"})",
    "1_000 + 0x_ff",
    "holt_winters(x[5m], 0.5, 0.5)",
    "x{a=~\"[[]\"}",
    "x{a=~\"\\\\Qa(b\\\\E\"}",
];

#[test]
fn accepts_what_prometheus_accepts() {
    for text in GOOD.iter().chain(NEWER) {
        assert_eq!(verdict(text), "ok", "{text}");
    }
}

#[test]
fn points_at_the_first_thing_wrong() {
    for (text, wanted) in BAD {
        assert_eq!(verdict(text), wanted.replace(" a instant", " an instant"), "{text}");
    }
}

/// Where promql-parser is more generous than Prometheus, or takes a text for another one.
const ORACLE_DIFFERS: &[&str] = &[
    "x[0s]",
    "x offset 1e10",
    "x + 1e400",
    "{a=~\".*\"}",
    "up{a==\"b\"}",
    "a + on(x) group_left(x) b",
];

#[test]
fn agrees_with_promql_parser() {
    let refused = |text: &&&str| promql_parser::parser::parse(text).is_err();
    let good: Vec<_> = GOOD.iter().filter(refused).collect();
    assert_eq!(good, Vec::<&&str>::new());
    let bad = BAD.iter().map(|(text, _)| text).filter(|text| !ORACLE_DIFFERS.contains(text));
    let bad: Vec<_> = bad.filter(|text| !refused(text)).collect();
    assert_eq!(bad, Vec::<&&str>::new());
}

/// Why the parser is not used as it is: a text that panics must not reach the operator's loop.
#[test]
fn promql_parser_panics_on_text_that_is_told_here() {
    assert!(std::panic::catch_unwind(|| promql_parser::parser::parse("x[1e400]")).is_err());
    assert_ne!(verdict("x[1e400]"), "ok");
}

#[test]
fn hostile_expressions_end_in_a_message() {
    let deep = |open: &str, close: &str, levels: usize| {
        format!("{}1{}", open.repeat(levels), close.repeat(levels))
    };
    assert_eq!(verdict(&deep("(", ")", 90)), "ok");
    let hostile = [
        deep("(", ")", 10_000),
        "(".repeat(60_000),
        deep("-", "", 60_000),
        deep("1^", "", 30_000),
        deep("abs(", ")", 10_000),
        format!("x[{}1{}]", "(".repeat(10_000), ")".repeat(10_000)),
        format!("x{{a=~\"{}\"}}", "(".repeat(10_000)),
        "x[".repeat(20_000),
        format!("x{}", " ".repeat(MAX_BYTES)),
        "x[1e400]x".into(),
        "x offset -1e400 y".into(),
    ];
    for text in hostile {
        assert_ne!(verdict(&text), "ok", "{}", &text[..20]);
    }
    assert_eq!(verdict(&vec!["up"; 5_000].join(" or ")), "ok");
}

#[test]
fn grafana_variables_stand_for_what_fits() {
    let good = [
        "rate(x[$__rate_interval])",
        "rate(x{job=~\"$job\", a=\"${b:regex}\"}[${__interval}])",
        "topk($n, $metric{a=\"b\"})",
        "sum by ($label) (rate(x[[[range]]]))",
        "avg_over_time(x[$__range:$__interval]) > [[limit]]",
        "foo_${kind}_total + $__range_s",
        "x{$filters}",
    ];
    for text in good {
        assert_eq!(check(text, Dialect::Grafana), Ok(()), "{text}");
        assert!(check(text, Dialect::Prometheus).is_err(), "{text}");
    }
    let problem = check("rate(x[$__rate_interval]))", Dialect::Grafana);
    assert_eq!(problem, Err("1:26: unexpected \")\"".into()));
}

#[test]
fn regular_expressions_are_go_s() {
    let good = [
        "",
        "a|b",
        "(?P<n>a)",
        "(?i:x)",
        "a{,5}",
        "{x}",
        "[]a]",
        "[^]]",
        "\\pL\\p{Greek}",
        "[[:alpha:]-]",
        "^$",
        "x{2}y*?",
    ];
    for pattern in good {
        assert!(regex::check(pattern).is_ok(), "{pattern}: {:?}", regex::check(pattern));
    }
    let bad = [
        "(",
        ")",
        "[",
        "a**",
        "+",
        "(?=a)",
        "(?!a)",
        "(?<!a)",
        "\\1",
        "\\",
        "a{1001}",
        "a{3,2}",
        "[z-a]",
        "\\Z",
        "(?x)",
        "a{2}{3}",
        "[[:nope:]]",
        "(a{500}){500}",
        "(?i-)",
        "[a-\\d]",
        "[\\b]",
    ];
    for pattern in bad {
        assert!(regex::check(pattern).is_err(), "{pattern}");
    }
    for (pattern, empty) in
        [(".*", true), (".+", false), ("a|", true), ("(a*)+", true), ("x?y", false), ("^$", true)]
    {
        assert_eq!(regex::check(pattern), Ok(empty), "{pattern}");
    }
}
