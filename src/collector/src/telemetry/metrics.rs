//! The collector's own metrics as a page for Prometheus, by otelcol's names (service/telemetry,
//! receiverhelper, exporterhelper, processorhelper) and, where otelcol has none, by ours. Pure: a
//! snapshot in, text out.

use std::fmt::Write as _;

use crate::service::memory;
use crate::service::snapshot::Snapshot;

/// Content type of the page.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What items are called in names, by signal.
const ITEMS: [&str; 3] = ["spans", "metric_points", "log_records"];
const SIGNALS: [&str; 3] = ["traces", "metrics", "logs"];

/// A page in the making.
struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str) -> Samples<'_> {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Samples { out: &mut self.0, name: name.to_owned() }
    }
}

struct Samples<'a> {
    out: &'a mut String,
    name: String,
}

impl Samples<'_> {
    fn put(&mut self, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        self.out.push_str(&self.name);
        if !labels.is_empty() {
            self.out.push('{');
            for (index, (name, value)) in labels.iter().enumerate() {
                let comma = if index > 0 { "," } else { "" };
                let _ = write!(self.out, "{comma}{name}=\"{}\"", escaped(value));
            }
            self.out.push('}');
        }
        let _ = writeln!(self.out, " {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The page.
#[must_use]
pub fn page(snapshot: &Snapshot) -> String {
    let mut page = Page(String::with_capacity(8192));
    process(&mut page, snapshot);
    receivers(&mut page, snapshot);
    exporters(&mut page, snapshot);
    flows(&mut page, snapshot);
    page.0
}

fn process(page: &mut Page, snapshot: &Snapshot) {
    page.metric("otelcol_process_uptime", "counter", "Seconds since the collector started")
        .put(&[], snapshot.uptime_seconds);
    page.metric("otelcol_process_memory_rss", "gauge", "Bytes of memory in use")
        .put(&[], memory::resident());
    page.metric("otelcol_process_cpu_seconds", "counter", "Seconds of CPU used")
        .put(&[], cpu_seconds());
    page.metric("obspipe_build_info", "gauge", "1, with the version")
        .put(&[("version", snapshot.version)], 1);
    let account = &snapshot.memory;
    page.metric("obspipe_memory_used_bytes", "gauge", "Bytes of telemetry held")
        .put(&[], account.used_bytes);
    let mut limits = page.metric("obspipe_memory_limit_bytes", "gauge", "Most bytes of telemetry");
    for (signal, limit) in SIGNALS.iter().zip(account.limit_bytes) {
        limits.put(&[("signal", signal)], limit);
    }
}

fn receivers(page: &mut Page, snapshot: &Snapshot) {
    for (index, items) in ITEMS.iter().enumerate() {
        let name = format!("otelcol_receiver_accepted_{items}");
        let mut samples = page.metric(&name, "counter", "Items taken");
        for receiver in &snapshot.receivers {
            let labels = [("receiver", receiver.id.as_str()), ("transport", receiver.transport)];
            samples.put(&labels, receiver.accepted[index]);
        }
        let name = format!("otelcol_receiver_refused_{items}");
        let mut samples = page.metric(&name, "counter", "Items refused for want of room");
        for receiver in &snapshot.receivers {
            let labels = [("receiver", receiver.id.as_str()), ("transport", receiver.transport)];
            samples.put(&labels, receiver.refused[index]);
        }
    }
    let mut requests = page.metric(
        "obspipe_receiver_refused_requests",
        "counter",
        "Requests refused for want of room, or because they were no good",
    );
    for receiver in &snapshot.receivers {
        let labels = [("receiver", receiver.id.as_str()), ("transport", receiver.transport)];
        let with = |reason| [labels[0], labels[1], ("reason", reason)];
        requests.put(&with("no_room"), receiver.refused_requests);
        requests.put(&with("bad_request"), receiver.bad_requests);
    }
}

fn exporters(page: &mut Page, snapshot: &Snapshot) {
    for (index, items) in ITEMS.iter().enumerate() {
        let name = format!("otelcol_exporter_sent_{items}");
        let mut samples = page.metric(&name, "counter", "Items delivered");
        for (exporter, sent) in totals(snapshot, index, |balance| balance.sent) {
            samples.put(&[("exporter", exporter)], sent);
        }
        let name = format!("otelcol_exporter_send_failed_{items}");
        let mut samples = page.metric(&name, "counter", "Items given up");
        let failed = |balance: &crate::flow::ledger::Balance| {
            balance
                .dropped
                .iter()
                .filter(|(reason, _)| **reason != "queue_full")
                .map(|(_, n)| n)
                .sum()
        };
        for (exporter, failed) in totals(snapshot, index, failed) {
            samples.put(&[("exporter", exporter)], failed);
        }
        let name = format!("otelcol_exporter_enqueue_failed_{items}");
        let mut samples = page.metric(&name, "counter", "Items that found the queue full");
        let full = |balance: &crate::flow::ledger::Balance| {
            balance.dropped.get("queue_full").copied().unwrap_or(0)
        };
        for (exporter, failed) in totals(snapshot, index, full) {
            samples.put(&[("exporter", exporter)], failed);
        }
    }
    let queues = || snapshot.exporters.iter().filter_map(|e| Some((e.id.as_str(), e.queue?)));
    let mut size = page.metric("otelcol_exporter_queue_size", "gauge", "What waits, as configured");
    queues().for_each(|(id, (waiting, _))| size.put(&[("exporter", id)], waiting));
    let mut most = page.metric("otelcol_exporter_queue_capacity", "gauge", "What may wait");
    queues().for_each(|(id, (_, capacity))| most.put(&[("exporter", id)], capacity));
    let mut bytes = page.metric("obspipe_exporter_queue_bytes", "gauge", "Bytes that wait");
    for exporter in snapshot.exporters.iter().filter(|exporter| exporter.queue.is_some()) {
        bytes.put(&[("exporter", &exporter.id)], exporter.queue_bytes);
    }
    let mut retries = page.metric("obspipe_exporter_retries", "counter", "Requests sent again");
    for exporter in &snapshot.exporters {
        retries.put(&[("exporter", &exporter.id)], exporter.retries);
    }
    let help = "What an exporter counts besides";
    let mut figures = page.metric("obspipe_exporter_figures", "gauge", help);
    for exporter in &snapshot.exporters {
        for (figure, value) in &exporter.figures {
            figures.put(&[("exporter", &exporter.id), ("figure", figure)], value);
        }
    }
    let mut failing =
        page.metric("obspipe_exporter_failing", "gauge", "1 while the backend takes nothing");
    for exporter in &snapshot.exporters {
        failing.put(&[("exporter", &exporter.id)], u8::from(exporter.failing));
    }
}

/// An exporter's number over all pipelines of a signal.
fn totals(
    snapshot: &Snapshot,
    signal: usize,
    of: impl Fn(&crate::flow::ledger::Balance) -> u64,
) -> std::collections::BTreeMap<&str, u64> {
    let mut totals = std::collections::BTreeMap::new();
    for flow in &snapshot.flows {
        let kind = flow.pipeline.split('/').next().unwrap_or_default();
        if kind == SIGNALS[signal] {
            *totals.entry(flow.exporter.as_str()).or_insert(0) += of(&flow.balance);
        }
    }
    totals
}

fn flows(page: &mut Page, snapshot: &Snapshot) {
    let mut items = page.metric(
        "obspipe_pipeline_items",
        "gauge",
        "What became of every item: in = sent + dropped + queued + in_flight",
    );
    for flow in &snapshot.flows {
        let balance = &flow.balance;
        let states = [
            ("in", balance.entered),
            ("sent", balance.sent),
            ("queued", balance.queued),
            ("in_flight", balance.in_flight),
        ];
        let place = [("pipeline", flow.pipeline.as_str()), ("exporter", flow.exporter.as_str())];
        for (state, value) in states {
            items.put(&[place[0], place[1], ("state", state)], value);
        }
    }
    let mut dropped = page.metric("obspipe_pipeline_dropped", "counter", "Items not delivered");
    for flow in &snapshot.flows {
        let place = [("pipeline", flow.pipeline.as_str()), ("exporter", flow.exporter.as_str())];
        for (reason, value) in &flow.balance.dropped {
            dropped.put(&[place[0], place[1], ("reason", reason)], value);
        }
    }
}

/// Seconds of CPU that the process used: user and system, in ticks of a hundredth of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold anything.
    let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks: f64 = after
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum();
    ticks / 100.0
}

#[cfg(test)]
mod tests;
