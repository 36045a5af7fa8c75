//! `spec.collector`: the configuration by the model that the collector itself uses, and what
//! Kubernetes adds to it: ports, environment, memory, mounts.

use std::collections::BTreeSet;

use obspipe_model::{Answer, Checked, Environment, ListenerKind, Options};

use crate::api::collector::{CollectorSpec, EnvVar};
use crate::apply::difference::quantity::Quantity;
use crate::names::port_name;
use crate::settings::ADMIN_PORT;

/// Most bytes of a ConfigMap's data (core/v1 ConfigMap: 1 MiB for all keys and values).
const MAX_CONFIG_MAP_BYTES: usize = 1024 * 1024 - 1024;

/// What a port is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Applications send here.
    Receive,
    /// Prometheus reads here what applications sent.
    Scrape,
    /// Somebody asks for health or the collector's own metrics here.
    Inspect,
}

/// A port at which other pods reach the collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Name of the container port and the Service port.
    pub name: String,
    /// Its number.
    pub number: u16,
    /// `appProtocol` of the Service port.
    pub app_protocol: &'static str,
    /// What it is for.
    pub purpose: Purpose,
}

/// What was found out about a collector.
pub(super) struct CheckedCollector {
    pub(super) checked: Option<Checked>,
    pub(super) config_yaml: String,
    pub(super) problems: Vec<String>,
    pub(super) warnings: Vec<String>,
}

pub(super) fn check(collector: &CollectorSpec) -> CheckedCollector {
    let environment = PodEnvironment { variables: &collector.env };
    let options = Options { reserved_ports: vec![ADMIN_PORT] };
    let report = obspipe_model::check(collector.config.value(), &environment, &options);
    let config_yaml = obspipe_model::yaml::emit(&collector.config.value().sorted());
    let mut problems: Vec<String> = report.problems.iter().map(ToString::to_string).collect();
    let mut warnings: Vec<String> = report.warnings.iter().map(ToString::to_string).collect();
    problems.extend(size_problem(&config_yaml));
    problems.extend(mount_problems(collector));
    problems.extend(quantity_problems(collector));
    if let Some(config) = &report.checked {
        problems.extend(memory_problem(collector, config));
        warnings.extend(loopback_warnings(config));
    }
    CheckedCollector { checked: report.checked, config_yaml, problems, warnings }
}

/// The environment of a collector's pod as far as the operator can know it: it reads no Secret and
/// no ConfigMap, and what the kubelet decides is not known yet.
struct PodEnvironment<'a> {
    variables: &'a [EnvVar],
}

impl Environment for PodEnvironment<'_> {
    fn lookup(&self, name: &str) -> Answer {
        const SET_BY_US: [&str; 5] =
            ["K8S_NODE_NAME", "POD_NAME", "POD_NAMESPACE", "POD_IP", "OBSPIPE_ADMIN_LISTEN"];
        let Some(variable) = self.variables.iter().find(|variable| variable.name == name) else {
            let from_kubelet = SET_BY_US.contains(&name) || name.starts_with("KUBERNETES_");
            return if from_kubelet { Answer::Unknown } else { Answer::Unset };
        };
        match (&variable.value, &variable.value_from) {
            (_, Some(_)) => Answer::Unknown,
            // `$(OTHER)` is replaced by the kubelet.
            (Some(value), None) if value.contains("$(") => Answer::Unknown,
            (value, None) => Answer::Value(value.clone().unwrap_or_default()),
        }
    }
}

/// The ports of a configuration that other pods can reach, by number.
pub(super) fn ports(config: &Checked) -> Vec<Port> {
    let mut ports: Vec<Port> = config
        .listeners()
        .iter()
        .filter(|listener| !listener.is_loopback())
        .map(|listener| Port {
            name: port_name(&listener.name),
            number: listener.port,
            app_protocol: if listener.kind == ListenerKind::OtlpGrpc { "grpc" } else { "http" },
            purpose: match listener.kind {
                ListenerKind::OtlpGrpc | ListenerKind::OtlpHttp => Purpose::Receive,
                ListenerKind::PrometheusScrape => Purpose::Scrape,
                ListenerKind::HealthCheck | ListenerKind::SelfMetrics => Purpose::Inspect,
            },
        })
        .collect();
    ports.sort_by(|a, b| (a.number, &a.name).cmp(&(b.number, &b.name)));
    ports
}

fn size_problem(config_yaml: &str) -> Option<String> {
    (config_yaml.len() > MAX_CONFIG_MAP_BYTES).then(|| {
        format!(
            "collector.config: {} bytes as YAML, more than the {MAX_CONFIG_MAP_BYTES} that fit a ConfigMap",
            config_yaml.len()
        )
    })
}

fn mount_problems(collector: &CollectorSpec) -> Vec<String> {
    let volumes: BTreeSet<&str> = collector.volumes.iter().map(|v| v.name.as_str()).collect();
    collector
        .volume_mounts
        .iter()
        .filter(|mount| !volumes.contains(mount.name.as_str()))
        .map(|mount| {
            format!(
                "collector.volumeMounts: {:?} is mounted at {} but there is no such volume in collector.volumes",
                mount.name, mount.mount_path
            )
        })
        .collect()
}

/// Quantities are strings to the schema; what they mean is told here.
fn quantity_problems(collector: &CollectorSpec) -> Vec<String> {
    let mut found = Vec::new();
    let resources = collector.resources.clone().unwrap_or_default();
    for (section, map) in [("limits", &resources.limits), ("requests", &resources.requests)] {
        for (name, quantity) in map {
            if Quantity::parse(&quantity.0).is_none() {
                found.push(format!(
                    "collector.resources.{section}.{name}: {:?} is not a quantity (examples: 500m, 2, 256Mi)",
                    quantity.0
                ));
            }
        }
    }
    for (name, request) in &resources.requests {
        let limit = resources.limits.get(name).and_then(|limit| Quantity::parse(&limit.0));
        if let (Some(limit), Some(request)) = (limit, Quantity::parse(&request.0))
            && request > limit
        {
            found.push(format!("collector.resources.requests.{name}: more than its limit"));
        }
    }
    if let Some(storage) = &collector.storage
        && Quantity::parse(&storage.size.0).is_none()
    {
        found.push(format!(
            "collector.storage.size: {:?} is not a quantity (example: 10Gi)",
            storage.size.0
        ));
    }
    found
}

/// A container that is killed before memory_limiter refuses loses what it holds.
fn memory_problem(collector: &CollectorSpec, config: &Checked) -> Option<String> {
    let limit_mib = config.memory_limit_mib()?;
    let limit = collector.resources.as_ref()?.limits.get("memory")?;
    let bytes = Quantity::parse(&limit.0)?.to_bytes_ceil()?;
    (bytes < limit_mib.saturating_mul(1024 * 1024)).then(|| {
        format!(
            "collector.resources.limits.memory: {} is below memory_limiter's limit_mib of {limit_mib}: \
             the container would be killed before the limiter refuses",
            limit.0
        )
    })
}

fn loopback_warnings(config: &Checked) -> Vec<String> {
    config
        .listeners()
        .iter()
        .filter(|listener| {
            listener.is_loopback()
                && matches!(
                    listener.kind,
                    ListenerKind::OtlpGrpc
                        | ListenerKind::OtlpHttp
                        | ListenerKind::PrometheusScrape
                )
        })
        .map(|listener| {
            format!(
                "{}: listens on {} only, which no other pod can reach; use 0.0.0.0:{}",
                listener.name, listener.host, listener.port
            )
        })
        .collect()
}
