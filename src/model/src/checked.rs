//! A configuration in which nothing is wrong. Made by `check` alone, so that whoever holds one need
//! not ask again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::catalogue::{Class, Component, find};
use crate::components::service::Telemetry;
use crate::id::{ComponentId, PipelineId};
use crate::settings::ListenAddress;

/// A checked configuration.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub(crate) components: BTreeMap<(Class, ComponentId), Component>,
    pub(crate) pipelines: Vec<Pipeline>,
    pub(crate) extensions: Vec<ComponentId>,
    pub(crate) telemetry: Telemetry,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) deferred: BTreeSet<String>,
}

/// A pipeline: what goes in, through and out, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pipeline {
    /// Its name.
    pub id: PipelineId,
    /// Where telemetry comes in.
    pub receivers: Vec<ComponentId>,
    /// What it goes through, in this order.
    pub processors: Vec<ComponentId>,
    /// Where it goes.
    pub exporters: Vec<ComponentId>,
}

/// What a listener is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListenerKind {
    /// OTLP over gRPC
    OtlpGrpc,
    /// OTLP over HTTP
    OtlpHttp,
    /// The prometheus exporter's page
    PrometheusScrape,
    /// The health_check extension
    HealthCheck,
    /// The collector's own metrics
    SelfMetrics,
}

/// A port that the collector opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Whose it is, as a path: `receivers.otlp.protocols.grpc.endpoint`.
    pub path: String,
    /// A name for the port: `otlp-grpc`, `prometheus`, `prometheus-second`.
    pub name: String,
    /// Host name or address; empty for all addresses.
    pub host: String,
    /// Port number.
    pub port: u16,
    /// What it is for.
    pub kind: ListenerKind,
    /// Whether it speaks TLS.
    pub tls: bool,
}

impl Listener {
    /// Whether only the machine or pod itself can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        ListenAddress::new(&self.host, self.port).is_loopback()
    }

    /// Whether both cannot be bound at once.
    #[must_use]
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let overlap = match (addresses(&self.host), addresses(&other.host)) {
            (Some(ours), Some(theirs)) => ours.iter().any(|address| theirs.contains(address)),
            _ => true,
        };
        self.port == other.port && self.port != 0 && overlap
    }
}

/// What a host stands for, in one spelling of each address; None for all addresses. `localhost` is
/// 127.0.0.1 and ::1.
pub(crate) fn addresses(host: &str) -> Option<Vec<String>> {
    match (host, host.parse::<IpAddr>()) {
        ("", _) => None,
        ("localhost", _) => Some(vec!["127.0.0.1".into(), "::1".into()]),
        (_, Ok(address)) if address.is_unspecified() => None,
        (_, Ok(address)) => Some(vec![address.to_string()]),
        (name, Err(_)) => Some(vec![name.to_owned()]),
    }
}

impl Checked {
    /// The component of a class and id.
    #[must_use]
    pub fn component(&self, class: Class, id: &ComponentId) -> Option<&Component> {
        self.components.get(&(class, id.clone()))
    }

    /// All components, by class and id.
    pub fn components(&self) -> impl Iterator<Item = (Class, &ComponentId, &Component)> {
        self.components.iter().map(|((class, id), component)| (*class, id, component))
    }

    /// The pipelines, by id.
    #[must_use]
    pub fn pipelines(&self) -> &[Pipeline] {
        &self.pipelines
    }

    /// The extensions in use, in the order written.
    #[must_use]
    pub fn extensions(&self) -> &[ComponentId] {
        &self.extensions
    }

    /// The collector's own telemetry.
    #[must_use]
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// The ports that the collector opens, by name. Those whose address is known only where it
    /// runs are not among them.
    #[must_use]
    pub fn listeners(&self) -> &[Listener] {
        &self.listeners
    }

    /// Paths of settings whose value is known only where the collector runs; what stands in their
    /// place is a default and means nothing.
    #[must_use]
    pub fn deferred(&self) -> &BTreeSet<String> {
        &self.deferred
    }

    /// The greatest `limit_mib` of the memory_limiters in use, in MiB.
    #[must_use]
    pub fn memory_limit_mib(&self) -> Option<u64> {
        let limits = self.components.values().filter_map(|component| match component {
            Component::MemoryLimiter(limiter) => Some(limiter.limit_mib),
            _ => None,
        });
        limits.filter(|limit| *limit > 0).max()
    }
}

/// The ports that one component opens.
pub(crate) fn listeners_of(class: Class, id: &ComponentId, component: &Component) -> Vec<Listener> {
    let name =
        if id.name.is_empty() { id.kind.clone() } else { format!("{}-{}", id.kind, id.name) };
    let sockets = find(class, &id.kind).map_or(&[][..], |entry| entry.listens).iter();
    let open = sockets.filter_map(|socket| {
        let (address, tls) = bound_by(component, socket.kind)?;
        Some(Listener {
            path: format!("{}.{id}.{}", class.section(), socket.key),
            name: format!("{name}{}", socket.suffix),
            host: address.host.clone(),
            port: address.port,
            kind: socket.kind,
            tls,
        })
    });
    open.collect()
}

/// Address and TLS of a socket; None where the component does not open it.
fn bound_by(component: &Component, kind: ListenerKind) -> Option<(&ListenAddress, bool)> {
    match (component, kind) {
        (Component::OtlpReceiver(receiver), ListenerKind::OtlpGrpc) => {
            receiver.protocols.grpc.as_ref().map(|server| (&server.endpoint, server.tls.is_some()))
        }
        (Component::OtlpReceiver(receiver), ListenerKind::OtlpHttp) => {
            receiver.protocols.http.as_ref().map(|server| (&server.endpoint, server.tls.is_some()))
        }
        (Component::Prometheus(exporter), ListenerKind::PrometheusScrape) => {
            Some((&exporter.endpoint, exporter.tls.is_some()))
        }
        (Component::HealthCheck(check), ListenerKind::HealthCheck) => {
            Some((&check.endpoint, check.tls.is_some()))
        }
        _ => None,
    }
}
