//! OTLP's messages (opentelemetry-proto v1.9: common, resource, trace, metrics, logs), once: from
//! this one table come the check of what arrives, the borrowed views, and the names in JSON.

use super::schema::{FieldInfo, Kind, Message, kind, messages};
use super::view::*;
use super::wire::{Field, Fields, Raw};

messages! {
    /// Spans as exporters send them (ExportTraceServiceRequest, TracesData).
    Traces TRACES false {
        /// By resource.
        1 resource_spans "resourceSpans" Many<ResourceSpans RESOURCE_SPANS>,
    }
    /// Spans of a resource.
    ResourceSpans RESOURCE_SPANS false {
        /// The resource.
        1 resource "resource" One<Resource RESOURCE>,
        /// By scope.
        2 scope_spans "scopeSpans" Many<ScopeSpans SCOPE_SPANS>,
        /// Schema of the resource.
        3 schema_url "schemaUrl" Str,
    }
    /// Spans of a scope.
    ScopeSpans SCOPE_SPANS false {
        /// The scope.
        1 scope "scope" One<Scope SCOPE>,
        /// The spans.
        2 spans "spans" Many<Span SPAN>,
        /// Schema of the spans.
        3 schema_url "schemaUrl" Str,
    }
    /// Metrics as exporters send them.
    Metrics METRICS false {
        /// By resource.
        1 resource_metrics "resourceMetrics" Many<ResourceMetrics RESOURCE_METRICS>,
    }
    /// Metrics of a resource.
    ResourceMetrics RESOURCE_METRICS false {
        /// The resource.
        1 resource "resource" One<Resource RESOURCE>,
        /// By scope.
        2 scope_metrics "scopeMetrics" Many<ScopeMetrics SCOPE_METRICS>,
        /// Schema of the resource.
        3 schema_url "schemaUrl" Str,
    }
    /// Metrics of a scope.
    ScopeMetrics SCOPE_METRICS false {
        /// The scope.
        1 scope "scope" One<Scope SCOPE>,
        /// The metrics.
        2 metrics "metrics" Many<Metric METRIC>,
        /// Schema of the metrics.
        3 schema_url "schemaUrl" Str,
    }
    /// Log records as exporters send them.
    Logs LOGS false {
        /// By resource.
        1 resource_logs "resourceLogs" Many<ResourceLogs RESOURCE_LOGS>,
    }
    /// Log records of a resource.
    ResourceLogs RESOURCE_LOGS false {
        /// The resource.
        1 resource "resource" One<Resource RESOURCE>,
        /// By scope.
        2 scope_logs "scopeLogs" Many<ScopeLogs SCOPE_LOGS>,
        /// Schema of the resource.
        3 schema_url "schemaUrl" Str,
    }
    /// Log records of a scope.
    ScopeLogs SCOPE_LOGS false {
        /// The scope.
        1 scope "scope" One<Scope SCOPE>,
        /// The records.
        2 log_records "logRecords" Many<LogRecord LOG_RECORD>,
        /// Schema of the records.
        3 schema_url "schemaUrl" Str,
    }
    /// What telemetry is of.
    Resource RESOURCE false {
        /// Its attributes.
        1 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// Attributes left out.
        2 dropped_attributes_count "droppedAttributesCount" Uint32,
        /// Entities it stands for.
        3 entity_refs "entityRefs" Many<EntityRef ENTITY_REF>,
    }
    /// An entity that a resource stands for.
    EntityRef ENTITY_REF false {
        /// Schema.
        1 schema_url "schemaUrl" Str,
        /// Type.
        2 kind "type" Str,
        /// Attributes that identify it.
        3 id_keys "idKeys" Strs,
        /// Attributes that describe it.
        4 description_keys "descriptionKeys" Strs,
    }
    /// What made telemetry.
    Scope SCOPE false {
        /// Its name.
        1 name "name" Str,
        /// Its version.
        2 version "version" Str,
        /// Its attributes.
        3 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// Attributes left out.
        4 dropped_attributes_count "droppedAttributesCount" Uint32,
    }
    /// An attribute.
    KeyValue KEY_VALUE false {
        /// Its key.
        1 key "key" Str,
        /// Its value.
        2 value "value" One<AnyValue ANY_VALUE>,
    }
    /// A value of any type; at most one field is set.
    AnyValue ANY_VALUE false {
        /// Text.
        1 string "stringValue" EitherStr,
        /// true or false.
        2 bool "boolValue" EitherFlag,
        /// A whole number.
        3 int "intValue" EitherInt,
        /// A number.
        4 double "doubleValue" EitherDouble,
        /// Many values.
        5 array "arrayValue" Either<ArrayValue ARRAY_VALUE>,
        /// Values by key.
        6 kvlist "kvlistValue" Either<KeyValueList KEY_VALUE_LIST>,
        /// Bytes.
        7 bytes_value "bytesValue" EitherBytes,
    }
    /// Many values.
    ArrayValue ARRAY_VALUE false {
        /// The values.
        1 values "values" Many<AnyValue ANY_VALUE>,
    }
    /// Values by key.
    KeyValueList KEY_VALUE_LIST false {
        /// The pairs.
        1 values "values" Many<KeyValue KEY_VALUE>,
    }
    /// A span.
    Span SPAN true {
        /// Sixteen bytes.
        1 trace_id "traceId" Hex,
        /// Eight bytes.
        2 span_id "spanId" Hex,
        /// W3C tracestate.
        3 trace_state "traceState" Str,
        /// Eight bytes; empty for a root.
        4 parent_span_id "parentSpanId" Hex,
        /// Its name.
        5 name "name" Str,
        /// 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
        6 kind "kind" Enum,
        /// Begin, nanoseconds since 1970.
        7 start_time_unix_nano "startTimeUnixNano" Fixed64,
        /// End, nanoseconds since 1970.
        8 end_time_unix_nano "endTimeUnixNano" Fixed64,
        /// Its attributes.
        9 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// Attributes left out.
        10 dropped_attributes_count "droppedAttributesCount" Uint32,
        /// What happened meanwhile.
        11 events "events" Many<Event EVENT>,
        /// Events left out.
        12 dropped_events_count "droppedEventsCount" Uint32,
        /// Other spans it has to do with.
        13 links "links" Many<Link LINK>,
        /// Links left out.
        14 dropped_links_count "droppedLinksCount" Uint32,
        /// How it ended.
        15 status "status" One<Status STATUS>,
        /// W3C trace flags.
        16 flags "flags" Fixed32,
    }
    /// Something that happened during a span.
    Event EVENT false {
        /// When, nanoseconds since 1970.
        1 time_unix_nano "timeUnixNano" Fixed64,
        /// What.
        2 name "name" Str,
        /// Its attributes.
        3 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// Attributes left out.
        4 dropped_attributes_count "droppedAttributesCount" Uint32,
    }
    /// Another span that a span has to do with.
    Link LINK false {
        /// Its trace.
        1 trace_id "traceId" Hex,
        /// Its id.
        2 span_id "spanId" Hex,
        /// W3C tracestate.
        3 trace_state "traceState" Str,
        /// Attributes.
        4 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// Attributes left out.
        5 dropped_attributes_count "droppedAttributesCount" Uint32,
        /// W3C trace flags.
        6 flags "flags" Fixed32,
    }
    /// How a span ended.
    Status STATUS false {
        /// Description.
        2 message "message" Str,
        /// 0 unset, 1 ok, 2 error.
        3 code "code" Enum,
    }
    /// A log record.
    LogRecord LOG_RECORD true {
        /// When it happened, nanoseconds since 1970; 0 is unknown.
        1 time_unix_nano "timeUnixNano" Fixed64,
        /// 1 to 24, TRACE to FATAL4; 0 is unspecified.
        2 severity_number "severityNumber" Enum,
        /// Severity as the source calls it.
        3 severity_text "severityText" Str,
        /// What it says.
        5 body "body" One<AnyValue ANY_VALUE>,
        /// Its attributes.
        6 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// Attributes left out.
        7 dropped_attributes_count "droppedAttributesCount" Uint32,
        /// W3C trace flags.
        8 flags "flags" Fixed32,
        /// Sixteen bytes, or none.
        9 trace_id "traceId" Hex,
        /// Eight bytes, or none.
        10 span_id "spanId" Hex,
        /// When it was seen, nanoseconds since 1970.
        11 observed_time_unix_nano "observedTimeUnixNano" Fixed64,
        /// Name of the event, if it is one.
        12 event_name "eventName" Str,
    }
    /// A metric; at most one kind of data.
    Metric METRIC false {
        /// Its name.
        1 name "name" Str,
        /// What it measures.
        2 description "description" Str,
        /// Unit (UCUM).
        3 unit "unit" Str,
        /// A value that goes up and down.
        5 gauge "gauge" Either<Gauge GAUGE>,
        /// A sum over time.
        7 sum "sum" Either<Sum SUM>,
        /// A distribution in explicit buckets.
        9 histogram "histogram" Either<Histogram HISTOGRAM>,
        /// A distribution in exponential buckets.
        10 exponential_histogram "exponentialHistogram" Either<ExponentialHistogram EXPONENTIAL_HISTOGRAM>,
        /// Quantiles.
        11 summary "summary" Either<Summary SUMMARY>,
        /// Attributes of the metric.
        12 metadata "metadata" Many<KeyValue KEY_VALUE>,
    }
    /// A value that goes up and down.
    Gauge GAUGE false {
        /// The points.
        1 data_points "dataPoints" Many<NumberDataPoint NUMBER_DATA_POINT>,
    }
    /// A sum over time.
    Sum SUM false {
        /// The points.
        1 data_points "dataPoints" Many<NumberDataPoint NUMBER_DATA_POINT>,
        /// 1 delta, 2 cumulative.
        2 aggregation_temporality "aggregationTemporality" Enum,
        /// Whether it never goes down.
        3 is_monotonic "isMonotonic" Flag,
    }
    /// A distribution in explicit buckets.
    Histogram HISTOGRAM false {
        /// The points.
        1 data_points "dataPoints" Many<HistogramDataPoint HISTOGRAM_DATA_POINT>,
        /// 1 delta, 2 cumulative.
        2 aggregation_temporality "aggregationTemporality" Enum,
    }
    /// A distribution in exponential buckets.
    ExponentialHistogram EXPONENTIAL_HISTOGRAM false {
        /// The points.
        1 data_points "dataPoints" Many<ExponentialHistogramDataPoint EXPONENTIAL_HISTOGRAM_DATA_POINT>,
        /// 1 delta, 2 cumulative.
        2 aggregation_temporality "aggregationTemporality" Enum,
    }
    /// Quantiles.
    Summary SUMMARY false {
        /// The points.
        1 data_points "dataPoints" Many<SummaryDataPoint SUMMARY_DATA_POINT>,
    }
    /// A number of a series.
    NumberDataPoint NUMBER_DATA_POINT true {
        /// Begin of what is measured, nanoseconds since 1970.
        2 start_time_unix_nano "startTimeUnixNano" Fixed64,
        /// When it was measured, nanoseconds since 1970.
        3 time_unix_nano "timeUnixNano" Fixed64,
        /// The value, if it is a double.
        4 as_double "asDouble" EitherDouble,
        /// Measurements that tell of a trace.
        5 exemplars "exemplars" Many<Exemplar EXEMPLAR>,
        /// The value, if it is whole.
        6 as_int "asInt" EitherSfixed64,
        /// Its attributes.
        7 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// 1: no recorded value.
        8 flags "flags" Uint32,
    }
    /// A histogram of a series.
    HistogramDataPoint HISTOGRAM_DATA_POINT true {
        /// Begin of what is measured, nanoseconds since 1970.
        2 start_time_unix_nano "startTimeUnixNano" Fixed64,
        /// When it was measured, nanoseconds since 1970.
        3 time_unix_nano "timeUnixNano" Fixed64,
        /// How many.
        4 count "count" Fixed64,
        /// Their sum.
        5 sum "sum" OptionDouble,
        /// How many in each bucket.
        6 bucket_counts "bucketCounts" Fixed64s,
        /// Upper bounds of all buckets but the last.
        7 explicit_bounds "explicitBounds" Doubles,
        /// Measurements that tell of a trace.
        8 exemplars "exemplars" Many<Exemplar EXEMPLAR>,
        /// Its attributes.
        9 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// 1: no recorded value.
        10 flags "flags" Uint32,
        /// The least.
        11 min "min" OptionDouble,
        /// The greatest.
        12 max "max" OptionDouble,
    }
    /// An exponential histogram of a series.
    ExponentialHistogramDataPoint EXPONENTIAL_HISTOGRAM_DATA_POINT true {
        /// Its attributes.
        1 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// Begin of what is measured, nanoseconds since 1970.
        2 start_time_unix_nano "startTimeUnixNano" Fixed64,
        /// When it was measured, nanoseconds since 1970.
        3 time_unix_nano "timeUnixNano" Fixed64,
        /// How many.
        4 count "count" Fixed64,
        /// Their sum.
        5 sum "sum" OptionDouble,
        /// Buckets grow by 2^(2^-scale).
        6 scale "scale" Sint32,
        /// How many are 0 or near it.
        7 zero_count "zeroCount" Fixed64,
        /// Buckets above 0.
        8 positive "positive" One<Buckets BUCKETS>,
        /// Buckets below 0.
        9 negative "negative" One<Buckets BUCKETS>,
        /// 1: no recorded value.
        10 flags "flags" Uint32,
        /// Measurements that tell of a trace.
        11 exemplars "exemplars" Many<Exemplar EXEMPLAR>,
        /// The least.
        12 min "min" OptionDouble,
        /// The greatest.
        13 max "max" OptionDouble,
        /// Up to where a value counts as 0.
        14 zero_threshold "zeroThreshold" Double,
    }
    /// Exponential buckets on one side of 0.
    Buckets BUCKETS false {
        /// Index of the first.
        1 offset "offset" Sint32,
        /// How many in each.
        2 bucket_counts "bucketCounts" Uints,
    }
    /// Quantiles of a series.
    SummaryDataPoint SUMMARY_DATA_POINT true {
        /// Begin of what is measured, nanoseconds since 1970.
        2 start_time_unix_nano "startTimeUnixNano" Fixed64,
        /// When it was measured, nanoseconds since 1970.
        3 time_unix_nano "timeUnixNano" Fixed64,
        /// How many.
        4 count "count" Fixed64,
        /// Their sum.
        5 sum "sum" Double,
        /// The quantiles.
        6 quantile_values "quantileValues" Many<ValueAtQuantile VALUE_AT_QUANTILE>,
        /// Its attributes.
        7 attributes "attributes" Many<KeyValue KEY_VALUE>,
        /// 1: no recorded value.
        8 flags "flags" Uint32,
    }
    /// A quantile.
    ValueAtQuantile VALUE_AT_QUANTILE false {
        /// From 0 to 1.
        1 quantile "quantile" Double,
        /// The value there.
        2 value "value" Double,
    }
    /// A measurement that tells of a trace.
    Exemplar EXEMPLAR false {
        /// When, nanoseconds since 1970.
        2 time_unix_nano "timeUnixNano" Fixed64,
        /// The value, if it is a double.
        3 as_double "asDouble" EitherDouble,
        /// The span.
        4 span_id "spanId" Hex,
        /// The trace.
        5 trace_id "traceId" Hex,
        /// The value, if it is whole.
        6 as_int "asInt" EitherSfixed64,
        /// Attributes that the series does not have.
        7 filtered_attributes "filteredAttributes" Many<KeyValue KEY_VALUE>,
    }
}
