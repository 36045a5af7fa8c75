//! What views read, as the structs that prost decodes: to be compared with what prost itself reads.

use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1 as common,
    logs::v1 as logs,
    metrics::v1 as metrics,
    resource::v1 as resource,
    trace::v1 as trace,
};

use crate::signal::otlp::*;
use crate::signal::view::{Repeated, Text, View};

/// The struct of a view.
pub(crate) trait Convert {
    type Struct;
    fn convert(self) -> Self::Struct;
}

fn all<'a, M: View>(of: Repeated<'a, M>) -> Vec<<M::At<'a> as Convert>::Struct>
where
    M::At<'a>: Convert,
{
    of.iter().map(Convert::convert).collect()
}

fn text(text: Text<'_>) -> String {
    text.lossy().into_owned()
}

impl Convert for Traces<'_> {
    type Struct = ExportTraceServiceRequest;
    fn convert(self) -> Self::Struct {
        ExportTraceServiceRequest { resource_spans: all(self.resource_spans) }
    }
}

impl Convert for ResourceSpans<'_> {
    type Struct = trace::ResourceSpans;
    fn convert(self) -> Self::Struct {
        trace::ResourceSpans {
            resource: self.resource.map(|sub| sub.view().convert()),
            scope_spans: all(self.scope_spans),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for ScopeSpans<'_> {
    type Struct = trace::ScopeSpans;
    fn convert(self) -> Self::Struct {
        trace::ScopeSpans {
            scope: self.scope.map(|sub| sub.view().convert()),
            spans: all(self.spans),
            schema_url: text(self.schema_url),
        }
    }
}

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

impl Convert for Logs<'_> {
    type Struct = ExportLogsServiceRequest;
    fn convert(self) -> Self::Struct {
        ExportLogsServiceRequest { resource_logs: all(self.resource_logs) }
    }
}

impl Convert for ResourceLogs<'_> {
    type Struct = logs::ResourceLogs;
    fn convert(self) -> Self::Struct {
        logs::ResourceLogs {
            resource: self.resource.map(|sub| sub.view().convert()),
            scope_logs: all(self.scope_logs),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for ScopeLogs<'_> {
    type Struct = logs::ScopeLogs;
    fn convert(self) -> Self::Struct {
        logs::ScopeLogs {
            scope: self.scope.map(|sub| sub.view().convert()),
            log_records: all(self.log_records),
            schema_url: text(self.schema_url),
        }
    }
}

impl Convert for Resource<'_> {
    type Struct = resource::Resource;
    fn convert(self) -> Self::Struct {
        resource::Resource {
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
            entity_refs: all(self.entity_refs),
        }
    }
}

impl Convert for EntityRef<'_> {
    type Struct = common::EntityRef;
    fn convert(self) -> Self::Struct {
        common::EntityRef {
            schema_url: text(self.schema_url),
            r#type: text(self.kind),
            id_keys: self.id_keys.iter().map(text).collect(),
            description_keys: self.description_keys.iter().map(text).collect(),
        }
    }
}

impl Convert for Scope<'_> {
    type Struct = common::InstrumentationScope;
    fn convert(self) -> Self::Struct {
        common::InstrumentationScope {
            name: text(self.name),
            version: text(self.version),
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
        }
    }
}

impl Convert for KeyValue<'_> {
    type Struct = common::KeyValue;
    fn convert(self) -> Self::Struct {
        common::KeyValue {
            key: text(self.key),
            value: self.value.map(|sub| sub.view().convert()),
            ..Default::default()
        }
    }
}

impl Convert for AnyValue<'_> {
    type Struct = common::AnyValue;
    fn convert(self) -> Self::Struct {
        use common::any_value::Value;
        let value = None
            .or(self.string.map(|value| Value::StringValue(text(value))))
            .or(self.bool.map(Value::BoolValue))
            .or(self.int.map(Value::IntValue))
            .or(self.double.map(Value::DoubleValue))
            .or(self.array.map(|sub| Value::ArrayValue(sub.view().convert())))
            .or(self.kvlist.map(|sub| Value::KvlistValue(sub.view().convert())))
            .or(self.bytes_value.map(|value| Value::BytesValue(value.to_vec())));
        common::AnyValue { value }
    }
}

impl Convert for ArrayValue<'_> {
    type Struct = common::ArrayValue;
    fn convert(self) -> Self::Struct {
        common::ArrayValue { values: all(self.values) }
    }
}

impl Convert for KeyValueList<'_> {
    type Struct = common::KeyValueList;
    fn convert(self) -> Self::Struct {
        common::KeyValueList { values: all(self.values) }
    }
}

impl Convert for Span<'_> {
    type Struct = trace::Span;
    fn convert(self) -> Self::Struct {
        trace::Span {
            trace_id: self.trace_id.to_vec(),
            span_id: self.span_id.to_vec(),
            trace_state: text(self.trace_state),
            parent_span_id: self.parent_span_id.to_vec(),
            name: text(self.name),
            kind: self.kind,
            start_time_unix_nano: self.start_time_unix_nano,
            end_time_unix_nano: self.end_time_unix_nano,
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
            events: all(self.events),
            dropped_events_count: self.dropped_events_count,
            links: all(self.links),
            dropped_links_count: self.dropped_links_count,
            status: self.status.map(|sub| sub.view().convert()),
            flags: self.flags,
        }
    }
}

impl Convert for Event<'_> {
    type Struct = trace::span::Event;
    fn convert(self) -> Self::Struct {
        trace::span::Event {
            time_unix_nano: self.time_unix_nano,
            name: text(self.name),
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
        }
    }
}

impl Convert for Link<'_> {
    type Struct = trace::span::Link;
    fn convert(self) -> Self::Struct {
        trace::span::Link {
            trace_id: self.trace_id.to_vec(),
            span_id: self.span_id.to_vec(),
            trace_state: text(self.trace_state),
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
            flags: self.flags,
        }
    }
}

impl Convert for Status<'_> {
    type Struct = trace::Status;
    fn convert(self) -> Self::Struct {
        trace::Status { message: text(self.message), code: self.code }
    }
}

impl Convert for LogRecord<'_> {
    type Struct = logs::LogRecord;
    fn convert(self) -> Self::Struct {
        logs::LogRecord {
            time_unix_nano: self.time_unix_nano,
            severity_number: self.severity_number,
            severity_text: text(self.severity_text),
            body: self.body.map(|sub| sub.view().convert()),
            attributes: all(self.attributes),
            dropped_attributes_count: self.dropped_attributes_count,
            flags: self.flags,
            trace_id: self.trace_id.to_vec(),
            span_id: self.span_id.to_vec(),
            observed_time_unix_nano: self.observed_time_unix_nano,
            event_name: text(self.event_name),
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
