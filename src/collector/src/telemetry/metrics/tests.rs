use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::flow::ledger::Balance;
use crate::service::snapshot::{Exporter, Flow, Memory, Receiver};

fn snapshot() -> Snapshot {
    let balance = |sent, dropped: &[(&'static str, u64)]| Balance {
        entered: 10,
        sent,
        dropped: dropped.iter().copied().collect(),
        queued: 2,
        in_flight: 1,
    };
    let flow = |pipeline: &str, balance| Flow {
        pipeline: pipeline.into(),
        exporter: "otlp".into(),
        balance,
    };
    Snapshot {
        version: "1.2.3",
        ready: true,
        uptime_seconds: 1.5,
        memory: Memory { used_bytes: 7, limit_bytes: [1, 2, 3], refused: 0 },
        receivers: vec![Receiver {
            id: "otlp/\"odd\"".into(),
            transport: "grpc",
            accepted: [5, 6, 7],
            refused: [0, 1, 0],
            refused_requests: 2,
            bad_requests: 3,
        }],
        exporters: vec![Exporter {
            id: "otlp".into(),
            failing: true,
            failure: Some("down".into()),
            queue: Some((4, 1000)),
            queue_bytes: 40,
            sent: [0; 3],
            failed: [0; 3],
            retries: 9,
            figures: BTreeMap::from([("series".to_owned(), 12)]),
        }],
        flows: vec![
            flow("traces", balance(4, &[("queue_full", 2), ("retries_exhausted", 1)])),
            flow("traces/second", balance(7, &[])),
            flow("logs", balance(7, &[])),
        ],
    }
}

#[test]
fn names_are_otelcols() {
    let page = page(&snapshot());
    for line in [
        "otelcol_receiver_accepted_spans{receiver=\"otlp/\\\"odd\\\"\",transport=\"grpc\"} 5",
        "otelcol_receiver_refused_metric_points{receiver=\"otlp/\\\"odd\\\"\",transport=\"grpc\"} 1",
        "otelcol_exporter_sent_spans{exporter=\"otlp\"} 11",
        "otelcol_exporter_sent_log_records{exporter=\"otlp\"} 7",
        "otelcol_exporter_send_failed_spans{exporter=\"otlp\"} 1",
        "otelcol_exporter_enqueue_failed_spans{exporter=\"otlp\"} 2",
        "otelcol_exporter_queue_size{exporter=\"otlp\"} 4",
        "otelcol_exporter_queue_capacity{exporter=\"otlp\"} 1000",
        "obspipe_pipeline_items{pipeline=\"traces\",exporter=\"otlp\",state=\"in\"} 10",
        "obspipe_pipeline_dropped{pipeline=\"traces\",exporter=\"otlp\",reason=\"queue_full\"} 2",
        "obspipe_exporter_failing{exporter=\"otlp\"} 1",
        "obspipe_exporter_figures{exporter=\"otlp\",figure=\"series\"} 12",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
}

#[test]
fn a_metric_has_one_type_and_its_samples_behind_it() {
    let page = page(&snapshot());
    let mut seen = BTreeSet::new();
    let mut current = String::new();
    for line in page.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            current = rest.split(' ').next().unwrap().to_owned();
            assert!(seen.insert(current.clone()), "{current} twice");
        } else if !line.starts_with('#') {
            let name = line.split(['{', ' ']).next().unwrap();
            assert_eq!(name, current);
            line.rsplit(' ').next().unwrap().parse::<f64>().unwrap();
        }
    }
    assert!(seen.len() > 20);
}

/// A sample by the grammar of the text format: its name, its labels as written, its value.
fn sample(line: &str) -> (String, String, f64) {
    let pattern = concat!(
        r#"^([a-zA-Z_:][a-zA-Z0-9_:]*)"#,
        r#"(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*\})?"#,
        r#" (-?[0-9.]+(?:e[+-]?[0-9]+)?)$"#
    );
    let found = regex::Regex::new(pattern).unwrap().captures(line);
    let found = found.unwrap_or_else(|| panic!("no sample: {line}"));
    let labels = found.get(2).map_or("", |labels| labels.as_str());
    (found[1].to_owned(), labels.to_owned(), found[3].parse().unwrap())
}

#[test]
fn the_page_is_what_prometheus_reads() {
    let mut snapshot = snapshot();
    let hostile = "a\"b\\c\nd{}=,é";
    snapshot.receivers[0].id = hostile.into();
    snapshot.exporters[0].id = hostile.into();
    snapshot.flows[0].exporter = hostile.into();
    let page = page(&snapshot);
    assert!(page.ends_with('\n'));
    let (mut seen, mut helped, mut typed) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for line in page.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').unwrap();
            assert!(helped.insert(name) && !text.is_empty() && !text.contains('\\'), "{line}");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert!(typed.insert(name) && helped.contains(name), "{line}");
            assert!(["counter", "gauge"].contains(&kind), "{line}");
        } else {
            let (name, labels, value) = sample(line);
            assert!(typed.contains(name.as_str()) && value >= 0.0, "{line}");
            assert!(seen.insert((name, labels)), "{line} twice");
        }
    }
    assert!(page.contains(r#"receiver="a\"b\\c\nd{}=,é""#), "{page}");
}

#[test]
fn an_exporter_s_items_are_added_up_over_pipelines_and_kept_apart_by_signal() {
    let page = page(&snapshot());
    let of = |start: &str| -> Vec<f64> {
        page.lines().filter(|line| line.starts_with(start)).map(|line| sample(line).2).collect()
    };
    assert_eq!(of("otelcol_exporter_sent_spans{"), [11.0]);
    assert_eq!(of("otelcol_exporter_sent_log_records{"), [7.0]);
    assert_eq!(of("otelcol_exporter_sent_metric_points{"), [0.0; 0]);
    // In all: what went in is somewhere.
    let state = |state: &str| -> f64 {
        let label = format!("state=\"{state}\"");
        let lines = page.lines().filter(|line| line.starts_with("obspipe_pipeline_items"));
        lines.filter(|line| line.contains(&label)).map(|line| sample(line).2).sum()
    };
    let dropped: f64 = of("obspipe_pipeline_dropped{").iter().sum();
    assert_eq!(state("in"), state("sent") + state("queued") + state("in_flight") + dropped);
}

#[test]
fn an_exporter_without_a_queue_has_no_size_of_one() {
    let mut snapshot = snapshot();
    snapshot.exporters[0].queue = None;
    let page = page(&snapshot);
    let samples = page.lines().filter(|line| !line.starts_with('#'));
    let names: BTreeSet<String> = samples.map(|line| sample(line).0).collect();
    assert!(!names.contains("otelcol_exporter_queue_size"), "{names:?}");
    assert!(!names.contains("obspipe_exporter_queue_bytes"), "{names:?}");
    assert!(names.contains("obspipe_exporter_retries"));
}

#[test]
fn the_process_uses_some_time() {
    let began = cpu_seconds();
    let mut sum = 0u64;
    while cpu_seconds() <= began {
        sum = sum.wrapping_add((0..100_000u64).fold(0, |a, b| a ^ b.wrapping_mul(31)));
    }
    assert!(cpu_seconds() < 1e6, "{sum}");
}
