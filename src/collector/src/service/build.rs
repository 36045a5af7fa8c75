//! From a checked configuration to a running collector: everything is prepared, then everything is
//! wired from the exporters backwards, then everything starts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use obspipe_model::catalogue::{Class, Component};
use obspipe_model::components::batch::Batch;
use obspipe_model::{Checked, ComponentId, Pipeline, Signal};

use super::report::Sent;
use super::{
    RunningExporter, RunningPipeline, RunningReceiver, Service, StartError, exporters_share,
    memory, start_exporter,
};
use crate::catalogue::{self, Exporter, Parts, PrepareError, Processor};
use crate::flow::account::Account;
use crate::flow::admit::{Entry, Inlet};
use crate::flow::ledger::Ledger;
use crate::flow::leg::{FanOut, IntoQueue, Leg, To};
use crate::flow::receipt::Answered;
use crate::flow::scope::Scope;
use crate::flow::stage::{Route, Stage};
use crate::net::listen::Listeners;
use crate::net::resolve::Resolver;
use crate::processors::attributes::step::EditStep;
use crate::processors::batch::Batcher;
use crate::receivers::otlp::{Inlets, Prepared};

/// Everything prepared, nothing started: all that can fail has not failed.
pub struct Plan<'a> {
    checked: &'a Checked,
    receivers: BTreeMap<ComponentId, Prepared>,
    processors: BTreeMap<ComponentId, Processor>,
    exporters: BTreeMap<ComponentId, (Component, Exporter)>,
    listeners: Arc<Listeners>,
    resolver: Resolver,
    account: Arc<Account>,
}

/// Prepares all components that the pipelines use.
///
/// # Errors
/// The first component that cannot be prepared.
pub fn prepare(checked: &Checked, listeners: Arc<Listeners>) -> Result<Plan<'_>, StartError> {
    let resolver = Resolver::system()?;
    let account = Account::new(memory::ceiling(memory::container(), memory::resident()));
    let parts = Parts { listeners: &listeners, resolver: &resolver, account: &account };
    let (mut receivers, mut processors, mut exporters) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (class, id, component) in checked.components() {
        let at = |source: PrepareError| StartError::Component {
            path: format!("{}.{id}", class.section()),
            source,
        };
        match class {
            Class::Receiver => {
                receivers.insert(id.clone(), catalogue::receiver(component, &parts).map_err(at)?);
            }
            Class::Processor => {
                processors.insert(id.clone(), catalogue::processor(component).map_err(at)?);
            }
            Class::Exporter => {
                let exporter = catalogue::exporter(component, &parts).map_err(at)?;
                exporters.insert(id.clone(), (component.clone(), exporter));
            }
            Class::Extension => {}
        }
    }
    fit(checked, &processors)?;
    Ok(Plan { checked, receivers, processors, exporters, listeners, resolver, account })
}

impl Plan<'_> {
    /// Starts everything. Cannot fail.
    #[must_use]
    pub fn start(self) -> Arc<Service> {
        let Plan { checked, mut receivers, processors, exporters, listeners, resolver, account } =
            self;
        limit(&account, checked, &processors);
        let queues =
            exporters.values().filter(|(_, e)| matches!(e, Exporter::Sending { .. })).count();
        let share = exporters_share(&account, queues);
        let mut running: BTreeMap<ComponentId, RunningExporter> = BTreeMap::new();
        for (id, (settings, exporter)) in exporters {
            let (sent, scope) = (Arc::new(Sent::new(id.clone())), Scope::default());
            let to = start_exporter(&id, exporter, None, share, &sent, &scope);
            running.insert(id, RunningExporter { settings, to, sent, scope });
        }
        let pipelines: Vec<RunningPipeline> = checked
            .pipelines()
            .iter()
            .map(|pipeline| start_pipeline(pipeline, &processors, &running))
            .collect();
        let mut started = Vec::new();
        for (id, inlets) in inlets(checked, &pipelines) {
            let scope = Scope::default();
            if let Some(prepared) = receivers.remove(&id) {
                prepared.start(&inlets, &account, &scope);
            }
            started.push(RunningReceiver { id, inlets, scope });
        }
        Arc::new(Service {
            account,
            listeners,
            resolver,
            receivers: started,
            exporters: Mutex::new(running),
            pipelines,
            retired: Mutex::default(),
            pages: Scope::default(),
            draining: false.into(),
            started: Instant::now(),
        })
    }
}

