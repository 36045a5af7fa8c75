//! `doctor`: asks the cluster, in this order, whether it gives the operator what it needs: the API
//! server, the definition, the rights, the lease, the optional kinds. It changes nothing. What the
//! answers mean is decided in `report`.

mod definition;
mod report;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;
use kube::{Client, Error as KubeError, Resource};

use super::Output;
use super::scope::Scope;
use crate::api::ObservabilityPipeline;
use crate::cluster::{review, served};
use crate::kinds::KINDS;
use crate::rights::{self, Right};
use report::Finding;

/// A response that does not go on for so long is given up.
const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// A pod often starts before its network does.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);
/// Questions on their way at the same time.
const AT_ONCE: usize = 8;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
pub(super) struct DoctorArguments {
    #[command(flatten)]
    scope: Scope,
    /// Text, or JSON for programs.
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
}

/// Prints what was found; ends with 1 if anything is missing.
pub(super) fn main(arguments: &DoctorArguments) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let findings = match runtime {
        Ok(runtime) => runtime.block_on(examine(&arguments.scope)),
        Err(error) => vec![report::api_server(Err(format!("cannot start: {error}")))],
    };
    match arguments.output {
        Output::Text => print!("{}", report::text(&findings)),
        Output::Json => println!("{:#}", report::json(&findings)),
    }
    if report::good(&findings) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn examine(scope: &Scope) -> Vec<Finding> {
    let client = match scope.connect(READ_TIMEOUT).await {
        Ok(client) => client,
        Err(error) => return vec![report::api_server(Err(error.to_string()))],
    };
    let version = reached(&client).await;
    let reached = version.is_ok();
    let mut findings = vec![report::api_server(version)];
    // Nothing else could be asked.
    if reached {
        findings.push(definition(&client).await);
        findings.extend(all_rights(&client, scope).await);
        findings.push(lease(&client, scope).await);
        findings.extend(kinds(&client).await);
    }
    findings
}

async fn reached(client: &Client) -> Result<String, String> {
    let mut tried = 1;
    loop {
        match review::version(client).await {
            Ok(version) => return Ok(version),
            Err(KubeError::Api(status)) => return Err(status.message.clone()),
            Err(error) if tried == TRIES => return Err(text(error)),
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
        tried += 1;
    }
}

async fn definition(client: &Client) -> Finding {
    let plural = ObservabilityPipeline::plural(&());
    let group_version = ObservabilityPipeline::api_version(&());
    let document = review::openapi(client, &group_version, &plural).await;
    report::definition(document.map_err(text))
}

async fn all_rights(client: &Client, scope: &Scope) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut namespaces = scope.namespaces();
    if namespaces.is_empty() {
        // All of them, in the words of the question.
        namespaces.push(String::new());
    }
    for namespace in namespaces {
        findings.extend(rights_in(client, &namespace, rights::in_namespaces()).await);
    }
    if scope.leader_elect {
        let needed = rights::of_lease(&scope.lease_name);
        findings.extend(rights_in(client, &scope.lease_namespace, needed).await);
    }
    findings
}

async fn rights_in(client: &Client, namespace: &str, needed: Vec<Right>) -> Vec<Finding> {
    let asked = needed.len();
    let ask = |right: Right| async move {
        let allowed = review::allowed(client, namespace, &right).await?;
        Ok::<_, KubeError>((!allowed).then_some(right))
    };
    let answers = stream::iter(needed.into_iter().map(ask)).buffered(AT_ONCE);
    let lacking: Result<Vec<Option<Right>>, KubeError> = answers.try_collect().await;
    let lacking = lacking.map(|all| all.into_iter().flatten().collect()).map_err(text);
    report::rights(namespace, asked, lacking)
}

async fn lease(client: &Client, scope: &Scope) -> Finding {
    let place = format!("{}/{}", scope.lease_namespace, scope.lease_name);
    if !scope.leader_elect {
        return report::no_election();
    }
    let found = review::lease(client, &scope.lease_namespace, &scope.lease_name).await;
    report::lease(&place, found.map_err(text), Timestamp::now())
}

async fn kinds(client: &Client) -> Vec<Finding> {
    let served = served::discover(client).await.map_err(text);
    let optional = KINDS.iter().filter(|info| info.optional).map(|info| info.kind);
    optional
        .map(|kind| report::kind(kind, served.as_ref().map(|served| served.has(kind))))
        .collect()
}

/// An answer's own words; the rest of a refusal is for programs.
fn text(error: KubeError) -> String {
    match error {
        KubeError::Api(status) => status.message.clone(),
        other => other.to_string(),
    }
}
