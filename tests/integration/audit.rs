//! What the audit log says of the operator: it used every right that the chart gives it, it was
//! denied nothing, and how many requests of which kind it sent.

use std::collections::BTreeSet;
use std::sync::Arc;

use libtest_mimic::{Failed, Trial};
use obspipe_operator::rights::{in_namespaces, of_lease};
use serde_json::Value;

use crate::environment::{Environment, OPERATOR_USER};

/// Rights that are there for the API server's own checks and never show as a request.
const UNSEEN: [(&str, &str); 1] = [("update", "observabilitypipelines/finalizers")];

/// The checks, once all scenarios have run.
pub(crate) fn checks(environment: Arc<Environment>) -> Vec<Trial> {
    let other = environment.clone();
    vec![
        Trial::test("audit::every_right_is_used", move || every_right_is_used(&environment)),
        Trial::test("audit::nothing_is_denied", move || nothing_is_denied(&other)),
    ]
}

/// A request of the operator's, from the audit log.
pub(crate) struct Request {
    pub(crate) verb: String,
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) code: i64,
    pub(crate) text: String,
}

/// The operator's requests so far, in order.
pub(crate) fn requests(environment: &Environment) -> Vec<Request> {
    let ours = |entry: &Value| {
        entry["user"]["username"] == OPERATOR_USER
            && entry["userAgent"]
                .as_str()
                .is_some_and(|agent| agent.starts_with("obspipe-operator/"))
    };
    environment.audit().iter().filter(|entry| ours(entry)).map(request).collect()
}

fn request(entry: &Value) -> Request {
    let object = &entry["objectRef"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut resource = text(&object["resource"]);
    if let Some(subresource) = object["subresource"].as_str() {
        resource = format!("{resource}/{subresource}");
    }
    Request {
        verb: text(&entry["verb"]),
        resource,
        namespace: text(&object["namespace"]),
        code: entry["responseStatus"]["code"].as_i64().unwrap_or(0),
        text: entry.to_string(),
    }
}

/// The operator's requests that write, other than to leases.
pub(crate) fn writes(environment: &Environment) -> Vec<Request> {
    let mut all = requests(environment);
    all.retain(|request| {
        matches!(
            request.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        ) && request.resource != "leases"
    });
    all
}

fn every_right_is_used(environment: &Environment) -> Result<(), Failed> {
    let used: BTreeSet<(String, String)> = requests(environment)
        .into_iter()
        .flat_map(|request| {
            // A server-side apply that creates is authorized as patch and as create.
            let created = request.verb == "patch" && request.code == 201;
            let create = created.then(|| ("create".to_owned(), request.resource.clone()));
            std::iter::once((request.verb, request.resource)).chain(create)
        })
        .collect();
    let unused: Vec<String> = granted()
        .into_iter()
        .filter(|right| !used.contains(right))
        .filter(|(verb, resource)| !UNSEEN.contains(&(verb, resource)))
        .map(|(verb, resource)| format!("{verb} {resource}"))
        .collect();
    if unused.is_empty() {
        return Ok(());
    }
    Err(format!("the chart grants what no test uses: {unused:#?}").into())
}

/// The rights that the chart gives, verb by verb: `chart::rights_are_those_of_the_code`.
fn granted() -> BTreeSet<(String, String)> {
    let rights = in_namespaces().into_iter().chain(of_lease("obspipe-operator"));
    rights.map(|right| (right.verb.to_owned(), right.full_resource())).collect()
}

/// Namespaces of scenarios whose subject is a denial begin with this.
pub(crate) const DENIAL: &str = "denied";

fn nothing_is_denied(environment: &Environment) -> Result<(), Failed> {
    let denied: Vec<String> = requests(environment)
        .into_iter()
        .filter(|request| {
            matches!(request.code, 401 | 403) && !request.namespace.starts_with(DENIAL)
        })
        // A namespace on its way out refuses to create: that is no lack of a right.
        .filter(|request| !request.text.contains("being terminated"))
        .map(|request| format!("{} {} in {}", request.verb, request.resource, request.namespace))
        .collect();
    if denied.is_empty() { Ok(()) } else { Err(format!("denied: {denied:#?}").into()) }
}
