//! A running collector: made from a checked configuration, changed while it runs, and drained. The
//! order is always the same: prepare everything (which may fail, and has no effect), then start.

pub mod build;
pub mod memory;
pub mod page;
pub mod report;
pub mod snapshot;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use obspipe_model::catalogue::Component;
use obspipe_model::{ComponentId, PipelineId};
use tokio::time::{Instant, timeout_at};

use crate::catalogue::{self, Exporter, Parts, PrepareError};
use crate::flow::account::Account;
use crate::flow::admit::Entry;
use crate::flow::ledger::Ledger;
use crate::flow::leg::{Leg, To};
use crate::flow::queue::Queue;
use crate::flow::scope::Scope;
use crate::flow::send::Sender;
use crate::net::listen::Listeners;
use crate::net::resolve::Resolver;
use crate::receivers::otlp::Inlets;
use report::Sent;

/// Why a collector does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A component cannot be prepared.
    #[error("{path}: {source}")]
    Component {
        /// Which: `exporters.jaeger`.
        path: String,
        /// Why.
        source: PrepareError,
    },
    /// Names cannot be resolved.
    #[error(transparent)]
    Resolver(#[from] crate::net::resolve::ResolveError),
    /// There is no such exporter.
    #[error("exporters.{0} is not running")]
    NotRunning(ComponentId),
}

/// A receiver at work.
pub(crate) struct RunningReceiver {
    pub(crate) id: ComponentId,
    pub(crate) inlets: Arc<Inlets>,
    pub(crate) scope: Scope,
}

/// An exporter at work.
pub(crate) struct RunningExporter {
    /// Its settings: what it is, besides its id.
    pub(crate) settings: Component,
    pub(crate) to: To,
    pub(crate) sent: Arc<Sent>,
    pub(crate) scope: Scope,
}

/// A pipeline at work.
pub(crate) struct RunningPipeline {
    pub(crate) id: PipelineId,
    pub(crate) entry: Arc<Entry>,
    pub(crate) ledgers: Vec<Arc<Ledger>>,
    /// Its batchers' tasks.
    pub(crate) scope: Scope,
}

/// A running collector.
pub struct Service {
    pub(crate) account: Arc<Account>,
    pub(crate) listeners: Arc<Listeners>,
    resolver: Resolver,
    pub(crate) receivers: Vec<RunningReceiver>,
    pub(crate) exporters: Mutex<BTreeMap<ComponentId, RunningExporter>>,
    pub(crate) pipelines: Vec<RunningPipeline>,
    /// What exporters had under way when they got other settings.
    pub(crate) retired: Mutex<Vec<Scope>>,
    /// health_check and the pages of the collector's own metrics.
    pub(crate) pages: Scope,
    draining: AtomicBool,
    pub(crate) started: std::time::Instant,
}

/// What a drained collector left undone, in items by pipeline and exporter.
pub type Left = BTreeMap<(String, String), u64>;

