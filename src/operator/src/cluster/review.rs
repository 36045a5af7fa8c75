//! Questions about the API server itself and about this process's own rights. They are asked once
//! and change nothing; what the answers mean is decided by who asks.

use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::api::{Api, PostParams};
use kube::{Client, Error as KubeError};
use serde_json::Value;

use crate::rights::Right;

/// The version that the API server says it has, such as `v1.34.4`.
///
/// # Errors
/// No answer, or one that is none.
pub async fn version(client: &Client) -> Result<String, KubeError> {
    Ok(client.apiserver_version().await?.git_version)
}

/// Whether the API server allows this process what the right says; in all namespaces for "".
///
/// # Errors
/// No answer, or one that is none.
pub async fn allowed(client: &Client, namespace: &str, right: &Right) -> Result<bool, KubeError> {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let attributes = ResourceAttributes {
        verb: text(right.verb),
        group: text(right.group),
        resource: text(&right.resource),
        subresource: text(right.subresource),
        name: text(&right.name),
        namespace: text(namespace),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let api: Api<SelfSubjectAccessReview> = Api::all(client.clone());
    let answer = api.create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// The OpenAPI document (version 3) of a group version; None where the resource is not served in it.
///
/// # Errors
/// No answer, or one that is none.
pub async fn openapi(
    client: &Client,
    group_version: &str,
    resource: &str,
) -> Result<Option<Value>, KubeError> {
    // Asked first: the document of a group that is gone may be answered with nothing at all.
    match client.list_api_group_resources(group_version).await {
        Ok(list) if list.resources.iter().any(|found| found.name == resource) => {}
        Ok(_) => return Ok(None),
        Err(KubeError::Api(status)) if status.code == 404 => return Ok(None),
        Err(error) => return Err(error),
    }
    let path = format!("/openapi/v3/apis/{group_version}");
    let request = http::Request::get(path).body(Vec::new()).map_err(KubeError::HttpError)?;
    client.request(request).await.map(Some)
}

/// The record of a lease; None where there is none yet.
///
/// # Errors
/// No answer, or one that is none.
pub async fn lease(
    client: &Client,
    namespace: &str,
    name: &str,
) -> Result<Option<LeaseSpec>, KubeError> {
    let api: Api<Lease> = Api::namespaced(client.clone(), namespace);
    Ok(api.get_opt(name).await?.map(|lease| lease.spec.unwrap_or_default()))
}
