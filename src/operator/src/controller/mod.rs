//! The loop: watches feed stores and the queue, workers take from the queue and reconcile. The
//! stages themselves are files of their own; `reconcile` reads as their list.

pub mod queue;
mod reconcile;
mod upgrades;

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::api::PipelineStatus;
use crate::cluster::Cluster;
use crate::cluster::cache::Children;
use crate::cluster::events::Events;
use crate::cluster::served::Served;
use crate::cluster::watch::{Pipelines, Watches, built_in_kinds};
use crate::kinds::{KINDS, Kind};
use crate::metrics::Metrics;
use crate::names::Identity;
use crate::settings::Settings;
use queue::{Next, PipelineRef, Queue};
use upgrades::Upgrades;

/// How often the gauges that count pipelines are brought up to date.
const GAUGE_INTERVAL: Duration = Duration::from_secs(5);

/// What a reconcile works with.
pub struct Context {
    /// The API server.
    pub cluster: Cluster,
    /// Pipelines as watched.
    pub pipelines: Pipelines,
    /// Children as watched.
    pub children: Children,
    /// Settings of rendering.
    pub settings: Settings,
    /// Optional kinds served now.
    pub served: watch::Receiver<Served>,
    /// Writes events.
    pub events: Events,
    /// Counts.
    pub metrics: Metrics,
    /// Upgrades under way.
    upgrades: Upgrades,
    /// The status last written, by pipeline: the watch shows it only later.
    written: Mutex<HashMap<PipelineRef, (String, PipelineStatus)>>,
}

impl Context {
    /// A context around a cluster; at most `upgrades` pipelines are upgraded at a time.
    #[must_use]
    pub fn new(
        cluster: Cluster,
        settings: Settings,
        served: watch::Receiver<Served>,
        events: Events,
        metrics: Metrics,
        upgrades: usize,
    ) -> Self {
        let children = Children::default();
        Self {
            cluster,
            pipelines: Pipelines::default(),
            upgrades: Upgrades::new(upgrades, children.clone()),
            children,
            settings,
            served,
            events,
            metrics,
            written: Mutex::default(),
        }
    }

    fn served(&self) -> BTreeSet<Kind> {
        let served = self.served.borrow();
        let optional = KINDS.iter().filter(|info| info.optional).map(|info| info.kind);
        optional.filter(|kind| served.has(*kind)).collect()
    }

    fn written(&self) -> MutexGuard<'_, HashMap<PipelineRef, (String, PipelineStatus)>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn last_status(&self, identity: &Identity) -> Option<PipelineStatus> {
        let written = self.written();
        let (uid, status) = written.get(&place(identity))?;
        (*uid == identity.uid).then(|| status.clone())
    }

    fn remember_status(&self, identity: &Identity, status: PipelineStatus) {
        self.written().insert(place(identity), (identity.uid.clone(), status));
    }

    /// Whether what the watch shows is what was written last, or older. What it shows after that
    /// and differs was written by somebody else.
    fn is_current(&self, identity: &Identity, shown: &PipelineStatus) -> bool {
        self.last_status(identity).is_none_or(|written| {
            written == *shown || shown.observed_generation < written.observed_generation
        })
    }

    fn forget(&self, at: &PipelineRef) {
        self.upgrades.forget(at);
        self.written().remove(at);
    }
}

fn place(identity: &Identity) -> PipelineRef {
    PipelineRef { namespace: identity.namespace.clone(), name: identity.name.clone() }
}

/// How the loop runs.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Namespaces watched; empty for all.
    pub namespaces: Vec<String>,
    /// Pipelines worked on at the same time.
    pub concurrency: usize,
}

/// Runs until `stop` turns true, then ends what is being worked on and takes nothing new.
pub async fn run(
    context: Arc<Context>,
    options: RunOptions,
    synced: watch::Sender<bool>,
    mut stop: watch::Receiver<bool>,
) {
    let (due, mut incoming) = mpsc::unbounded_channel();
    let watches = Watches {
        client: context.cluster.client(),
        namespaces: options.namespaces.clone(),
        pipelines: context.pipelines.clone(),
        children: context.children.clone(),
        due: due.clone(),
    };
    let mut background = JoinSet::new();
    let all_listed = start_watches(&watches, &mut background);
    background.spawn(follow_optional_kinds(context.clone(), watches.clone()));
    background.spawn(gauges(context.clone()));
    tokio::select! {
        () = wait_for_all(all_listed) => { synced.send_replace(true); }
        _ = stop.wait_for(|stop| *stop) => return,
    }
    tracing::info!(pipelines = context.pipelines.len(), "all listed, reconciling");
    work(&context, options.concurrency, &mut incoming, &mut stop).await;
}

