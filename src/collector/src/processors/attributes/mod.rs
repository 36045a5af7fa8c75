//! The attributes and resource processors (contrib processor/attributesprocessor and
//! resourceprocessor v0.155): what their actions make of the bytes of a request. Only the edited
//! lists of attributes and the lengths around them are written anew. Pure.

pub mod step;

mod action;
mod filter;
#[cfg(any(test, feature = "fuzz"))]
pub(crate) mod fuzz;
mod list;
#[cfg(any(test, feature = "fuzz"))]
mod model;
mod patch;
mod pattern;
mod value;
mod walk;

use obspipe_model::Signal;
use obspipe_model::components::attributes::{Attributes, Resource};
use thiserror::Error;

use action::Actions;
use filter::Filter;
use walk::Walk;

/// Actions, and on what.
pub struct Editor {
    actions: Actions,
    /// Which spans, data points and log records are edited; None: resources are.
    items: Option<Filter>,
}

/// What the client said besides the telemetry.
pub trait Metadata {
    /// What `from_context` names: `metadata.<header>`, its values joined by `;`, or
    /// `client.address`.
    fn get(&self, key: &str) -> Option<String>;
}

/// Settings that make no editor.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{path}: {message}")]
pub struct EditorError {
    /// Where in the component's settings: `actions[0].pattern`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl EditorError {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into() }
    }
}

impl Editor {
    /// An editor of the attributes of spans, data points and log records.
    ///
    /// # Errors
    /// A pattern is no regular expression or has no named groups; a value cannot be an attribute's;
    /// an action is not complete.
    pub fn attributes(settings: &Attributes) -> Result<Self, EditorError> {
        let actions = Actions::new(&settings.actions, "actions")?;
        Ok(Self { actions, items: Some(Filter::new(settings)?) })
    }

    /// An editor of the attributes of resources.
    ///
    /// # Errors
    /// As [`attributes`](Self::attributes).
    pub fn resource(settings: &Resource) -> Result<Self, EditorError> {
        let actions = Actions::new(&settings.attributes, "attributes")?;
        Ok(Self { actions, items: None })
    }

    /// Whether it can stand in a pipeline of a signal: `include` and `exclude` must ask only for
    /// what its items have (contrib internal/filter/filterconfig, ValidateForSpans and its like).
    ///
    /// # Errors
    /// What the signal does not have, by path.
    pub fn check(&self, signal: Signal) -> Result<(), EditorError> {
        self.items.as_ref().map_or(Ok(()), |filter| filter.check(signal))
    }

    /// The request edited; None where nothing is changed.
    ///
    /// `request` must have been scanned and be canonical; what is no message is left as it is.
    #[must_use]
    pub fn apply(
        &self,
        signal: Signal,
        request: &[u8],
        metadata: &dyn Metadata,
    ) -> Option<Vec<u8>> {
        let context = self.actions.context(metadata);
        let mut walk = Walk::new(&self.actions, &context);
        match &self.items {
            None => walk.resources(request),
            Some(filter) => walk.items(signal, request, filter),
        }
        walk.patches.apply(request)
    }
}

#[cfg(test)]
pub(crate) mod tests;
