//! Bad input: refused by the API server where the schema can tell, reported as a condition where
//! only we can, and nobody else harmed.

use std::sync::Arc;

use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};

use crate::environment::{Environment, eventually};
use crate::fixtures::{minimal, otel};

type Change = fn(&mut Value);

/// What the API server itself refuses, and a part of what it says.
fn refusals() -> Vec<(&'static str, Change, &'static str)> {
    vec![
        (
            "43 characters",
            |p| p["metadata"]["name"] = json!("a".repeat(43)),
            "at most 42 characters",
        ),
        ("a dot", |p| p["metadata"]["name"] = json!("a.b"), "at most 42 characters of a-z"),
        ("a leading digit", |p| p["metadata"]["name"] = json!("1a"), "begin with a letter"),
        (
            "replicas on a DaemonSet",
            |p| p["spec"]["collector"]["replicas"] = json!(2),
            "replicas is for Deployment",
        ),
        (
            "podLabels that touch the selector",
            |p| p["spec"]["collector"]["podLabels"] = json!({"app.kubernetes.io/instance": "x"}),
            "podLabels cannot set",
        ),
        (
            "two dashboards of one name",
            |p| {
                let dashboard = p["spec"]["dashboards"][0].clone();
                p["spec"]["dashboards"] = json!([dashboard, dashboard]);
            },
            "Duplicate value",
        ),
        (
            "two rule groups of one name",
            |p| {
                let group = p["spec"]["ruleGroups"][0].clone();
                p["spec"]["ruleGroups"] = json!([group, group]);
            },
            "Duplicate value",
        ),
        (
            "a dashboard with both panels and json",
            |p| p["spec"]["dashboards"][0]["json"] = json!("{}"),
            "exactly one of panels, json and jsonFrom",
        ),
        (
            "a rule that records and alerts",
            |p| p["spec"]["ruleGroups"][0]["rules"][0]["record"] = json!("x"),
            "exactly one of record and alert",
        ),
        (
            "a host path",
            |p| {
                p["spec"]["collector"]["volumes"] =
                    json!([{"name": "v", "hostPath": {"path": "/"}}])
            },
            "hostPath",
        ),
        (
            "a mount over the configuration",
            |p| {
                p["spec"]["collector"]["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
                p["spec"]["collector"]["volumeMounts"] =
                    json!([{"name": "v", "mountPath": "/conf/x"}]);
            },
            "mount elsewhere",
        ),
        (
            "a variable that the operator sets",
            |p| p["spec"]["collector"]["env"] = json!([{"name": "POD_IP", "value": "x"}]),
            "are set by the operator",
        ),
        (
            "autoscaling and replicas",
            |p| {
                p["spec"]["collector"]["mode"] = json!("Deployment");
                p["spec"]["collector"]["replicas"] = json!(1);
                p["spec"]["collector"]["autoscaling"] = json!({"maxReplicas": 2});
            },
            "remove replicas",
        ),
        (
            "storage on a Deployment",
            |p| {
                p["spec"]["collector"]["mode"] = json!("Deployment");
                p["spec"]["collector"]["storage"] = json!({"size": "1Gi"});
            },
            "storage is for mode StatefulSet",
        ),
        ("a misspelt field", |p| p["spec"]["dashboard"] = json!([]), "unknown field"),
        (
            "an unknown mode",
            |p| p["spec"]["collector"]["mode"] = json!("Sidecar"),
            "Unsupported value",
        ),
        (
            "a configuration that is text",
            |p| p["spec"]["collector"]["config"] = json!("x"),
            "must be of type object",
        ),
    ]
}

pub(crate) async fn refused_by_the_api_server(env: Arc<Environment>) {
    let namespace = env.namespace("refused").await;
    for (about, change, said) in refusals() {
        let mut pipeline = otel(&namespace, "otel");
        change(&mut pipeline);
        let arguments = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
        match env.kubectl(&arguments, Some(&pipeline.to_string())).await {
            Ok(_) => panic!("{about}: accepted"),
            Err(error) => assert!(error.contains(said), "{about}: {error}"),
        }
    }
}

fn config(pipeline: &mut Value) -> &mut Value {
    &mut pipeline["spec"]["collector"]["config"]
}

/// What only the operator can tell, the condition that says so, and a part of its message.
fn reports() -> Vec<(&'static str, Change, &'static str, &'static str)> {
    const CONFIG: &str = "ConfigValid";
    vec![
        (
            "component",
            |p| config(p)["exporters"]["kafka"] = json!({}),
            CONFIG,
            "exporters.kafka: the exporter \"kafka\" is not built in",
        ),
        (
            "key",
            |p| config(p)["processors"]["batch"]["timeoout"] = json!("1s"),
            CONFIG,
            "processors.batch.timeoout: unknown key; did you mean \"timeout\"?",
        ),
        (
            "undefined",
            |p| {
                config(p)["service"]["pipelines"]["logs"]["processors"] =
                    json!(["batch", "resource"])
            },
            CONFIG,
            "kubectl apply drops empty values",
        ),
        (
            "unused",
            |p| config(p)["exporters"]["debug"] = json!({}),
            CONFIG,
            "exporters.debug: is defined but not used",
        ),
        (
            "no-exporters",
            |p| config(p)["service"]["pipelines"]["logs"]["exporters"] = json!([]),
            CONFIG,
            "service.pipelines.logs.exporters: a pipeline needs at least one exporter",
        ),
        (
            "endpoint",
            |p| config(p)["exporters"]["jaeger"]["endpoint"] = json!("jaeger"),
            CONFIG,
            "exporters.jaeger.endpoint: \"jaeger\" is no host:port",
        ),
        (
            "duration",
            |p| config(p)["processors"]["batch"]["timeout"] = json!("10 seconds"),
            CONFIG,
            "processors.batch.timeout: \"10 seconds\" is no duration",
        ),
        (
            "size",
            |p| config(p)["processors"]["memory_limiter"]["limit_mib"] = json!("1Gi"),
            CONFIG,
            "processors.memory_limiter.limit_mib: \"1Gi\" where an integer is wanted",
        ),
        (
            "admin",
            |p| config(p)["exporters"]["prometheus"]["endpoint"] = json!("0.0.0.0:13134"),
            CONFIG,
            "port 13134 is the admin listener's",
        ),
        (
            "port",
            |p| config(p)["exporters"]["prometheus"]["endpoint"] = json!("0.0.0.0:4317"),
            CONFIG,
            "port 4317 is also that of",
        ),
        (
            "signal",
            |p| config(p)["service"]["pipelines"]["logs"]["exporters"] = json!(["loki", "jaeger"]),
            CONFIG,
            "jaeger carries traces only",
        ),
        (
            "memory",
            |p| p["spec"]["collector"]["resources"] = json!({"limits": {"memory": "500Mi"}}),
            CONFIG,
            "500Mi is below memory_limiter's limit_mib of 1000",
        ),
        (
            "quantity",
            |p| p["spec"]["collector"]["resources"] = json!({"limits": {"cpu": "fast"}}),
            CONFIG,
            "is not a quantity",
        ),
        (
            "mount",
            |p| p["spec"]["collector"]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]),
            CONFIG,
            "there is no such volume",
        ),
        (
            "large",
            |p| {
                let attributes: Vec<Value> = (0..9000)
                    .map(|n| json!({"key": format!("k{n}"), "action": "insert", "value": "x".repeat(90)}))
                    .collect();
                config(p)["processors"]["resource"] = json!({"attributes": attributes});
                config(p)["service"]["pipelines"]["logs"]["processors"] = json!(["resource"]);
            },
            CONFIG,
            "that fit a ConfigMap",
        ),
        (
            "promql",
            |p| p["spec"]["ruleGroups"][0]["rules"][0]["expr"] = json!("sum(rate(x[5m]))\n  / )"),
            "RulesReady",
            "group \"slo-alerts\", rule 1 \"HighErrorRate\": expr at 2:5",
        ),
        (
            "for",
            |p| p["spec"]["ruleGroups"][0]["rules"][0]["for"] = json!("5 minutes"),
            "RulesReady",
            "for",
        ),
        (
            "json",
            |p| p["spec"]["dashboards"] = json!([{"name": "bad", "json": "{\"title\": "}]),
            "DashboardsReady",
            "dashboard \"bad\"",
        ),
    ]
}

