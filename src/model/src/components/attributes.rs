//! The attributes and resource processors: actions on attributes (contrib
//! processor/attributesprocessor, internal/coreinternal/attraction).

use crate::Value;
use crate::decode::Decoder;
use crate::problem::Code;
use crate::settings::{choice, settings};

settings! {
    /// Changes attributes of spans, data points and log records.
    pub struct Attributes {
        /// What to do, in this order; at least one.
        actions: Vec<Action> = Vec::new(),
        /// Only these items are changed.
        include: Option<Match> = None,
        /// These items are left alone.
        exclude: Option<Match> = None,
    }
    check = attributes;
}

settings! {
    /// Changes attributes of resources.
    pub struct Resource {
        /// What to do, in this order; at least one.
        attributes: Vec<Action> = Vec::new(),
    }
    check = resource;
}

settings! {
    /// One change.
    pub struct Action {
        /// The attribute changed.
        key: String = String::new(),
        /// What is done.
        action: Option<ActionKind> = None,
        /// The value set.
        value: Option<Value> = None,
        /// The value set, from another attribute.
        from_attribute: Option<String> = None,
        /// The value set, from the client's metadata.
        from_context: Option<String> = None,
        /// The value set where `from_attribute` or `from_context` finds none.
        default_value: Option<Value> = None,
        /// Regular expression: with named groups for `extract`; of the keys for `delete`, `hash`.
        pattern: Option<String> = None,
        /// Type that `convert` makes: int, double or string.
        converted_type: Option<ConvertedType> = None,
    }
    check = action;
}

choice! {
    /// What is done with an attribute.
    pub enum ActionKind {
        /// Set where it is absent
        Insert = "insert",
        /// Set where it is present
        Update = "update",
        /// Set
        Upsert = "upsert",
        /// Remove
        Delete = "delete",
        /// Replace by its SHA-256
        Hash = "hash",
        /// Set others from the groups of a pattern
        Extract = "extract",
        /// Change its type
        Convert = "convert",
    }
}

choice! {
    /// A type to convert to.
    pub enum ConvertedType {
        /// 64-bit integer
        Int = "int",
        /// 64-bit float
        Double = "double",
        /// Text
        String = "string",
    }
}

settings! {
    /// Which items are meant: those that match everything that is given.
    pub struct Match {
        /// How texts are compared.
        match_type: Option<MatchType> = None,
        /// How results of patterns are kept.
        regexp: Option<PatternCache> = None,
        /// Names of services.
        services: Vec<String> = Vec::new(),
        /// Names of spans.
        span_names: Vec<String> = Vec::new(),
        /// Kinds of spans.
        span_kinds: Vec<String> = Vec::new(),
        /// Bodies of log records.
        log_bodies: Vec<String> = Vec::new(),
        /// Severity texts of log records.
        log_severity_texts: Vec<String> = Vec::new(),
        /// Severity numbers of log records.
        log_severity_number: Option<SeverityNumber> = None,
        /// Names of metrics.
        metric_names: Vec<String> = Vec::new(),
        /// Attributes of the item.
        attributes: Vec<KeyValue> = Vec::new(),
        /// Attributes of the resource.
        resources: Vec<KeyValue> = Vec::new(),
        /// Scopes (instrumentation libraries): all must match, as with otelcol.
        libraries: Vec<Library> = Vec::new(),
    }
    check = matching;
}

settings! {
    /// How otelcol keeps results of patterns.
    pub struct PatternCache {
        /// otelcol: keep results of patterns; no effect here, patterns are fast.
        cacheenabled: bool = false,
        /// otelcol: how many results are kept; no effect here.
        cachemaxnumentries: u32 = 0,
    }
}

settings! {
    /// Severities of log records.
    pub struct SeverityNumber {
        /// The lowest meant, from 1 (TRACE) to 24 (FATAL4).
        min: i64 = 0,
        /// Whether records without a severity are meant.
        match_undefined: bool = false,
    }
}

