//! A collector with one exporter and its backend: clients send, and what the backend took is
//! compared with what they were told was taken.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use obspipe_backends::{Answer, Capture, eventually, http};
use serde_json::{Value, json};

use super::backend::Kind;
use crate::collector::{Collector, Flow, PATIENCE};

/// A configuration of pipelines `<signal>/<name>` that lead from one receiver to exporters.
pub(super) fn configuration(
    exporters: &Value,
    processors: &Value,
    pipelines: &[(&str, &[&str])],
) -> String {
    let names: Vec<&String> = processors.as_object().expect("processors").keys().collect();
    let pipelines: BTreeMap<&str, Value> = pipelines
        .iter()
        .map(|(id, to)| {
            let pipeline = json!({"receivers": ["otlp"], "processors": names, "exporters": to});
            (*id, pipeline)
        })
        .collect();
    let protocols = json!({"grpc": {"endpoint": "{grpc}"}, "http": {"endpoint": "{http}"}});
    let configuration = json!({
        "receivers": {"otlp": {"protocols": protocols}},
        "processors": processors,
        "exporters": exporters,
        "service": {"pipelines": pipelines},
    });
    configuration.to_string()
}

/// Tries again at once and never gives up.
pub(super) fn quick() -> Value {
    json!({"initial_interval": "20ms", "max_interval": "200ms", "max_elapsed_time": "0s"})
}

/// One exporter.
pub(super) struct Run {
    pub(super) kind: Kind,
    pub(super) collector: Collector,
    pub(super) capture: Capture,
    /// What clients were told is taken.
    pub(super) acknowledged: Vec<String>,
    /// Items of all phases so far.
    entered: u64,
    before: Option<Flow>,
}

impl Run {
    /// With these settings of the exporter, and without processors.
    pub(super) async fn start(kind: Kind, settings: Value) -> Self {
        Self::start_with(kind, settings, &json!({}), &[]).await
    }

    pub(super) async fn start_with(
        kind: Kind,
        settings: Value,
        processors: &Value,
        arguments: &[&str],
    ) -> Self {
        let capture = kind.capture().await;
        let exporters = json!({kind.id(): kind.exporter(capture.address(), &settings)});
        let to = [kind.id()];
        let text = configuration(&exporters, processors, &[(kind.signal(), &to)]);
        let collector = Collector::start_with(&text, arguments).await;
        Self { kind, collector, capture, acknowledged: Vec::new(), entered: 0, before: None }
    }

    /// The next requests get this answer, so many; what comes then is taken.
    pub(super) fn fail(&self, times: usize, fault: Answer) {
        let (seen, ok) = (AtomicUsize::new(0), self.kind.ok());
        self.capture.answer(move |_| match seen.fetch_add(1, Relaxed) < times {
            true => fault.clone(),
            false => ok.clone(),
        });
    }

    /// The backend takes everything again.
    pub(super) fn heal(&self) {
        let ok = self.kind.ok();
        self.capture.answer(move |_| ok.clone());
    }

    /// A client's request of items called `<name>-<number>`, over HTTP. Returns the answer.
    pub(super) async fn offer(
        &mut self,
        name: &str,
        numbers: std::ops::Range<usize>,
    ) -> http::Response {
        self.offer_body(self.kind.request(name, numbers)).await
    }

    /// A client's request as it is.
    pub(super) async fn offer_body(&mut self, body: Vec<u8>) -> http::Response {
        let path = format!("/v1/{}", self.kind.signal());
        let headers = [("content-type", "application/x-protobuf")];
        let response = http::post(self.collector.http, &path, &headers, body.clone()).await;
        let response = response.expect("an answer");
        if response.status == 200 {
            self.acknowledged.extend(self.kind.offered(&body));
        }
        response
    }

    /// One that has to be taken.
    pub(super) async fn send(&mut self, service: &str, numbers: std::ops::Range<usize>) {
        let response = self.offer(service, numbers).await;
        assert_eq!(response.status, 200, "{response:?}");
    }

    /// Waits until the exporter has noticed that its backend fails.
    pub(super) async fn is_failing(&self) {
        is_failing(&self.collector, self.kind.id()).await;
    }

    /// Waits until everything acknowledged went somewhere. Returns what was counted since the last
    /// time, and forgets what was sent and received.
    pub(super) async fn phase(&mut self, what: &str) -> Phase {
        self.entered += self.acknowledged.len() as u64;
        let flow = self.collector.settled(self.kind.signal(), self.kind.id(), self.entered).await;
        assert_eq!(flow.entered, self.entered, "{what}: what was refused is not counted");
        let before = self.before.replace(flow.clone());
        let since = |field: fn(&Flow) -> u64| field(&flow) - before.as_ref().map_or(0, field);
        let received = self.capture.received();
        let taken = received.iter().filter(|received| self.kind.takes(&received.answer));
        let phase = Phase {
            what: what.to_owned(),
            acknowledged: std::mem::take(&mut self.acknowledged),
            taken: taken.flat_map(|received| self.kind.names(&received.body)).collect(),
            requests: received.len(),
            largest: received.iter().map(|received| received.body.len()).max().unwrap_or(0),
            at: received.iter().map(|received| received.at).collect(),
            sent: since(|flow| flow.sent),
            dropped: since(|flow| flow.dropped),
            reasons: flow.reasons.clone(),
        };
        self.capture.forget();
        phase
    }
}

/// Waits until an exporter has noticed that its backend fails.
pub(super) async fn is_failing(collector: &Collector, exporter: &str) {
    let noticed = eventually("the exporter notices", PATIENCE, async || {
        let status = collector.status().await;
        let exporters = status["exporters"].as_array().expect("exporters");
        let found = exporters.iter().find(|it| it["id"] == exporter).expect("the exporter");
        if found["failing"] == true { Ok(()) } else { Err(found.to_string()) }
    });
    noticed.await.expect("it fails");
}

/// What happened in a while.
#[derive(Debug)]
pub(super) struct Phase {
    what: String,
    pub(super) acknowledged: Vec<String>,
    /// What the backend took.
    pub(super) taken: Vec<String>,
    /// Requests at the backend, whatever it answered, and when they came.
    pub(super) requests: usize,
    /// Bytes of the largest.
    pub(super) largest: usize,
    pub(super) at: Vec<std::time::Instant>,
    pub(super) sent: u64,
    pub(super) dropped: u64,
    /// Of all phases so far.
    pub(super) reasons: Value,
}

impl Phase {
    /// Every acknowledged item came once and is counted as sent.
    pub(super) fn complete(&self) {
        same(&self.what, &self.taken, &self.acknowledged);
        assert_eq!(self.sent, self.acknowledged.len() as u64, "{}", self.what);
        assert_eq!(self.dropped, 0, "{}: {}", self.what, self.reasons);
    }
}

/// Checks that two collections of names are the same, each name as often.
pub(super) fn same(what: &str, taken: &[String], acknowledged: &[String]) {
    let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
    for name in taken {
        *counts.entry(name).or_default() += 1;
    }
    for name in acknowledged {
        *counts.entry(name).or_default() -= 1;
    }
    counts.retain(|_, count| *count != 0);
    let first: Vec<_> = counts.iter().take(10).collect();
    assert!(
        counts.is_empty(),
        "{what}: {} differ, too often (+) or missing (-): {first:?}",
        counts.len()
    );
}

/// At least as long as the backend asked.
pub(super) const ASKED: Duration = Duration::from_secs(1);