/// Whether processors can do what they are asked to in the pipelines that list them.
fn fit(checked: &Checked, processors: &BTreeMap<ComponentId, Processor>) -> Result<(), StartError> {
    for pipeline in checked.pipelines() {
        for id in &pipeline.processors {
            if let Some(Processor::Edit(editor)) = processors.get(id) {
                editor.check(pipeline.id.signal).map_err(|error| StartError::Component {
                    path: format!("processors.{id}"),
                    source: error.into(),
                })?;
            }
        }
    }
    Ok(())
}

/// Sets the limits of the memory_limiters, for the signals whose pipelines list them.
fn limit(account: &Account, checked: &Checked, processors: &BTreeMap<ComponentId, Processor>) {
    let (container, base) = (memory::container(), memory::resident());
    for pipeline in checked.pipelines() {
        for id in &pipeline.processors {
            if let Some(Processor::Limit(limiter)) = processors.get(id) {
                let signal = pipeline.id.signal;
                let limit = memory::limited(limiter, container, base);
                account.limit(signal, limit.min(account.limit_of(signal)));
            }
        }
    }
}

/// What gathers before an exporter's queue, if its `sending_queue.batch` says so.
fn gather(
    exporter: &RunningExporter,
    ledger: &Arc<Ledger>,
    scope: &Scope,
) -> Option<Arc<dyn Stage>> {
    let To::Queue(queue) = &exporter.to else {
        return None;
    };
    let batch = catalogue::sending_queue(&exporter.settings)?.batch.as_ref()?;
    let items = |size: u64| u32::try_from(size).unwrap_or(u32::MAX);
    let settings = Batch {
        timeout: batch.flush_timeout,
        send_batch_size: items(batch.min_size),
        send_batch_max_size: items(batch.max_size),
        ..Batch::default()
    };
    let end = IntoQueue { queue: queue.clone(), ledger: ledger.clone() };
    Some(Batcher::start(settings, ledger.signal(), Route::to(end), scope))
}

/// A pipeline from its end to its beginning.
fn start_pipeline(
    pipeline: &Pipeline,
    processors: &BTreeMap<ComponentId, Processor>,
    exporters: &BTreeMap<ComponentId, RunningExporter>,
) -> RunningPipeline {
    let (signal, scope) = (pipeline.id.signal, Scope::default());
    let leg = |id: &ComponentId| {
        let exporter = exporters.get(id)?;
        let (to, ledger) = (exporter.to.clone(), Ledger::new(pipeline.id.clone(), id.clone()));
        let gather = gather(exporter, &ledger, &scope);
        Some(Leg { ledger, to, gather })
    };
    let legs: Vec<Leg> = pipeline.exporters.iter().filter_map(leg).collect();
    let ledgers = legs.iter().map(|leg| leg.ledger.clone()).collect();
    let exit = FanOut::new(legs);
    let mut first = Route::to(exit.clone());
    for id in pipeline.processors.iter().rev() {
        first = match processors.get(id) {
            Some(Processor::Batch(settings)) => {
                let batcher = Batcher::start(settings.clone(), signal, first, &scope);
                Route::to(Answered(Route::to(batcher)))
            }
            Some(Processor::Edit(editor)) => {
                Route::to(EditStep::new(signal, editor.clone(), first))
            }
            Some(Processor::Limit(_)) | None => first,
        };
    }
    let entry = Arc::new(Entry { id: pipeline.id.clone(), first, exit });
    RunningPipeline { id: pipeline.id.clone(), entry, ledgers, scope }
}

/// Where each receiver's telemetry goes.
fn inlets(checked: &Checked, pipelines: &[RunningPipeline]) -> Vec<(ComponentId, Arc<Inlets>)> {
    let receivers = checked.components().filter(|(class, _, _)| *class == Class::Receiver);
    let of = |id: &ComponentId, signal: Signal| {
        let takes =
            |pipeline: &&Pipeline| pipeline.id.signal == signal && pipeline.receivers.contains(id);
        let entries: Vec<Arc<Entry>> = checked
            .pipelines()
            .iter()
            .filter(takes)
            .filter_map(|pipeline| pipelines.iter().find(|running| running.id == pipeline.id))
            .map(|running| running.entry.clone())
            .collect();
        (!entries.is_empty()).then(|| Inlet::new(signal, entries))
    };
    receivers
        .map(|(_, id, _)| {
            let by_signal = Signal::ALL.map(|signal| of(id, signal));
            (id.clone(), Arc::new(Inlets { by_signal, ..Inlets::default() }))
        })
        .collect()
}
