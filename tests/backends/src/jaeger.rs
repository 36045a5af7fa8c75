//! Jaeger's all-in-one with its memory store: takes `api_v2` spans by gRPC and OTLP, and is
//! asked through its query API.

use std::net::SocketAddr;

use local_cluster::Progress;
use serde_json::Value;

use crate::error::{Error, Result};
use crate::http;
use crate::process::{Launch, Process, Ready};
use crate::wait::{WITHIN, eventually};

/// A running Jaeger; dropping it ends it.
#[derive(Debug)]
pub struct Jaeger {
    process: Process,
    collector: SocketAddr,
    otlp: SocketAddr,
    query: SocketAddr,
}

impl Jaeger {
    /// Starts one, building it when that was not done yet.
    ///
    /// # Errors
    /// It cannot be built, or does not become ready.
    pub async fn start(progress: &dyn Progress) -> Result<Self> {
        let program = local_cluster::jaeger(progress).await?;
        let (process, addresses) = Process::start("jaeger", |addresses: &[_; FLAGS.len()], _| {
            let mut arguments: Vec<String> = FLAGS
                .iter()
                .zip(addresses)
                .map(|(flag, address)| format!("--{flag}={address}"))
                .collect();
            arguments.push("--collector.otlp.enabled=true".to_owned());
            let ready = Ready::Answers(addresses[0], "/");
            Ok(Launch { program: program.clone(), arguments, ready })
        })
        .await?;
        let [_, collector, otlp, query, _, _, _] = addresses;
        Ok(Self { process, collector, otlp, query })
    }

    /// Where `jaeger.api_v2.CollectorService` is, as `host:port`.
    #[must_use]
    pub fn grpc_endpoint(&self) -> SocketAddr {
        self.collector
    }

    /// Where it takes OTLP by gRPC.
    #[must_use]
    pub fn otlp_endpoint(&self) -> SocketAddr {
        self.otlp
    }

    /// The trace of this id (hex), or nothing. A trace may still be incomplete.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn trace_now(&self, id: &str) -> Result<Option<Value>> {
        match http::get_json(self.query, &format!("/api/traces/{id}"), &[]).await {
            Ok(answer) => Ok(answer["data"].get(0).cloned()),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The trace of this id, waiting until it has at least that many spans.
    ///
    /// # Errors
    /// It did not come in time.
    pub async fn trace(&self, id: &str, spans: usize) -> Result<Value> {
        let what = format!("trace {id} with {spans} spans in Jaeger");
        eventually(&what, WITHIN, async || match self.trace_now(id).await {
            Ok(Some(trace)) if trace["spans"].as_array().is_some_and(|all| all.len() >= spans) => {
                Ok(trace)
            }
            Ok(found) => Err(format!("{found:?}")),
            Err(error) => Err(error.to_string()),
        })
        .await
    }

    /// The traces of a service with a span of that name, waiting until there is one.
    ///
    /// # Errors
    /// None came in time.
    pub async fn find_traces(&self, service: &str, operation: &str) -> Result<Vec<Value>> {
        let what = format!("a trace of {service}, {operation} in Jaeger");
        let parameters =
            [("service", service), ("operation", operation), ("lookback", "1h"), ("limit", "1000")];
        eventually(&what, WITHIN, async || {
            match http::get_json(self.query, "/api/traces", &parameters).await {
                Ok(answer) => match answer["data"].as_array() {
                    Some(traces) if !traces.is_empty() => Ok(traces.clone()),
                    _ => Err(answer.to_string()),
                },
                Err(error) => Err(error.to_string()),
            }
        })
        .await
    }

    /// The names of the services it has spans of.
    ///
    /// # Errors
    /// Jaeger did not answer.
    pub async fn services(&self) -> Result<Vec<String>> {
        let answer = http::get_json(self.query, "/api/services", &[]).await?;
        let names = answer["data"].as_array().into_iter().flatten();
        Ok(names.filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }

    /// The process, for its log.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}

/// Everything it listens on, so that several run side by side.
const FLAGS: [&str; 7] = [
    "admin.http.host-port",
    "collector.grpc-server.host-port",
    "collector.otlp.grpc.host-port",
    "query.http-server.host-port",
    "query.grpc-server.host-port",
    "collector.http-server.host-port",
    "collector.otlp.http.host-port",
];