settings! {
    /// A scope.
    pub struct Library {
        /// Its name.
        name: String = String::new(),
        /// Its version; any where none is given.
        version: Option<String> = None,
    }
}

settings! {
    /// An attribute and the value it must have; any value where none is given.
    pub struct KeyValue {
        /// The attribute.
        key: String = String::new(),
        /// Its value.
        value: Option<Value> = None,
    }
}

choice! {
    /// How texts are compared.
    pub enum MatchType {
        /// To the letter
        Strict = "strict",
        /// As regular expressions
        Regexp = "regexp",
    }
}

fn attributes(processor: &Attributes, d: &mut Decoder) {
    if processor.actions.is_empty() && !d.is_unsettled("actions") {
        d.problem_at("actions", Code::Missing, "at least one action must be given");
    }
}

fn resource(processor: &Resource, d: &mut Decoder) {
    if processor.attributes.is_empty() && !d.is_unsettled("attributes") {
        d.problem_at("attributes", Code::Missing, "at least one action must be given");
    }
}

fn action(action: &Action, d: &mut Decoder) {
    use ActionKind::{Convert, Delete, Extract, Hash, Insert, Update, Upsert};
    let Some(kind) = action.action else {
        if !d.is_unsettled("action") {
            d.problem_at("action", Code::Missing, "must be given");
        }
        return;
    };
    let by_pattern =
        matches!(kind, Delete | Hash) && (action.pattern.is_some() || d.is_unsettled("pattern"));
    if action.key.is_empty() && !by_pattern && !d.is_unsettled("key") {
        d.problem_at("key", Code::Missing, "must be given");
    }
    let sources = [
        action.value.is_some() || d.is_unsettled("value"),
        action.from_attribute.is_some() || d.is_unsettled("from_attribute"),
        action.from_context.is_some() || d.is_unsettled("from_context"),
    ];
    let given = sources.iter().filter(|given| **given).count();
    match kind {
        Insert | Update | Upsert if given != 1 => {
            let message = "needs exactly one of value, from_attribute and from_context";
            d.problem(Code::Missing, format!("{} {message}", kind.as_str()));
        }
        Extract if action.pattern.is_none() && !d.is_unsettled("pattern") => {
            d.problem_at("pattern", Code::Missing, "extract needs a pattern with named groups");
        }
        Convert if action.converted_type.is_none() && !d.is_unsettled("converted_type") => {
            d.problem_at("converted_type", Code::Missing, "convert needs a type");
        }
        Delete | Hash | Extract | Convert if given > 0 => {
            d.problem(Code::InvalidValue, format!("{} takes no value", kind.as_str()));
        }
        _ => {}
    }
    let idle = [
        ("pattern", action.pattern.is_some() && !matches!(kind, Delete | Hash | Extract)),
        ("converted_type", action.converted_type.is_some() && kind != Convert),
    ];
    for (key, _) in idle.iter().filter(|(_, given)| *given) {
        d.problem_at(key, Code::InvalidValue, format!("has no meaning for {}", kind.as_str()));
    }
}

fn matching(matching: &Match, d: &mut Decoder) {
    if matching.match_type.is_none() && !d.is_unsettled("match_type") {
        d.problem_at("match_type", Code::Missing, "must be given: strict or regexp");
    }
    let lists = [
        ("services", matching.services.is_empty()),
        ("span_names", matching.span_names.is_empty()),
        ("span_kinds", matching.span_kinds.is_empty()),
        ("log_bodies", matching.log_bodies.is_empty()),
        ("log_severity_texts", matching.log_severity_texts.is_empty()),
        ("log_severity_number", matching.log_severity_number.is_none()),
        ("metric_names", matching.metric_names.is_empty()),
        ("attributes", matching.attributes.is_empty()),
        ("resources", matching.resources.is_empty()),
        ("libraries", matching.libraries.is_empty()),
    ];
    if lists.iter().all(|(key, empty)| *empty && !d.is_unsettled(key)) {
        d.problem(Code::Missing, "at least one thing to match must be given");
    }
}
