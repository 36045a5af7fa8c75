//! Metrics of every type. For a page that Prometheus scrapes they are cumulative, each series has
//! one writer, and no two metrics have one name: anything else otelcol shows otherwise.

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::{Dice, NO_UTF8, text};

/// A request of any metrics.
pub(in super::super) fn metrics(dice: &mut Dice) -> ExportMetricsServiceRequest {
    let resource_metrics = dice.some(3, |dice| ResourceMetrics {
        resource: dice.maybe(Dice::resource),
        scope_metrics: dice.some(2, |dice| ScopeMetrics {
            scope: dice.maybe(Dice::scope),
            metrics: dice.up_to(4, |dice| {
                let temporality = dice.below(4) as i32;
                let data = dice.maybe(|dice| any_data(dice, temporality));
                let (name, unit) = (dice.text(), dice.of(UNITS).into());
                let (description, metadata) = (dice.text(), dice.attributes());
                Metric { name, description, unit, metadata, data }
            }),
            schema_url: dice.of(&["", "https://schema/1"]).into(),
        }),
        schema_url: dice.of(&["", "https://schema/2"]).into(),
    });
    ExportMetricsServiceRequest { resource_metrics }
}

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
    "Cel",
    "1/s",
    " s ",
    "MiBy/min",
    "°",
];

fn any_data(dice: &mut Dice, aggregation_temporality: i32) -> Data {
    match dice.below(6) {
        0 => Data::Gauge(Gauge { data_points: dice.up_to(3, number) }),
        1 | 2 => Data::Sum(Sum {
            data_points: dice.up_to(3, number),
            aggregation_temporality,
            is_monotonic: dice.one_in(2),
        }),
        3 => Data::Histogram(Histogram {
            data_points: dice.up_to(3, histogram),
            aggregation_temporality,
        }),
        4 => Data::ExponentialHistogram(ExponentialHistogram {
            data_points: dice.up_to(3, exponential),
            aggregation_temporality,
        }),
        _ => Data::Summary(Summary { data_points: dice.up_to(3, summary) }),
    }
}

fn number(dice: &mut Dice) -> NumberDataPoint {
    NumberDataPoint {
        attributes: dice.attributes(),
        start_time_unix_nano: dice.time(),
        time_unix_nano: dice.time(),
        exemplars: dice.up_to(2, any_exemplar),
        flags: dice.count(),
        value: dice.maybe(|dice| match dice.one_in(2) {
            true => number_data_point::Value::AsInt(dice.next().cast_signed() >> dice.below(63)),
            false => number_data_point::Value::AsDouble(dice.double()),
        }),
    }
}

fn histogram(dice: &mut Dice) -> HistogramDataPoint {
    HistogramDataPoint {
        attributes: dice.attributes(),
        start_time_unix_nano: dice.time(),
        time_unix_nano: dice.time(),
        count: dice.next(),
        sum: dice.maybe(Dice::double),
        bucket_counts: dice.up_to(4, Dice::next),
        explicit_bounds: dice.up_to(4, Dice::double),
        exemplars: dice.up_to(2, any_exemplar),
        flags: dice.count(),
        min: dice.maybe(Dice::double),
        max: dice.maybe(Dice::double),
    }
}

fn exponential(dice: &mut Dice) -> ExponentialHistogramDataPoint {
    let side = |dice: &mut Dice| Buckets {
        offset: dice.count().cast_signed(),
        bucket_counts: dice.up_to(4, Dice::next),
    };
    ExponentialHistogramDataPoint {
        attributes: dice.attributes(),
        start_time_unix_nano: dice.time(),
        time_unix_nano: dice.time(),
        count: dice.next(),
        sum: dice.maybe(Dice::double),
        scale: dice.below(30) as i32 - 10,
        zero_count: dice.below(9),
        positive: dice.maybe(side),
        negative: dice.maybe(side),
        flags: dice.count(),
        exemplars: dice.up_to(2, any_exemplar),
        min: dice.maybe(Dice::double),
        max: dice.maybe(Dice::double),
        zero_threshold: dice.double(),
    }
}

fn summary(dice: &mut Dice) -> SummaryDataPoint {
    SummaryDataPoint {
        attributes: dice.attributes(),
        start_time_unix_nano: dice.time(),
        time_unix_nano: dice.time(),
        count: dice.below(100),
        sum: dice.double(),
        quantile_values: dice
            .up_to(3, |dice| ValueAtQuantile { quantile: dice.double(), value: dice.double() }),
        flags: dice.count(),
    }
}

