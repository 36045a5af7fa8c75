use super::*;

/// Go's regexp (1.26) answers the same to each.
#[test]
fn patterns_mean_what_they_mean_to_go() {
    let cases = [
        (r"^\d+$", "12", true),
        (r"^\d+$", "١٢", false),
        (r"^\D$", "١", true),
        (r"^\w$", "é", false),
        (r"^\W$", "é", true),
        (r"^\s$", "\u{a0}", false),
        (r"^\s$", "\u{b}", false),
        (r"^\S$", "\u{b}", true),
        (r"^[\d\-x]$", "-", true),
        (r"^[^\w]$", "é", true),
        (r"^[\D]$", "1", false),
        (r"é\b", "é", false),
        (r"a\b", "aé", true),
        (r"\Bé", "é", true),
        (r"^a{2}$", "aa", true),
        (r"^a{,2}$", "a{,2}", true),
        (r"^a{1,}$", "aaa", true),
        (r"^{a}$", "{a}", true),
        (r"^a{x$", "a{x", true),
        (r"^[[]$", "[", true),
        (r"^[]a]$", "]", true),
        (r"^[^]a]$", "b", true),
        (r"^[a&&b]$", "&", true),
        (r"^[a~~b]$", "~", true),
        (r"^[+--]$", ",", true),
        (r"^[--a]$", "A", true),
        (r"^[a-]$", "-", true),
        (r"^[a^]$", "^", true),
        (r"^[[:alpha:]]+$", "ab", true),
        (r"^[[:^alpha:]]$", "1", true),
        (r"^[[:word:]x]$", "é", false),
        (r"^\<\_\-\/$", "<_-/", true),
        (r"^\Qa.b\E.$", "a.bc", true),
        (r"^\Qa.b\E.$", "axbc", false),
        (r"^\Qa\b", "a\\b", true),
        (r"^\pN\p{Greek}\x{41}\x42$", "1αAB", true),
        (r"^.$", "\n", false),
        (r"(?s)^.$", "\n", true),
        (r"(?i)^K$", "k", true),
        (r"a$", "a\n", false),
        (r"(?m)a$", "a\n", true),
        (r"^(?P<x>a)|(?<y>b)$", "b", true),
    ];
    for (pattern, text, expected) in cases {
        let compiled = compile(pattern, "x").map_err(|error| error.to_string());
        let is = compiled.map(|regex| regex.is_match(text));
        assert_eq!(is, Ok(expected), "{pattern} {text}");
    }
}

#[test]
fn what_go_refuses_is_refused() {
    let patterns = ["(", "[a", r"\", r"(?=a)", r"\1", "[z-a]", r"^[\Qa]\E]$", r"\C", r"\d\E"];
    for pattern in patterns {
        assert!(compile(pattern, "x").is_err(), "{pattern}");
    }
}

#[test]
fn the_message_does_not_repeat_the_pattern() {
    let error = compile("s3cret(", "actions[0].pattern").unwrap_err();
    assert_eq!(error.to_string(), "actions[0].pattern: is no regular expression: unclosed group");
    let error = compile(r"(s3cret\p{s3cret})", "x").unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
}
