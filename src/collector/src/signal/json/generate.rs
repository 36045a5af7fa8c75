//! Requests of all three signals as prost has them, of any form, made of given bytes: fewer or
//! smaller bytes make a smaller request, so that proptest can shrink them.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary,
    SummaryDataPoint, exemplar, metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use prost::Message;

use crate::signal::Signal;

/// Where the choices come from. Out of bytes it chooses 0: nothing more, nothing set.
pub(crate) struct Dice<'a> {
    bytes: &'a [u8],
    /// Whether messages that otelcol always writes are always set.
    whole: bool,
}

impl<'a> Dice<'a> {
    pub(crate) fn new(bytes: &'a [u8], whole: bool) -> Self {
        Self { bytes, whole }
    }

    fn roll(&mut self) -> u8 {
        let (first, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        self.bytes = rest;
        *first
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.roll()) % choices.len()]
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.of(&[0, 1, 1, 2, 3]);
        (0..count).map(|_| one(self)).collect()
    }

    /// A message that otelcol always has.
    fn always<T: Default>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        match self.of(&[false, true, true]) {
            true => Some(one(self)),
            false => self.whole.then(T::default),
        }
    }

    fn maybe<T>(&mut self, one: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.of(&[false, true]).then(|| one(self))
    }

    fn text(&mut self) -> String {
        let long = "long ".repeat(60);
        let texts = ["", "a", "{", "[,", "\"\\/", "\n\r\t\u{8}\u{c}\0\u{1f}\u{7f}", "é€😀", &long];
        self.of(&texts).to_owned()
    }

    fn u64(&mut self) -> u64 {
        let any = u64::from(self.roll()) << 32;
        self.of(&[0, 1, any, 1 << 53 | 1, u64::MAX, 1_544_712_660_300_000_000])
    }

    fn i64(&mut self) -> i64 {
        self.of(&[0, 1, -1, i64::MIN, i64::MAX, 9_007_199_254_740_993])
    }

    fn u32(&mut self) -> u32 {
        self.of(&[0, 1, 300, u32::MAX])
    }

    fn i32(&mut self) -> i32 {
        self.of(&[0, 1, -1, 300, i32::MIN, i32::MAX])
    }

    fn double(&mut self) -> f64 {
        let mut bytes = [0; 8];
        bytes.fill_with(|| self.roll());
        let any = f64::from_le_bytes(bytes);
        let any = if any.is_nan() { f64::NAN } else { any };
        let (least, most) = (f64::from_bits(1), f64::MAX);
        self.of(&[
            0.0,
            1.0,
            0.1,
            -1.5,
            any,
            any,
            1e-6,
            1e-7,
            1e20,
            1e21,
            least,
            most,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.3,
            1e16,
            123_456_789.123_456_78,
        ])
    }

    fn id(&mut self, len: usize) -> Vec<u8> {
        // Not of zeros alone: those are none.
        if self.of(&[true, true, false]) { vec![self.roll() | 1; len] } else { vec![] }
    }

    fn value(&mut self, depth: u32) -> AnyValue {
        let choice = if depth == 0 { self.roll() % 6 } else { self.roll() % 8 };
        let value = match choice {
            0 => None,
            1 => Some(any_value::Value::StringValue(self.text())),
            2 => Some(any_value::Value::BoolValue(self.of(&[false, true]))),
            3 => Some(any_value::Value::IntValue(self.i64())),
            4 => Some(any_value::Value::DoubleValue(self.double())),
            5 => Some(any_value::Value::BytesValue(self.text().into_bytes())),
            6 => {
                let values = self.many(|dice| dice.value(depth - 1));
                Some(any_value::Value::ArrayValue(ArrayValue { values }))
            }
            _ => {
                let values = self.many(|dice| dice.pair(depth - 1));
                Some(any_value::Value::KvlistValue(KeyValueList { values }))
            }
        };
        AnyValue { value }
    }

    fn pair(&mut self, depth: u32) -> KeyValue {
        let (key, value) = (self.text(), self.always(|dice| dice.value(depth)));
        KeyValue { key, value, ..Default::default() }
    }

    fn attributes(&mut self) -> Vec<KeyValue> {
        self.many(|dice| dice.pair(3))
    }

    fn resource(&mut self) -> Resource {
        Resource {
            attributes: self.attributes(),
            dropped_attributes_count: self.u32(),
            entity_refs: self.many(|dice| EntityRef {
                schema_url: dice.text(),
                r#type: dice.text(),
                id_keys: dice.many(Self::text),
                description_keys: dice.many(Self::text),
            }),
        }
    }

    fn scope(&mut self) -> InstrumentationScope {
        InstrumentationScope {
            name: self.text(),
            version: self.text(),
            attributes: self.attributes(),
            dropped_attributes_count: self.u32(),
        }
    }

    fn span(&mut self) -> Span {
        Span {
            trace_id: self.id(16),
            span_id: self.id(8),
            trace_state: self.text(),
            parent_span_id: self.id(8),
            flags: self.u32(),
            name: self.text(),
            kind: self.i32(),
            start_time_unix_nano: self.u64(),
            end_time_unix_nano: self.u64(),
            attributes: self.attributes(),
            dropped_attributes_count: self.u32(),
            events: self.many(|dice| span::Event {
                time_unix_nano: dice.u64(),
                name: dice.text(),
                attributes: dice.attributes(),
                dropped_attributes_count: dice.u32(),
            }),
            dropped_events_count: self.u32(),
            links: self.many(|dice| span::Link {
                trace_id: dice.id(16),
                span_id: dice.id(8),
                trace_state: dice.text(),
                attributes: dice.attributes(),
                dropped_attributes_count: dice.u32(),
                flags: dice.u32(),
            }),
            dropped_links_count: self.u32(),
            status: self.always(|dice| Status { message: dice.text(), code: dice.i32() }),
        }
    }

    fn traces(&mut self) -> ExportTraceServiceRequest {
        let resource_spans = self.many(|dice| ResourceSpans {
            resource: dice.always(Self::resource),
            scope_spans: dice.many(|dice| ScopeSpans {
                scope: dice.always(Self::scope),
                spans: dice.many(Self::span),
                schema_url: dice.text(),
            }),
            schema_url: dice.text(),
        });
        ExportTraceServiceRequest { resource_spans }
    }

    fn record(&mut self) -> LogRecord {
        LogRecord {
            time_unix_nano: self.u64(),
            observed_time_unix_nano: self.u64(),
            severity_number: self.i32(),
            severity_text: self.text(),
            body: self.always(|dice| dice.value(4)),
            attributes: self.attributes(),
            dropped_attributes_count: self.u32(),
            flags: self.u32(),
            trace_id: self.id(16),
            span_id: self.id(8),
            event_name: self.text(),
        }
    }

    fn logs(&mut self) -> ExportLogsServiceRequest {
        let resource_logs = self.many(|dice| ResourceLogs {
            resource: dice.always(Self::resource),
            scope_logs: dice.many(|dice| ScopeLogs {
                scope: dice.always(Self::scope),
                log_records: dice.many(Self::record),
                schema_url: dice.text(),
            }),
            schema_url: dice.text(),
        });
        ExportLogsServiceRequest { resource_logs }
    }

    fn exemplar(&mut self) -> Exemplar {
        Exemplar {
            filtered_attributes: self.attributes(),
            time_unix_nano: self.u64(),
            span_id: self.id(8),
            trace_id: self.id(16),
            value: match self.of(&[0, 1, 2]) {
                0 => None,
                1 => Some(exemplar::Value::AsDouble(self.double())),
                _ => Some(exemplar::Value::AsInt(self.i64())),
            },
        }
    }

    fn number(&mut self) -> NumberDataPoint {
        NumberDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.u64(),
            time_unix_nano: self.u64(),
            exemplars: self.many(Self::exemplar),
            flags: self.u32(),
            value: match self.of(&[0, 1, 2]) {
                0 => None,
                1 => Some(number_data_point::Value::AsDouble(self.double())),
                _ => Some(number_data_point::Value::AsInt(self.i64())),
            },
        }
    }

    fn histogram(&mut self) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.u64(),
            time_unix_nano: self.u64(),
            count: self.u64(),
            sum: self.maybe(Self::double),
            bucket_counts: self.many(Self::u64),
            explicit_bounds: self.many(Self::double),
            exemplars: self.many(Self::exemplar),
            flags: self.u32(),
            min: self.maybe(Self::double),
            max: self.maybe(Self::double),
        }
    }

    fn exponential(&mut self) -> ExponentialHistogramDataPoint {
        let buckets =
            |dice: &mut Self| Buckets { offset: dice.i32(), bucket_counts: dice.many(Self::u64) };
        ExponentialHistogramDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.u64(),
            time_unix_nano: self.u64(),
            count: self.u64(),
            sum: self.maybe(Self::double),
            scale: self.i32(),
            zero_count: self.u64(),
            positive: self.always(buckets),
            negative: self.always(buckets),
            flags: self.u32(),
            exemplars: self.many(Self::exemplar),
            min: self.maybe(Self::double),
            max: self.maybe(Self::double),
            zero_threshold: self.double(),
        }
    }

    fn summary(&mut self) -> SummaryDataPoint {
        SummaryDataPoint {
            attributes: self.attributes(),
            start_time_unix_nano: self.u64(),
            time_unix_nano: self.u64(),
            count: self.u64(),
            sum: self.double(),
            quantile_values: self
                .many(|dice| ValueAtQuantile { quantile: dice.double(), value: dice.double() }),
            flags: self.u32(),
        }
    }

    fn metric(&mut self) -> Metric {
        let data = match self.of(&[0, 1, 2, 3, 4, 5]) {
            0 => None,
            1 => Some(metric::Data::Gauge(Gauge { data_points: self.many(Self::number) })),
            2 => Some(metric::Data::Sum(Sum {
                data_points: self.many(Self::number),
                aggregation_temporality: self.i32(),
                is_monotonic: self.of(&[false, true]),
            })),
            3 => Some(metric::Data::Histogram(Histogram {
                data_points: self.many(Self::histogram),
                aggregation_temporality: self.i32(),
            })),
            4 => Some(metric::Data::ExponentialHistogram(ExponentialHistogram {
                data_points: self.many(Self::exponential),
                aggregation_temporality: self.i32(),
            })),
            _ => Some(metric::Data::Summary(Summary { data_points: self.many(Self::summary) })),
        };
        Metric {
            name: self.text(),
            description: self.text(),
            unit: self.text(),
            metadata: self.attributes(),
            data,
        }
    }

    fn metrics(&mut self) -> ExportMetricsServiceRequest {
        let resource_metrics = self.many(|dice| ResourceMetrics {
            resource: dice.always(Self::resource),
            scope_metrics: dice.many(|dice| ScopeMetrics {
                scope: dice.always(Self::scope),
                metrics: dice.many(Self::metric),
                schema_url: dice.text(),
            }),
            schema_url: dice.text(),
        });
        ExportMetricsServiceRequest { resource_metrics }
    }

    /// A request as prost encodes it.
    pub(crate) fn request(&mut self, signal: Signal) -> Vec<u8> {
        match signal {
            Signal::Traces => self.traces().encode_to_vec(),
            Signal::Metrics => self.metrics().encode_to_vec(),
            Signal::Logs => self.logs().encode_to_vec(),
        }
    }
}
