//! Watches: pipelines whole, children by their metadata (workloads also by their progress). What
//! they show goes into the stores; which pipelines are due goes to the queue. Nothing is decided
//! here.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::stream::{BoxStream, SelectAll};
use futures::{Stream, StreamExt};
use kube::api::{Api, DynamicObject, PartialObjectMeta};
use kube::core::DeserializeGuard;
use kube::{Client, Resource, ResourceExt};
use kube_runtime::watcher::{self, Event};
use kube_runtime::{WatchStreamExt, watcher as watch};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch as signal;

use super::cache::{ChildRef, Children, Seen};
use crate::api::{ObservabilityPipeline, PipelineStatus};
use crate::controller::queue::PipelineRef;
use crate::kinds::{KINDS, Kind};
use crate::names::MANAGED_BY;

/// Objects per page of a list: what is read at once and thrown away is bounded by it.
const PAGE: u32 = 200;

/// A pipeline as the API server has it, or why it cannot be read.
pub type Stored = Arc<DeserializeGuard<ObservabilityPipeline>>;

/// All pipelines.
#[derive(Clone, Default)]
pub struct Pipelines {
    inner: Arc<Mutex<HashMap<PipelineRef, Stored>>>,
}

impl Pipelines {
    fn lock(&self) -> MutexGuard<'_, HashMap<PipelineRef, Stored>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pipeline, if there is one of this name.
    #[must_use]
    pub fn get(&self, at: &PipelineRef) -> Option<Stored> {
        self.lock().get(at).cloned()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The names of all.
    #[must_use]
    pub fn names(&self) -> Vec<PipelineRef> {
        self.lock().keys().cloned().collect()
    }

    /// How many pipelines have each status of the Ready condition.
    #[must_use]
    pub fn by_ready(&self) -> BTreeMap<&'static str, i64> {
        let mut counts = BTreeMap::from([("True", 0), ("False", 0), ("Unknown", 0)]);
        for stored in self.lock().values() {
            let status = stored.0.as_ref().ok().and_then(|pipeline| pipeline.status.as_ref());
            let ready = status.and_then(|s| s.conditions.iter().find(|c| c.kind == "Ready"));
            *counts.entry(ready.map_or("Unknown", |c| c.status.as_str())).or_default() += 1;
        }
        counts
    }

    /// Stores a pipeline and answers whether anything but its metadata's book-keeping changed.
    fn put(&self, at: &PipelineRef, pipeline: DeserializeGuard<ObservabilityPipeline>) -> bool {
        let new = Arc::new(pipeline);
        let before = self.lock().insert(at.clone(), new.clone());
        before.is_none_or(|before| essence(&before) != essence(&new))
    }

    fn remove(&self, at: &PipelineRef) {
        self.lock().remove(at);
    }
}

/// What a reconcile depends on.
fn essence(stored: &Stored) -> (Option<&str>, Option<i64>, bool, Option<&PipelineStatus>) {
    let meta = stored.meta();
    let status = stored.0.as_ref().ok().and_then(|pipeline| pipeline.status.as_ref());
    (meta.uid.as_deref(), meta.generation, meta.deletion_timestamp.is_some(), status)
}

/// Everything that watches feed.
#[derive(Clone)]
pub struct Watches {
    /// Client of the watches.
    pub client: Client,
    /// Namespaces watched; empty for all.
    pub namespaces: Vec<String>,
    /// Where pipelines go.
    pub pipelines: Pipelines,
    /// Where children go.
    pub children: Children,
    /// Told of every pipeline that is due.
    pub due: tokio::sync::mpsc::UnboundedSender<PipelineRef>,
}

