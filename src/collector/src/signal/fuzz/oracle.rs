//! What the targets compare with: prost's own decoder, and a request taken apart item by item.

use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use opentelemetry_proto::tonic::metrics::v1::{Metric, metric::Data};
use prost::{DecodeError, Message as _};

use super::convert::Convert as _;
use crate::signal::Signal;
use crate::signal::otlp::{Logs, Metrics, Traces};
use crate::signal::schema::{Kind, Message};
use crate::signal::view::View as _;
use crate::signal::wire::{Fields, Raw};

/// A request as prost reads it. Two are compared as encoded, as NaN does not equal itself.
#[derive(Clone, Debug)]
pub(crate) enum Decoded {
    Traces(ExportTraceServiceRequest),
    Metrics(ExportMetricsServiceRequest),
    Logs(ExportLogsServiceRequest),
}

impl Decoded {
    pub(crate) fn of(signal: Signal, bytes: &[u8]) -> Result<Self, DecodeError> {
        Ok(match signal {
            Signal::Traces => Self::Traces(ExportTraceServiceRequest::decode(bytes)?),
            Signal::Metrics => Self::Metrics(ExportMetricsServiceRequest::decode(bytes)?),
            Signal::Logs => Self::Logs(ExportLogsServiceRequest::decode(bytes)?),
        })
    }

    /// As the views read it.
    pub(crate) fn viewed(signal: Signal, bytes: &[u8]) -> Self {
        match signal {
            Signal::Traces => Self::Traces(Traces::parse(bytes).convert()),
            Signal::Metrics => Self::Metrics(Metrics::parse(bytes).convert()),
            Signal::Logs => Self::Logs(Logs::parse(bytes).convert()),
        }
    }

    pub(crate) fn encoded(&self) -> Vec<u8> {
        match self {
            Self::Traces(request) => request.encode_to_vec(),
            Self::Metrics(request) => request.encode_to_vec(),
            Self::Logs(request) => request.encode_to_vec(),
        }
    }

    pub(crate) fn items(&self) -> usize {
        match self {
            Self::Traces(request) => {
                let scopes = request.resource_spans.iter().flat_map(|r| &r.scope_spans);
                scopes.map(|scope| scope.spans.len()).sum()
            }
            Self::Metrics(request) => {
                let scopes = request.resource_metrics.iter().flat_map(|r| &r.scope_metrics);
                scopes.flat_map(|scope| &scope.metrics).map(points).sum()
            }
            Self::Logs(request) => {
                let scopes = request.resource_logs.iter().flat_map(|r| &r.scope_logs);
                scopes.map(|scope| scope.log_records.len()).sum()
            }
        }
    }
}

fn points(metric: &Metric) -> usize {
    match &metric.data {
        Some(Data::Gauge(data)) => data.data_points.len(),
        Some(Data::Sum(data)) => data.data_points.len(),
        Some(Data::Histogram(data)) => data.data_points.len(),
        Some(Data::ExponentialHistogram(data)) => data.data_points.len(),
        Some(Data::Summary(data)) => data.data_points.len(),
        None => 0,
    }
}

/// The unknown fields of a message and of those in it, as written, sorted; prost leaves them out.
/// None where a place is taken twice, as what stood there first is gone with what is in it.
pub(crate) fn unknown<'a>(of: &'static Message, bytes: &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let mut found = Vec::new();
    once(of, bytes, &mut found).then(|| {
        found.sort_unstable();
        found
    })
}

fn once<'a>(of: &'static Message, bytes: &'a [u8], unknown: &mut Vec<&'a [u8]>) -> bool {
    let mut seen = 0;
    Fields::of(bytes).all(|field| {
        let slot = of.slot(field.number);
        let place = slot.place & of.once();
        let again = seen & place != 0;
        seen |= place;
        !again
            && match (slot.kind, field.value) {
                (Kind::Unknown, _) => {
                    unknown.push(field.written);
                    true
                }
                (Kind::One(inner) | Kind::Many(inner), Raw::Bytes(body)) => {
                    once(inner, body, unknown)
                }
                _ => true,
            }
    })
}

/// A canonical request taken apart: per item the bytes of everything that stands around it and of
/// itself, unknown fields included.
pub(crate) fn apart(signal: Signal, bytes: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let way: &[&[u32]] = match signal {
        Signal::Traces | Signal::Logs => &[&[1], &[2], &[2]],
        Signal::Metrics => &[&[1], &[2], &[2], &[5, 7, 9, 10, 11], &[1]],
    };
    let mut items = Vec::new();
    within(way, bytes, &mut Vec::new(), &mut items);
    items
}

fn within(way: &[&[u32]], bytes: &[u8], around: &mut Vec<Vec<u8>>, items: &mut Vec<Vec<Vec<u8>>>) {
    let Some((numbers, deeper)) = way.split_first() else {
        items.push([&around[..], &[bytes.to_vec()]].concat());
        return;
    };
    let leads = |number| numbers.contains(&number);
    let header = Fields::of(bytes).filter(|field| !leads(field.number));
    around.push(header.flat_map(|field| field.written).copied().collect());
    for field in Fields::of(bytes).filter(|field| leads(field.number)) {
        if let Raw::Bytes(inner) = field.value {
            around.push(field.number.to_le_bytes().to_vec());
            within(deeper, inner, around, items);
            around.pop();
        }
    }
    around.pop();
}

#[cfg(test)]
impl Decoded {
    /// Each item in a request of its own, with what stands around it.
    pub(crate) fn singly(&self) -> Vec<Self> {
        match self {
            Self::Traces(request) => singly::traces(request).map(Self::Traces).collect(),
            Self::Metrics(request) => singly::metrics(request).map(Self::Metrics).collect(),
            Self::Logs(request) => singly::logs(request).map(Self::Logs).collect(),
        }
    }
}

#[cfg(test)]
mod singly;
