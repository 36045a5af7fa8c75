use serde_json::json;

use super::*;

fn order() -> Value {
    let below = |id: &str| json!([{"refType": "CHILD_OF", "traceID": "t", "spanID": id}]);
    json!({
        "traceID": "t",
        "spans": [
            {"spanID": "c", "operationName": "POST", "references": below("b"), "startTime": 3,
             "duration": 5_036, "tags": [], "processID": "p1"},
            {"spanID": "b", "operationName": "process-order", "references": below("a"),
             "startTime": 2, "duration": 7_232, "processID": "p1",
             "tags": [{"key": "order.id", "value": "A-17"}, {"key": "order.total", "value": 166.03}]},
            {"spanID": "a", "operationName": "POST /order", "references": [], "startTime": 1,
             "duration": 8_941, "tags": [], "processID": "p1"},
            {"spanID": "d", "operationName": "POST /payment", "references": below("c"),
             "startTime": 4, "duration": 1_549, "tags": [], "processID": "p2"},
            {"spanID": "e", "operationName": "notify", "references": below("a"), "startTime": 9,
             "duration": 0, "tags": [], "processID": "p1"},
        ],
        "processes": {
            "p1": {"serviceName": "shop", "tags": [{"key": "service.instance.id", "value": "1.7"}]},
            "p2": {"serviceName": "payment", "tags": []},
        },
    })
}

#[test]
fn a_trace_is_shown_as_a_tree() {
    let expected = "\
shop: POST /order  8.9 ms
├─ shop: process-order  7.2 ms  order.id=A-17  order.total=166.03
│  └─ shop: POST  5.0 ms
│     └─ payment: POST /payment  1.5 ms
└─ shop: notify  0.0 ms
";
    assert_eq!(Trace::read(&order()).tree(&["order.id", "order.total"]), expected);
}

#[test]
fn the_span_of_the_document_has_its_attributes_and_its_parent() {
    let trace = Trace::read(&order());
    let span = trace.span("process-order").unwrap();
    assert_eq!(span.tags["order.id"], "A-17");
    assert_eq!(span.process["service.instance.id"], "1.7");
    assert_eq!(trace.parent(span).unwrap().name, "POST /order");
}

#[test]
fn a_trace_is_complete_with_one_root_and_every_parent() {
    let mut trace = Trace::read(&order());
    assert!(trace.is_complete());
    trace.spans.retain(|span| span.id != "c");
    assert!(!trace.is_complete());
    assert!(!Trace { id: String::new(), spans: Vec::new() }.is_complete());
}
