//! Which items are edited: `include` and `exclude` (contrib internal/filter v0.155: filterspan,
//! filterlog, filtermetric, filtermatcher).

use obspipe_model::Signal;
use obspipe_model::components::attributes::{
    Attributes, KeyValue as Wanted, Library, Match, MatchType, SeverityNumber,
};
use regex::Regex;

use super::{EditorError, pattern, value};
use crate::signal::as_string::as_string;
use crate::signal::otlp::{AnyValue, KeyValue, LogRecord, Metric, Resource, Scope, Span};
use crate::signal::view::{Repeated, View};

/// What is edited.
pub(super) struct Filter {
    include: Option<Matcher>,
    exclude: Option<Matcher>,
}

/// What the items of a resource, or of a scope in it, must still be asked.
#[derive(Clone, Copy)]
pub(super) struct Pass {
    /// Whether `exclude` means them, as far as the resource and the scope go.
    excludable: bool,
}

/// Matches what matches everything that is given.
struct Matcher {
    services: Option<Texts>,
    span_names: Option<Texts>,
    span_kinds: Option<Texts>,
    log_bodies: Option<Texts>,
    log_severity_texts: Option<Texts>,
    log_severity_number: Option<SeverityNumber>,
    metric_names: Option<Texts>,
    attributes: Vec<Expected>,
    resources: Vec<Expected>,
    libraries: Vec<Named>,
}

/// A scope's name, and its version where it matters.
struct Named {
    name: Texts,
    version: Option<Texts>,
}

/// Texts of which one must match.
enum Texts {
    Strict(Vec<String>),
    Regexp(Vec<Regex>),
}

/// An attribute that must be there.
struct Expected {
    key: String,
    value: Is,
}

enum Is {
    Anything,
    /// An encoded value.
    Value(Vec<u8>),
    Like(Regex),
}

impl Filter {
    /// # Errors
    /// What in the settings matches nothing at all, by path.
    pub(super) fn new(settings: &Attributes) -> Result<Self, EditorError> {
        let matcher = |settings: &Option<Match>, path: &str| {
            let matcher = settings.as_ref().map(Matcher::new).transpose();
            matcher.map_err(|error| EditorError { path: format!("{path}.{}", error.path), ..error })
        };
        Ok(Self {
            include: matcher(&settings.include, "include")?,
            exclude: matcher(&settings.exclude, "exclude")?,
        })
    }

    /// # Errors
    /// What a signal's items do not have, by path.
    pub(super) fn check(&self, signal: Signal) -> Result<(), EditorError> {
        let matchers = [("include", &self.include), ("exclude", &self.exclude)];
        for (path, matcher) in matchers {
            let Some(matcher) = matcher else { continue };
            matcher
                .check(signal)
                .map_err(|error| EditorError { path: format!("{path}.{}", error.path), ..error })?;
        }
        Ok(())
    }

    /// None: no item of the resource is edited.
    pub(super) fn resource(&self, signal: Signal, resource: &Resource<'_>) -> Option<Pass> {
        let means = |matcher: &Matcher| matcher.resource(signal, resource);
        let included = self.include.as_ref().is_none_or(means);
        let excludable = self.exclude.as_ref().is_some_and(means);
        included.then_some(Pass { excludable })
    }

    /// None: no item of the scope is edited. `scope` is its encoded message.
    pub(super) fn scope(&self, pass: Pass, scope: &[u8]) -> Option<Pass> {
        let included = self.include.as_ref().is_none_or(|matcher| matcher.scope(scope));
        let excludable =
            pass.excludable && self.exclude.as_ref().is_some_and(|matcher| matcher.scope(scope));
        included.then_some(Pass { excludable })
    }

    /// Whether a span is edited.
    pub(super) fn span(&self, pass: Pass, bytes: &[u8]) -> bool {
        self.passes(pass, |matcher| matcher.span(&Span::parse(bytes)))
    }

    /// Whether a log record is edited.
    pub(super) fn log_record(&self, pass: Pass, bytes: &[u8]) -> bool {
        self.passes(pass, |matcher| matcher.log_record(&LogRecord::parse(bytes)))
    }

    /// Whether the data points of a metric are edited. Who gives no names means all metrics with
    /// `include`, and none with `exclude`.
    pub(super) fn metric(&self, pass: Pass, bytes: &[u8]) -> bool {
        let named = |matcher: &Matcher, unnamed| {
            let name = || Metric::parse(bytes).name.lossy();
            matcher.metric_names.as_ref().map_or(unnamed, |names| names.matches(&name()))
        };
        self.include.as_ref().is_none_or(|matcher| named(matcher, true))
            && !(pass.excludable && self.exclude.as_ref().is_some_and(|m| named(m, false)))
    }