/// A spec that was never valid makes nothing; its conditions say everything at once.
pub(crate) async fn reported_as_conditions(env: Arc<Environment>) {
    let namespace = env.namespace("reported").await;
    let _operator = env.operator_for(&namespace).await;
    let mut total = 0;
    for (name, change, condition, said) in reports() {
        let mut pipeline = otel(&namespace, name);
        change(&mut pipeline);
        let text = pipeline.to_string();
        env.kubectl(&["create", "-f", "-"], Some(&text)).await.expect("the schema takes it");
        let found = eventually(&format!("{name}: {condition}"), || async {
            let found = env.condition(&namespace, name, condition).await.ok_or("no condition")?;
            if found["status"] == "False" { Ok(found) } else { Err(found.to_string()) }
        })
        .await;
        let message = found["message"].as_str().unwrap_or_default();
        assert!(message.contains(said), "{name}: {message}");
        total += 1;
    }
    let made = env.kubectl_ok(&["get", "daemonsets", "-n", &namespace, "-o", "name"]).await;
    assert_eq!(made, "", "{total} invalid pipelines make nothing");
}

/// `batch:` with nothing after it, by every way that people send it.
pub(crate) async fn null_bodies(env: Arc<Environment>) {
    let namespace = env.namespace("nulls").await;
    let _operator = env.operator_for(&namespace).await;
    // `batch` and the other bodies as given.
    let text = |name: &str, batch: &str, others: &str| {
        format!(
            "apiVersion: obspipe.dev/v1alpha1\nkind: ObservabilityPipeline\n\
             metadata: {{name: {name}, namespace: {namespace}}}\nspec:\n  collector:\n    config:\n\
             \x20     receivers:\n        otlp:\n          protocols:\n            grpc:{others}\n\
             \x20     processors:\n        batch:{batch}\n      exporters:\n        debug:{others}\n\
             \x20     service:\n        pipelines:\n          traces:\n            receivers: [otlp]\n\
             \x20           processors: [batch]\n            exporters: [debug]\n"
        )
    };
    let apply = ["apply", "-f", "-"];
    let apply_server_side = ["apply", "--server-side", "-f", "-"];
    let ways = [
        ("by-create", ["create", "-f", "-"].as_slice()),
        ("by-apply", apply.as_slice()),
        ("by-server", apply_server_side.as_slice()),
    ];
    for (name, arguments) in ways {
        env.kubectl(arguments, Some(&text(name, "", ""))).await.expect("it is taken");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("p.yaml");
    std::fs::write(file, text("by-kustomize", "", "")).expect("writable");
    let kustomization = "resources: [p.yaml]\ncommonAnnotations: {a: b}\n";
    std::fs::write(directory.path().join("kustomization.yaml"), kustomization).expect("writable");
    env.kubectl_ok(&["apply", "-k", &directory.path().display().to_string()]).await;
    for name in ["by-create", "by-server"] {
        env.wait_condition((&namespace, name), "ConfigValid", ("True", "Valid")).await;
    }
    // kubectl's client-side apply drops what is null before it sends anything: the message of what
    // is missing then says so, and what to write.
    for name in ["by-apply", "by-kustomize"] {
        let place = (namespace.as_str(), name);
        let message = env.wait_condition(place, "ConfigValid", ("False", "InvalidConfig")).await;
        assert!(
            message.contains("write \"batch: {}\": kubectl apply drops empty values"),
            "{message}"
        );
        assert!(message.contains("grpc: {}"), "{message}");
    }
    env.kubectl(&apply, Some(&text("by-apply", " {}", " {}"))).await.expect("applied");
    env.wait_condition((&namespace, "by-apply"), "ConfigValid", ("True", "Valid")).await;
}

/// Values that one YAML reader takes for a string and the next for something else.
pub(crate) async fn ambiguous_scalars(env: Arc<Environment>) {
    let namespace = env.namespace("scalars").await;
    let _operator = env.operator_for(&namespace).await;
    let mut pipeline = minimal(&namespace, "p");
    let values = json!({
        "on": "on", "octal": "0777", "float": "1e3", "time": "12:30", "null": "null", "tilde": "~",
        "date": "2001-01-01", "number": "9007199254740993", "empty": "", "space": " x ",
        "multi": "a\nb", "yes": "Yes", "hex": "0x1F", "dollar": "$$5", "merge": "<<", "equals": "=",
    });
    let actions: Vec<Value> = values
        .as_object()
        .expect("a map")
        .iter()
        .map(|(key, value)| json!({"key": key, "action": "insert", "value": value}))
        .chain([json!({"key": "big", "action": "insert", "value": 9_007_199_254_740_993_i64})])
        .collect();
    let config = &mut pipeline["spec"]["collector"]["config"];
    config["processors"] = json!({"resource": {"attributes": actions}});
    config["service"]["pipelines"]["traces"]["processors"] = json!(["resource"]);
    env.apply(&pipeline).await;
    env.wait_condition((&namespace, "p"), "ConfigValid", ("True", "Valid")).await;
    let written = env.wait_for(Kind::ConfigMap, &namespace, "p-collector-config").await;
    let text = written["data"]["config.yaml"].as_str().expect("text");
    let read: Value = serde_yaml::from_str(text).expect("YAML");
    assert_eq!(read["processors"], pipeline["spec"]["collector"]["config"]["processors"]);
    for quoted in ["\"on\"", "\"0777\"", "\"1e3\"", "\"12:30\"", "\"9007199254740993\"", "\"Yes\""]
    {
        assert!(text.contains(quoted), "{quoted} in {text}");
    }
    assert!(text.contains("value: 9007199254740993\n"), "{text}");
}

pub(crate) async fn a_bad_pipeline_does_not_hold_up_the_others(env: Arc<Environment>) {
    let namespace = env.namespace("neighbours").await;
    // A foreign object makes the first fail for ever.
    env.apply(&json!({
        "apiVersion": "v1", "kind": "ServiceAccount",
        "metadata": {"name": "bad-collector", "namespace": namespace},
    }))
    .await;
    let arguments = ["--namespace", &namespace, "--leader-elect", "false", "--concurrency", "1"];
    let _operator = env.operator(&arguments).await;
    env.apply(&minimal(&namespace, "bad")).await;
    env.wait_condition((&namespace, "bad"), "CollectorAvailable", ("False", "NameConflict")).await;
    for name in ["good-a", "good-b", "good-c"] {
        env.apply(&minimal(&namespace, name)).await;
        env.wait_condition((&namespace, name), "ConfigValid", ("True", "Valid")).await;
        env.wait_for(Kind::DaemonSet, &namespace, &format!("{name}-collector")).await;
    }
}
