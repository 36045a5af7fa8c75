//! The only room that talks to the API server. Requests here are plain: what to ask and when is
//! decided elsewhere. Every write asks first whether this process still leads.

pub mod cache;
mod connect;
mod error;
pub mod events;
pub mod lease;
pub mod review;
pub mod served;
pub mod watch;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{
    Api, DeleteParams, GetParams, ListParams, Patch, PatchParams, Preconditions, Request,
};
use kube::{Client, Config, Resource};
use serde_json::Value;

use crate::api::{FIELD_MANAGER, ObservabilityPipeline};
use crate::kinds::Kind;
use crate::metrics::Metrics;
use crate::render::Object;
use lease::Leadership;

pub use error::RequestError;

/// Most pods read to explain why a workload is not available: one reason is enough.
const MAX_PODS_READ: u32 = 50;

/// A client that writes only while this process leads.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    leadership: Leadership,
    metrics: Metrics,
}

/// A client whose requests carry our name in the audit log.
///
/// # Errors
/// The configuration names certificates that cannot be used.
pub fn client(mut config: Config) -> Result<Client, kube::Error> {
    let agent = concat!("obspipe-operator/", env!("CARGO_PKG_VERSION"));
    let header = http::HeaderValue::from_static(agent);
    config.headers.push((http::header::USER_AGENT, header));
    connect::connected(config)
}

impl Cluster {
    /// A cluster reached by `client`, written only while `leadership` lasts.
    #[must_use]
    pub fn new(client: Client, leadership: Leadership, metrics: Metrics) -> Self {
        Self { client, leadership, metrics }
    }

    /// The client itself, for watches.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client.clone()
    }

    /// Reads a child; None where there is none.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn read(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, RequestError> {
        let request = Request::new(path(kind, namespace)).get(name, &GetParams::default());
        let found = self.send("get", kind.info().plural, request).await;
        match found {
            Err(RequestError::Gone(_)) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Server-side apply of a child. Unforced, another manager's fields are a conflict; with the
    /// uid that was observed it is forced, and fails if the object is another one by now.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn apply(
        &self,
        namespace: &str,
        object: &Object,
        observed_uid: Option<&str>,
    ) -> Result<Value, RequestError> {
        self.leadership.check()?;
        let mut params = PatchParams::apply(FIELD_MANAGER);
        let mut body = object.body.clone();
        if let Some(uid) = observed_uid {
            params = params.force();
            body["metadata"]["uid"] = Value::from(uid);
        }
        let request = Request::new(path(object.kind, namespace)).patch(
            &object.name,
            &params,
            &Patch::Apply(body),
        );
        self.send("patch", object.kind.info().plural, request).await
    }

    /// Deletes exactly the object that was observed. That it is gone already is no error.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn delete(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
        observed: &cache::Seen,
    ) -> Result<(), RequestError> {
        self.leadership.check()?;
        let params = DeleteParams::background().preconditions(Preconditions {
            uid: Some(observed.uid.clone()),
            resource_version: Some(observed.resource_version.clone()),
        });
        let request = Request::new(path(kind, namespace)).delete(name, &params);
        match self.send("delete", kind.info().plural, request).await {
            Ok(_) | Err(RequestError::Gone(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Applies a pipeline's status. That the pipeline is gone is no error.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn write_status(
        &self,
        namespace: &str,
        name: &str,
        uid: &str,
        status: &Value,
    ) -> Result<(), RequestError> {
        self.leadership.check()?;
        let plural = ObservabilityPipeline::plural(&());
        let body = serde_json::json!({
            "apiVersion": ObservabilityPipeline::api_version(&()),
            "kind": ObservabilityPipeline::kind(&()),
            "metadata": {"name": name, "namespace": namespace, "uid": uid},
            "status": status,
        });
        let params = PatchParams::apply(FIELD_MANAGER).force();
        let request = Request::new(ObservabilityPipeline::url_path(&(), Some(namespace)))
            .patch_subresource("status", name, &params, &Patch::Apply(body));
        match self.send("patch", &format!("{plural}/status"), request).await {
            Ok(_) | Err(RequestError::Gone(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The pods of a workload, to tell why it is not available.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub async fn pods(&self, namespace: &str, selector: &str) -> Result<Vec<Pod>, RequestError> {
        let api: Api<Pod> = Api::namespaced(self.client.clone(), namespace);
        let params = ListParams::default().labels(selector).limit(MAX_PODS_READ);
        let answer = api.list(&params).await;
        let answer = answer.map_err(|error| RequestError::new(error, "list", "pods"));
        self.count("list", "pods", answer.as_ref().err());
        Ok(answer?.items)
    }

    async fn send(
        &self,
        verb: &'static str,
        resource: &str,
        request: Result<http::Request<Vec<u8>>, kube::core::request::Error>,
    ) -> Result<Value, RequestError> {
        let request = request.map_err(|error| RequestError::Invalid(error.to_string()))?;
        let answer = self.client.request::<Value>(request).await;
        let answer = answer.map_err(|error| RequestError::new(error, verb, resource));
        self.count(verb, resource, answer.as_ref().err());
        answer
    }

    fn count(&self, verb: &'static str, resource: &str, error: Option<&RequestError>) {
        let code = error.map_or("ok", RequestError::code);
        self.metrics.api_request(verb, resource, code);
    }
}

fn path(kind: Kind, namespace: &str) -> String {
    let info = kind.info();
    let root = if info.group.is_empty() { "/api" } else { "/apis" };
    let version = kind.api_version();
    format!("{root}/{version}/namespaces/{namespace}/{}", info.plural)
}
