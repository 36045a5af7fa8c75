//! From a raw configuration to [`Checked`]: every component decoded, every reference followed,
//! every problem collected. Pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::str::FromStr;

use crate::catalogue::{Class, Component, find, names};
use crate::checked::{Checked, Listener, ListenerKind, Pipeline, listeners_of};
use crate::components::otlp_http_exporter::OtlpHttpExporter;
use crate::components::service::Telemetry;
use crate::decode::{Decoder, field, is_map, unknown_keys};
use crate::environment::{Environment, expand};
use crate::id::{ComponentId, PipelineId, Signal};
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
    let checked = Checker { d: &mut d, options }.whole(&value);
    let mut report = Report {
        checked: None,
        problems: d.problems,
        warnings: d.warnings,
    };
    for list in [&mut report.problems, &mut report.warnings] {
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
            &[
                "receivers",
                "processors",
                "exporters",
                "extensions",
                "service",
            ],
            self.d,
        );
        let mut defined = Defined::new();
        for class in Class::ALL {
            self.section(class, value, &mut defined);
        }
        let service = value.get("service").unwrap_or(&Value::Null);
        let (pipelines, extensions, telemetry) = self.d.at("service", |d| {
            Service {
                d,
                defined: &defined,
            }
            .read(service)
        });
        self.unused(&defined, &pipelines, &extensions);
        self.addresses(&defined, &pipelines);
        let listeners = self.listeners(&defined, &telemetry);
        let components = defined
            .into_iter()
            .filter_map(|(key, c)| c.map(|c| (key, c)))
            .collect();
        let deferred = self.d.deferred.clone();
        Some(Checked {
            components,
            pipelines,
            extensions,
            telemetry,
            listeners,
            deferred,
        })
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

    fn unused(&mut self, defined: &Defined, pipelines: &[Pipeline], extensions: &[ComponentId]) {
        let mut used: HashSet<(Class, &ComponentId)> = HashSet::new();
        for pipeline in pipelines {
            used.extend(pipeline.receivers.iter().map(|id| (Class::Receiver, id)));
            used.extend(pipeline.processors.iter().map(|id| (Class::Processor, id)));
            used.extend(pipeline.exporters.iter().map(|id| (Class::Exporter, id)));
        }
        used.extend(extensions.iter().map(|id| (Class::Extension, id)));
        for (class, id) in defined.keys() {
            if !used.contains(&(*class, id)) {
                let user = if *class == Class::Extension {
                    "service.extensions does not name it"
                } else {
                    "no pipeline names it"
                };
                let path = format!("{}.{id}", class.section());
                let message = format!("is defined but not used: {user}");
                self.d
                    .problems
                    .push(Problem::new(path, Code::Unused, message));
            }
        }
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
                let any = Signal::ALL
                    .iter()
                    .any(|signal| has_address(exporter, *signal));
                if !known && any {
                    let message = format!(
                        "{} reach this exporter: give {key} or endpoint",
                        signal.as_str()
                    );
                    self.d
                        .problems
                        .push(Problem::new(path, Code::Missing, message));
                }
            }
        }
    }

    fn listeners(&mut self, defined: &Defined, telemetry: &Telemetry) -> Vec<Listener> {
        let mut listeners: Vec<Listener> = defined
            .iter()
            .filter_map(|((class, id), c)| c.as_ref().map(|c| listeners_of(*class, id, c)))
            .flatten()
            .chain(self_metrics(telemetry))
            .filter(|listener| !self.d.deferred.contains(&listener.path))
            .collect();
        for (index, listener) in listeners.iter().enumerate() {
            if let Some(other) = listeners[..index]
                .iter()
                .find(|o| o.conflicts_with(listener))
            {
                let message = format!("port {} is also that of {}", listener.port, other.path);
                let path = listener.path.clone();
                self.d
                    .problems
                    .push(Problem::new(path, Code::PortConflict, message));
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
}

fn has_address(exporter: &OtlpHttpExporter, signal: Signal) -> bool {
    match signal {
        Signal::Traces => exporter.traces_endpoint.is_some(),
        Signal::Metrics => exporter.metrics_endpoint.is_some(),
        Signal::Logs => exporter.logs_endpoint.is_some(),
    }
}

fn self_metrics(telemetry: &Telemetry) -> impl Iterator<Item = Listener> {
    telemetry
        .metrics
        .pages()
        .into_iter()
        .map(|address| Listener {
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

/// Reads `service`.
struct Service<'a> {
    d: &'a mut Decoder,
    defined: &'a Defined,
}

impl Service<'_> {
    fn read(&mut self, service: &Value) -> (Vec<Pipeline>, Vec<ComponentId>, Telemetry) {
        if !is_map(service, self.d) {
            return Default::default();
        }
        unknown_keys(service, &["pipelines", "extensions", "telemetry"], self.d);
        let telemetry = field(service, "telemetry", Telemetry::default(), self.d);
        let extensions = self.references(service, "extensions", Class::Extension, None);
        let pipelines = service.get("pipelines").unwrap_or(&Value::Null);
        if pipelines.entries().is_empty() {
            let message = "at least one pipeline must be given";
            self.d.problem_at("pipelines", Code::Missing, message);
        }
        let mut read = Vec::new();
        for (key, pipeline) in pipelines.entries() {
            let path = format!("{}.pipelines.{key}", self.d.path());
            match PipelineId::parse(key, &path) {
                Ok(id) => read.push(self.pipeline(id, key, pipeline)),
                Err(problem) => self.d.problems.push(problem),
            }
        }
        read.sort_by(|a, b| a.id.cmp(&b.id));
        (read, extensions, telemetry)
    }

    fn pipeline(&mut self, id: PipelineId, key: &str, value: &Value) -> Pipeline {
        let path = format!("pipelines.{key}");
        let defined = self.defined;
        self.d.at(&path, |d| {
            let mut service = Service { d, defined };
            if is_map(value, service.d) {
                unknown_keys(value, &["receivers", "processors", "exporters"], service.d);
            }
            let signal = Some(id.signal);
            let receivers = service.references(value, "receivers", Class::Receiver, signal);
            let processors = service.references(value, "processors", Class::Processor, signal);
            let exporters = service.references(value, "exporters", Class::Exporter, signal);
            for (name, wanted) in [("receivers", "receiver"), ("exporters", "exporter")] {
                if references_none(value, name) {
                    let message = format!("a pipeline needs at least one {wanted}");
                    service.d.problem_at(name, Code::InvalidPipeline, message);
                }
            }
            service.limiter_first(&processors);
            Pipeline {
                id,
                receivers,
                processors,
                exporters,
            }
        })
    }

    /// What is refused after it was decoded, batched or queued has used its memory already.
    fn limiter_first(&mut self, processors: &[ComponentId]) {
        let at = processors.iter().position(|id| id.kind == "memory_limiter");
        if at.is_some_and(|at| at > 0) {
            self.d.at("processors", |d| {
                d.warning(Code::Questionable, "memory_limiter should come first");
            });
        }
    }

    fn references(
        &mut self,
        value: &Value,
        key: &str,
        class: Class,
        signal: Option<Signal>,
    ) -> Vec<ComponentId> {
        let names: Vec<String> = field(value, key, Vec::new(), self.d);
        let defined = self.defined;
        self.d.at(key, |d| {
            let mut found: Vec<ComponentId> = Vec::new();
            for (index, name) in names.iter().enumerate() {
                d.item(index, |d| {
                    if let Some(id) = reference(name, class, signal, defined, d) {
                        if found.contains(&id) {
                            d.problem(Code::InvalidPipeline, format!("{name} stands twice"));
                        }
                        found.push(id);
                    }
                });
            }
            found
        })
    }
}

fn references_none(value: &Value, key: &str) -> bool {
    match value.get(key) {
        None | Some(Value::Null) => true,
        Some(Value::List(list)) => list.is_empty(),
        Some(_) => false,
    }
}

fn reference(
    name: &str,
    class: Class,
    signal: Option<Signal>,
    defined: &Defined,
    d: &mut Decoder,
) -> Option<ComponentId> {
    let id = match ComponentId::from_str(name) {
        Ok(id) => id,
        Err(message) => {
            d.problem(Code::InvalidId, message);
            return None;
        }
    };
    if !defined.contains_key(&(class, id.clone())) {
        d.problems.push(undefined(&id, class, defined, d.path()));
        return None;
    }
    if let (Some(signal), Some(entry)) = (signal, find(class, &id.kind))
        && !entry.signals.contains(&signal)
    {
        let carried: Vec<&str> = entry.signals.iter().map(|signal| signal.as_str()).collect();
        let message = format!(
            "{name} carries {} only, not {}",
            carried.join(", "),
            signal.as_str()
        );
        d.problem(Code::UnsupportedSignal, message);
    }
    Some(id)
}

/// The likely causes: a slip of the pen, or a null body that `kubectl apply` dropped.
fn undefined(id: &ComponentId, class: Class, defined: &Defined, path: &str) -> Problem {
    let section = class.section();
    let message = format!("{id} is not defined in {section}");
    let problem = Problem::new(path, Code::Undefined, message);
    let known: Vec<String> = defined
        .keys()
        .filter(|(c, _)| *c == class)
        .map(|(_, known)| known.to_string())
        .collect();
    let written = id.to_string();
    let problem = problem.did_you_mean(&written, known.iter().map(String::as_str));
    if problem.hint.is_none() && find(class, &id.kind).is_some() {
        return problem.hint(format!(
            "if it is written as \"{id}:\" with nothing after it, write \"{id}: {{}}\": kubectl apply \
             drops empty values on update"
        ));
    }
    problem
}

#[cfg(test)]
mod tests;