impl Watches {
    /// Follows pipelines for ever. `listed` turns true when all namespaces were listed once.
    pub async fn pipelines(self, listed: signal::Sender<bool>) {
        let mut streams = SelectAll::new();
        for scope in self.scopes() {
            let client = self.client.clone();
            let api: Api<DeserializeGuard<ObservabilityPipeline>> = match &scope {
                Some(namespace) => Api::namespaced(client, namespace),
                None => Api::all(client),
            };
            streams.push(stream(api, scope, watcher::Config::default().page_size(PAGE)));
        }
        let mut pending: BTreeSet<Option<String>> = self.scopes().into_iter().collect();
        let mut initial: HashMap<Option<String>, HashSet<PipelineRef>> = HashMap::new();
        while let Some((scope, event)) = streams.next().await {
            match event {
                Event::Init => {
                    initial.insert(scope, HashSet::new());
                }
                Event::InitApply(pipeline) => {
                    let at = pipeline_ref(&pipeline);
                    initial.entry(scope).or_default().insert(at.clone());
                    self.seen_pipeline(at, pipeline);
                }
                Event::Apply(pipeline) => self.seen_pipeline(pipeline_ref(&pipeline), pipeline),
                Event::Delete(pipeline) => self.gone_pipeline(pipeline_ref(&pipeline)),
                Event::InitDone => {
                    let shown = initial.remove(&scope).unwrap_or_default();
                    self.drop_unlisted(&scope, &shown);
                    pending.remove(&scope);
                    if pending.is_empty() {
                        listed.send_replace(true);
                    }
                }
            }
        }
    }

    /// Follows one kind of child for ever. `listed` turns true when it was listed once.
    pub async fn children(self, kind: Kind, listed: signal::Sender<bool>) {
        let selector = format!("{}={}", MANAGED_BY.0, MANAGED_BY.1);
        let config = watcher::Config::default().labels(&selector).page_size(PAGE);
        let mut streams: SelectAll<BoxStream<'static, (Option<String>, Event<Value>)>> =
            SelectAll::new();
        for scope in self.scopes() {
            streams.push(self.child_stream(kind, scope, config.clone()));
        }
        let mut pending: BTreeSet<Option<String>> = self.scopes().into_iter().collect();
        let mut initial: HashMap<Option<String>, HashSet<ChildRef>> = HashMap::new();
        while let Some((scope, event)) = streams.next().await {
            match event {
                Event::Init => {
                    initial.insert(scope, HashSet::new());
                }
                Event::InitApply(object) => {
                    let at = child_ref(kind, &object);
                    initial.entry(scope).or_default().insert(at.clone());
                    self.seen_child(&at, &object);
                }
                Event::Apply(object) => self.seen_child(&child_ref(kind, &object), &object),
                Event::Delete(object) => {
                    let at = child_ref(kind, &object);
                    self.children.forget(&at);
                    self.owner_is_due(&at, &Seen::of(kind, &object));
                }
                Event::InitDone => {
                    let shown = initial.remove(&scope).unwrap_or_default();
                    for (at, seen) in self.children.retain_listed(kind, scope.as_deref(), &shown) {
                        self.owner_is_due(&at, &seen);
                    }
                    pending.remove(&scope);
                    if pending.is_empty() {
                        listed.send_replace(true);
                    }
                }
            }
        }
    }

    fn scopes(&self) -> Vec<Option<String>> {
        if self.namespaces.is_empty() {
            return vec![None];
        }
        self.namespaces.iter().cloned().map(Some).collect()
    }

