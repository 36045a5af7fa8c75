//! The whole picture on a real node, for the scenarios and the demo: images, backends, the chart,
//! pipelines, an application that sends, and questions to the backends. It knows obspipe as its
//! users do: an image, a chart, a custom resource.
//!
//! - [`Stack`]: a cluster with a node, prometheus-operator and the chart installed.
//! - [`Namespace`]: a room of its own in it, with its own backends, application and pipeline.
//! - [`Load`]: customers of the application, who are counted.
//! - [`query`]: what the backends say, each with the command that shows it again.

mod chart;
mod dashboard;
#[cfg(test)]
mod document;
mod error;
mod findings;
pub mod images;
mod kubectl;
mod ledger;
mod load;
pub mod manifest;
mod namespace;
mod parts;
pub mod query;
mod stack;
mod wait;

use std::path::{Path, PathBuf};

pub use chart::{Chart, SYSTEM};
pub use dashboard::Panel;
pub use error::{Error, Result};
pub use kubectl::Kubectl;
pub use ledger::{Account, Kept, Ledger};
pub use load::{Load, Running, Totals};
pub use namespace::{Namespace, Order, Shop};
pub use stack::Stack;
pub use wait::{WITHIN, eventually};

/// The workspace.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}
