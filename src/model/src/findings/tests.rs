//! A few problems are all told; a great many are counted.

use super::*;

fn problem(path: &str) -> Problem {
    Problem::new(path, Code::UnknownKey, "unknown key")
}

#[test]
fn what_is_found_is_told_once_by_path() {
    let mut findings = Findings::default();
    for path in ["b", "a.c", "b", "a"] {
        findings.push(problem(path));
    }
    assert_eq!(findings.count(), 4);
    let paths: Vec<String> = findings.sorted(|_| {}).into_iter().map(|p| p.path).collect();
    assert_eq!(paths, ["a", "a.c", "b"]);
}

#[test]
fn too_many_are_counted_and_not_even_worded() {
    let mut findings = Findings::default();
    let mut worded = 0;
    for index in 0..MAX_TOLD + 7 {
        findings.push_with(|| {
            worded += 1;
            problem(&format!("k{index:04}"))
        });
    }
    assert_eq!((findings.count(), worded), (MAX_TOLD + 7, MAX_TOLD));
    assert!(findings.since(MAX_TOLD + 3).is_empty());
    assert_eq!(findings.since(MAX_TOLD - 1).len(), 1);
    let told = findings.sorted(|_| {});
    assert_eq!(told.len(), MAX_TOLD + 1);
    assert_eq!(told[0].to_string(), "7 more were found than the 500 told here [too-large]");
}

#[test]
fn below_a_path_is_what_goes_on_with_a_dot_or_a_bracket() {
    let paths = BTreeSet::from(["a.b-c", "a.b.d", "x", "y[0]", "z1"].map(String::from));
    for (path, below) in [
        ("a", true),
        ("a.b", true),
        ("a.b-c", true),
        ("x", true),
        ("y", true),
        ("z", false),
        ("b", false),
        ("", false),
    ] {
        assert_eq!(any_within(&paths, path), below, "{path:?}");
        assert_eq!(paths.iter().any(|p| is_within(p, path)), below, "{path:?}");
    }
    assert!(any_within(&BTreeSet::from(["a.b-".to_owned(), "a.b.c".to_owned()]), "a.b"));
}