    /// Workloads are watched whole, because their progress is in their status; of all other kinds
    /// only the metadata travels.
    fn child_stream(
        &self,
        kind: Kind,
        scope: Option<String>,
        config: watcher::Config,
    ) -> BoxStream<'static, (Option<String>, Event<Value>)> {
        let (client, resource) = (self.client.clone(), kind.resource());
        if kind.is_workload() {
            let api: Api<DynamicObject> = match &scope {
                Some(namespace) => Api::namespaced_with(client, namespace, &resource),
                None => Api::all_with(client, &resource),
            };
            as_values(stream(api, scope, config)).boxed()
        } else {
            let api: Api<PartialObjectMeta<DynamicObject>> = match &scope {
                Some(namespace) => Api::namespaced_with(client, namespace, &resource),
                None => Api::all_with(client, &resource),
            };
            as_values(stream(api, scope, config)).boxed()
        }
    }

    fn seen_pipeline(&self, at: PipelineRef, pipeline: DeserializeGuard<ObservabilityPipeline>) {
        if self.pipelines.put(&at, without_book_keeping(pipeline)) {
            self.due(at);
        }
    }

    fn gone_pipeline(&self, at: PipelineRef) {
        self.pipelines.remove(&at);
        self.due(at);
    }

    fn drop_unlisted(&self, scope: &Option<String>, shown: &HashSet<PipelineRef>) {
        for at in self.pipelines.names() {
            let in_scope = scope.as_ref().is_none_or(|namespace| *namespace == at.namespace);
            if in_scope && !shown.contains(&at) {
                self.gone_pipeline(at);
            }
        }
    }

    fn seen_child(&self, at: &ChildRef, object: &Value) {
        let seen = Seen::of(at.kind, object);
        if self.children.record(at, seen.clone()) {
            self.owner_is_due(at, &seen);
        }
    }

    fn owner_is_due(&self, at: &ChildRef, seen: &Seen) {
        if let Some((name, _)) = &seen.owner {
            self.due(PipelineRef { namespace: at.namespace.clone(), name: name.clone() });
        }
    }

    fn due(&self, at: PipelineRef) {
        // The receiver is dropped only when the process stops.
        let _ = self.due.send(at);
    }
}

/// The kinds that every API server serves.
pub fn built_in_kinds() -> impl Iterator<Item = Kind> {
    KINDS.iter().filter(|info| !info.optional).map(|info| info.kind)
}

/// A watch that never ends: errors are logged once per failure and tried again with backoff.
fn stream<K>(
    api: Api<K>,
    scope: Option<String>,
    config: watcher::Config,
) -> BoxStream<'static, (Option<String>, Event<K>)>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
    K::DynamicType: Clone,
{
    watch(api, config)
        .default_backoff()
        .filter_map(move |event| {
            let scope = scope.clone();
            async move {
                match event {
                    Ok(event) => Some((scope, event)),
                    Err(error) => {
                        tracing::warn!(%error, "watch interrupted, trying again");
                        None
                    }
                }
            }
        })
        .boxed()
}

fn as_values<K: serde::Serialize + Send + 'static>(
    stream: impl Stream<Item = (Option<String>, Event<K>)> + Send + 'static,
) -> impl Stream<Item = (Option<String>, Event<Value>)> + Send + 'static {
    let value = |object: K| serde_json::to_value(object).unwrap_or(Value::Null);
    stream.map(move |(scope, event)| {
        let event = match event {
            Event::Apply(object) => Event::Apply(value(object)),
            Event::Delete(object) => Event::Delete(value(object)),
            Event::InitApply(object) => Event::InitApply(value(object)),
            Event::Init => Event::Init,
            Event::InitDone => Event::InitDone,
        };
        (scope, event)
    })
}

fn pipeline_ref(pipeline: &DeserializeGuard<ObservabilityPipeline>) -> PipelineRef {
    PipelineRef { namespace: pipeline.namespace().unwrap_or_default(), name: pipeline.name_any() }
}

fn child_ref(kind: Kind, object: &Value) -> ChildRef {
    let text = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    ChildRef { kind, namespace: text("namespace"), name: text("name") }
}

/// Field managers and annotations (`kubectl apply` keeps a copy of the whole object in one) are
/// most of an object's memory and nothing of its meaning.
fn without_book_keeping(
    mut pipeline: DeserializeGuard<ObservabilityPipeline>,
) -> DeserializeGuard<ObservabilityPipeline> {
    let meta = pipeline.meta_mut();
    meta.managed_fields = None;
    meta.annotations = None;
    pipeline
}
