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

#[test]
fn what_is_no_map_replaces_and_is_replaced() {
    let merged = |first: &str, second: &str| merged(&[first, second], &[]);
    assert_eq!(merged("{a: {b: 1}}", "{a: 2}"), "a: 2\n");
    assert_eq!(merged("{a: 2}", "{a: {b: 1}}"), "a:\n  b: 1\n");
    assert_eq!(merged("{a: }", "{a: {b: 1}}"), "a:\n  b: 1\n");
    assert_eq!(merged("{a: [1, 2]}", "{a: }"), "a: null\n");
    assert_eq!(merged("{a: 1}", ""), "a: 1\n");
}

#[test]
fn sources_count_in_their_order_and_sets_last() {
    let texts = ["{a: 1, b: 1}", "{a: 2, c: 2}", "{a: 3}"];
    assert_eq!(
        merged(&texts, &["a=4", "d.e=[p, q]", "f="]),
        "a: 4\nb: 1\nc: 2\nd:\n  e:\n    - p\n    - q\nf: null\n"
    );
    // A value may hold what parts keys.
    assert_eq!(merged(&[], &["a.b=c=d.e"]), "a:\n  b: \"c=d.e\"\n");
}

/// otelcol, confmap/provider/yamlprovider: `yaml:exporters::debug::verbosity: detailed`.
#[test]
fn keys_with_two_colons_are_paths() {
    let texts =
        ["{exporters: {debug: {sampling_initial: 5}}}", "exporters::debug::verbosity: detailed"];
    assert_eq!(
        merged(&texts, &[]),
        "exporters:\n  debug:\n    sampling_initial: 5\n    verbosity: detailed\n"
    );
    let twice = "{processors::batch/a::timeout: 1s, processors::batch/b: }";
    assert_eq!(
        merged(&[twice], &[]),
        "processors:\n  batch/a:\n    timeout: \"1s\"\n  batch/b: null\n"
    );
}

#[test]
fn a_source_is_a_file_unless_it_says_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("config.yaml");
    std::fs::write(&file, "a: 1\n").unwrap();
    let path = file.display().to_string();
    for source in [path.clone(), format!("file:{path}")] {
        assert_eq!(yaml::emit(&load(&[source], &[]).unwrap()), "a: 1\n");
    }
    // Of the environment; what is not set says nothing.
    assert_eq!(load(&["env:OBSPIPE_NOT_SET".into()], &[]).unwrap(), Value::Map(Vec::new()));
    let path = std::env::var("CARGO_PKG_NAME").unwrap();
    let error = load(&["env:CARGO_PKG_NAME".into()], &[]);
    assert_eq!(error.unwrap(), Value::String(path), "what it is, the check will tell");
}

#[test]
fn null_bodies_are_defaults_and_all_problems_are_told_at_once() {
    let text = "{receivers: {otlp: {protocols: {grpc: , http: }}}, processors: {batch: }, \
                exporters: {nop: }, service: {pipelines: {traces: {receivers: [otlp], \
                processors: [batch], exporters: [nop]}}}}";
    let raw = yaml::parse(text).unwrap();
    let (configuration, _) = checked(&raw, None).unwrap();
    assert_eq!(configuration.listeners().len(), 3, "4317, 4318 and 8888");
    let wrong = text.replace("[batch]", "[batches]").replace("exporters: [nop]", "exporters: [no]");
    let problems = checked(&yaml::parse(&wrong).unwrap(), None).unwrap_err();
    assert!(problems.len() >= 2, "{problems:?}");
}
