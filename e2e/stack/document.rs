//! The application's instrumentation is the reference document's.

const DOCUMENT: &str = include_str!("../app/document.txt");
const OURS: &str = include_str!("../app/document.py");

/// Lines of code and comments, without the spaces before them: Python wants the block that runs for
/// each order in a function.
fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn the_documents_code_is_unchanged() {
    let code = OURS.splitn(3, "\"\"\"").nth(2).unwrap();
    let mut ours = lines(code);
    ours.retain(|line| !line.starts_with("def "));
    assert_eq!(ours, lines(DOCUMENT));
}
