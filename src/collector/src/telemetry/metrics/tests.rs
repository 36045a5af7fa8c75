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
