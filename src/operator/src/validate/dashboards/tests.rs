use super::*;

fn dashboard(yaml: &str) -> Dashboard {
    serde_yaml::from_str(yaml).unwrap()
}

fn problems_of(yaml: &str) -> Vec<String> {
    check(&[dashboard(yaml)], &External::new()).1
}

/// The three panels of the document that the project began with.
const DOCUMENT: &str = r#"
name: service-overview
title: Service Overview
panels:
- {title: Request Rate, type: graph, expr: "rate(http_requests_total[5m])"}
- {title: Error Rate, type: stat, targets: [{expr: "sum(rate(http_requests_total{status=~\"5..\"}[5m])) / sum(rate(http_requests_total[5m])) * 100"}]}
- {title: P99 Latency, type: gauge, targets: [{expr: "histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m]))"}]}
"#;

#[test]
fn the_documents_dashboard_passes() {
    let (valid, problems) = check(&[dashboard(DOCUMENT)], &External::new());
    assert_eq!(problems, Vec::<String>::new());
    assert!(
        matches!(&valid[..], [ValidatedDashboard { content: Content::Panels(panels), .. }] if panels.len() == 3)
    );
}

/// A dashboard, and the problems that it has.
const CASES: &[(&str, &[&str])] = &[
    ("{name: d}", &[r#"dashboard "d": one of panels, json and jsonFrom must be set"#]),
    (
        "{name: d, panels: [], json: '{}'}",
        &[r#"dashboard "d": only one of panels, json and jsonFrom may be set"#],
    ),
    ("{name: d, panels: []}", &[r#"dashboard "d": panels is empty"#]),
    (
        "{name: d, panels: [{title: A, type: stat}, {title: B, type: stat, expr: up, targets: [{expr: 'rate(up)'}]}]}",
        &[
            r#"dashboard "d", panel 1 "A": one of expr and targets must be set"#,
            r#"dashboard "d", panel 2 "B": only one of expr and targets may be set"#,
            r#"dashboard "d", panel 2 "B": target 1 at 1:6: function "rate" takes a range vector, not an instant vector (a range such as [5m] is missing)"#,
        ],
    ),
    (
        "{name: d, panels: [{title: A, type: stat, expr: 'sum(rate(x[$__rate_interval])', min: 2, max: 2, thresholds: [{color: a}, {value: 5, color: b}, {color: c}, {value: 5, color: d}]}]}",
        &[
            r#"dashboard "d", panel 1 "A": expr at 1:4: "(" is never closed"#,
            r#"dashboard "d", panel 1 "A": thresholds: more than one base colour (a step without value)"#,
            r#"dashboard "d", panel 1 "A": thresholds: 5 comes after 5; they must ascend"#,
            r#"dashboard "d", panel 1 "A": min 2 is not below max 2"#,
        ],
    ),
    ("{name: d, panels: [{title: L, type: logs, expr: '{app=\"x\"} |= `y`'}]}", &[]),
    (
        "{name: d, panels: [{title: L, type: logs, expr: ' '}]}",
        &[r#"dashboard "d", panel 1 "L": expr is empty"#],
    ),
    (
        "{name: d, json: \"{\\n  'title'}\"}",
        &[r#"dashboard "d": json at 2:3: key must be a string"#],
    ),
    ("{name: d, json: '[]'}", &[r#"dashboard "d": json: a dashboard is a JSON object"#]),
    (
        "{name: d, json: '{}'}",
        &[r#"dashboard "d": json: neither title nor panels: this is not a dashboard"#],
    ),
    (
        r#"{name: d, json: '{"title": 1, "panels": {}}'}"#,
        &[
            r#"dashboard "d": json: title must be a string"#,
            r#"dashboard "d": json: panels must be a list"#,
        ],
    ),
    (
        r#"{name: d, json: '{"title": "x", "__inputs": [{"name": "DS_PROM"}]}'}"#,
        &[
            r#"dashboard "d": json: __inputs: "DS_PROM" would stay unset, since a provisioned dashboard is never asked; export it without "Export for sharing externally""#,
        ],
    ),
    (
        r#"{name: d, json: '{"apiVersion": "dashboard.grafana.app/v1", "spec": {}}'}"#,
        &[
            r#"dashboard "d": json: this is a Kubernetes resource of Grafana; give the dashboard's classic JSON model"#,
        ],
    ),
];

fn expect(yaml: &str, wanted: &[&str]) {
    assert_eq!(problems_of(yaml), wanted, "{}", &yaml[..yaml.len().min(200)]);
}

#[test]
fn each_problem_names_its_place() {
    for (yaml, wanted) in CASES {
        expect(yaml, wanted);
    }
}

#[test]
fn hostile_json_ends_in_a_message() {
    let deep = format!("{{name: d, json: '{{\"title\":{}'}}", "[".repeat(5_000));
    let big = format!("{{name: d, json: '{{\"title\":\"{}\"}}'}}", "x".repeat(MAX + 1));
    expect(&deep, &[r#"dashboard "d": json at 1:136: recursion limit exceeded"#]);
    expect(&big, &[r#"dashboard "d": json: 204813 bytes are more than 204800"#]);
}

const MAX: usize = 200 * 1024;

#[test]
fn the_api_s_wrapper_is_taken_off() {
    let wrapped = dashboard(r#"{name: d, json: '{"dashboard": {"title": "T"}, "meta": {}}'}"#);
    let (valid, problems) = check(&[wrapped], &External::new());
    assert_eq!(problems, Vec::<String>::new());
    assert!(matches!(&valid[0].content, Content::Json(model) if model["title"] == "T"));
}

#[test]
fn json_from_is_read_or_left_alone() {
    let spec = dashboard("{name: d, jsonFrom: {configMapKeyRef: {name: cm, key: k}}}");
    let key = ("cm".to_owned(), "k".to_owned());
    let read = |entry: Option<Option<&str>>| {
        let external =
            entry.map(|text| (key.clone(), text.map(str::to_owned))).into_iter().collect();
        let (mut valid, problems) = check(std::slice::from_ref(&spec), &external);
        (valid.remove(0).content, problems)
    };
    assert_eq!(read(None), (Content::Unavailable, vec![]));
    let missing =
        r#"dashboard "d": jsonFrom: ConfigMap "cm", key "k": there is no such ConfigMap or key"#;
    assert_eq!(read(Some(None)), (Content::Unavailable, vec![missing.to_owned()]));
    let broken =
        r#"dashboard "d": jsonFrom: ConfigMap "cm", key "k" at 1:2: EOF while parsing an object"#;
    assert_eq!(read(Some(Some("{"))).1, [broken.replace("1:2", "1:1")]);
    assert!(
        matches!(read(Some(Some("{\"title\": \"x\"}"))), (Content::Json(_), problems) if problems.is_empty())
    );
}

#[test]
fn a_name_is_given_once() {
    let twice = [dashboard(DOCUMENT), dashboard(DOCUMENT)];
    let (valid, problems) = check(&twice, &External::new());
    assert_eq!(valid.len(), 1);
    assert_eq!(problems, [r#"dashboard "service-overview": another dashboard has the same name"#]);
}
