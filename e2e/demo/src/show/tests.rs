use serde_json::json;

use super::*;

#[test]
fn the_tree_names_every_child_and_what_is_in_it() {
    let pipeline = json!({"kind": "ObservabilityPipeline", "metadata": {"name": "otel"}});
    let children = [
        json!({"kind": "Service", "metadata": {"name": "c"}, "spec": {"ports": [
            {"name": "otlp-grpc", "port": 4317}, {"name": "otlp-http", "port": 4318},
        ]}}),
        json!({"kind": "ServiceAccount", "metadata": {"name": "c"}}),
        json!({"kind": "PrometheusRule", "metadata": {"name": "r"}, "spec": {"groups": [
            {"rules": [{"alert": "A", "expr": "1"}, {"record": "b", "expr": "1"}]},
        ]}}),
    ];
    assert_eq!(
        tree(&pipeline, &children),
        "  ObservabilityPipeline otel\n  ├─ Service c  (otlp-grpc 4317, otlp-http 4318)\n  \
         ├─ ServiceAccount c\n  └─ PrometheusRule r  (A, b)\n"
    );
}

#[test]
fn conditions_show_the_first_line_of_their_message() {
    let pipeline = json!({"status": {"conditions": [
        {"type": "Ready", "status": "False", "reason": "Unschedulable", "message": "First.\n- more"},
    ]}});
    assert_eq!(conditions(&pipeline), "  Ready               False  Unschedulable    First.\n");
}

#[test]
fn a_panel_of_many_series_shows_what_they_come_to() {
    assert_eq!(figure(&[5.0], "percent").as_deref(), Some("5.00 %"));
    assert_eq!(figure(&[1.0, 2.5], "reqps").as_deref(), Some("3.50 requests/s in 2 series"));
    assert_eq!(figure(&[0.1, 0.4], "s").as_deref(), Some("at most 0.400 s, of 2 series"));
    assert_eq!(figure(&[], "s"), None);
    assert_eq!(figure(&[0.0, 0.0], "reqps"), None);
}