    fn passes(&self, pass: Pass, means: impl Fn(&Matcher) -> bool) -> bool {
        self.include.as_ref().is_none_or(&means)
            && !(pass.excludable && self.exclude.as_ref().is_some_and(&means))
    }
}

impl Matcher {
    fn new(settings: &Match) -> Result<Self, EditorError> {
        let Some(by) = settings.match_type else {
            return Err(EditorError::new("match_type", "must be given: strict or regexp"));
        };
        Ok(Self {
            services: texts(by, &settings.services, "services")?,
            span_names: texts(by, &settings.span_names, "span_names")?,
            span_kinds: texts(by, &settings.span_kinds, "span_kinds")?,
            log_bodies: texts(by, &settings.log_bodies, "log_bodies")?,
            log_severity_texts: texts(by, &settings.log_severity_texts, "log_severity_texts")?,
            log_severity_number: settings.log_severity_number.clone(),
            metric_names: texts(by, &settings.metric_names, "metric_names")?,
            attributes: expected(by, &settings.attributes, "attributes")?,
            resources: expected(by, &settings.resources, "resources")?,
            libraries: named(by, &settings.libraries, "libraries")?,
        })
    }

    fn check(&self, signal: Signal) -> Result<(), EditorError> {
        use Signal::{Logs, Metrics, Traces};
        let given: [(&str, bool, &[Signal]); 10] = [
            ("services", self.services.is_some(), &[Traces]),
            ("span_names", self.span_names.is_some(), &[Traces]),
            ("span_kinds", self.span_kinds.is_some(), &[Traces]),
            ("log_bodies", self.log_bodies.is_some(), &[Logs]),
            ("log_severity_texts", self.log_severity_texts.is_some(), &[Logs]),
            ("log_severity_number", self.log_severity_number.is_some(), &[Logs]),
            ("metric_names", self.metric_names.is_some(), &[Metrics]),
            ("attributes", !self.attributes.is_empty(), &[Traces, Logs]),
            ("libraries", !self.libraries.is_empty(), &[Traces, Logs]),
            ("resources", !self.resources.is_empty(), &[Traces, Logs, Metrics]),
        ];
        if let Some((path, ..)) =
            given.iter().find(|(_, given, of)| *given && !of.contains(&signal))
        {
            let message = format!("cannot be asked of {}", signal.as_str());
            return Err(EditorError::new(*path, message));
        }
        let known = |kind: &String| (1..=5).any(|number| span_kind(number) == kind);
        match &self.span_kinds {
            Some(Texts::Strict(kinds)) if !kinds.iter().all(known) => {
                let kinds: Vec<&str> = (1..=5).map(span_kind).collect();
                let message = format!("must be among {}", kinds.join(", "));
                Err(EditorError::new("span_kinds", message))
            }
            _ => Ok(()),
        }
    }

    /// What can be told from the resource. Of metrics nothing is: see [`Filter::metric`].
    fn resource(&self, signal: Signal, resource: &Resource<'_>) -> bool {
        let service = |services: &Texts| {
            let value = first(resource.attributes, "service.name").map(AnyValue::parse);
            services.matches(&value.as_ref().map_or("<nil-service-name>".into(), as_string))
        };
        signal == Signal::Metrics
            || (self.services.as_ref().is_none_or(service)
                && self.resources.iter().all(|wanted| wanted.is_in(resource.attributes)))
    }

    /// otelcol wants all of the libraries to match, too.
    fn scope(&self, scope: &[u8]) -> bool {
        if self.libraries.is_empty() {
            return true;
        }
        let scope = Scope::parse(scope);
        let version = |texts: &Texts| texts.matches(&scope.version.lossy());
        self.libraries.iter().all(|library| {
            library.name.matches(&scope.name.lossy())
                && library.version.as_ref().is_none_or(version)
        })
    }

    fn span(&self, span: &Span<'_>) -> bool {
        self.span_names.as_ref().is_none_or(|names| names.matches(&span.name.lossy()))
            && self.span_kinds.as_ref().is_none_or(|kinds| kinds.matches(span_kind(span.kind)))
            && self.attributes.iter().all(|wanted| wanted.is_in(span.attributes))
    }

