use super::*;
use crate::api::dashboards::{Dashboard, DatasourceSpec, TracesDatasourceSpec, TracesKind};

fn identity() -> Identity {
    Identity { namespace: "observability".into(), name: "otel".into(), uid: "u".into() }
}

fn validated(yaml: &str) -> ValidatedDashboard {
    let spec: Dashboard = serde_yaml::from_str(yaml).unwrap();
    let (mut valid, problems) = crate::validate::dashboards::check(&[spec], &Default::default());
    assert_eq!(problems, Vec::<String>::new());
    valid.remove(0)
}

fn rendered(yaml: &str, datasources: Option<&Datasources>) -> Value {
    model(&validated(yaml), &identity(), datasources).unwrap()
}

const DOCUMENT: &str = r#"
name: service-overview
title: Service Overview
panels:
- {title: Request Rate, type: graph, expr: "rate(http_requests_total[5m])", unit: reqps}
- {title: Error Rate, type: stat, targets: [{expr: "sum(rate(http_requests_total{status=~\"5..\"}[5m])) / sum(rate(http_requests_total[5m])) * 100"}]}
- {title: P99 Latency, type: gauge, targets: [{expr: "histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m]))"}]}
"#;

#[test]
fn the_documents_panels_are_drawn() {
    let model = rendered(DOCUMENT, None);
    let frame = [
        ("uid", json!(format!("op-{}", hash(b"observability/otel/service-overview", 32)))),
        ("title", json!("Service Overview")),
        ("tags", json!(["obspipe"])),
        ("refresh", json!("30s")),
        ("schemaVersion", json!(39)),
        ("time", json!({ "from": "now-1h", "to": "now" })),
        ("graphTooltip", json!(1)),
    ];
    for (key, wanted) in frame {
        assert_eq!(model[key], wanted, "{key}");
    }
    assert!(
        model.get("id").is_none()
            && model.get("version").is_none()
            && model.get("__inputs").is_none()
    );
    assert!(model["uid"].as_str().unwrap().len() <= 40);
    let kinds: Vec<&Value> =
        model["panels"].as_array().unwrap().iter().map(|p| &p["type"]).collect();
    assert_eq!(kinds, ["timeseries", "stat", "gauge"]);
    let target = &model["panels"][0]["targets"][0];
    assert_eq!(target["expr"], "rate(http_requests_total[5m])");
    assert_eq!(target["exemplar"], true);
    assert_eq!(target["datasource"], json!({ "type": "prometheus", "uid": "${metrics}" }));
    assert_eq!(model["panels"][0]["fieldConfig"]["defaults"]["unit"], "reqps");
    let green = json!({ "mode": "absolute", "steps": [{ "color": "green", "value": null }] });
    for single in [&model["panels"][1], &model["panels"][2]] {
        assert_eq!(single["options"]["reduceOptions"]["calcs"], json!(["lastNotNull"]));
        assert_eq!(single["fieldConfig"]["defaults"]["thresholds"], green);
    }
    let variables = model["templating"]["list"].as_array().unwrap();
    assert_eq!(variables.len(), 1);
    assert_eq!(
        (&variables[0]["name"], &variables[0]["query"]),
        (&json!("metrics"), &json!("prometheus"))
    );
    assert_eq!(variables[0]["current"], json!({}));
}

#[test]
fn panels_wrap_below_the_highest_of_their_row() {
    let panel = |width: u8, height: u8| {
        format!("{{title: x, type: stat, expr: up, width: {width}, height: {height}}}")
    };
    let sizes = [(12, 8), (6, 4), (6, 10), (1, 2), (24, 3), (24, 3)];
    let list = sizes.map(|(w, h)| panel(w, h)).join(", ");
    let model = rendered(&format!("{{name: d, panels: [{list}]}}"), None);
    let places: Vec<Value> = model["panels"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| json!([p["id"], p["gridPos"]["x"], p["gridPos"]["y"]]))
        .collect();
    let wanted = json!([[1, 0, 0], [2, 12, 0], [3, 18, 0], [4, 0, 10], [5, 0, 12], [6, 0, 15]]);
    assert_eq!(json!(places), wanted);
}

#[test]
fn a_variable_stands_for_each_signal_in_use() {
    let yaml = "{name: d, panels: [{title: t, type: table, datasource: traces, expr: a}, {title: l, type: logs, expr: b}, {title: m, type: stat, expr: up}]}";
    let model = rendered(yaml, None);
    let names: Vec<&Value> =
        model["templating"]["list"].as_array().unwrap().iter().map(|v| &v["name"]).collect();
    assert_eq!(names, ["metrics", "logs", "traces"]);
}

const EVERY_TYPE: &str = r#"
name: d
tags: [a]
refresh: 1m
panels:
- {title: t, type: table, expr: up}
- {title: h, type: heatmap, expr: 'sum by (le) (rate(x_bucket[5m]))', unit: s}
- {title: l, type: logs, expr: '{job="a"}'}
- {title: j, type: table, datasource: traces, expr: orders}
- {title: k, type: table, datasource: traces, expr: 4bf92f3577b34da6a3ce929d0e0e4736}
- {title: n, type: bargauge, targets: [{expr: a, legend: "{{x}}"}, {expr: b}], decimals: 2, thresholds: [{color: blue}, {value: 5, color: red}]}
- {title: u, type: timeseries, expr: a, thresholds: [{value: 5, color: red}]}
"#;

