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
use crate::problem::{Code, Problem, closest};
use crate::value::Value;

/// Reads `service`.
pub(super) struct Service<'a> {
    pub(super) d: &'a mut Decoder,
    pub(super) defined: &'a Defined,
    pub(super) origins: &'a Origins<'a>,
    pub(super) uses: &'a mut Uses,
}

/// What the lists of `service` use.
#[derive(Default)]
pub(super) struct Uses {
    /// Everything named, also by a pipeline that is wrong, also what was probably meant.
    pub(super) named: HashSet<(Class, ComponentId)>,
    /// The classes of which a list could not be read: what it names is not known.
    pub(super) unreadable: HashSet<Class>,
}

/// What `service` says.
#[derive(Default)]
pub(super) struct Read {
    pub(super) pipelines: Vec<Pipeline>,
    pub(super) extensions: Vec<ComponentId>,
    pub(super) telemetry: Telemetry,
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
        let (defined, origins, uses) = (self.defined, self.origins, &mut *self.uses);
        self.d.at(&format!("pipelines.{key}"), |d| {
            let id =
                PipelineId::parse(key, d.path()).map_err(|problem| d.problems.push(problem)).ok();
            if !is_map(value, d) {
                uses.unreadable.extend(PARTS);
                return;
            }
            unknown_keys(value, &PARTS.map(Class::section), d);
            let mut service = Service { d, defined, origins, uses };
            let signal = id.as_ref().map(|id| id.signal);
            let [receivers, processors, exporters] =
                PARTS.map(|class| service.references(value, class.section(), class, signal));
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
        let (defined, origins, uses) = (self.defined, self.origins, &mut *self.uses);
        let value = value.get(key).unwrap_or(&Value::Null);
        self.d.at(key, |d| {
            let Some(items) = list(value, d) else {
                if !matches!(value, Value::Null) {
                    uses.unreadable.insert(class);
                }
                return Vec::new();
            };
            let mut seen = HashSet::new();
            let mut found: Vec<ComponentId> = Vec::new();
            for (index, item) in items.iter().enumerate() {
                d.item(index, |d| {
                    let before = d.problems.count();
                    let mut service = Service { d, defined, origins, uses };
                    let id = element(item, service.d)
                        .and_then(|name: String| service.reference(&name, class, signal));
                    if let Some(id) = id {
                        if !seen.insert(id.clone()) {
                            d.problem(Code::InvalidPipeline, format!("{id} stands twice"));
                        }
                        found.push(id);
                    }
                    d.problems.since(before).iter_mut().for_each(|problem| veil(problem, item));
                });
            }
            uses.named.extend(found.iter().map(|id| (class, id.clone())));
            found
        })
    }

    fn reference(
        &mut self,
        name: &str,
        class: Class,
        signal: Option<Signal>,
    ) -> Option<ComponentId> {
        let id = match ComponentId::from_str(name) {
            Ok(id) => id,
            Err(message) => {
                self.d.problem(Code::InvalidId, message);
                return None;
            }
        };
        if !self.defined.contains_key(&(class, id.clone())) {
            if self.d.deferred.contains(class.section()) {
                return Some(id);
            }
            let path = self.d.path().to_owned();
            self.d.problems.push_with(|| {
                let meant = probably_meant(&id, class, self.defined, self.origins);
                let problem = undefined(&id, class, meant.as_ref(), path);
                // That what was meant is not used is no second mistake.
                self.uses.named.extend(meant.map(|id| (class, id)));
                problem
            });
            return None;
        }
        if let (Some(signal), Some(entry)) = (signal, find(class, &id.kind))
            && !entry.signals.contains(&signal)
        {
            let carried: Vec<&str> = entry.signals.iter().map(|signal| signal.as_str()).collect();
            let (carried, signal) = (carried.join(", "), signal.as_str());
            let message = format!("{name} carries {carried} only, not {signal}");
            self.d.problem(Code::UnsupportedSignal, message);
        }
        Some(id)
    }
}

/// What a pipeline names.
const PARTS: [Class; 3] = [Class::Receiver, Class::Processor, Class::Exporter];

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

/// Most components of a class among which the one meant is looked for: whoever has more did not
/// write them by hand.
const MAX_CANDIDATES: usize = 64;

/// The component of the nearest spelling.
fn probably_meant(
    id: &ComponentId,
    class: Class,
    defined: &Defined,
    origins: &Origins<'_>,
) -> Option<ComponentId> {
    let of_class = defined.keys().filter(|key| key.0 == class).take(MAX_CANDIDATES + 1);
    let known: Vec<String> = of_class.map(|(_, known)| known.to_string()).collect();
    if known.len() > MAX_CANDIDATES {
        return None;
    }
    // An id that came from the environment is not told.
    let told = |known: &str| origins.is_public(&format!("{}.{known}", class.section()));
    let known = known.iter().map(String::as_str).filter(|known| told(known));
    closest(&id.to_string(), known)?.parse().ok()
}

/// The likely causes: a slip of the pen, or a null body that `kubectl apply` dropped.
fn undefined(id: &ComponentId, class: Class, meant: Option<&ComponentId>, path: String) -> Problem {
    let message = format!("{id} is not defined in {}", class.section());
    let problem = Problem::new(path, Code::Undefined, message);
    match meant {
        Some(meant) => problem.hint(format!("did you mean {:?}?", meant.to_string())),
        None if find(class, &id.kind).is_some() => problem.hint(format!(
            "if it is written as \"{id}:\" with nothing after it, write \"{id}: {{}}\": kubectl apply \
             drops empty values"
        )),
        None => problem,
    }
}
