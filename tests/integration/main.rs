//! One integration test binary: everything that needs more than one room, against a real etcd,
//! kube-apiserver and kube-controller-manager. Tests that are data lie in `golden/`.
//!
//! Scenarios share one control plane and have a namespace and an operator each. When all have run,
//! the audit log is asked whether the operator used every right that the chart gives it, and was
//! denied nothing.

// A test that cannot go on says so by panicking, and a scenario or table reads from top to bottom.
#![allow(clippy::expect_used, clippy::panic, clippy::too_many_lines)]

mod audit;
mod chart;
mod crds;
mod docs;
mod document;
mod environment;
mod fixtures;
mod golden;
mod scenarios;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::OnceCell;

use environment::Environment;

/// Scenarios wait most of the time: more of them run at once than there are cores.
const THREADS: usize = 6;

/// The control plane that scenarios share, started by the first that needs it.
#[derive(Clone)]
pub(crate) struct Shared {
    environment: Arc<OnceCell<Arc<Environment>>>,
    runtime: Handle,
}

impl Shared {
    async fn get(&self) -> Arc<Environment> {
        let start = || async { Arc::new(Environment::start(true).await) };
        self.environment.get_or_init(start).await.clone()
    }

    /// A scenario on the shared control plane.
    pub(crate) fn trial<F, T>(&self, name: &str, scenario: F) -> Trial
    where
        F: FnOnce(Arc<Environment>) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let shared = self.clone();
        self.alone(name, move || async move { scenario(shared.get().await).await })
    }

    /// A scenario that brings its own control plane.
    pub(crate) fn alone<F, T>(&self, name: &str, scenario: F) -> Trial
    where
        F: FnOnce() -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let runtime = self.runtime.clone();
        Trial::test(name, move || {
            let task = runtime.spawn(scenario());
            runtime.block_on(task).map_err(|error| Failed::from(panic_text(error)))
        })
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    match error.try_into_panic() {
        Ok(panic) => text_of(&*panic),
        Err(error) => error.to_string(),
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// A test without a control plane.
fn pure(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        std::panic::catch_unwind(AssertUnwindSafe(test))
            .map_err(|panic| Failed::from(text_of(&*panic)))
    })
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(THREADS));
    let runtime = Runtime::new().expect("a runtime");
    let shared = Shared { environment: Arc::default(), runtime: runtime.handle().clone() };
    let mut trials = vec![
        pure("docs::the_first_pipeline_is_valid", docs::the_first_pipeline_of_the_readme_is_valid),
        pure("golden::docs_do_not_drift", docs::the_tables_of_components_do_not_drift),
        pure("golden::pipelines_become_these_objects", golden::pipelines_become_these_objects),
        pure("document::configuration", document::the_configuration_means_the_same),
        pure("document::daemon_set", document::every_difference_of_the_daemon_set_is_documented),
        pure(
            "crds::the_definitions_do_not_drift",
            crds::the_definitions_do_not_drift_from_the_types,
        ),
        pure(
            "crds::the_definition_fits_client_side_apply",
            crds::the_definition_fits_client_side_apply,
        ),
        pure(
            "crds::everything_is_bounded",
            crds::the_schema_holds_no_default_and_bounds_everything,
        ),
    ];
    trials.extend(scenarios::all(&shared));
    trials.extend(chart::all(&shared));
    let everything = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
    let mut conclusion = libtest_mimic::run(&arguments, trials);
    if let (Some(environment), true) = (shared.environment.get().cloned(), everything) {
        let checks = audit::checks(environment);
        let audit = libtest_mimic::run(&arguments, checks);
        conclusion.num_failed += audit.num_failed;
    }
    drop(shared);
    if conclusion.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}
