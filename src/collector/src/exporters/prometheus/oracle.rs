//! Against otelcol's own exporter (exporter/prometheusexporter v0.155): the same requests, one
//! writer each and cumulative, must give the same page, but for differences that are listed here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use obspipe_model::components::prometheus::{Prometheus, TranslationStrategy};
use serde_json::json;

use self::random::{Dice, later, requests};
use super::checker::{Sample, check};
use super::format::{Format, negotiate};
use super::make::{encode, page_as, settings};
use super::store::Store;

mod random;

/// The oracle's program: named by OBSPIPE_ORACLE_PROMETHEUS, or built below the target directory.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let named = std::env::var_os("OBSPIPE_ORACLE_PROMETHEUS");
        named.map_or_else(build, PathBuf::from)
    })
}

fn build() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| manifest.join("../../target"), PathBuf::from);
    let directory = target.join("oracle");
    std::fs::create_dir_all(&directory).expect("a directory below target");
    let directory = directory.canonicalize().expect("an absolute path");
    let program = directory.join("prometheus");
    if !program.exists() {
        // Not eprintln, which cargo test keeps to itself.
        let line = "building the prometheus oracle with go; the first time takes a minute or two\n";
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    // Under a name of its own and then moved, as another test run may be using the program.
    let fresh = directory.join(format!("prometheus-{}", std::process::id()));
    let status = Command::new("go")
        .args([OsString::from("build"), "-o".into(), fresh.clone().into(), ".".into()])
        .current_dir(manifest.join("oracle/prometheus"))
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "-buildvcs=false")
        .env("GOWORK", "off")
        .status()
        .expect("go, which builds the oracle");
    assert!(status.success(), "go build: {status}");
    std::fs::rename(&fresh, &program).expect("the built program in place");
    program
}

