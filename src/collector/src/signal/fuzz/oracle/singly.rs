//! Requests taken apart into requests of one item, by what prost decoded.

use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use opentelemetry_proto::tonic::{
    logs::v1::{ResourceLogs, ScopeLogs},
    metrics::v1::{
        ExponentialHistogram, Gauge, Histogram, Metric, ResourceMetrics, ScopeMetrics, Sum,
        Summary, metric::Data,
    },
    trace::v1::{ResourceSpans, ScopeSpans},
};

pub(super) fn traces(
    request: &ExportTraceServiceRequest,
) -> impl Iterator<Item = ExportTraceServiceRequest> {
    request.resource_spans.iter().flat_map(|resource| {
        resource.scope_spans.iter().flat_map(move |scope| {
            scope.spans.iter().map(move |span| {
                let scope = ScopeSpans { spans: vec![span.clone()], ..scope.clone() };
                let resource = ResourceSpans { scope_spans: vec![scope], ..resource.clone() };
                ExportTraceServiceRequest { resource_spans: vec![resource] }
            })
        })
    })
}

pub(super) fn logs(
    request: &ExportLogsServiceRequest,
) -> impl Iterator<Item = ExportLogsServiceRequest> {
    request.resource_logs.iter().flat_map(|resource| {
        resource.scope_logs.iter().flat_map(move |scope| {
            scope.log_records.iter().map(move |record| {
                let scope = ScopeLogs { log_records: vec![record.clone()], ..scope.clone() };
                let resource = ResourceLogs { scope_logs: vec![scope], ..resource.clone() };
                ExportLogsServiceRequest { resource_logs: vec![resource] }
            })
        })
    })
}

pub(super) fn metrics(
    request: &ExportMetricsServiceRequest,
) -> impl Iterator<Item = ExportMetricsServiceRequest> {
    request.resource_metrics.iter().flat_map(|resource| {
        resource.scope_metrics.iter().flat_map(move |scope| {
            scope.metrics.iter().flat_map(points).map(move |metric| {
                let scope = ScopeMetrics { metrics: vec![metric], ..scope.clone() };
                let resource = ResourceMetrics { scope_metrics: vec![scope], ..resource.clone() };
                ExportMetricsServiceRequest { resource_metrics: vec![resource] }
            })
        })
    })
}

/// A metric of one point for each point.
fn points(metric: &Metric) -> Vec<Metric> {
    macro_rules! each {
        ($data:ident $kind:ident) => {{
            // Some kinds have nothing but points.
            #[allow(clippy::needless_update)]
            let single = |point| $kind { data_points: vec![point], ..$data.clone() };
            $data.data_points.iter().cloned().map(single).map(Data::$kind).collect()
        }};
    }
    let data: Vec<Data> = match &metric.data {
        Some(Data::Gauge(data)) => each!(data Gauge),
        Some(Data::Sum(data)) => each!(data Sum),
        Some(Data::Histogram(data)) => each!(data Histogram),
        Some(Data::ExponentialHistogram(data)) => each!(data ExponentialHistogram),
        Some(Data::Summary(data)) => each!(data Summary),
        None => Vec::new(),
    };
    data.into_iter().map(|data| Metric { data: Some(data), ..metric.clone() }).collect()
}
