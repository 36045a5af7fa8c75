//! Every component that is built in: one table. Validation, documentation and the collector's
//! `components` output derive from it; a new component is one more entry.

use crate::checked::ListenerKind;
use crate::components::attributes::{Attributes, Resource};
use crate::components::batch::Batch;
use crate::components::debug::Debug;
use crate::components::health_check::HealthCheck;
use crate::components::jaeger::Jaeger;
use crate::components::loki::Loki;
use crate::components::memory_limiter::MemoryLimiter;
use crate::components::nop::Nop;
use crate::components::otlp_exporter::OtlpExporter;
use crate::components::otlp_http_exporter::OtlpHttpExporter;
use crate::components::otlp_receiver::OtlpReceiver;
use crate::components::prometheus::Prometheus;
use crate::decode::{Decoder, KeyDoc, Setting};
use crate::id::Signal;
use crate::value::Value;

/// What a component does in a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Takes telemetry in.
    Receiver,
    /// Changes it on its way.
    Processor,
    /// Sends it on.
    Exporter,
    /// Serves the collector itself.
    Extension,
}

impl Class {
    /// All, in the order of a configuration.
    pub const ALL: [Self; 4] = [Self::Receiver, Self::Processor, Self::Exporter, Self::Extension];

    /// The section of a configuration that defines them.
    #[must_use]
    pub fn section(self) -> &'static str {
        match self {
            Self::Receiver => "receivers",
            Self::Processor => "processors",
            Self::Exporter => "exporters",
            Self::Extension => "extensions",
        }
    }
}

/// A component with its settings.
#[derive(Clone, Debug, PartialEq)]
pub enum Component {
    /// otlp receiver
    OtlpReceiver(Box<OtlpReceiver>),
    /// batch processor
    Batch(Batch),
    /// memory_limiter processor
    MemoryLimiter(MemoryLimiter),
    /// resource processor
    Resource(Resource),
    /// attributes processor
    Attributes(Box<Attributes>),
    /// jaeger exporter
    Jaeger(Box<Jaeger>),
    /// prometheus exporter
    Prometheus(Box<Prometheus>),
    /// loki exporter
    Loki(Box<Loki>),
    /// otlp exporter
    Otlp(Box<OtlpExporter>),
    /// otlphttp exporter
    OtlpHttp(Box<OtlpHttpExporter>),
    /// debug exporter
    Debug(Debug),
    /// nop exporter
    Nop(Nop),
    /// health_check extension
    HealthCheck(HealthCheck),
}

/// A built-in component.
pub struct Entry {
    /// What it does.
    pub class: Class,
    /// Its type in a component id.
    pub name: &'static str,
    /// Other spellings of it.
    pub also: &'static [&'static str],
    /// What it carries; nothing for an extension.
    pub signals: &'static [Signal],
    /// What it listens on.
    pub listens: &'static [Socket],
    /// What it is for.
    pub about: &'static str,
    /// Reads its settings.
    pub decode: fn(&Value, &mut Decoder) -> Option<Component>,
    /// Documents them.
    pub keys: fn() -> Vec<KeyDoc>,
}

/// A socket that a component may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// The key of its address, dotted below the component.
    pub key: &'static str,
    /// What its name has after the component's.
    pub suffix: &'static str,
    /// What it is for.
    pub kind: ListenerKind,
}

const ALL_SIGNALS: &[Signal] = &Signal::ALL;

const OTLP_SOCKETS: &[Socket] = &[
    Socket { key: "protocols.grpc.endpoint", suffix: "-grpc", kind: ListenerKind::OtlpGrpc },
    Socket { key: "protocols.http.endpoint", suffix: "-http", kind: ListenerKind::OtlpHttp },
];
const SCRAPE_SOCKETS: &[Socket] =
    &[Socket { key: "endpoint", suffix: "", kind: ListenerKind::PrometheusScrape }];
const HEALTH_SOCKETS: &[Socket] =
    &[Socket { key: "endpoint", suffix: "", kind: ListenerKind::HealthCheck }];

macro_rules! entry {
    ($class:ident, $name:literal, $also:expr, $signals:expr, $about:literal, $type:ty, $wrap:expr) => {
        entry!($class, $name, $also, $signals, $about, $type, $wrap, &[])
    };
    ($class:ident, $name:literal, $also:expr, $signals:expr, $about:literal, $type:ty, $wrap:expr, $listens:expr) => {
        Entry {
            class: Class::$class,
            name: $name,
            also: $also,
            signals: $signals,
            listens: $listens,
            about: $about,
            decode: |value, d| <$type>::decode(value, d).map($wrap),
            keys: <$type as Setting>::keys,
        }
    };
}

/// Every component. Append here.
#[rustfmt::skip]
pub const CATALOGUE: &[Entry] = &[
    entry!(Receiver, "otlp", &[], ALL_SIGNALS, "Takes OTLP over gRPC and HTTP.", OtlpReceiver, |c| Component::OtlpReceiver(Box::new(c)), OTLP_SOCKETS),
    entry!(Processor, "memory_limiter", &[], ALL_SIGNALS, "Refuses before memory runs out.", MemoryLimiter, Component::MemoryLimiter),
    entry!(Processor, "batch", &[], ALL_SIGNALS, "Sends many items at once.", Batch, Component::Batch),
    entry!(Processor, "resource", &[], ALL_SIGNALS, "Changes attributes of resources.", Resource, Component::Resource),
    entry!(Processor, "attributes", &[], ALL_SIGNALS, "Changes attributes of items.", Attributes, |c| Component::Attributes(Box::new(c))),
    entry!(Exporter, "jaeger", &[], &[Signal::Traces], "Sends spans to Jaeger.", Jaeger, |c| Component::Jaeger(Box::new(c))),
    entry!(Exporter, "prometheus", &[], &[Signal::Metrics], "Shows metrics to Prometheus.", Prometheus, |c| Component::Prometheus(Box::new(c)), SCRAPE_SOCKETS),
    entry!(Exporter, "loki", &[], &[Signal::Logs], "Sends log records to Loki.", Loki, |c| Component::Loki(Box::new(c))),
    entry!(Exporter, "otlp", &["otlp_grpc"], ALL_SIGNALS, "Sends OTLP over gRPC.", OtlpExporter, |c| Component::Otlp(Box::new(c))),
    entry!(Exporter, "otlphttp", &["otlp_http"], ALL_SIGNALS, "Sends OTLP over HTTP.", OtlpHttpExporter, |c| Component::OtlpHttp(Box::new(c))),
    entry!(Exporter, "debug", &[], ALL_SIGNALS, "Writes what it gets to the log.", Debug, Component::Debug),
    entry!(Exporter, "nop", &[], ALL_SIGNALS, "Takes everything and does nothing.", Nop, Component::Nop),
    entry!(Extension, "health_check", &[], &[], "Answers whether the collector runs.", HealthCheck, Component::HealthCheck, HEALTH_SOCKETS),
];

/// The entry of a type, in any of its spellings.
#[must_use]
pub fn find(class: Class, name: &str) -> Option<&'static Entry> {
    CATALOGUE
        .iter()
        .find(|entry| entry.class == class && (entry.name == name || entry.also.contains(&name)))
}

/// The types of a class, in all spellings.
pub fn names(class: Class) -> impl Iterator<Item = &'static str> {
    CATALOGUE
        .iter()
        .filter(move |entry| entry.class == class)
        .flat_map(|entry| std::iter::once(entry.name).chain(entry.also.iter().copied()))
}

#[cfg(test)]
mod tests;
