//! From a raw configuration to [`Checked`]: every component decoded, every reference followed,
//! every problem collected. Pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::str::FromStr;

mod service;

use self::service::{Read, Service};

use crate::catalogue::{Class, Component, find, names};
use crate::checked::{Checked, Listener, ListenerKind, Pipeline, listeners_of};
use crate::components::otlp_http_exporter::OtlpHttpExporter;
use crate::components::service::Telemetry;
use crate::decode::{Decoder, is_map, is_within, unknown_keys};
use crate::environment::{Environment, Origins, expand};
use crate::id::{ComponentId, Signal};
use crate::problem::{Code, Problem};
use crate::value::Value;

/// What a check takes into account besides the configuration.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Ports that the configuration may not bind: the admin listener's.
    pub reserved_ports: Vec<u16>,
}

/// What a check found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The configuration, if nothing is wrong with it.
    pub checked: Option<Checked>,
    /// Everything that is wrong, by path.
    pub problems: Vec<Problem>,
    /// Everything that is probably not meant, by path.
    pub warnings: Vec<Problem>,
}

/// Checks a configuration.
#[must_use]
pub fn check(raw: &Value, environment: &dyn Environment, options: &Options) -> Report {
    let mut d = Decoder::default();
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let value = expand(raw, environment, &mut problems, &mut warnings);
    d.problems = problems;
    d.warnings = warnings;
    let origins = Origins::of(&value);
    let checked = Checker { d: &mut d, options, origins: &origins }.whole(&value);
    let mut report = Report { checked: None, problems: d.problems, warnings: d.warnings };
    for list in [&mut report.problems, &mut report.warnings] {
        list.iter_mut().for_each(|problem| origins.hide(problem));
        list.sort();
        list.dedup();
    }
    if report.problems.is_empty() {
        report.checked = checked;
    }
    report
}

struct Checker<'a> {
    d: &'a mut Decoder,
    options: &'a Options,
    origins: &'a Origins,
}

/// Components by class and id. None where one is defined but its settings are wrong: it counts as
/// defined, so that one mistake is reported once.
type Defined = BTreeMap<(Class, ComponentId), Option<Component>>;

