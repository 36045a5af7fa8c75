//! Reads `service`: which components make up the pipelines, and whether they can.

use std::collections::HashSet;
use std::str::FromStr;

use super::Defined;
use crate::catalogue::{Class, find};
use crate::checked::Pipeline;
use crate::components::service::Telemetry;
use crate::decode::{Decoder, element, field, is_map, list, unknown_keys};
use crate::environment::{Origins, veil};
use crate::id::{ComponentId, PipelineId, Signal};
use crate::problem::{Code, Problem};
use crate::value::Value;

/// Reads `service`.
pub(super) struct Service<'a> {
    pub(super) d: &'a mut Decoder,
    pub(super) defined: &'a Defined,
    pub(super) origins: &'a Origins,
}

/// What `service` says.
#[derive(Default)]
pub(super) struct Read {
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) extensions: Vec<ComponentId>,
    pub(super) telemetry: Telemetry,
    /// Everything named, also by a pipeline that is wrong.
    pub(super) used: HashSet<(Class, ComponentId)>,
}

impl Service<'_> {
    pub(super) fn read(&mut self, service: &Value) -> Read {
        let mut read = Read::default();
        if !is_map(service, self.d) {
            return read;
        }
        unknown_keys(service, &["pipelines", "extensions", "telemetry"], self.d);
        read.telemetry = field(service, "telemetry", Telemetry::default(), self.d);
        read.extensions = self.references(service, "extensions", Class::Extension, None);
        read.used.extend(read.extensions.iter().map(|id| (Class::Extension, id.clone())));
        let pipelines = service.get("pipelines").unwrap_or(&Value::Null);
        if !self.d.at("pipelines", |d| is_map(pipelines, d)) {
            return read;
        }
        if pipelines.entries().is_empty() {
            let message = "at least one pipeline must be given";
            self.d.problem_at("pipelines", Code::Missing, message);
        }
        for (key, pipeline) in pipelines.entries() {
            self.pipeline(key, pipeline, &mut read);
        }
        read.pipelines.sort_by(|a, b| a.id.cmp(&b.id));
        read
    }

    fn pipeline(&mut self, key: &str, value: &Value, read: &mut Read) {
        let (defined, origins) = (self.defined, self.origins);
        self.d.at(&format!("pipelines.{key}"), |d| {
            let id =
                PipelineId::parse(key, d.path()).map_err(|problem| d.problems.push(problem)).ok();
            if !is_map(value, d) {
                return;
            }
            unknown_keys(value, &["receivers", "processors", "exporters"], d);
            let mut service = Service { d, defined, origins };
            let signal = id.as_ref().map(|id| id.signal);
            let mut list = |class: Class| {
                let found = service.references(value, class.section(), class, signal);
                read.used.extend(found.iter().map(|id| (class, id.clone())));
                found
            };
            let receivers = list(Class::Receiver);
            let processors = list(Class::Processor);
            let exporters = list(Class::Exporter);
            for (name, wanted) in [("receivers", "receiver"), ("exporters", "exporter")] {
                if references_none(value.get(name)) {
                    let message = format!("a pipeline needs at least one {wanted}");
                    service.d.problem_at(name, Code::InvalidPipeline, message);
                }
            }
            service.limiter_first(&processors);
            read.pipelines.extend(id.map(|id| Pipeline { id, receivers, processors, exporters }));
        });
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
        let (defined, origins) = (self.defined, self.origins);
        let value = value.get(key).unwrap_or(&Value::Null);
        self.d.at(key, |d| {
            let mut found: Vec<ComponentId> = Vec::new();
            for (index, item) in list(value, d).unwrap_or_default().iter().enumerate() {
                d.item(index, |d| {
                    let before = d.problems.len();
                    let id = element(item, d).and_then(|name: String| {
                        reference(&name, class, signal, (defined, origins), d)
                    });
                    if let Some(id) = id {
                        if found.contains(&id) {
                            d.problem(Code::InvalidPipeline, format!("{id} stands twice"));
                        }
                        found.push(id);
                    }
                    if let Value::Expanded { .. } = item {
                        d.problems[before..].iter_mut().for_each(|problem| veil(problem, item));
                    }
                });
            }
            found
        })
    }
}

fn references_none(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::List(list)) => list.is_empty(),
        Some(Value::Expanded { parsed, .. }) => {
            matches!(&**parsed, Value::List(list) if list.is_empty())
        }
        Some(_) => false,
    }
}

fn reference(
    name: &str,
    class: Class,
    signal: Option<Signal>,
    (defined, origins): (&Defined, &Origins),
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
        if d.deferred.contains(class.section()) {
            return Some(id);
        }
        d.problems.push(undefined(&id, class, (defined, origins), d.path()));
        return None;
    }
    if let (Some(signal), Some(entry)) = (signal, find(class, &id.kind))
        && !entry.signals.contains(&signal)
    {
        let carried: Vec<&str> = entry.signals.iter().map(|signal| signal.as_str()).collect();
        let message =
            format!("{name} carries {} only, not {}", carried.join(", "), signal.as_str());
        d.problem(Code::UnsupportedSignal, message);
    }
    Some(id)
}

/// The likely causes: a slip of the pen, or a null body that `kubectl apply` dropped.
fn undefined(
    id: &ComponentId,
    class: Class,
    (defined, origins): (&Defined, &Origins),
    path: &str,
) -> Problem {
    let section = class.section();
    let message = format!("{id} is not defined in {section}");
    let problem = Problem::new(path, Code::Undefined, message);
    let known: Vec<String> = defined
        .keys()
        .filter(|(c, _)| *c == class)
        .map(|(_, known)| known.to_string())
        // An id that came from the environment is not told.
        .filter(|known| origins.is_public(&format!("{section}.{known}")))
        .collect();
    let written = id.to_string();
    let problem = problem.did_you_mean(&written, known.iter().map(String::as_str));
    if problem.hint.is_none() && find(class, &id.kind).is_some() {
        return problem.hint(format!(
            "if it is written as \"{id}:\" with nothing after it, write \"{id}: {{}}\": kubectl apply \
             drops empty values"
        ));
    }
    problem
}