fn any_exemplar(dice: &mut Dice) -> Exemplar {
    Exemplar {
        filtered_attributes: dice.attributes(),
        time_unix_nano: dice.time(),
        span_id: dice.id(8),
        trace_id: dice.id(16),
        value: dice.maybe(|dice| match dice.one_in(2) {
            true => exemplar::Value::AsInt(dice.below(20).cast_signed() - 10),
            false => exemplar::Value::AsDouble(dice.double()),
        }),
    }
}

const SECOND: u64 = 1_000_000_000;

/// Requests for a page: every one is of other series, by its number.
pub(in super::super) fn metrics_for_a_page(
    dice: &mut Dice,
    request: usize,
) -> ExportMetricsServiceRequest {
    let resources: &[&[(&str, &str)]] = &[
        &[("service.name", "a"), ("service.namespace", "ns"), ("service.instance.id", "i-1")],
        &[("service.name", "a"), ("service.instance.id", "i-2"), ("k8s.pod.name", "p \"1\"")],
        &[("service.name", "b"), ("host.name", "h")],
        &[("service.instance.id", "only")],
        &[],
    ];
    let pairs = dice.of(resources);
    let attributes = pairs.iter().map(|(key, value)| text(key, value)).collect();
    let resource = Resource { attributes, ..Resource::default() };
    let scope_metrics = ["", "lib", "other"].iter().enumerate().map(|(at, name)| {
        let metrics = (0..3).map(|n| page_metric(dice, &format!("m{request}x{at}x{n}"))).collect();
        let scope = InstrumentationScope {
            name: (*name).into(),
            version: dice.of(&["", "1.2"]).into(),
            attributes: labels(dice, &["x.y", "z"]),
            ..Default::default()
        };
        let scope = (!name.is_empty()).then_some(scope);
        ScopeMetrics { scope, metrics, schema_url: dice.of(&["", "https://s/1"]).into() }
    });
    let scope_metrics = scope_metrics.collect();
    let schema_url = String::new();
    let resource_metrics =
        vec![ResourceMetrics { resource: Some(resource), scope_metrics, schema_url }];
    ExportMetricsServiceRequest { resource_metrics }
}

fn page_metric(dice: &mut Dice, name: &str) -> Metric {
    let odd = ["", ".", "-", "/a", " c", "é", "%", "{d}", ".total", ".seconds", ".requests"];
    // Points with another `n` are other series.
    let each: Vec<Vec<KeyValue>> = (0..=dice.below(3))
        .map(|n| {
            let keys = ["http.method", "c-d", "1e", "key x", "Upper.Case", "été", "_f"];
            let mut all = labels(dice, &keys);
            all.push(text("n", &n.to_string()));
            all
        })
        .collect();
    let kind = dice.below(7);
    let data = match kind {
        0 => Data::Gauge(Gauge { data_points: points(dice, each, page_number) }),
        1..=3 => Data::Sum(Sum {
            data_points: points(dice, each, page_number),
            aggregation_temporality: 2,
            is_monotonic: kind < 3,
        }),
        4 => Data::Histogram(Histogram {
            data_points: points(dice, each, page_histogram),
            aggregation_temporality: 2,
        }),
        5 => Data::ExponentialHistogram(ExponentialHistogram {
            data_points: points(dice, each, page_exponential),
            aggregation_temporality: 2,
        }),
        _ => Data::Summary(Summary { data_points: points(dice, each, page_summary) }),
    };
    let exponential = if kind == 5 { ".exponential" } else { "" };
    let description = dice.of(&["", "What it \"is\".\nAnd \\ more.", "Plain"]).into();
    Metric {
        name: format!("{name}{}{exponential}", dice.of(&odd)),
        description,
        unit: dice.of(UNITS).into(),
        metadata: Vec::new(),
        data: Some(data),
    }
}

fn points<T>(
    dice: &mut Dice,
    each: Vec<Vec<KeyValue>>,
    one: impl Fn(&mut Dice, Vec<KeyValue>, (u64, u64)) -> T,
) -> Vec<T> {
    each.into_iter()
        .map(|attributes| {
            let start = 1_700_000_000 + dice.below(1000);
            let times = (if dice.one_in(5) { 0 } else { start * SECOND }, (start + 60) * SECOND);
            one(dice, attributes, times)
        })
        .collect()
}

