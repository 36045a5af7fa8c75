//! From a raw configuration to [`Checked`]: every component decoded, every reference followed,
//! every problem collected. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

mod bounds;
mod ports;
mod service;

use self::ports::Bound;
use self::service::{Read, Service, Uses};

use crate::catalogue::{Class, Component, find, names};
use crate::checked::{Checked, Listener, ListenerKind, Pipeline, listeners_of};
use crate::components::otlp_http_exporter::OtlpHttpExporter;
use crate::components::service::Telemetry;
use crate::decode::{Decoder, is_map, unknown_keys};
use crate::environment::{Environment, Origins, expand};
use crate::findings::{any_within, is_within};
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

/// Checks a configuration. Of what is wrong, [`MAX_TOLD`](crate::MAX_TOLD) problems are told and the
/// rest counted; one that is too large is not looked at further.
#[must_use]
pub fn check(raw: &Value, environment: &dyn Environment, options: &Options) -> Report {
    if let Some(problem) = bounds::exceeded(raw) {
        return Report { checked: None, problems: vec![problem], warnings: Vec::new() };
    }
    let mut d = Decoder::default();
    let value = expand(raw, environment, &mut d.problems, &mut d.warnings);
    let origins = Origins(&value);
    let checked = Checker { d: &mut d, options, origins: &origins }.whole(&value);
    let problems = d.problems.sorted(|problem| origins.hide(problem));
    let warnings = d.warnings.sorted(|problem| origins.hide(problem));
    Report { checked: checked.filter(|_| problems.is_empty()), problems, warnings }
}

struct Checker<'a> {
    d: &'a mut Decoder,
    options: &'a Options,
    origins: &'a Origins<'a>,
}

/// Components by class and id. None where one is defined but its settings are wrong: it counts as
/// defined, so that one mistake is reported once.
type Defined = BTreeMap<(Class, ComponentId), Option<Component>>;

impl Checker<'_> {
    fn whole(&mut self, value: &Value) -> Option<Checked> {
        if matches!(value, Value::Deferred(_)) && self.d.problems.count() == 0 {
            let message = "the whole configuration is one reference, whose value is not known here";
            self.d.problem(Code::InvalidReference, message);
            return None;
        }
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
        let (origins, mut uses) = (self.origins, Uses::default());
        let Read { pipelines, extensions, telemetry } = self.d.at("service", |d| {
            Service { d, defined: &defined, origins, uses: &mut uses }.read(service)
        });
        self.unused(&defined, &uses);
        self.addresses(&defined, &pipelines);
        let listeners = self.listeners(&defined, &telemetry);
        let components = defined.into_iter().filter_map(|(key, c)| c.map(|c| (key, c))).collect();
        let deferred = std::mem::take(&mut self.d.deferred);
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

    fn unused(&mut self, defined: &Defined, uses: &Uses) {
        for class in Class::ALL {
            let (user, why) = match class {
                Class::Extension => (EXTENSIONS, "service.extensions does not name it"),
                _ => (PIPELINES, "no pipeline names it"),
            };
            if uses.unreadable.contains(&class) || self.is_open(user) {
                continue;
            }
            for key in defined.keys().filter(|key| key.0 == class && !uses.named.contains(key)) {
                self.d.problems.push_with(|| {
                    let path = format!("{}.{}", class.section(), key.1);
                    let message = format!("is defined but not used: {why}");
                    Problem::new(path, Code::Unused, message)
                });
            }
        }
    }

    /// Whether what a list of users holds is not known to the end, or is missing altogether and was
    /// reported: nobody can say then what is not used.
    fn is_open(&self, path: &str) -> bool {
        let Decoder { problems, deferred, .. } = &*self.d;
        let missing = problems.is_at(path) || problems.is_at("service");
        missing || deferred.contains("service") || any_within(deferred, path)
    }

    /// An otlphttp exporter needs an address for every signal that reaches it.
    fn addresses(&mut self, defined: &Defined, pipelines: &[Pipeline]) {
        let mut reached: BTreeMap<&ComponentId, BTreeSet<Signal>> = BTreeMap::new();
        for pipeline in pipelines {
            for id in &pipeline.exporters {
                reached.entry(id).or_default().insert(pipeline.id.signal);
            }
        }
        for (id, signals) in reached {
            let component = defined.get(&(Class::Exporter, id.clone()));
            let Some(Some(Component::OtlpHttp(exporter))) = component else {
                continue;
            };
            if exporter.endpoint.is_some() {
                continue;
            }
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
        let mut bound = Bound::default();
        for (index, listener) in listeners.iter().enumerate() {
            if let Some(other) = bound.bind(index, listener).map(|first| &listeners[first]) {
                self.d.problems.push_with(|| {
                    let other = self.origins.public(&other.path);
                    let message = format!("port {} is also that of {other}", listener.port);
                    Problem::new(listener.path.clone(), Code::PortConflict, message)
                });
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
        let path = d.path().to_owned();
        d.problems.push_with(|| not_built_in(class, &id.kind, path));
        // It counts as defined: that a pipeline names it is no second mistake.
        defined.insert((class, id), None);
        return;
    };
    let before = d.problems.count();
    let component = (entry.decode)(settings, d).filter(|_| d.problems.count() == before);
    defined.insert((class, id), component);
}

fn not_built_in(class: Class, kind: &str, path: String) -> Problem {
    let known: Vec<&str> = names(class).collect();
    let what = class.section().trim_end_matches('s');
    let message = format!("the {what} {kind:?} is not built in");
    let problem = Problem::new(path, Code::UnknownComponent, message);
    let problem = problem.did_you_mean(kind, known.iter().copied());
    match problem.hint {
        Some(_) => problem,
        None => problem.hint(format!("built in: {}", known.join(", "))),
    }
}

#[cfg(test)]
mod tests;
