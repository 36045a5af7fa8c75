//! Scenarios on a real node: what users do, seen from where they look. They share one cluster with
//! the chart installed, and have a namespace each. Run by `make e2e`; it needs root.

// A scenario that cannot go on says so by panicking, and reads from top to bottom.
#![allow(clippy::expect_used, clippy::panic, clippy::too_many_lines)]

mod picture;

use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use local_cluster::Spinner;
use obspipe_e2e::Stack;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::OnceCell;

/// Scenarios wait most of the time.
const THREADS: usize = 4;

/// The stack that scenarios share, brought up by the first that needs it.
#[derive(Clone)]
struct Shared {
    stack: Arc<OnceCell<Arc<Stack>>>,
    runtime: Handle,
}

impl Shared {
    async fn get(&self) -> Arc<Stack> {
        let up = || async {
            let spinner = Spinner::new();
            let stack = Stack::up(spinner.clone()).await;
            spinner.finish();
            // The message is for people: it has lines of logs in it.
            Arc::new(stack.unwrap_or_else(|error| panic!("the stack does not come up: {error}")))
        };
        self.stack.get_or_init(up).await.clone()
    }

    /// A scenario on the shared stack.
    fn trial<F, T>(&self, name: &str, scenario: F) -> Trial
    where
        F: FnOnce(Arc<Stack>) -> T + Send + 'static,
        T: Future<Output = ()> + Send + 'static,
    {
        let shared = self.clone();
        Trial::test(name, move || {
            let runtime = shared.runtime.clone();
            let task = runtime.spawn(async move { scenario(shared.get().await).await });
            runtime.block_on(task).map_err(|error| Failed::from(panic_text(error)))
        })
    }
}

fn panic_text(error: tokio::task::JoinError) -> String {
    let panic = match error.try_into_panic() {
        Ok(panic) => panic,
        Err(error) => return error.to_string(),
    };
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if let (Err(reason), false) = (obspipe_e2e::node::possible(), arguments.list) {
        eprintln!("error: {reason}");
        return ExitCode::FAILURE;
    }
    arguments.test_threads = arguments.test_threads.or(Some(THREADS));
    let runtime = Runtime::new().expect("a runtime");
    let shared = Shared { stack: Arc::default(), runtime: runtime.handle().clone() };
    let trials = vec![
        shared.trial("the_documents_picture", |stack| async move { picture::run(&stack).await }),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    let stack = Arc::into_inner(shared.stack).and_then(OnceCell::into_inner);
    if let Some(stack) = stack.and_then(Arc::into_inner) {
        if let Err(error) = runtime.block_on(stack.down()) {
            eprintln!("error: the cluster does not end: {error}");
            return ExitCode::FAILURE;
        }
    }
    if conclusion.has_failed() { ExitCode::from(101) } else { ExitCode::SUCCESS }
}
