//! The attributes and resource processors: what their actions make of the bytes of a request. Pure.

pub mod step;

use obspipe_model::Signal;
use obspipe_model::components::attributes::{Attributes, Resource};
pub struct Editor;
#[derive(Debug, thiserror::Error)]
#[error("not yet")]
pub struct EditorError;
pub trait Metadata {
    fn get(&self, key: &str) -> Option<String>;
}
impl Editor {
    pub fn attributes(_: &Attributes) -> Result<Self, EditorError> {
        Err(EditorError)
    }
    pub fn resource(_: &Resource) -> Result<Self, EditorError> {
        Err(EditorError)
    }
    pub fn apply(&self, _: Signal, _: &[u8], _: &dyn Metadata) -> Option<Vec<u8>> {
        None
    }
}
