use super::*;
use crate::api::dashboards::{DatasourceSpec, TracesDatasourceSpec};

fn identity() -> Identity {
    Identity { namespace: "observability".into(), name: "otel".into(), uid: String::new() }
}

fn spec(uid: Option<&str>, url: Option<&str>) -> Option<DatasourceSpec> {
    Some(DatasourceSpec { uid: uid.map(Into::into), url: url.map(Into::into) })
}

fn all() -> Datasources {
    Datasources {
        metrics: spec(Some("prom"), Some("http://prometheus:9090")),
        logs: spec(None, Some("http://loki:3100/${GF_SECURITY_ADMIN_PASSWORD}")),
        traces: Some(TracesDatasourceSpec {
            url: Some("http://jaeger:16686".into()),
            ..Default::default()
        }),
    }
}

/// With the hashed uids written as LOGS and TRACES.
const LINKED: &str = r#"apiVersion: 1
datasources:
- name: observability/otel metrics
  uid: prom
  type: prometheus
  access: proxy
  url: http://prometheus:9090
  editable: false
  jsonData:
    httpMethod: POST
    exemplarTraceIdDestinations:
    - name: trace_id
      datasourceUid: TRACES
- name: observability/otel logs
  uid: LOGS
  type: loki
  access: proxy
  url: http://loki:3100/$${GF_SECURITY_ADMIN_PASSWORD}
  editable: false
  jsonData:
    derivedFields:
    - name: Trace
      matcherType: regex
      matcherRegex: '"traceid":"(\w+)"'
      url: $${__value.raw}
      datasourceUid: TRACES
- name: observability/otel traces
  uid: TRACES
  type: jaeger
  access: proxy
  url: http://jaeger:16686
  editable: false
  jsonData:
    tracesToLogsV2:
      datasourceUid: LOGS
      spanStartTimeShift: -5m
      spanEndTimeShift: 5m
      customQuery: true
      query: '{exporter="OTLP"} |= "$${__span.traceId}"'
    tracesToMetrics:
      datasourceUid: prom
      spanStartTimeShift: -15m
      spanEndTimeShift: 15m
      queries:
      - name: Requests by service
        query: sum by (job) (rate(http_requests_total[5m])) or sum by (job) (rate(http_server_request_duration_seconds_count[5m])) or sum by (job) (rate(http_server_duration_milliseconds_count[5m]))
    nodeGraph:
      enabled: true
"#;

#[test]
fn links_lead_from_each_signal_to_the_others() {
    let owner = hash(b"observability/otel", 16);
    let wanted = LINKED
        .replace("LOGS", &format!("op-logs-{owner}"))
        .replace("TRACES", &format!("op-traces-{owner}"));
    assert_eq!(provisioning(&all(), &identity()).unwrap(), wanted);
}

#[test]
fn only_what_has_an_address_is_defined() {
    let known =
        Datasources { metrics: spec(Some("prom"), None), logs: spec(None, None), traces: None };
    assert_eq!(provisioning(&known, &identity()), None);
    assert_eq!(uid(&known, Datasource::Metrics, &identity()).as_deref(), Some("prom"));
    assert_eq!(uid(&known, Datasource::Logs, &identity()), None);
    assert_eq!(uid(&known, Datasource::Traces, &identity()), None);
}

#[test]
fn a_source_defined_elsewhere_is_linked_by_its_uid() {
    let mut mixed = all();
    mixed.traces = Some(TracesDatasourceSpec {
        uid: Some("tempo".into()),
        url: None,
        kind: Some(TracesKind::Tempo),
    });
    let text = provisioning(&mixed, &identity()).unwrap();
    assert_eq!(text.matches("datasourceUid: tempo").count(), 2);
    assert!(!text.contains("tracesTo"));
    assert_eq!(plugin(Datasource::Traces, Some(&mixed)), "tempo");
}

#[test]
fn uids_fit_grafana() {
    for signal in [Datasource::Metrics, Datasource::Logs, Datasource::Traces] {
        let mut unnamed = all();
        unnamed.metrics = spec(None, Some("http://x"));
        assert!(uid(&unnamed, signal, &identity()).unwrap().len() <= 40);
    }
}