    fn log_record(&self, record: &LogRecord<'_>) -> bool {
        let body = |bodies: &Texts| match record.body {
            Some(body) => bodies.matches(&as_string(&body.view())),
            None => bodies.matches(""),
        };
        let severity = |texts: &Texts| texts.matches(&record.severity_text.lossy());
        let number = |wanted: &SeverityNumber| match record.severity_number {
            0 => wanted.match_undefined,
            number => i64::from(number) >= wanted.min,
        };
        self.log_bodies.as_ref().is_none_or(body)
            && self.log_severity_texts.as_ref().is_none_or(severity)
            && self.log_severity_number.as_ref().is_none_or(number)
            && self.attributes.iter().all(|wanted| wanted.is_in(record.attributes))
    }
}

fn texts(by: MatchType, texts: &[String], path: &str) -> Result<Option<Texts>, EditorError> {
    Ok(match by {
        _ if texts.is_empty() => None,
        MatchType::Strict => Some(Texts::Strict(texts.to_vec())),
        MatchType::Regexp => {
            let compile = |(index, text): (usize, &String)| {
                pattern::compile(text, &format!("{path}[{index}]"))
            };
            Some(Texts::Regexp(texts.iter().enumerate().map(compile).collect::<Result<_, _>>()?))
        }
    })
}

fn named(by: MatchType, libraries: &[Library], path: &str) -> Result<Vec<Named>, EditorError> {
    let one = |text: &String, path: String| match by {
        MatchType::Strict => Ok(Texts::Strict(vec![text.clone()])),
        MatchType::Regexp => Ok(Texts::Regexp(vec![pattern::compile(text, &path)?])),
    };
    let named = libraries.iter().enumerate().map(|(index, Library { name, version })| {
        let version = version.as_ref().map(|text| one(text, format!("{path}[{index}].version")));
        let name = one(name, format!("{path}[{index}].name"))?;
        Ok(Named { name, version: version.transpose()? })
    });
    named.collect()
}

fn expected(by: MatchType, wanted: &[Wanted], path: &str) -> Result<Vec<Expected>, EditorError> {
    let expected = wanted.iter().enumerate().map(|(index, Wanted { key, value })| {
        if key.is_empty() {
            return Err(EditorError::new(format!("{path}[{index}].key"), "must be given"));
        }
        let path = format!("{path}[{index}].value");
        let value = match value {
            None => Is::Anything,
            Some(wanted) => {
                let encoded = value::encoded(wanted, &path)?;
                match (by, AnyValue::parse(&encoded).string) {
                    (MatchType::Strict, _) => Is::Value(encoded),
                    (MatchType::Regexp, Some(text)) => {
                        Is::Like(pattern::compile(&text.lossy(), &path)?)
                    }
                    (MatchType::Regexp, None) => {
                        return Err(EditorError::new(path, "must be a string to be a pattern"));
                    }
                }
            }
        };
        Ok(Expected { key: key.clone(), value })
    });
    expected.collect()
}

impl Texts {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Strict(texts) => texts.iter().any(|one| one == text),
            Self::Regexp(patterns) => patterns.iter().any(|pattern| pattern.is_match(text)),
        }
    }
}

impl Expected {
    fn is_in(&self, attributes: Repeated<'_, KeyValue<'static>>) -> bool {
        let Some(value) = first(attributes, &self.key) else { return false };
        match &self.value {
            Is::Anything => true,
            Is::Value(wanted) => value::same(wanted, value),
            Is::Like(pattern) => {
                plain(&AnyValue::parse(value)).is_some_and(|text| pattern.is_match(&text))
            }
        }
    }
}

/// The encoded value of the first attribute with a key.
fn first<'a>(attributes: Repeated<'a, KeyValue<'static>>, key: &str) -> Option<&'a [u8]> {
    let found = attributes.iter().find(|attribute| attribute.key.0 == key.as_bytes())?;
    Some(found.value.map_or(&[], |value| value.bytes))
}

/// A scalar as text, numbers without an exponent.
fn plain<'a>(value: &AnyValue<'a>) -> Option<std::borrow::Cow<'a, str>> {
    match value.double {
        Some(infinite) if infinite.is_infinite() => {
            Some(if infinite > 0.0 { "+Inf" } else { "-Inf" }.into())
        }
        Some(double) => Some(double.to_string().into()),
        None => (value.string.is_some() || value.bool.is_some() || value.int.is_some())
            .then(|| as_string(value)),
    }
}

/// A span's kind as OTLP calls it.
fn span_kind(kind: i32) -> &'static str {
    match kind {
        0 => "SPAN_KIND_UNSPECIFIED",
        1 => "SPAN_KIND_INTERNAL",
        2 => "SPAN_KIND_SERVER",
        3 => "SPAN_KIND_CLIENT",
        4 => "SPAN_KIND_PRODUCER",
        5 => "SPAN_KIND_CONSUMER",
        _ => "",
    }
}
