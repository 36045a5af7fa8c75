//! The collector's ServiceAccount. Its token is not mounted: no component of ours asks the API
//! server anything.

use serde_json::json;

use super::{Meta, Object, child};
use crate::kinds::Kind;
use crate::validate::Validated;

pub(super) fn service_account(pipeline: &Validated) -> Object {
    let meta = Meta {
        annotations: pipeline.spec().collector.service_account_annotations.clone(),
        ..Meta::default()
    };
    let name = pipeline.identity().collector();
    child(
        pipeline,
        Kind::ServiceAccount,
        name,
        meta,
        json!({"automountServiceAccountToken": false}),
    )
}
