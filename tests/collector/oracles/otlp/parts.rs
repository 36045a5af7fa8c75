//! The parts of requests in which two writings of one request can differ.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{Exemplar, ExponentialHistogramDataPoint};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

/// A part.
pub(super) enum Part<'a> {
    Resource(&'a mut Option<Resource>),
    Scope(&'a mut Option<InstrumentationScope>),
    Status(&'a mut Option<Status>),
    Buckets(&'a mut Option<Buckets>),
    Value(&'a mut Option<AnyValue>),
    /// Of a trace or a span.
    Id(&'a mut Vec<u8>),
    /// Of an item, a scope or a resource.
    Attributes(&'a mut [KeyValue]),
}

type Visit<'v> = &'v mut dyn FnMut(Part);

/// A request of which all parts can be visited.
pub(super) trait Parts {
    fn visit(&mut self, visit: Visit);

    /// Spans, data points or log records.
    fn items(&self) -> usize;
}

impl Parts for ExportTraceServiceRequest {
    fn visit(&mut self, visit: Visit) {
        for resource in &mut self.resource_spans {
            of_resource(&mut resource.resource, visit);
            for scope in &mut resource.scope_spans {
                of_scope(&mut scope.scope, visit);
                scope.spans.iter_mut().for_each(|it| span(it, visit));
            }
        }
    }

    fn items(&self) -> usize {
        let scopes = self.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
        scopes.map(|scope| scope.spans.len()).sum()
    }
}

impl Parts for ExportLogsServiceRequest {
    fn visit(&mut self, visit: Visit) {
        for resource in &mut self.resource_logs {
            of_resource(&mut resource.resource, visit);
            for scope in &mut resource.scope_logs {
                of_scope(&mut scope.scope, visit);
                for record in &mut scope.log_records {
                    visit(Part::Id(&mut record.trace_id));
                    visit(Part::Id(&mut record.span_id));
                    value(&mut record.body, visit);
                    attributes(&mut record.attributes, visit);
                }
            }
        }
    }

    fn items(&self) -> usize {
        let scopes = self.resource_logs.iter().flat_map(|resource| &resource.scope_logs);
        scopes.map(|scope| scope.log_records.len()).sum()
    }
}

impl Parts for ExportMetricsServiceRequest {
    fn visit(&mut self, visit: Visit) {
        for resource in &mut self.resource_metrics {
            of_resource(&mut resource.resource, visit);
            for scope in &mut resource.scope_metrics {
                of_scope(&mut scope.scope, visit);
                for metric in &mut scope.metrics {
                    attributes(&mut metric.metadata, visit);
                    metric.data.iter_mut().for_each(|it| data(it, visit));
                }
            }
        }
    }

    fn items(&self) -> usize {
        let scopes = self.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
        let metrics = scopes.flat_map(|scope| &scope.metrics).filter_map(|it| it.data.as_ref());
        metrics.map(points).sum()
    }
}

fn of_resource(resource: &mut Option<Resource>, visit: Visit) {
    visit(Part::Resource(resource));
    resource.iter_mut().for_each(|it| attributes(&mut it.attributes, visit));
}

fn of_scope(scope: &mut Option<InstrumentationScope>, visit: Visit) {
    visit(Part::Scope(scope));
    scope.iter_mut().for_each(|it| attributes(&mut it.attributes, visit));
}

fn attributes(pairs: &mut [KeyValue], visit: Visit) {
    pairs.iter_mut().for_each(|pair| value(&mut pair.value, visit));
    visit(Part::Attributes(pairs));
}

fn value(of: &mut Option<AnyValue>, visit: Visit) {
    visit(Part::Value(of));
    match of.as_mut().and_then(|value| value.value.as_mut()) {
        Some(Value::KvlistValue(map)) => attributes(&mut map.values, visit),
        Some(Value::ArrayValue(array)) => {
            for inner in &mut array.values {
                let mut one = Some(std::mem::take(inner));
                value(&mut one, visit);
                *inner = one.unwrap_or_default();
            }
        }
        _ => {}
    }
}

fn span(span: &mut Span, visit: Visit) {
    visit(Part::Status(&mut span.status));
    for id in [&mut span.trace_id, &mut span.span_id, &mut span.parent_span_id] {
        visit(Part::Id(id));
    }
    attributes(&mut span.attributes, visit);
    span.events.iter_mut().for_each(|event| attributes(&mut event.attributes, visit));
    for link in &mut span.links {
        visit(Part::Id(&mut link.trace_id));
        visit(Part::Id(&mut link.span_id));
        attributes(&mut link.attributes, visit);
    }
}

fn points(data: &Data) -> usize {
    match data {
        Data::Gauge(it) => it.data_points.len(),
        Data::Sum(it) => it.data_points.len(),
        Data::Histogram(it) => it.data_points.len(),
        Data::ExponentialHistogram(it) => it.data_points.len(),
        Data::Summary(it) => it.data_points.len(),
    }
}

fn data(data: &mut Data, visit: Visit) {
    match data {
        Data::Gauge(gauge) => {
            for point in &mut gauge.data_points {
                attributes(&mut point.attributes, visit);
                exemplars(&mut point.exemplars, visit);
            }
        }
        Data::Sum(sum) => {
            for point in &mut sum.data_points {
                attributes(&mut point.attributes, visit);
                exemplars(&mut point.exemplars, visit);
            }
        }
        Data::Histogram(histogram) => {
            for point in &mut histogram.data_points {
                attributes(&mut point.attributes, visit);
                exemplars(&mut point.exemplars, visit);
            }
        }
        Data::ExponentialHistogram(histogram) => {
            histogram.data_points.iter_mut().for_each(|point| exponential(point, visit));
        }
        Data::Summary(summary) => {
            summary.data_points.iter_mut().for_each(|it| attributes(&mut it.attributes, visit));
        }
    }
}

fn exponential(point: &mut ExponentialHistogramDataPoint, visit: Visit) {
    attributes(&mut point.attributes, visit);
    exemplars(&mut point.exemplars, visit);
    visit(Part::Buckets(&mut point.positive));
    visit(Part::Buckets(&mut point.negative));
}

fn exemplars(exemplars: &mut [Exemplar], visit: Visit) {
    for exemplar in exemplars {
        visit(Part::Id(&mut exemplar.trace_id));
        visit(Part::Id(&mut exemplar.span_id));
        attributes(&mut exemplar.filtered_attributes, visit);
    }
}
