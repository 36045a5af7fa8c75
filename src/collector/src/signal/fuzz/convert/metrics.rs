//! Metrics and their points.

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest, metrics::v1 as metrics,
};

use super::{Convert, all, text};
use crate::signal::otlp::*;

impl Convert for Metrics<'_> {
    type Struct = ExportMetricsServiceRequest;
    fn convert(self) -> Self::Struct {
        ExportMetricsServiceRequest { resource_metrics: all(self.resource_metrics) }
    }
}

impl Convert for ResourceMetrics<'_> {
    type Struct = metrics::ResourceMetrics;
    fn convert(self) -> Self::Struct {
        metrics::ResourceMetrics {
            resource: self.resource.map(|sub| sub.view().convert()),
            scope_metrics: all(self.scope_metrics),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for ScopeMetrics<'_> {
    type Struct = metrics::ScopeMetrics;
    fn convert(self) -> Self::Struct {
        metrics::ScopeMetrics {
            scope: self.scope.map(|sub| sub.view().convert()),
            metrics: all(self.metrics),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for Metric<'_> {
    type Struct = metrics::Metric;
    fn convert(self) -> Self::Struct {
        use metrics::metric::Data;
        let data = None
            .or(self.gauge.map(|sub| Data::Gauge(sub.view().convert())))
            .or(self.sum.map(|sub| Data::Sum(sub.view().convert())))
            .or(self.histogram.map(|sub| Data::Histogram(sub.view().convert())))
            .or(self
                .exponential_histogram
                .map(|sub| Data::ExponentialHistogram(sub.view().convert())))
            .or(self.summary.map(|sub| Data::Summary(sub.view().convert())));
        metrics::Metric {
            name: text(self.name),
            description: text(self.description),
            unit: text(self.unit),
            metadata: all(self.metadata),
            data,
        }
    }
}

impl Convert for Gauge<'_> {
    type Struct = metrics::Gauge;
    fn convert(self) -> Self::Struct {
        metrics::Gauge { data_points: all(self.data_points) }
    }
}

impl Convert for Sum<'_> {
    type Struct = metrics::Sum;
    fn convert(self) -> Self::Struct {
        metrics::Sum {
            data_points: all(self.data_points),
            aggregation_temporality: self.aggregation_temporality,
            is_monotonic: self.is_monotonic,
        }
    }
}

impl Convert for Histogram<'_> {
    type Struct = metrics::Histogram;
    fn convert(self) -> Self::Struct {
        metrics::Histogram {
            data_points: all(self.data_points),
            aggregation_temporality: self.aggregation_temporality,
        }
    }
}

impl Convert for ExponentialHistogram<'_> {
    type Struct = metrics::ExponentialHistogram;
    fn convert(self) -> Self::Struct {
        metrics::ExponentialHistogram {
            data_points: all(self.data_points),
            aggregation_temporality: self.aggregation_temporality,
        }
    }
}

impl Convert for Summary<'_> {
    type Struct = metrics::Summary;
    fn convert(self) -> Self::Struct {
        metrics::Summary { data_points: all(self.data_points) }
    }
}

impl Convert for NumberDataPoint<'_> {
    type Struct = metrics::NumberDataPoint;
    fn convert(self) -> Self::Struct {
        metrics::NumberDataPoint {
            start_time_unix_nano: self.start_time_unix_nano,
            time_unix_nano: self.time_unix_nano,
            value: None
                .or(self.as_double.map(metrics::number_data_point::Value::AsDouble))
                .or(self.as_int.map(metrics::number_data_point::Value::AsInt)),
            exemplars: all(self.exemplars),
            attributes: all(self.attributes),
            flags: self.flags,
        }
    }
}

impl Convert for HistogramDataPoint<'_> {
    type Struct = metrics::HistogramDataPoint;
    fn convert(self) -> Self::Struct {
        metrics::HistogramDataPoint {
            start_time_unix_nano: self.start_time_unix_nano,
            time_unix_nano: self.time_unix_nano,
            count: self.count,
            sum: self.sum,
            bucket_counts: self.bucket_counts.iter().collect(),
            explicit_bounds: self.explicit_bounds.iter().collect(),
            exemplars: all(self.exemplars),
            attributes: all(self.attributes),
            flags: self.flags,
            min: self.min,
            max: self.max,
        }
    }
}

impl Convert for ExponentialHistogramDataPoint<'_> {
    type Struct = metrics::ExponentialHistogramDataPoint;
    fn convert(self) -> Self::Struct {
        metrics::ExponentialHistogramDataPoint {
            attributes: all(self.attributes),
            start_time_unix_nano: self.start_time_unix_nano,
            time_unix_nano: self.time_unix_nano,
            count: self.count,
            sum: self.sum,
            scale: self.scale,
            zero_count: self.zero_count,
            positive: self.positive.map(|sub| sub.view().convert()),
            negative: self.negative.map(|sub| sub.view().convert()),
            flags: self.flags,
            exemplars: all(self.exemplars),
            min: self.min,
            max: self.max,
            zero_threshold: self.zero_threshold,
        }
    }
}

impl Convert for Buckets<'_> {
    type Struct = metrics::exponential_histogram_data_point::Buckets;
    fn convert(self) -> Self::Struct {
        metrics::exponential_histogram_data_point::Buckets {
            offset: self.offset,
            bucket_counts: self.bucket_counts.iter().map(|count| count.0).collect(),
        }
    }
}

impl Convert for SummaryDataPoint<'_> {
    type Struct = metrics::SummaryDataPoint;
    fn convert(self) -> Self::Struct {
        metrics::SummaryDataPoint {
            start_time_unix_nano: self.start_time_unix_nano,
            time_unix_nano: self.time_unix_nano,
            count: self.count,
            sum: self.sum,
            quantile_values: all(self.quantile_values),
            attributes: all(self.attributes),
            flags: self.flags,
        }
    }
}

impl Convert for ValueAtQuantile<'_> {
    type Struct = metrics::summary_data_point::ValueAtQuantile;
    fn convert(self) -> Self::Struct {
        metrics::summary_data_point::ValueAtQuantile { quantile: self.quantile, value: self.value }
    }
}

impl Convert for Exemplar<'_> {
    type Struct = metrics::Exemplar;
    fn convert(self) -> Self::Struct {
        metrics::Exemplar {
            time_unix_nano: self.time_unix_nano,
            value: None
                .or(self.as_double.map(metrics::exemplar::Value::AsDouble))
                .or(self.as_int.map(metrics::exemplar::Value::AsInt)),
            span_id: self.span_id.to_vec(),
            trace_id: self.trace_id.to_vec(),
            filtered_attributes: all(self.filtered_attributes),
        }
    }
}
