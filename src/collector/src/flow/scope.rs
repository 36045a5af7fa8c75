//! Tasks are spawned through a scope that counts them, so that nothing is left running unnoticed.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of one component.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    tasks: TaskTracker,
    /// Cancelled when they should finish.
    pub ending: CancellationToken,
    /// Cancelled when they should take nothing new.
    pub retired: CancellationToken,
}

impl Scope {
    /// Runs a task.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Tasks that run.
    #[must_use]
    pub fn running(&self) -> usize {
        self.tasks.len()
    }

    /// Asks the tasks to take nothing new; they end when they are done with what they have.
    pub fn retire(&self) {
        self.retired.cancel();
    }

    /// Asks the tasks to finish and waits until they have.
    pub async fn end(&self) {
        self.ending.cancel();
        self.finished().await;
    }

    /// Waits until no task runs.
    pub async fn finished(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}
