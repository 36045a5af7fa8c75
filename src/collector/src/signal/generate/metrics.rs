//! Metrics of every type, and their points.

use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, Sum, Summary, SummaryDataPoint, exemplar,
    exponential_histogram_data_point::Buckets, metric::Data, number_data_point,
    summary_data_point::ValueAtQuantile,
};
use proptest::{collection::vec, option, prelude::*};

use super::{attributes, few, id, number, small, text, time, whole};

/// A metric of any type, or of none.
pub(crate) fn metric() -> BoxedStrategy<Metric> {
    let data = prop_oneof![
        few(number_point()).prop_map(|data_points| Data::Gauge(Gauge { data_points })),
        (few(number_point()), 0..3i32, any::<bool>()).prop_map(
            |(data_points, aggregation_temporality, is_monotonic)| Data::Sum(Sum {
                data_points,
                aggregation_temporality,
                is_monotonic
            })
        ),
        (few(histogram_point()), 0..3i32).prop_map(|(data_points, aggregation_temporality)| {
            Data::Histogram(Histogram { data_points, aggregation_temporality })
        }),
        (few(exponential_point()), 0..3i32).prop_map(|(data_points, aggregation_temporality)| {
            Data::ExponentialHistogram(ExponentialHistogram {
                data_points,
                aggregation_temporality,
            })
        }),
        few(summary_point()).prop_map(|data_points| Data::Summary(Summary { data_points })),
    ];
    (text(), text(), text(), attributes(), option::weighted(0.95, data))
        .prop_map(|(name, description, unit, metadata, data)| Metric {
            name,
            description,
            unit,
            metadata,
            data,
        })
        .boxed()
}

fn number_point() -> BoxedStrategy<NumberDataPoint> {
    use number_data_point::Value;
    let value = prop_oneof![number().prop_map(Value::AsDouble), whole().prop_map(Value::AsInt)];
    (attributes(), time(), time(), exemplars(), small(), option::weighted(0.9, value))
        .prop_map(|(attributes, start_time_unix_nano, time_unix_nano, exemplars, flags, value)| {
            NumberDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                exemplars,
                flags,
                value,
            }
        })
        .boxed()
}

fn histogram_point() -> BoxedStrategy<HistogramDataPoint> {
    let some = || option::of(number());
    let buckets = (vec(time(), 0..5), vec(number(), 0..5));
    (
        attributes(),
        (time(), time()),
        time(),
        buckets,
        (some(), some(), some()),
        exemplars(),
        small(),
    )
        .prop_map(|(attributes, times, count, buckets, numbers, exemplars, flags)| {
            HistogramDataPoint {
                attributes,
                start_time_unix_nano: times.0,
                time_unix_nano: times.1,
                count,
                sum: numbers.0,
                bucket_counts: buckets.0,
                explicit_bounds: buckets.1,
                exemplars,
                flags,
                min: numbers.1,
                max: numbers.2,
            }
        })
        .boxed()
}

fn exponential_point() -> BoxedStrategy<ExponentialHistogramDataPoint> {
    let some = || option::of(number());
    let buckets = || {
        let buckets = (any::<i32>(), vec(any::<u64>(), 0..5));
        option::of(buckets.prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }))
    };
    let scale = (prop_oneof![-10..21i32, any::<i32>()], time(), number());
    let times = (time(), time(), time());
    let numbers = (some(), some(), some());
    (attributes(), times, scale, (buckets(), buckets()), numbers, exemplars(), small())
        .prop_map(|(attributes, times, scale, buckets, numbers, exemplars, flags)| {
            ExponentialHistogramDataPoint {
                attributes,
                start_time_unix_nano: times.0,
                time_unix_nano: times.1,
                count: times.2,
                sum: numbers.0,
                scale: scale.0,
                zero_count: scale.1,
                positive: buckets.0,
                negative: buckets.1,
                flags,
                exemplars,
                min: numbers.1,
                max: numbers.2,
                zero_threshold: scale.2,
            }
        })
        .boxed()
}

fn summary_point() -> BoxedStrategy<SummaryDataPoint> {
    let quantile =
        (number(), number()).prop_map(|(quantile, value)| ValueAtQuantile { quantile, value });
    (attributes(), time(), time(), time(), number(), few(quantile), small())
        .prop_map(|(attributes, start, end, count, sum, quantile_values, flags)| SummaryDataPoint {
            attributes,
            start_time_unix_nano: start,
            time_unix_nano: end,
            count,
            sum,
            quantile_values,
            flags,
        })
        .boxed()
}

fn exemplars() -> BoxedStrategy<Vec<Exemplar>> {
    use exemplar::Value;
    let value = prop_oneof![number().prop_map(Value::AsDouble), whole().prop_map(Value::AsInt)];
    let exemplar = (attributes(), time(), id(8), id(16), option::of(value)).prop_map(
        |(filtered_attributes, time_unix_nano, span_id, trace_id, value)| Exemplar {
            filtered_attributes,
            time_unix_nano,
            span_id,
            trace_id,
            value,
        },
    );
    vec(exemplar, 0..2).boxed()
}
