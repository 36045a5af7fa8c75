//! Programs with the OpenTelemetry SDK of Python, run to their end. `sdk/emit.py` is ours:
//! one order of a shop with all three signals.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use local_cluster::Progress;
use serde::Deserialize;
use tokio::process::Command;

use crate::error::{Error, Result};

/// The SDK itself gives up an export after 10 s, and there are three.
const RUN_WITHIN: Duration = Duration::from_secs(60);
const EMIT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/emit.py");

/// An interpreter with the SDK and its OTLP exporters.
#[derive(Debug, Clone)]
pub struct PythonSdk {
    interpreter: PathBuf,
}

/// What a script printed.
#[derive(Debug, Clone)]
pub struct Printed {
    /// On standard output.
    pub output: String,
    /// On standard error: where the SDK complains.
    pub errors: String,
}

/// How OTLP is carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// gRPC.
    Grpc,
    /// Protobuf over HTTP/1.1.
    Http,
}

/// What `emit.py` says it sent; ids are lower-case hex.
#[derive(Debug, Clone, Deserialize)]
pub struct Emitted {
    /// Of both spans, the log record and the exemplars.
    pub trace_id: String,
    /// The parent, `checkout`.
    pub checkout_span_id: String,
    /// The child, `process-order`; also of the log record and the exemplars.
    pub process_span_id: String,
    /// What the exporters complained of; empty when everything was taken.
    #[serde(skip)]
    pub complaints: String,
}

impl PythonSdk {
    /// Makes the virtual environment when it is not there yet.
    ///
    /// # Errors
    /// Python is missing, or a package could not be had.
    pub async fn provide(progress: &dyn Progress) -> Result<Self> {
        Ok(Self { interpreter: local_cluster::python_sdk(progress).await? })
    }

    /// Runs a script to its end.
    ///
    /// # Errors
    /// It could not be started, ended with an error, or takes longer than a minute.
    pub async fn run(
        &self,
        script: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Printed> {
        let mut command = Command::new(&self.interpreter);
        command
            .arg(script)
            .args(arguments)
            .env_remove("PYTHONPATH")
            .env_remove("PYTHONHOME")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_setting(&name.to_string_lossy()))
        {
            command.env_remove(name);
        }
        command.envs(environment.iter().copied());
        let failed = |problem: String, output: String| Error::Script {
            script: script.display().to_string(),
            problem,
            output,
        };
        let output = tokio::time::timeout(RUN_WITHIN, command.output())
            .await
            .map_err(|_| failed(format!("still runs after {RUN_WITHIN:?}"), String::new()))?
            .map_err(Error::io(format!("run {}", self.interpreter.display())))?;
        let printed = Printed {
            output: String::from_utf8_lossy(&output.stdout).into_owned(),
            errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        };
        if output.status.success() {
            return Ok(printed);
        }
        Err(failed(format!("ended with {}", output.status), printed.output + &printed.errors))
    }

    /// Sends one order of the service with all three signals.
    ///
    /// # Errors
    /// The script failed; an export that was refused is no error, but a complaint.
    pub async fn emit(
        &self,
        protocol: Protocol,
        endpoint: SocketAddr,
        service: &str,
    ) -> Result<Emitted> {
        let (protocol, endpoint) = match protocol {
            Protocol::Grpc => ("grpc", endpoint.to_string()),
            Protocol::Http => ("http", format!("http://{endpoint}")),
        };
        let arguments = ["--protocol", protocol, "--endpoint", &endpoint, "--service", service];
        let printed = self.run(Path::new(EMIT), &arguments, &[]).await?;
        let emitted: Emitted =
            serde_json::from_str(&printed.output).map_err(|source| Error::Format {
                what: format!("what {EMIT} printed"),
                reason: format!("{source}: {}", printed.output),
            })?;
        Ok(Emitted { complaints: printed.errors, ..emitted })
    }
}

/// A variable of the caller's that would change what the SDK does or where it sends.
fn is_setting(name: &str) -> bool {
    name.starts_with("OTEL_") || name.to_ascii_lowercase().ends_with("_proxy")
}