#[test]
fn each_type_gets_its_query_and_options() {
    let model = rendered(EVERY_TYPE, None);
    let defaults = "fieldConfig/defaults";
    let cases = [
        ("panels/0/targets/0/instant".to_owned(), json!(true)),
        ("panels/0/targets/0/format".to_owned(), json!("table")),
        ("panels/1/targets/0/format".to_owned(), json!("heatmap")),
        ("panels/1/options/yAxis/unit".to_owned(), json!("s")),
        ("panels/2/datasource".to_owned(), json!({ "type": "loki", "uid": "${logs}" })),
        ("panels/2/options/sortOrder".to_owned(), json!("Descending")),
        ("panels/3/targets/0/service".to_owned(), json!("orders")),
        ("panels/3/targets/0/queryType".to_owned(), json!("search")),
        ("panels/4/targets/0/query".to_owned(), json!("4bf92f3577b34da6a3ce929d0e0e4736")),
        ("panels/5/targets/1/refId".to_owned(), json!("B")),
        ("panels/5/targets/0/legendFormat".to_owned(), json!("{{x}}")),
        ("panels/5/targets/1/legendFormat".to_owned(), json!("__auto")),
        (format!("panels/5/{defaults}/decimals"), json!(2)),
        (format!("panels/5/{defaults}/thresholds/steps/0/color"), json!("blue")),
        (format!("panels/6/{defaults}/thresholds/steps/0/color"), json!("green")),
        (
            format!("panels/6/{defaults}/thresholds/steps/1"),
            json!({ "color": "red", "value": 5.0 }),
        ),
        (format!("panels/6/{defaults}/custom/thresholdsStyle/mode"), json!("line")),
        ("tags".to_owned(), json!(["a", "obspipe"])),
        ("refresh".to_owned(), json!("1m")),
    ];
    for (place, wanted) in cases {
        assert_eq!(model.pointer(&format!("/{place}")), Some(&wanted), "{place}");
    }
}

#[test]
fn variables_start_with_the_data_sources_of_the_spec() {
    let datasources = Datasources {
        metrics: Some(DatasourceSpec { uid: Some("prom".into()), url: None }),
        logs: Some(DatasourceSpec { uid: None, url: Some("http://loki".into()) }),
        traces: Some(TracesDatasourceSpec { kind: Some(TracesKind::Tempo), ..Default::default() }),
    };
    let yaml = "{name: d, panels: [{title: a, type: stat, expr: up}, {title: b, type: logs, expr: x}, {title: c, type: table, datasource: traces, expr: '{}'}]}";
    let model = rendered(yaml, Some(&datasources));
    let list = &model["templating"]["list"];
    assert_eq!(list[0]["current"], json!({ "selected": true, "text": "prom", "value": "prom" }));
    let logs = uid(&datasources, Datasource::Logs, &identity()).unwrap();
    assert_eq!(
        list[1]["current"],
        json!({ "selected": true, "text": "observability/otel logs", "value": logs })
    );
    assert_eq!((&list[2]["query"], &list[2]["current"]), (&json!("tempo"), &json!({})));
    assert_eq!(model["panels"][2]["targets"][0]["queryType"], "traceql");
}

#[test]
fn json_is_kept_but_for_what_identifies_it() {
    let yaml = r#"{name: d, json: '{"id": 7, "uid": "x", "version": 3, "title": "T", "panels": [{"type": "graph", "id": 9}]}'}"#;
    let wanted = json!({
        "uid": format!("op-{}", hash(b"observability/otel/d", 32)),
        "title": "T",
        "panels": [{ "type": "graph", "id": 9 }],
    });
    assert_eq!(rendered(yaml, None), wanted);
    let renamed = yaml.replace("name: d,", "name: d, title: Mine, tags: [a],");
    assert_eq!(rendered(&renamed, None)["title"], "Mine");
    assert_eq!(rendered(&renamed, None)["tags"], json!(["a"]));
}

#[test]
fn what_cannot_be_read_is_not_rendered() {
    let spec = "{name: d, jsonFrom: {configMapKeyRef: {name: a, key: b}}}";
    assert_eq!(model(&validated(spec), &identity(), None), None);
}

#[test]
fn keys_differ_where_names_join_alike() {
    let key = data_key(&identity(), "d");
    assert_eq!(key, format!("observability-otel-d-{}.json", hash(b"observability/otel/d", 8)));
    let other = |namespace: &str, name: &str| Identity {
        namespace: namespace.into(),
        name: name.into(),
        uid: String::new(),
    };
    assert_ne!(data_key(&other("a-b", "c"), "d"), data_key(&other("a", "b-c"), "d"));
    let longest = data_key(&other(&"n".repeat(200), &"p".repeat(200)), "é");
    assert!(longest.len() <= 253 && longest.is_ascii());
}