fn start_watches(watches: &Watches, background: &mut JoinSet<()>) -> Vec<watch::Receiver<bool>> {
    let (listed, mut all) = watch::channel(false);
    background.spawn(watches.clone().pipelines(listed));
    let mut receivers = vec![all.clone()];
    for kind in built_in_kinds() {
        let (listed, receiver) = watch::channel(false);
        background.spawn(watches.clone().children(kind, listed));
        receivers.push(receiver);
    }
    all.mark_unchanged();
    receivers
}

async fn wait_for_all(receivers: Vec<watch::Receiver<bool>>) {
    for mut receiver in receivers {
        // The sender lives as long as its watch, which never ends.
        let _ = receiver.wait_for(|listed| *listed).await;
    }
}

/// Starts and ends the watches of optional kinds as their definitions come and go, and has every
/// pipeline looked at again when they do.
async fn follow_optional_kinds(context: Arc<Context>, watches: Watches) {
    let mut served = context.served.clone();
    let mut running: HashMap<Kind, tokio::task::AbortHandle> = HashMap::new();
    let mut tasks: JoinSet<()> = JoinSet::new();
    loop {
        let now = context.served();
        running.retain(|kind, task| {
            let keep = now.contains(kind);
            if !keep {
                task.abort();
                context.children.retain_listed(*kind, None, &std::collections::HashSet::new());
            }
            keep
        });
        for kind in now {
            if let Entry::Vacant(vacant) = running.entry(kind) {
                let (listed, mut ready) = watch::channel(false);
                vacant.insert(tasks.spawn(watches.clone().children(kind, listed)));
                // What is there already is known before anything is decided about it.
                let _ = ready.wait_for(|listed| *listed).await;
            }
        }
        for at in context.pipelines.names() {
            let _ = watches.due.send(at);
        }
        if served.changed().await.is_err() {
            // Nobody will ever tell again: hold the watches.
            std::future::pending::<()>().await;
        }
    }
}

async fn gauges(context: Arc<Context>) {
    let mut tick = tokio::time::interval(GAUGE_INTERVAL);
    loop {
        tick.tick().await;
        for (ready, count) in context.pipelines.by_ready() {
            context.metrics.pipelines(ready, count);
        }
        let upgrades = context.upgrades.counts();
        context.metrics.upgrades("rolling", upgrades.rolling);
        context.metrics.upgrades("failing", upgrades.failing);
    }
}

/// Takes from the queue, a bounded number at a time.
async fn work(
    context: &Arc<Context>,
    concurrency: usize,
    incoming: &mut mpsc::UnboundedReceiver<PipelineRef>,
    stop: &mut watch::Receiver<bool>,
) {
    let mut queue = Queue::default();
    let mut running: JoinSet<(PipelineRef, Next)> = JoinSet::new();
    loop {
        while running.len() < concurrency
            && let Some(at) = queue.take(Instant::now())
        {
            let failures = queue.failures(&at);
            running.spawn(one(context.clone(), at, failures));
        }
        context.metrics.queue_depth(queue.depth());
        tokio::select! {
            Some(at) = incoming.recv() => {
                queue.add(at);
                while let Ok(at) = incoming.try_recv() {
                    queue.add(at);
                }
            }
            Some(ended) = running.join_next() => match ended {
                Ok((at, next)) => queue.done(&at, next, Instant::now(), rand::random()),
                Err(error) => tracing::error!(%error, "a reconcile ended without a result"),
            },
            () = until(queue.next_due()), if queue.next_due().is_some() => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    tracing::info!(running = running.len(), "stopping: what is being worked on is finished");
    while running.join_next().await.is_some() {}
}

async fn until(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due.into()).await;
    }
}

async fn one(context: Arc<Context>, at: PipelineRef, failures: u32) -> (PipelineRef, Next) {
    let watch = reconcile::Stopwatch::start();
    let next = match reconcile::reconcile(&context, &at, failures).await {
        Ok(next) => next,
        Err(error) => {
            tracing::warn!(pipeline = at.name, namespace = at.namespace, %error, "not reconciled");
            Next::Retry
        }
    };
    let result = match next {
        Next::Settled => "ok",
        Next::After(_) => "requeued",
        Next::Retry => "error",
    };
    context.metrics.reconciled(result, watch.elapsed());
    (at, next)
}
