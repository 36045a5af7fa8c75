//! Metrics that look random, and are the same every time.

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

use super::super::make::{SECOND, any, attribute, gauge, histogram, metric, sum};

/// Numbers that look random and are the same every time (splitmix64).
pub(super) struct Dice(pub(super) u64);

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
fn any_metric(dice: &mut Dice, index: usize) -> Metric {
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
pub(super) fn requests(dice: &mut Dice) -> Vec<ResourceMetrics> {
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
    let shared: Vec<Metric> = (0..6).map(|n| any_metric(dice, 9000 + n)).collect();
    let mut index = 0;
    let mut all = Vec::new();
    for (at, pairs) in resources.iter().enumerate() {
        let scopes = ["", "lib", "other"].iter().map(|name| {
            index += 1000;
            let own = (0..18).map(|n| any_metric(dice, index + n));
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
        let attributes = super::super::make::attributes(pairs);
        let resource = (at != 5).then(|| Resource { attributes, ..Default::default() });
        all.push(ResourceMetrics { resource, scope_metrics, schema_url: String::new() });
    }
    all
}

/// The same series a minute later.
pub(super) fn later(mut all: Vec<ResourceMetrics>) -> Vec<ResourceMetrics> {
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
