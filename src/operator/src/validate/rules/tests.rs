use super::*;

fn group(yaml: &str) -> RuleGroup {
    serde_yaml::from_str(yaml).unwrap()
}

/// The two alerts of the document that the project began with, to the letter.
const DOCUMENT: &str = r#"
name: slo-alerts
rules:
- alert: HighErrorRate
  expr: |
    sum(rate(http_requests_total{status=~"5.."}[5m])) 
    / sum(rate(http_requests_total[5m])) > 0.01
  for: 5m
  labels:
    severity: critical
  annotations:
    summary: "High error rate detected"
    
- alert: HighLatency
  expr: |
    histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m])) > 1
  for: 5m
  labels:
    severity: warning
"#;

#[test]
fn the_documents_alerts_pass() {
    assert_eq!(problems(&[group(DOCUMENT)]), Vec::<String>::new());
}

#[test]
fn everything_a_rule_may_have_passes() {
    let all = group(
        r#"
name: all
interval: 1h30m
query_offset: "0"
labels: {team: a}
rules:
- {record: "job:up:sum", expr: sum by (job) (up), labels: {a: "{{ not a template"}}
- {alert: Always, expr: 1, for: 0, keep_firing_for: 10m,
   annotations: {summary: '{{ if $value }}{{ printf "}}" }}{{ else }}{{- /* }} */ -}}{{ end }} on {{ $labels.x | title }} }}'}}
"#
        .replace("for: 0,", "for: \"0\",")
        .as_str(),
    );
    assert_eq!(problems(&[all]), Vec::<String>::new());
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let bad = group(
        r#"
name: bad
interval: 5 minutes
query_offset: ""
labels: {1x: y}
rules:
- {expr: "up\n  > (1))"}
- {record: a, alert: b, expr: " "}
- {record: a-b, expr: up, for: 5m, keep_firing_for: 1x, annotations: {a: b}}
- {alert: "", expr: rate(up), for: "5"}
- {alert: Name, expr: up, labels: {__name__: x, a-b: c}, annotations: {a: 'x {{ $value', b: '{{ end }}', c: '{{ if x }}', d: '{{ {{ a }}'}}
"#,
    );
    let wanted = [
        r#"group "bad": interval: "5 minutes" is not a duration (5m, 1h30m, 0)"#,
        r#"group "bad": query_offset: "" is not a duration (5m, 1h30m, 0)"#,
        r#"group "bad": labels: "1x" is not a label name (letters, digits and _; not __name__)"#,
        r#"group "bad", rule 1: one of record and alert must be set"#,
        r#"group "bad", rule 1: expr at 2:8: unexpected ")""#,
        r#"group "bad", rule 2 "b": only one of record and alert may be set"#,
        r#"group "bad", rule 2 "b": expr is empty"#,
        r#"group "bad", rule 3 "a-b": record: "a-b" is not a metric name (letters, digits, _ and :)"#,
        r#"group "bad", rule 3 "a-b": for is for alerts, not for a recording rule"#,
        r#"group "bad", rule 3 "a-b": keep_firing_for is for alerts, not for a recording rule"#,
        r#"group "bad", rule 3 "a-b": annotations is for alerts, not for a recording rule"#,
        r#"group "bad", rule 3 "a-b": keep_firing_for: "1x" is not a duration (5m, 1h30m, 0)"#,
        r#"group "bad", rule 4 "": alert is empty"#,
        r#"group "bad", rule 4 "": expr at 1:6: function "rate" takes a range vector, not an instant vector (a range such as [5m] is missing)"#,
        r#"group "bad", rule 4 "": for: "5" is not a duration (5m, 1h30m, 0)"#,
        r#"group "bad", rule 5 "Name": labels: "__name__" is not a label name (letters, digits and _; not __name__)"#,
        r#"group "bad", rule 5 "Name": labels: "a-b" is not a label name (letters, digits and _; not __name__)"#,
        r#"group "bad", rule 5 "Name": annotations.a at 1:3: "{{" is never closed"#,
        r#"group "bad", rule 5 "Name": annotations.b at 1:1: "end" closes nothing"#,
        r#"group "bad", rule 5 "Name": annotations.c at 1:1: "if" has no "end""#,
        r#"group "bad", rule 5 "Name": annotations.d at 1:4: unexpected "{" in an action"#,
        r#"group "bad": another group has the same name"#,
    ];
    let again = group("{name: bad, rules: []}");
    assert_eq!(problems(&[bad, again]), wanted);
}

#[test]
fn durations_are_prometheus_own() {
    for good in ["0", "5m", "1h30m", "1y2w3d4h5m6s7ms", "0s", "90s"] {
        assert!(promql::is_setting(good), "{good}");
    }
    for bad in ["", "5", "5 m", "1m1h", "1.5h", "-5m", "5M", "1m1m", "9999999999y", "é"] {
        assert!(!promql::is_setting(bad), "{bad}");
    }
}

#[test]
fn templates_of_any_bytes_end() {
    for text in [
        "{{",
        "}}",
        "{{ \"é }}",
        "é{{é}}é",
        "{{-}}",
        "{{`}}`}}",
        "{{ 'a\\'}}' }}",
        "{{/* a",
        "{{ end",
    ] {
        let _ = template::fault(text);
    }
    assert_eq!(template::fault("é {{ \"é}}\" }} x"), None);
}
