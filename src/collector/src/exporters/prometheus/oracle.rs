//! Against otelcol's own exporter (exporter/prometheusexporter v0.155): the same requests, one
//! writer each and cumulative, must give the same page, but for differences that are listed here.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use obspipe_model::components::prometheus::{Prometheus, TranslationStrategy};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, HistogramDataPoint, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Summary, SummaryDataPoint, exemplar,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use serde_json::json;

use super::checker::{Sample, check};
use super::format::{Format, negotiate};
use super::make::{SECOND, any, attribute, encode, gauge, histogram, metric, settings, sum};
use super::store::Store;

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

/// The page that otelcol makes.
fn theirs(config: &serde_json::Value, accept: &str, requests: &[Vec<u8>]) -> String {
    let mut input = Vec::new();
    let frames = [config.to_string().into_bytes(), accept.as_bytes().to_vec()];
    for frame in frames.iter().chain(requests) {
        input.extend_from_slice(&(frame.len() as u32).to_be_bytes());
        input.extend_from_slice(frame);
    }
    let mut child = Command::new(program())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the oracle");
    child.stdin.take().unwrap().write_all(&input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "the oracle: {}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

/// Numbers that look random and are the same every time (splitmix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, of: usize) -> bool {
        self.below(of) == 0
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    fn float(&mut self) -> f64 {
        match self.below(12) {
            0 => 0.0,
            1 => self.below(2_000_000) as f64,
            2 => f64::NAN,
            3 => f64::INFINITY,
            4 => 1e21,
            5 => 1.5e-9,
            _ => self.next() as f64 / 2f64.powi(self.below(70) as i32),
        }
    }
}

const ODD: &[&str] =
    &["", ".", "_", "__", "-", "/a", ":b", " c", "é", "%", "{d}", ".total", ".ratio", ".seconds"];
const UNITS: &[&str] = &[
    "",
    "1",
    "s",
    "ms",
    "By",
    "By/s",
    "{request}",
    "{request}/s",
    "%",
    "m/h",
    "/s",
    "Cel",
    "kW.h",
    "_x_",
    "a__b",
    "1/s",
    " s ",
    "s/{x}",
    "per",
    "x/y/z",
    "MiBy/min",
    "°",
];
const KEYS: &[&str] =
    &["http.method", "c-d", "1e", "g__h", "key x", "Upper.Case", "été", "h@i", "b\"q\"", "_f"];

/// A value of each type an attribute can have.
fn value(dice: &mut Dice, depth: u32) -> Value {
    match dice.below(if depth == 0 { 5 } else { 7 }) {
        0 => Value::StringValue(dice.of(&["", "GET", "a\"b\\c\nd", "ünï <&>", "\u{1}\t"]).into()),
        1 => Value::BoolValue(dice.one_in(2)),
        2 => Value::IntValue(dice.next() as i64),
        3 if depth < 2 => Value::DoubleValue(dice.of(&[0.5, 1e21, 1e-7, 100_000_000.0, 2.0])),
        3 => Value::DoubleValue(dice.float()),
        4 => Value::BytesValue(vec![0, 255, dice.below(256) as u8]),
        5 => Value::ArrayValue(ArrayValue {
            values: (0..dice.below(3)).filter_map(|_| any(value(dice, depth - 1))).collect(),
        }),
        _ => Value::KvlistValue(KeyValueList {
            values: (0..dice.below(3))
                .map(|i| attribute(KEYS[i], value(dice, depth - 1)))
                .collect(),
        }),
    }
}

fn some_attributes(dice: &mut Dice, keys: &[&str]) -> Vec<KeyValue> {
    let mut all: Vec<KeyValue> = Vec::new();
    for key in keys {
        match dice.below(4) {
            0 | 1 => {}
            2 => all.push(attribute(key, value(dice, 2))),
            _ if dice.one_in(8) => {
                all.push(KeyValue {
                    value: Some(AnyValue { value: None }),
                    ..attribute(key, Value::BoolValue(true))
                });
            }
            _ => all.insert(0, attribute(key, value(dice, 2))),
        }
    }
    all
}

fn exemplars(dice: &mut Dice, time: u64) -> Vec<Exemplar> {
    let exemplar = |(n, dice): (u64, &mut Dice)| Exemplar {
        // A time that a double has exactly, as otelcol writes it by way of one.
        time_unix_nano: (time + n) * SECOND,
        trace_id: if dice.one_in(6) { Vec::new() } else { vec![dice.below(255) as u8 + 1; 16] },
        span_id: vec![dice.below(255) as u8 + 1; 8],
        value: Some(match dice.one_in(2) {
            true => exemplar::Value::AsInt(dice.below(20) as i64),
            false => exemplar::Value::AsDouble(dice.below(1000) as f64 / 16.0),
        }),
        ..Default::default()
    };
    (0..dice.below(5) as u64).map(|n| exemplar((n, &mut *dice))).collect()
}

/// When a point is from: each series has its own start, or none.
fn times(dice: &mut Dice) -> (u64, u64) {
    let start = 1_700_000_000 + dice.below(1000) as u64;
    (if dice.one_in(5) { 0 } else { start * SECOND }, start + 60)
}

fn number(dice: &mut Dice, attributes: Vec<KeyValue>) -> NumberDataPoint {
    let (start_time_unix_nano, time) = times(dice);
    NumberDataPoint {
        attributes,
        start_time_unix_nano,
        time_unix_nano: time * SECOND,
        exemplars: exemplars(dice, time),
        value: Some(match dice.one_in(2) {
            true => number_data_point::Value::AsInt(dice.next() as i64 >> dice.below(63)),
            false => number_data_point::Value::AsDouble(dice.float()),
        }),
        ..Default::default()
    }
}

fn explicit(dice: &mut Dice, attributes: Vec<KeyValue>) -> HistogramDataPoint {
    let (start_time_unix_nano, time) = times(dice);
    let bounds: &[f64] =
        dice.of(&[&[][..], &[0.0, 0.25, 1.0, 10.0], &[-2.5, 5.0, 1e6, 2e6], &[0.1, 1e-7 + 0.1]]);
    let counts: Vec<u64> = (0..=bounds.len()).map(|_| dice.below(1000) as u64).collect();
    HistogramDataPoint {
        attributes,
        start_time_unix_nano,
        time_unix_nano: time * SECOND,
        count: counts.iter().sum(),
        sum: (!dice.one_in(4)).then(|| dice.below(10_000) as f64 / 8.0),
        bucket_counts: if bounds.is_empty() && dice.one_in(2) { Vec::new() } else { counts },
        explicit_bounds: bounds.to_vec(),
        exemplars: exemplars(dice, time),
        ..Default::default()
    }
}

fn exponential(dice: &mut Dice, attributes: Vec<KeyValue>) -> ExponentialHistogramDataPoint {
    let (start_time_unix_nano, time) = times(dice);
    let mut side = || {
        let bucket_counts: Vec<u64> = (0..dice.below(300)).map(|_| dice.below(9) as u64).collect();
        (bucket_counts, dice.below(400) as i32 - 200)
    };
    let ((positive, above), (negative, below)) = (side(), side());
    let count = positive.iter().chain(&negative).sum::<u64>() + 3;
    ExponentialHistogramDataPoint {
        attributes,
        start_time_unix_nano,
        time_unix_nano: time * SECOND,
        count,
        sum: Some(dice.below(10_000) as f64),
        scale: dice.below(16) as i32 - 4,
        zero_count: 3,
        positive: Some(Buckets { offset: above, bucket_counts: positive }),
        negative: Some(Buckets { offset: below, bucket_counts: negative }),
        ..Default::default()
    }
}

fn quantiles(dice: &mut Dice, attributes: Vec<KeyValue>) -> SummaryDataPoint {
    let (start_time_unix_nano, time) = times(dice);
    let at = |(quantile, dice): (f64, &mut Dice)| ValueAtQuantile { quantile, value: dice.float() };
    SummaryDataPoint {
        attributes,
        start_time_unix_nano,
        time_unix_nano: time * SECOND,
        count: dice.below(1000) as u64,
        sum: dice.below(1000) as f64 / 4.0,
        quantile_values: [1.0, 0.5, 0.99, 0.0].map(|q| at((q, &mut *dice))).to_vec(),
        ..Default::default()
    }
}

/// A metric of a random type; `index` makes its name one of its own.
fn random_metric(dice: &mut Dice, index: usize) -> Metric {
    let kind = dice.below(7);
    let name = match dice.below(4) {
        0 => format!("{}m{index}x{}", dice.of(ODD), dice.of(ODD)),
        1 => format!("{index}x.m{}y", dice.of(ODD)),
        2 => format!("m{index}x{}", dice.of(&["_bytes", ".per.second", "_total", "_milliseconds"])),
        _ => format!("m{index}x.requests"),
    };
    // Points with other attributes are other series.
    let mut points: Vec<Vec<KeyValue>> = (0..=dice.below(3))
        .map(|n| {
            let mut all = some_attributes(dice, KEYS);
            all.push(attribute("n", Value::IntValue(n as i64)));
            all
        })
        .collect();
    let points = points.drain(..);
    let mut made = match kind {
        0 => gauge(&name, points.map(|a| number(dice, a)).collect()),
        1 | 2 => sum(&name, 2, true, points.map(|a| number(dice, a)).collect()),
        3 => sum(&name, 2, false, points.map(|a| number(dice, a)).collect()),
        4 => histogram(&name, 2, points.map(|a| explicit(dice, a)).collect()),
        5 => {
            let data_points = points.map(|a| exponential(dice, a)).collect();
            let data = ExponentialHistogram { data_points, aggregation_temporality: 2 };
            metric(&format!("{name}.exponential"), Data::ExponentialHistogram(data))
        }
        _ => {
            let data_points = points.map(|a| quantiles(dice, a)).collect();
            metric(&name, Data::Summary(Summary { data_points }))
        }
    };
    made.unit = dice.of(UNITS).to_owned();
    made.description = dice.of(&["", "What it \"is\".\nAnd \\ more.", "Plain"]).to_owned();
    made
}

/// Resources and scopes of many forms, with metrics of which each is in one of them, or in all.
fn random_requests(dice: &mut Dice) -> Vec<ResourceMetrics> {
    let resources: &[&[(&str, &str)]] = &[
        &[("service.name", "a"), ("service.namespace", "ns"), ("service.instance.id", "i-1")],
        &[
            ("service.name", "a"),
            ("service.namespace", "ns"),
            ("service.instance.id", "i-2"),
            ("k8s.pod.name", "p"),
            ("k8s_pod-name", "q"),
        ],
        &[("service.name", "b"), ("host.name", "h\"1\"")],
        &[("service.instance.id", "only")],
        &[("service.name", ""), ("service.instance.id", "i-3")],
        &[],
    ];
    let shared: Vec<Metric> = (0..6).map(|n| random_metric(dice, 9000 + n)).collect();
    let mut index = 0;
    let mut all = Vec::new();
    for (at, pairs) in resources.iter().enumerate() {
        let scopes = ["", "lib", "other"].iter().map(|name| {
            index += 1000;
            let own = (0..18).map(|n| random_metric(dice, index + n));
            let metrics = own.chain(shared.iter().cloned()).collect();
            let scope = InstrumentationScope {
                name: (*name).to_owned(),
                version: dice.of(&["", "1.2"]).to_owned(),
                attributes: some_attributes(dice, &["x.y", "name", "z"]),
                ..Default::default()
            };
            let scope = (!name.is_empty()).then_some(scope);
            ScopeMetrics { scope, metrics, schema_url: dice.of(&["", "https://s/1"]).to_owned() }
        });
        let scope_metrics = scopes.collect();
        let attributes = super::make::attributes(pairs);
        let resource = (at != 5).then(|| Resource { attributes, ..Default::default() });
        all.push(ResourceMetrics { resource, scope_metrics, schema_url: String::new() });
    }
    all
}

/// The same series a minute later.
fn later(mut all: Vec<ResourceMetrics>) -> Vec<ResourceMetrics> {
    let scopes = all.iter_mut().flat_map(|resource| &mut resource.scope_metrics);
    for metric in scopes.flat_map(|scope| &mut scope.metrics) {
        let points = match metric.data.as_mut() {
            Some(Data::Gauge(gauge)) => &mut gauge.data_points,
            Some(Data::Sum(sum)) => &mut sum.data_points,
            _ => continue,
        };
        for point in points {
            point.time_unix_nano += 60 * SECOND;
            if let Some(number_data_point::Value::AsInt(whole)) = &mut point.value {
                *whole = whole.wrapping_add(7);
            }
        }
    }
    all
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
    let first = random_requests(&mut dice);
    let requests = [encode(first.clone()), encode(later(first))];
    let mut store = Store::new(settings);
    for request in &requests {
        let written = store.write(request, 1);
        assert!(written.dropped.is_empty(), "{written:?}");
    }
    let how = negotiate(Some(accept), settings.enable_open_metrics);
    let mut out = Vec::new();
    store.page(how, 1, &mut |piece| out.extend_from_slice(piece));
    let mut ours = page(&String::from_utf8(out).unwrap(), how.format);
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
