//! Prometheus with its store in its directory and exemplars kept: scrapes what it is told,
//! and is asked through its API.

use std::net::SocketAddr;
use std::time::Duration;

use local_cluster::Progress;
use serde_json::Value;

use crate::error::Result;
use crate::http;
use crate::process::{Launch, Process, Ready, write};
use crate::wait::{WITHIN, eventually};

/// What is scraped; the job is called `pipeline`.
#[derive(Debug, Clone)]
pub struct Scrape {
    /// Where `/metrics` is.
    pub targets: Vec<SocketAddr>,
    /// How often.
    pub interval: Duration,
    /// Whether `job` and `instance` of the page stay, rather than become `exported_job` and
    /// `exported_instance`.
    pub honor_labels: bool,
}

impl Scrape {
    /// Twice a second, with the labels of the page.
    #[must_use]
    pub fn of(targets: impl Into<Vec<SocketAddr>>) -> Self {
        Self { targets: targets.into(), interval: Duration::from_millis(500), honor_labels: true }
    }

    fn configuration(&self) -> String {
        let Self { targets, interval, honor_labels } = self;
        let targets: Vec<String> = targets.iter().map(|it| format!("'{it}'")).collect();
        format!(
            "global: {{ scrape_interval: {milliseconds}ms, scrape_timeout: {milliseconds}ms }}\n\
             scrape_configs:\n\
             - job_name: pipeline\n  \
               honor_labels: {honor_labels}\n  \
               static_configs: [{{ targets: [{targets}] }}]\n",
            milliseconds = interval.as_millis(),
            targets = targets.join(", "),
        )
    }
}

/// A running Prometheus; dropping it ends it.
#[derive(Debug)]
pub struct Prometheus {
    process: Process,
    address: SocketAddr,
}

impl Prometheus {
    /// Starts one, building it when that was not done yet.
    ///
    /// # Errors
    /// It cannot be built, or does not become ready.
    pub async fn start(progress: &dyn Progress, scrape: &Scrape) -> Result<Self> {
        Self::with_configuration(progress, &scrape.configuration()).await
    }

    /// The same with the text of a whole configuration.
    ///
    /// # Errors
    /// As [`Self::start`], and when the configuration is refused.
    pub async fn with_configuration(progress: &dyn Progress, text: &str) -> Result<Self> {
        let program = local_cluster::prometheus(progress).await?;
        let (process, [address]) = Process::start("prometheus", |[address], directory| {
            let file = write(directory, "prometheus.yml", text)?;
            Ok(Launch {
                program: program.clone(),
                arguments: vec![
                    format!("--config.file={file}"),
                    format!("--web.listen-address={address}"),
                    format!("--storage.tsdb.path={}", directory.join("data").display()),
                    "--enable-feature=exemplar-storage".to_owned(),
                ],
                ready: Ready::Answers(*address, "/-/ready"),
            })
        })
        .await?;
        Ok(Self { process, address })
    }

    /// Where its API is.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The result of an instant query now: a list of `metric` and `value`, or a scalar's pair.
    ///
    /// # Errors
    /// Prometheus did not answer, or refused the expression.
    pub async fn query(&self, promql: &str) -> Result<Value> {
        let mut data = self.data("/api/v1/query", &[("query", promql)]).await?;
        Ok(data["result"].take())
    }

    /// The result of an instant query, waiting until it is not empty.
    ///
    /// # Errors
    /// It was empty all the time.
    pub async fn samples(&self, promql: &str) -> Result<Vec<Value>> {
        let what = format!("a sample of {promql} in Prometheus");
        eventually(&what, WITHIN, async || filled(self.query(promql).await)).await
    }

    /// The exemplars of the series of an expression, waiting until there are some: a list of `seriesLabels` and `exemplars`.
    ///
    /// # Errors
    /// There were none all the time.
    pub async fn query_exemplars(&self, promql: &str) -> Result<Vec<Value>> {
        let what = format!("an exemplar of {promql} in Prometheus");
        eventually(&what, WITHIN, async || {
            filled(self.data("/api/v1/query_exemplars", &[("query", promql)]).await)
        })
        .await
    }

    /// The label sets of the series that match a selector; all that it has seen.
    ///
    /// # Errors
    /// Prometheus did not answer, or refused the selector.
    pub async fn series(&self, selector: &str) -> Result<Vec<Value>> {
        let data = self.data("/api/v1/series", &[("match[]", selector)]).await?;
        Ok(data.as_array().cloned().unwrap_or_default())
    }

    /// The process, for its log.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }

    async fn data(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value> {
        let mut answer = http::get_json(self.address, path, parameters).await?;
        Ok(answer["data"].take())
    }
}

fn filled(data: Result<Value>) -> Result<Vec<Value>, String> {
    match data {
        Ok(Value::Array(entries)) if !entries.is_empty() => Ok(entries),
        Ok(other) => Err(other.to_string()),
        Err(error) => Err(error.to_string()),
    }
}