impl Checker<'_> {
    fn whole(&mut self, value: &Value) -> Option<Checked> {
        if !is_map(value, self.d) {
            return None;
        }
        unknown_keys(
            value,
            &["receivers", "processors", "exporters", "extensions", "service"],
            self.d,
        );
        let mut defined = Defined::new();
        for class in Class::ALL {
            self.section(class, value, &mut defined);
        }
        let service = value.get("service").unwrap_or(&Value::Null);
        let origins = self.origins;
        let Read { pipelines, extensions, telemetry, used } =
            self.d.at("service", |d| Service { d, defined: &defined, origins }.read(service));
        self.unused(&defined, &used);
        self.addresses(&defined, &pipelines);
        let listeners = self.listeners(&defined, &telemetry);
        let components = defined.into_iter().filter_map(|(key, c)| c.map(|c| (key, c))).collect();
        let deferred = self.d.deferred.clone();
        Some(Checked { components, pipelines, extensions, telemetry, listeners, deferred })
    }

    fn section(&mut self, class: Class, value: &Value, defined: &mut Defined) {
        let Some(section) = value.get(class.section()) else {
            return;
        };
        self.d.at(class.section(), |d| {
            if !is_map(section, d) {
                return;
            }
            for (key, settings) in section.entries() {
                d.at(key, |d| component(class, key, settings, d, defined));
            }
        });
    }

    fn unused(&mut self, defined: &Defined, used: &HashSet<(Class, ComponentId)>) {
        for (class, id) in defined.keys() {
            let user = if *class == Class::Extension { EXTENSIONS } else { PIPELINES };
            if !used.contains(&(*class, id.clone())) && !self.is_open(user) {
                let user = if *class == Class::Extension {
                    "service.extensions does not name it"
                } else {
                    "no pipeline names it"
                };
                let path = format!("{}.{id}", class.section());
                let message = format!("is defined but not used: {user}");
                self.d.problems.push(Problem::new(path, Code::Unused, message));
            }
        }
    }

    /// Whether what a list of users holds is not known to the end, or is missing altogether and was
    /// reported: nobody can say then what is not used.
    fn is_open(&self, path: &str) -> bool {
        let missing = self.d.problems.iter().any(|p| p.path == path || p.path == "service");
        missing || self.d.deferred.iter().any(|p| p == "service" || is_within(p, path))
    }

    /// An otlphttp exporter needs an address for every signal that reaches it.
    fn addresses(&mut self, defined: &Defined, pipelines: &[Pipeline]) {
        for ((class, id), component) in defined {
            let Some(Component::OtlpHttp(exporter)) = component else {
                continue;
            };
            if *class != Class::Exporter || exporter.endpoint.is_some() {
                continue;
            }
            let signals: BTreeSet<Signal> = pipelines
                .iter()
                .filter(|pipeline| pipeline.exporters.contains(id))
                .map(|pipeline| pipeline.id.signal)
                .collect();
            for signal in signals {
                let path = format!("exporters.{id}");
                let key = format!("{}_endpoint", signal.as_str());
                let known = has_address(exporter, signal)
                    || self.d.deferred.contains(&format!("{path}.{key}"))
                    || self.d.deferred.contains(&format!("{path}.endpoint"));
                let any = Signal::ALL.iter().any(|signal| has_address(exporter, *signal));
                if !known && any {
                    let message =
                        format!("{} reach this exporter: give {key} or endpoint", signal.as_str());
                    self.d.problems.push(Problem::new(path, Code::Missing, message));
                }
            }
        }
    }

    fn listeners(&mut self, defined: &Defined, telemetry: &Telemetry) -> Vec<Listener> {
        let mut listeners: Vec<Listener> = defined
            .iter()
            .filter_map(|((class, id), c)| c.as_ref().map(|c| listeners_of(*class, id, c)))
            .flatten()
            .filter(|listener| !self.d.deferred.contains(&listener.path))
            .chain(self_metrics(telemetry).filter(|_| !self.hides_self_metrics()))
            .collect();
        for (index, listener) in listeners.iter().enumerate() {
            if let Some(other) = listeners[..index].iter().find(|o| o.conflicts_with(listener)) {
                let other = self.origins.public(&other.path);
                let message = format!("port {} is also that of {other}", listener.port);
                let path = listener.path.clone();
                self.d.problems.push(Problem::new(path, Code::PortConflict, message));
            }
            if self.options.reserved_ports.contains(&listener.port) {
                let message = format!("port {} is the admin listener's", listener.port);
                let problem = Problem::new(listener.path.clone(), Code::PortConflict, message);
                self.d.problems.push(problem.hint("use another port"));
            }
        }
        listeners.sort_by(|a, b| a.name.cmp(&b.name));
        listeners
    }

    /// Whether the address of the collector's own metrics is known only where it runs.
    fn hides_self_metrics(&self) -> bool {
        const METRICS: &str = "service.telemetry.metrics";
        let beside = ["without_scope_info", "without_type_suffix", "without_units"];
        self.d.deferred.iter().any(|path| {
            let address = ["address", "readers"]
                .iter()
                .any(|key| is_within(path, &format!("{METRICS}.{key}")));
            is_within(METRICS, path) || (address && !beside.iter().any(|key| path.ends_with(key)))
        })
    }
}

/// The keys below which a configuration says what is used.
const PIPELINES: &str = "service.pipelines";
const EXTENSIONS: &str = "service.extensions";

fn has_address(exporter: &OtlpHttpExporter, signal: Signal) -> bool {
    match signal {
        Signal::Traces => exporter.traces_endpoint.is_some(),
        Signal::Metrics => exporter.metrics_endpoint.is_some(),
        Signal::Logs => exporter.logs_endpoint.is_some(),
    }
}

fn self_metrics(telemetry: &Telemetry) -> impl Iterator<Item = Listener> {
    telemetry.metrics.pages().into_iter().map(|address| Listener {
        path: "service.telemetry.metrics".into(),
        name: "metrics".into(),
        host: address.host,
        port: address.port,
        kind: ListenerKind::SelfMetrics,
        tls: false,
    })
}

fn component(class: Class, key: &str, settings: &Value, d: &mut Decoder, defined: &mut Defined) {
    let id = match ComponentId::from_str(key) {
        Ok(id) => id,
        Err(message) => return d.problem(Code::InvalidId, message),
    };
    let Some(entry) = find(class, &id.kind) else {
        let known: Vec<&str> = names(class).collect();
        let what = class.section().trim_end_matches('s');
        let message = format!("the {what} {:?} is not built in", id.kind);
        let problem = Problem::new(d.path(), Code::UnknownComponent, message);
        let problem = problem.did_you_mean(&id.kind, known.iter().copied());
        d.problems.push(match problem.hint {
            Some(_) => problem,
            None => problem.hint(format!("built in: {}", known.join(", "))),
        });
        // It counts as defined: that a pipeline names it is no second mistake.
        defined.insert((class, id), None);
        return;
    };
    let before = d.problems.len();
    let component = (entry.decode)(settings, d).filter(|_| d.problems.len() == before);
    defined.insert((class, id), component);
}

#[cfg(test)]
mod tests;
