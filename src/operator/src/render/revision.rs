//! The ControllerRevision that keeps an accepted spec, from which the pipeline is rendered while a
//! later spec is invalid. Its name follows from the spec, so that turning back finds it again.

use serde_json::json;

use super::{Meta, Object, child};
use crate::api::ObservabilityPipelineSpec;
use crate::kinds::Kind;
use crate::names::REVISION_ANNOTATION;
use crate::names::hash;
use crate::validate::Validated;

pub(super) fn revision(pipeline: &Validated, number: i64) -> Object {
    let name = pipeline.identity().revision(&spec_hash(pipeline.spec()));
    let content = json!({
        "data": {"spec": text(pipeline.spec())},
        "revision": number,
    });
    let mut meta = Meta::default();
    meta.annotations.insert(REVISION_ANNOTATION.into(), number.to_string());
    child(pipeline, Kind::ControllerRevision, name, meta, content)
}

/// Ten digits that name a spec.
#[must_use]
pub fn spec_hash(spec: &ObservabilityPipelineSpec) -> String {
    hash(text(spec).as_bytes(), 10)
}

/// The spec as JSON text: an object's null fields (`batch:`) would not survive server-side apply.
fn text(spec: &ObservabilityPipelineSpec) -> String {
    serde_json::to_string(&without_suspend(spec)).unwrap_or_default()
}

/// Suspension says whether to reconcile, not what.
fn without_suspend(spec: &ObservabilityPipelineSpec) -> ObservabilityPipelineSpec {
    ObservabilityPipelineSpec { suspend: None, ..spec.clone() }
}
