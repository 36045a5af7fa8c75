//! Scenarios on a real node: what users do, seen from where they look. They share one cluster with
//! the chart installed, and have a namespace each; those that change the chart have a cluster of
//! their own. Run by `make e2e`; it needs root.

// A scenario that cannot go on says so by panicking, and reads from top to bottom.
#![allow(clippy::expect_used, clippy::panic, clippy::too_many_lines)]

mod chart_upgrade;
mod delivery;
mod doctor;
mod interruptions;
mod picture;
mod selectors;
mod tenants;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use local_cluster::Spinner;
use obspipe_e2e::Stack;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::OnceCell;

/// Scenarios wait most of the time.
const THREADS: usize = 4;

/// The stack that scenarios share, brought up by the first that needs it, or why there is none.
#[derive(Clone)]
struct Shared {
    stack: Arc<OnceCell<Result<Arc<Stack>, String>>>,
    runtime: Handle,
}

impl Shared {
    async fn get(&self) -> Arc<Stack> {
        let up = || async {
            let spinner = Spinner::new();
            let stack = Stack::up(spinner.clone()).await;
            spinner.finish();
            stack.map(Arc::new).map_err(|error| error.to_string())
        };
        match self.stack.get_or_init(up).await {
            Ok(stack) => Arc::clone(stack),
            Err(error) => panic!("the stack does not come up: {error}"),
        }
    }

    /// A scenario on the shared stack. It runs on the thread of its test.
    fn trial<F>(&self, name: &str, scenario: F) -> Trial
    where
        F: AsyncFnOnce(&Stack) + Send + 'static,
    {
        let shared = self.clone();
        Trial::test(name, move || {
            shared.clone().run(async { scenario(&*shared.get().await).await })
        })
    }

    /// A scenario that has a cluster of its own.
    fn apart<F>(&self, name: &str, scenario: F) -> Trial
    where
        F: AsyncFnOnce() + Send + 'static,
    {
        let shared = self.clone();
        Trial::test(name, move || shared.run(scenario()))
    }

    fn run(&self, scenario: impl Future<Output = ()>) -> Result<(), Failed> {
        let ended = catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(scenario)));
        ended.map_err(|panic| Failed::from(text_of(&*panic)))
    }
}

fn text_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if let (Err(reason), false) = (local_cluster::node_possible(), arguments.list) {
        eprintln!("error: {reason}");
        return ExitCode::FAILURE;
    }
    arguments.test_threads = arguments.test_threads.or(Some(THREADS));
    let runtime = Runtime::new().expect("a runtime");
    let shared = Shared { stack: Arc::default(), runtime: runtime.handle().clone() };
    let trials = vec![
        shared.trial("the_documents_picture", picture::run),
        shared.trial("helm_test_finds_nothing_wrong", doctor::run),
        shared.trial("nothing_is_lost_while_collectors_come_and_go", delivery::run),
        shared.apart("the_chart_forth_back_and_away", chart_upgrade::run),
        shared.apart("a_prometheus_selects_by_its_releases_label", selectors::run),
        shared.trial("tenants_do_not_meet", tenants::run),
    ];
    let mut failed = libtest_mimic::run(&arguments, trials).has_failed();
    // Everybody would notice these.
    let alone = vec![shared.trial("the_node_and_the_operator_are_interrupted", interruptions::run)];
    failed |= libtest_mimic::run(&arguments, alone).has_failed();
    let stack = Arc::into_inner(shared.stack).and_then(OnceCell::into_inner);
    if let Some(Ok(stack)) = stack
        && let Some(stack) = Arc::into_inner(stack)
        && let Err(error) = runtime.block_on(stack.down())
    {
        eprintln!("error: the cluster does not end: {error}");
        return ExitCode::FAILURE;
    }
    if failed { ExitCode::from(101) } else { ExitCode::SUCCESS }
}
