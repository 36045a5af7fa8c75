//! Everything is asked of the cluster through kubectl, so that whoever reads an error can repeat
//! it. Knows no object but by its JSON.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use local_cluster::Target;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::error::{Error, Result};

/// A kubectl bound to a cluster.
#[derive(Debug, Clone)]
pub struct Kubectl {
    target: Arc<Target>,
}

impl Kubectl {
    /// For this cluster.
    #[must_use]
    pub fn new(target: Arc<Target>) -> Self {
        Self { target }
    }

    /// The cluster.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The cluster, where nobody else holds it.
    pub(crate) fn into_target(self) -> Option<Target> {
        Arc::into_inner(self.target)
    }

    /// Where kubectl is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.target.kubectl().get_program().into()
    }

    /// Runs it to its end and returns what it printed.
    ///
    /// # Errors
    /// It ended with an error.
    pub async fn run(&self, arguments: &[&str]) -> Result<String> {
        self.feed(arguments, "").await
    }

    /// The same with something to read.
    ///
    /// # Errors
    /// It ended with an error.
    pub async fn feed(&self, arguments: &[&str], input: &str) -> Result<String> {
        let mut command = Command::from(self.target.kubectl());
        command.args(arguments);
        let shown = format!("kubectl {}", arguments.join(" "));
        finish(command, &shown, input).await
    }

    /// `kubectl get … -o json`; nothing where it is not there.
    ///
    /// # Errors
    /// The API server did not answer, or refused.
    pub async fn get(&self, arguments: &[&str]) -> Result<Option<Value>> {
        let mut all = vec!["get"];
        all.extend(arguments);
        all.extend(["-o", "json", "--ignore-not-found"]);
        let text = self.run(&all).await?;
        if text.trim().is_empty() {
            return Ok(None);
        }
        let parsed = serde_json::from_str(&text);
        parsed.map(Some).map_err(Error::format(format!("kubectl {}", all.join(" "))))
    }

    /// `items` of a list.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn list(&self, arguments: &[&str]) -> Result<Vec<Value>> {
        let list = self.get(arguments).await?.unwrap_or_default();
        Ok(list["items"].as_array().cloned().unwrap_or_default())
    }

    /// Applies objects, server-side: definitions are too large for the other way.
    ///
    /// # Errors
    /// The API server refused one.
    pub async fn apply(&self, objects: &[Value]) -> Result<()> {
        let list = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": objects});
        let arguments = ["apply", "--server-side", "--force-conflicts", "-f", "-"];
        self.feed(&arguments, &list.to_string()).await.map(|_| ())
    }
}

/// Runs a program to its end with something to read, and returns what it printed.
pub(crate) async fn finish(mut command: Command, shown: &str, input: &str) -> Result<String> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(Error::io(format!("run `{shown}`")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // Who does not read to the end says why on its standard error.
        let _ = stdin.write_all(input.as_bytes()).await;
    }
    let output =
        child.wait_with_output().await.map_err(Error::io(format!("wait for `{shown}`")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Command { command: shown.to_owned(), message })
}