/// What the oracle says to these frames.
fn ask(arguments: &[&str], frames: &[&[u8]]) -> String {
    let mut input = Vec::new();
    for frame in frames {
        input.extend_from_slice(&(frame.len() as u32).to_be_bytes());
        input.extend_from_slice(frame);
    }
    let mut child = Command::new(program())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle");
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the oracle: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// The page that otelcol makes.
fn theirs(config: &serde_json::Value, accept: &str, requests: &[Vec<u8>]) -> String {
    let config = config.to_string();
    let mut frames = vec![config.as_bytes(), accept.as_bytes()];
    frames.extend(requests.iter().map(Vec::as_slice));
    ask(&[], &frames)
}

/// How many series a Prometheus server reads on a page.
fn read_by_prometheus(page: &str, content_type: &str) -> usize {
    let told = ask(&["parse"], &[content_type.as_bytes(), page.as_bytes()]);
    told.trim().parse().unwrap()
}

type Page = BTreeMap<(String, BTreeMap<String, String>), Sample>;

fn page(text: &str, format: Format) -> Page {
    // Theirs is not checked as strictly: only ours has to be.
    let samples = check(text, format).into_iter();
    samples.map(|sample| ((sample.name.clone(), sample.labels.clone()), sample)).collect()
}

fn same(ours: &Sample, theirs: &Sample) -> bool {
    let equal = |a: f64, b: f64| a == b || (a.is_nan() && b.is_nan());
    let exemplars = match (&ours.exemplar, &theirs.exemplar) {
        (Some(a), Some(b)) => a.0 == b.0 && equal(a.1, b.1) && a.2 == b.2,
        (a, b) => a.is_none() && b.is_none(),
    };
    equal(ours.value, theirs.value) && ours.time == theirs.time && exemplars
}

/// What only our page has, on purpose.
fn ours_only(sample: &Sample, format: Format) -> bool {
    let name = &sample.name;
    // Since when a counter counts; otelcol has it not written.
    (format == Format::OpenMetrics && name.ends_with("_created"))
        // Classic buckets of exponential histograms; otelcol has only the total of them in text.
        || (name.ends_with("_bucket") && name.contains("exponential"))
        // Two attributes that make the same label; otelcol has no such series, but such a target.
        || (sample.labels.get("k8s_pod_name").is_some_and(|value| value == "p;q"))
}

const PROMETHEUS_3: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
    application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;\
    q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

fn compare(settings: &Prometheus, config: &serde_json::Value, accept: &str) {
    let mut dice = Dice(7);
    let first = requests(&mut dice);
    let requests = [encode(first.clone()), encode(later(first))];
    let mut store = Store::new(settings);
    for request in &requests {
        let written = store.write(request, 1);
        assert!(written.dropped.is_empty(), "{written:?}");
    }
    let how = negotiate(Some(accept), settings.enable_open_metrics);
    let text = page_as(&store, how, 1);
    let mut ours = page(&text, how.format);
    assert_eq!(read_by_prometheus(&text, &how.content_type()), ours.len());
    // Attributes that differ only until escaped: otelcol then writes a label twice.
    let twice = |line: &&str| line.matches("k8s_pod_name=").count() < 2;
    let theirs = theirs(config, accept, &requests);
    let theirs: String = theirs.split_inclusive('\n').filter(twice).collect();
    let theirs = page(&theirs, how.format);
    assert!(theirs.len() > 1500, "{} lines", theirs.len());
    for (key, sample) in &theirs {
        let Some(own) = ours.remove(key) else {
            let near: Vec<_> = ours.keys().filter(|(name, _)| *name == key.0).collect();
            let ours: Vec<_> = ours.keys().map(|key| &key.0).collect();
            panic!("{config}: missing {sample:?}\nof {near:?}\n{ours:?}")
        };
        assert!(same(&own, sample), "ours {own:?}\ntheirs {sample:?}");
    }
    ours.retain(|_, sample| !ours_only(sample, how.format));
    assert!(ours.is_empty(), "too many: {:?}", ours.values().next());
}

/// As [`compare`]; the settings are told to otelcol by the same keys.
fn compare_with(config: serde_json::Value, accept: &str) {
    use TranslationStrategy::*;
    let text = |key: &str| config[key].as_str().unwrap_or_default().to_owned();
    let flag = |key: &str| config[key].as_bool().unwrap_or_default();
    let strategies = [
        ("UnderscoreEscapingWithSuffixes", UnderscoreEscapingWithSuffixes),
        ("UnderscoreEscapingWithoutSuffixes", UnderscoreEscapingWithoutSuffixes),
        ("NoUTF8EscapingWithSuffixes", NoUtf8EscapingWithSuffixes),
        ("NoTranslation", NoTranslation),
    ];
    let strategy = strategies.into_iter().find(|(name, _)| text("translation_strategy") == *name);
    let mut settings = settings();
    settings.namespace = text("namespace");
    settings.translation_strategy = strategy.map(|(_, strategy)| strategy);
    settings.send_timestamps = flag("send_timestamps");
    settings.without_scope_info = flag("without_scope_info");
    settings.enable_open_metrics = Some(flag("enable_open_metrics"));
    let conversion = &config["resource_to_telemetry_conversion"]["enabled"];
    settings.resource_to_telemetry_conversion.enabled = conversion.as_bool().unwrap_or_default();
    for (name, value) in config["const_labels"].as_object().into_iter().flatten() {
        settings.const_labels.insert(name.clone(), value.as_str().unwrap().to_owned());
    }
    compare(&settings, &config, accept);
}

#[test]
fn a_text_page_is_that_of_otelcol() {
    compare_with(json!({}), "");
    compare_with(json!({}), PROMETHEUS_3);
}

#[test]
fn an_open_metrics_page_is_that_of_otelcol() {
    compare_with(json!({ "enable_open_metrics": true }), PROMETHEUS_3);
    let times = json!({ "enable_open_metrics": true, "send_timestamps": true });
    compare_with(times, "application/openmetrics-text");
}

#[test]
fn names_of_each_strategy_are_those_of_otelcol() {
    for strategy in [
        "UnderscoreEscapingWithSuffixes",
        "UnderscoreEscapingWithoutSuffixes",
        "NoUTF8EscapingWithSuffixes",
        "NoTranslation",
    ] {
        for open in [false, true] {
            let config = json!({
                "translation_strategy": strategy,
                "enable_open_metrics": open,
                "namespace": "ns",
            });
            compare_with(config.clone(), PROMETHEUS_3);
            compare_with(config, "application/openmetrics-text;version=1.0.0");
        }
    }
}

/// otelcol v0.155 ignores `add_metric_suffixes` (a feature gate that is on); here it counts.
#[test]
fn the_old_form_of_the_strategy_is_one_of_the_new() {
    let settings = Prometheus {
        add_metric_suffixes: Some(false),
        enable_open_metrics: Some(false),
        ..settings()
    };
    let config = json!({ "translation_strategy": "UnderscoreEscapingWithoutSuffixes" });
    compare(&settings, &config, PROMETHEUS_3);
}

#[test]
fn labels_by_settings_are_those_of_otelcol() {
    compare_with(
        json!({
            "const_labels": { "region": "eu \"1\"", "aa": "" },
            "send_timestamps": true,
            "namespace": "my-ns",
        }),
        "text/plain",
    );
    compare_with(json!({ "resource_to_telemetry_conversion": { "enabled": true } }), "");
}
