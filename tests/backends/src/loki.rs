//! Loki as a single process with its store in its directory: takes pushes and OTLP, and is
//! asked in LogQL.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use local_cluster::Progress;
use serde_json::Value;

use crate::error::Result;
use crate::http;
use crate::process::{Launch, Process, Ready, write};
use crate::wait::{WITHIN, eventually};

/// A query covers this long before and after now.
const AROUND_NOW: Duration = Duration::from_secs(3600);

/// A running Loki; dropping it ends it.
#[derive(Debug)]
pub struct Loki {
    process: Process,
    address: SocketAddr,
}

impl Loki {
    /// Starts one, building it when that was not done yet.
    ///
    /// # Errors
    /// It cannot be built, or does not become ready.
    pub async fn start(progress: &dyn Progress) -> Result<Self> {
        let program = local_cluster::loki(progress).await?;
        let (process, [address, _]) = Process::start("loki", |[http, grpc], directory| {
            let file = write(directory, "loki.yaml", &configuration(*http, *grpc, directory))?;
            Ok(Launch {
                program: program.clone(),
                arguments: vec![format!("-config.file={file}")],
                ready: Ready::Answers(*http, "/ready"),
            })
        })
        .await?;
        Ok(Self { process, address })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its own push API is.
    #[must_use]
    pub fn push_url(&self) -> String {
        format!("http://{}/loki/api/v1/push", self.address)
    }

    /// The base URL of OTLP by HTTP.
    #[must_use]
    pub fn otlp_url(&self) -> String {
        format!("http://{}/otlp", self.address)
    }

    /// What a query over the hours around now finds: `data` of the answer, of which
    /// `result` is the list of streams, each with its oldest line first.
    ///
    /// # Errors
    /// Loki did not answer, or refused the query.
    pub async fn query_range(&self, logql: &str) -> Result<Value> {
        let now = SystemTime::now();
        let parameters = [
            ("query", logql),
            ("start", &nanoseconds(now - AROUND_NOW)),
            ("end", &nanoseconds(now + AROUND_NOW)),
            ("limit", "5000"),
            ("direction", "forward"),
        ];
        let mut answer =
            http::get_json(self.address, "/loki/api/v1/query_range", &parameters).await?;
        Ok(answer["data"].take())
    }

    /// The streams of a query, waiting until they have at least that many lines together.
    ///
    /// # Errors
    /// They did not come in time.
    pub async fn streams(&self, logql: &str, lines: usize) -> Result<Vec<Value>> {
        let what = format!("{lines} lines of {logql} in Loki");
        eventually(&what, WITHIN, async || match self.query_range(logql).await {
            Ok(data) => {
                let streams = data["result"].as_array().cloned().unwrap_or_default();
                let found: usize =
                    streams.iter().filter_map(|it| it["values"].as_array()).map(Vec::len).sum();
                if found >= lines { Ok(streams) } else { Err(data.to_string()) }
            }
            Err(error) => Err(error.to_string()),
        })
        .await
    }

    /// The process, for its log.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}

fn nanoseconds(time: SystemTime) -> String {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

/// A ring of one in memory; ready at once, because nobody else has to see that it joined.
fn configuration(http: SocketAddr, grpc: SocketAddr, directory: &Path) -> String {
    let (http, grpc) = (http.port(), grpc.port());
    let data = directory.join("data");
    let data = data.display();
    format!(
        r#"
auth_enabled: false
analytics: {{ reporting_enabled: false }}
server:
  http_listen_address: 127.0.0.1
  http_listen_port: {http}
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: {grpc}
  log_level: warn
common:
  instance_addr: 127.0.0.1
  path_prefix: "{data}"
  replication_factor: 1
  ring: {{ kvstore: {{ store: inmemory }} }}
  storage:
    filesystem: {{ chunks_directory: "{data}/chunks", rules_directory: "{data}/rules" }}
ingester:
  lifecycler: {{ min_ready_duration: 0s, final_sleep: 0s }}
schema_config:
  configs:
  - from: "2024-01-01"
    store: tsdb
    object_store: filesystem
    schema: v13
    index: {{ prefix: index_, period: 24h }}
limits_config: {{ allow_structured_metadata: true, reject_old_samples: false }}
"#
    )
}
