//! What can be wrong with a configuration, and how it is said: where, what, and what was meant.

use std::fmt;

/// The kind of a problem. The spelling in brackets at the end of a message is stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// The text is no YAML, or uses what is refused (aliases, duplicate keys, tags).
    Syntax,
    /// A document or its nesting is larger than allowed.
    TooLarge,
    /// A component that is not built in.
    UnknownComponent,
    /// A key that a component or section does not have.
    UnknownKey,
    /// A value of the wrong type.
    WrongType,
    /// A value of the right type that makes no sense.
    InvalidValue,
    /// A key that must be given.
    Missing,
    /// A component that a pipeline names and nobody defines.
    Undefined,
    /// A component that is defined and that no pipeline names.
    Unused,
    /// A component id or pipeline id that is not spelt as one.
    InvalidId,
    /// A pipeline that cannot be: without receivers or exporters, or a component twice.
    InvalidPipeline,
    /// A component in a pipeline of a signal that it cannot carry.
    UnsupportedSignal,
    /// Two components, or a component and the operator, on one port.
    PortConflict,
    /// A reference to the environment that is not spelt as one.
    InvalidReference,
    /// Warning: a reference to a variable that is not set and has no default.
    UnsetVariable,
    /// Warning: depends on a value that is known only where the collector runs.
    Deferred,
    /// Warning: an old spelling.
    Renamed,
    /// Warning: works, but is probably not meant.
    Questionable,
}

impl Code {
    /// The stable spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::TooLarge => "too-large",
            Self::UnknownComponent => "unknown-component",
            Self::UnknownKey => "unknown-key",
            Self::WrongType => "wrong-type",
            Self::InvalidValue => "invalid-value",
            Self::Missing => "missing",
            Self::Undefined => "undefined",
            Self::Unused => "unused",
            Self::InvalidId => "invalid-id",
            Self::InvalidPipeline => "invalid-pipeline",
            Self::UnsupportedSignal => "unsupported-signal",
            Self::PortConflict => "port-conflict",
            Self::InvalidReference => "invalid-reference",
            Self::UnsetVariable => "unset-variable",
            Self::Deferred => "deferred",
            Self::Renamed => "renamed",
            Self::Questionable => "questionable",
        }
    }
}

/// One problem or warning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct Problem {
    /// Where: `exporters.jaeger.endpoint`, `service.pipelines.traces.receivers[0]`, or a line and
    /// column of a file.
    pub path: String,
    /// What kind.
    pub code: Code,
    /// What is wrong. Never holds an expanded value.
    pub message: String,
    /// What was meant, or what to do.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem without a hint.
    #[must_use]
    pub fn new(path: impl Into<String>, code: Code, message: impl Into<String>) -> Self {
        Self { path: path.into(), code, message: message.into(), hint: None }
    }

    /// The same with a hint.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with the one of `known` that `written` is closest to, if one is close.
    #[must_use]
    pub fn did_you_mean<'a>(self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match closest(written, known) {
            Some(meant) => self.hint(format!("did you mean {meant:?}?")),
            None => self,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        write!(f, " [{}]", self.code.as_str())
    }
}

/// Longest name that is compared: comparing takes the product of two lengths, and a slip of the pen
/// in a longer name is rare.
const MAX_COMPARED: usize = 64;

/// The nearest of `known`: at most a third of the letters differ, transpositions counting once.
pub(crate) fn closest<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let tolerated = |name: &str| (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|name| written.len().max(name.len()) <= MAX_COMPARED)
        .filter(|name| name.chars().count().abs_diff(written.chars().count()) <= tolerated(name))
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance <= tolerated(name))
        .min()
        .map(|(_, name)| name)
}