impl Service {
    /// Whether telemetry is taken: all sockets are open, and it is not draining. A backend that is
    /// down does not change it.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        !self.draining.load(Relaxed)
    }

    /// Where the collector's own pages run: they are up until everything else is done.
    #[must_use]
    pub fn pages(&self) -> &Scope {
        &self.pages
    }

    /// Says from now on that it is not ready, while it still takes what comes.
    pub fn unready(&self) {
        self.draining.store(true, Relaxed);
    }

    pub(crate) fn exporters(&self) -> MutexGuard<'_, BTreeMap<ComponentId, RunningExporter>> {
        self.exporters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs an exporter with other settings. Nothing else restarts: what waits in its queue, or to be
    /// tried again, goes out by the new settings; what is under way is finished by the old.
    ///
    /// # Errors
    /// It cannot be prepared (the old one then runs on), or is not running.
    pub fn replace_exporter(
        &self,
        id: &ComponentId,
        settings: &Component,
    ) -> Result<(), StartError> {
        let parts =
            Parts { listeners: &self.listeners, resolver: &self.resolver, account: &self.account };
        let prepared = catalogue::exporter(settings, &parts)
            .map_err(|source| StartError::Component { path: format!("exporters.{id}"), source })?;
        let mut exporters = self.exporters();
        let running = exporters.get_mut(id).ok_or_else(|| StartError::NotRunning(id.clone()))?;
        if running.settings == *settings {
            return Ok(());
        }
        let before = std::mem::take(&mut running.scope);
        let kept = match &running.to {
            To::Queue(queue) => Some(queue.clone()),
            To::Direct(_) => None,
        };
        let share = exporters_share(&self.account, queues(&exporters));
        let running = exporters.get_mut(id).ok_or_else(|| StartError::NotRunning(id.clone()))?;
        let sent = running.sent.clone();
        let scope = Scope::default();
        running.to = start_exporter(id, prepared, kept, share, &sent, &scope);
        running.settings = settings.clone();
        running.scope = scope;
        let to = running.to.clone();
        drop(exporters);
        self.lead_to(id, &to);
        // The old one's consumers take no more from the queue and end when what they have is sent.
        before.retire();
        if matches!(to, To::Direct(_)) {
            before.ending.cancel();
        }
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        retired.retain(|scope| scope.running() > 0);
        retired.push(before);
        Ok(())
    }

    /// Leads every pipeline's way to an exporter to where it is now.
    fn lead_to(&self, id: &ComponentId, to: &To) {
        for pipeline in &self.pipelines {
            let legs = pipeline.entry.exit.legs.load();
            if legs.iter().any(|leg| leg.ledger.exporter == *id) {
                let changed = legs.iter().map(|leg| match leg.ledger.exporter == *id {
                    true => Leg { to: to.clone(), ..leg.clone() },
                    false => leg.clone(),
                });
                pipeline.entry.exit.legs.store(Arc::new(changed.collect()));
            }
        }
    }

    /// Takes nothing more, sends what there is, and ends: receivers first, then what is gathered,
    /// then the queues. What cannot be sent until the deadline is dropped and returned.
    pub async fn drain(&self, within: Duration) -> Left {
        self.unready();
        let deadline = Instant::now() + within;
        for receiver in &self.receivers {
            receiver.scope.ending.cancel();
        }
        // A client that does not finish takes no time from sending what is here already.
        let clients = Instant::now() + within.min(Duration::from_secs(20)) / 4;
        for receiver in &self.receivers {
            if timeout_at(clients, receiver.scope.finished()).await.is_err() {
                let connections = receiver.scope.running();
                tracing::warn!(receiver = %receiver.id, connections, "clients did not finish");
            }
            receiver.inlets.by_signal.iter().flatten().for_each(|inlet| inlet.close());
        }
        for pipeline in &self.pipelines {
            pipeline.entry.first.flush();
            pipeline.scope.end().await;
            // What came while the batchers ended.
            pipeline.entry.first.flush();
        }
        let mut sending =
            std::mem::take(&mut *self.retired.lock().unwrap_or_else(PoisonError::into_inner));
        let mut showing = Vec::new();
        for exporter in self.exporters().values() {
            match &exporter.to {
                To::Queue(queue) => {
                    queue.close();
                    sending.push(exporter.scope.clone());
                }
                To::Direct(_) => showing.push(exporter.scope.clone()),
            }
        }
        for scope in sending {
            if timeout_at(deadline, scope.finished()).await.is_err() {
                scope.end().await;
            }
        }
        for scope in showing {
            end_pages(&scope).await;
        }
        self.left()
    }

    /// Ends the pages as well: nothing of the process's own runs after it.
    pub async fn close(&self) {
        end_pages(&self.pages).await;
    }

    fn left(&self) -> Left {
        let ledgers = self.pipelines.iter().flat_map(|pipeline| &pipeline.ledgers);
        let left = ledgers.filter_map(|ledger| {
            let balance = ledger.balance();
            let dropped = balance.dropped.get("shutdown").copied().unwrap_or(0);
            let items = dropped + balance.queued + balance.in_flight;
            (items > 0).then(|| ((ledger.pipeline.to_string(), ledger.exporter.to_string()), items))
        });
        left.collect()
    }
}

/// Ends pages; a reader who does not finish is not waited for.
async fn end_pages(scope: &Scope) {
    let _ = tokio::time::timeout(Duration::from_secs(1), scope.end()).await;
}

fn queues(exporters: &BTreeMap<ComponentId, RunningExporter>) -> usize {
    exporters.values().filter(|exporter| matches!(exporter.to, To::Queue(_))).count()
}

/// Bytes that one queue may hold: all of them together half the account, so that a backend that is
/// down leaves room for the others.
pub(crate) fn exporters_share(account: &Account, queues: usize) -> usize {
    let least = obspipe_model::Signal::ALL.map(|signal| account.limit_of(signal));
    least.into_iter().min().unwrap_or(0) / 2 / queues.max(1)
}

/// Starts a prepared exporter, on its queue if it has one already.
pub(crate) fn start_exporter(
    id: &ComponentId,
    prepared: Exporter,
    kept: Option<Arc<Queue>>,
    share: usize,
    sent: &Arc<Sent>,
    scope: &Scope,
) -> To {
    match prepared {
        Exporter::Direct { consumer, page } => {
            if let Some(page) = page {
                page.start(scope);
            }
            To::Direct(consumer)
        }
        Exporter::Sending { transport, queue, retry } => {
            let consumers = if queue.enabled { queue.num_consumers } else { WITHOUT_QUEUE };
            let bounds = bounds(&queue, share);
            let queue = match kept {
                Some(queue) => {
                    queue.set_bounds(bounds);
                    queue.set_failing(false);
                    queue
                }
                None => Queue::new(id.clone(), bounds),
            };
            let sender = Sender { transport, queue: queue.clone(), retry, report: sent.clone() };
            Arc::new(sender).start(consumers, scope);
            To::Queue(queue)
        }
    }
}

/// Requests under way at once for an exporter whose queue is switched off: as many clients wait.
const WITHOUT_QUEUE: u32 = 64;

fn bounds(
    settings: &obspipe_model::components::network::Queue,
    share: usize,
) -> crate::flow::queue::Bounds {
    use obspipe_model::components::network::Sizer;
    let size = usize::try_from(settings.queue_size).unwrap_or(usize::MAX);
    let (sizer, size) = match settings.enabled {
        true => (settings.sizer, size),
        false => (Sizer::Requests, WITHOUT_QUEUE as usize),
    };
    crate::flow::queue::Bounds {
        sizer,
        size,
        bytes: share,
        block: settings.block_on_overflow || !settings.enabled,
        wait: settings.wait_for_result || !settings.enabled,
    }
}

#[cfg(test)]
mod tests;
