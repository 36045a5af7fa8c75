//! The step of a pipeline that edits attributes: chunk by chunk, with what the client said besides.

use std::sync::Arc;

use obspipe_model::Signal;

use super::{Editor, Metadata};
use crate::flow::chunk::{Context, Load};
use crate::flow::stage::{Route, Stage};

/// Edits what passes.
pub struct EditStep {
    signal: Signal,
    editor: Arc<Editor>,
    next: Arc<Route>,
}

impl EditStep {
    /// A step before `next`.
    #[must_use]
    pub fn new(signal: Signal, editor: Arc<Editor>, next: Arc<Route>) -> Self {
        Self { signal, editor, next }
    }
}

impl Stage for EditStep {
    fn push(&self, mut load: Load) {
        for chunk in &mut load.chunks {
            let said = Said(chunk.context.as_deref());
            if let Some(edited) = self.editor.apply(self.signal, &chunk.bytes, &said) {
                chunk.bytes = edited.into();
            }
        }
        self.next.push(load);
    }

    fn flush(&self) {
        self.next.flush();
    }
}

/// `from_context`: `metadata.<header>` and `client.address`.
struct Said<'a>(Option<&'a Context>);

impl Metadata for Said<'_> {
    fn get(&self, key: &str) -> Option<String> {
        let context = self.0?;
        if key == "client.address" {
            return Some(context.client.clone());
        }
        let name = key.strip_prefix("metadata.")?;
        let values: Vec<&str> = context.values(name).collect();
        (!values.is_empty()).then(|| values.join(";"))
    }
}