/// Some of the keys, with values that are text in UTF-8.
fn labels(dice: &mut Dice, keys: &[&str]) -> Vec<KeyValue> {
    let mut all = Vec::new();
    for key in keys {
        if dice.one_in(2) {
            all.push(dice.pair((*key).to_owned(), 2));
        }
    }
    all.iter_mut().filter_map(|pair| pair.value.as_mut()).for_each(well_formed);
    all
}

fn well_formed(value: &mut AnyValue) {
    let in_utf8 = |text: &mut String| *text = text.replace(NO_UTF8.0, "?");
    match &mut value.value {
        Some(Value::StringValue(text)) => in_utf8(text),
        Some(Value::ArrayValue(array)) => array.values.iter_mut().for_each(well_formed),
        Some(Value::KvlistValue(map)) => {
            map.values.iter_mut().for_each(|pair| in_utf8(&mut pair.key));
            map.values.iter_mut().filter_map(|pair| pair.value.as_mut()).for_each(well_formed);
        }
        _ => {}
    }
}

fn page_number(dice: &mut Dice, attributes: Vec<KeyValue>, times: (u64, u64)) -> NumberDataPoint {
    NumberDataPoint {
        attributes,
        start_time_unix_nano: times.0,
        time_unix_nano: times.1,
        exemplars: exemplars(dice, times.1),
        value: Some(match dice.one_in(2) {
            true => number_data_point::Value::AsInt(dice.next().cast_signed() >> dice.below(63)),
            false => number_data_point::Value::AsDouble(dice.double()),
        }),
        ..Default::default()
    }
}

fn page_histogram(
    dice: &mut Dice,
    attributes: Vec<KeyValue>,
    times: (u64, u64),
) -> HistogramDataPoint {
    let bounds: &[f64] =
        dice.of(&[&[][..], &[0.0, 0.25, 1.0, 10.0], &[-2.5, 5.0, 1e6, 2e6], &[0.1, 1e-7 + 0.1]]);
    let bucket_counts: Vec<u64> = (0..=bounds.len()).map(|_| dice.below(1000)).collect();
    HistogramDataPoint {
        attributes,
        start_time_unix_nano: times.0,
        time_unix_nano: times.1,
        count: bucket_counts.iter().sum(),
        sum: dice.maybe(|dice| dice.below(10_000) as f64 / 8.0),
        bucket_counts,
        explicit_bounds: bounds.to_vec(),
        exemplars: exemplars(dice, times.1),
        ..Default::default()
    }
}

fn page_exponential(
    dice: &mut Dice,
    attributes: Vec<KeyValue>,
    times: (u64, u64),
) -> ExponentialHistogramDataPoint {
    let mut side = || Buckets {
        offset: dice.below(40) as i32 - 20,
        bucket_counts: dice.up_to(100, |dice| dice.below(9)),
    };
    let (positive, negative) = (side(), side());
    let counts = positive.bucket_counts.iter().chain(&negative.bucket_counts);
    ExponentialHistogramDataPoint {
        attributes,
        start_time_unix_nano: times.0,
        time_unix_nano: times.1,
        count: counts.sum::<u64>() + 3,
        sum: Some(dice.below(10_000) as f64),
        scale: dice.below(16) as i32 - 4,
        zero_count: 3,
        positive: Some(positive),
        negative: Some(negative),
        ..Default::default()
    }
}

fn page_summary(dice: &mut Dice, attributes: Vec<KeyValue>, times: (u64, u64)) -> SummaryDataPoint {
    let at = |quantile| ValueAtQuantile { quantile, value: dice.double() };
    SummaryDataPoint {
        attributes,
        start_time_unix_nano: times.0,
        time_unix_nano: times.1,
        quantile_values: [1.0, 0.5, 0.99, 0.0].map(at).to_vec(),
        count: dice.below(1000),
        sum: dice.below(1000) as f64 / 4.0,
        ..Default::default()
    }
}

/// At times that a double has exactly, as otelcol writes them by way of one.
fn exemplars(dice: &mut Dice, time: u64) -> Vec<Exemplar> {
    let mut n = 0;
    dice.up_to(4, |dice| {
        n += 1;
        Exemplar {
            time_unix_nano: time + n * SECOND,
            trace_id: if dice.one_in(6) { Vec::new() } else { vec![dice.below(255) as u8 + 1; 16] },
            span_id: vec![dice.below(255) as u8 + 1; 8],
            value: Some(match dice.one_in(2) {
                true => exemplar::Value::AsInt(dice.below(20).cast_signed()),
                false => exemplar::Value::AsDouble(dice.below(1000) as f64 / 16.0),
            }),
            ..Default::default()
        }
    })
}
