use super::*;

fn merged(texts: &[&str], sets: &[&str]) -> String {
    let sources: Vec<String> = texts.iter().map(|text| format!("yaml:{text}")).collect();
    let sets: Vec<String> = sets.iter().map(ToString::to_string).collect();
    yaml::emit(&load(&sources, &sets).unwrap())
}

#[test]
fn maps_are_merged_and_of_anything_else_the_later_counts() {
    let first = "{exporters: {debug: {verbosity: basic}, nop: }, service: {extensions: [a, b]}}";
    let second = "{exporters: {debug: {sampling_initial: 5}}, service: {extensions: [c]}}";
    assert_eq!(
        merged(&[first, second], &[]),
        "exporters:\n  debug:\n    verbosity: basic\n    sampling_initial: 5\n  nop: null\n\
         service:\n  extensions:\n    - c\n"
    );
}

#[test]
fn a_null_body_erases_nothing() {
    let texts = ["{processors: {batch: {timeout: 2s}}}", "{processors: {batch: }}"];
    assert_eq!(merged(&texts, &[]), "processors:\n  batch:\n    timeout: \"2s\"\n");
}

#[test]
fn a_set_is_a_configuration_of_its_own() {
    let set = "processors.batch.timeout=3s";
    let texts = ["{processors: {batch: {timeout: 2s, send_batch_size: 1}}}"];
    assert_eq!(
        merged(&texts, &[set]),
        "processors:\n  batch:\n    timeout: \"3s\"\n    send_batch_size: 1\n"
    );
    let error = load(&[], &["processors".into()]).unwrap_err().to_string();
    assert!(error.contains("write key=value"), "{error}");
}

#[test]
fn what_cannot_be_read_is_told() {
    let of = |source: &str| load(&[source.to_owned()], &[]).unwrap_err().to_string();
    assert!(of("/nowhere/config.yaml").starts_with("/nowhere/config.yaml: No such file"));
    assert!(of("file:/nowhere/config.yaml").starts_with("/nowhere/config.yaml: No such file"));
    assert!(of("https://example.com/config.yaml").contains("file:, env: or yaml:"));
    assert!(of("yaml:[").starts_with("yaml:: "), "{}", of("yaml:["));
}

#[test]
fn the_documents_configuration_is_valid() {
    let text = include_str!("../../../../tests/collector/document.yaml");
    let raw = yaml::parse(text).unwrap();
    let (configuration, warnings) = checked(&raw, Some(13134)).unwrap();
    assert_eq!(configuration.pipelines().len(), 3);
    assert!(warnings.is_empty(), "{warnings:?}");
    let problems = checked(&raw, Some(8889)).unwrap_err();
    assert!(problems[0].to_string().contains("8889"), "{problems:?}");
}
