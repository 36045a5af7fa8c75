//! A step of a pipeline, and the exchangeable way to the next one.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::chunk::Load;

/// A step that takes whatever was admitted.
pub trait Stage: Send + Sync {
    /// Takes a load, now or later to the next step.
    fn push(&self, load: Load);

    /// Gives on what it kept back, for there will be nothing more.
    fn flush(&self) {}
}

/// The way to the next step. Exchanging it restarts neither neighbour.
pub struct Route(ArcSwap<Box<dyn Stage>>);

impl Route {
    /// To this step.
    #[must_use]
    pub fn to(stage: impl Stage + 'static) -> Arc<Self> {
        Arc::new(Self(ArcSwap::from_pointee(Box::new(stage))))
    }

    /// From now on to another step. Returns the one before, so that it can be flushed.
    pub fn exchange(&self, stage: impl Stage + 'static) -> Arc<Box<dyn Stage>> {
        self.0.swap(Arc::new(Box::new(stage)))
    }

    /// Passes a load on.
    pub fn push(&self, load: Load) {
        self.0.load().push(load);
    }

    /// Lets the step give on what it kept back.
    pub fn flush(&self) {
        self.0.load().flush();
    }
}

impl<S: Stage + ?Sized> Stage for Arc<S> {
    fn push(&self, load: Load) {
        (**self).push(load);
    }

    fn flush(&self) {
        (**self).flush();
    }
}
