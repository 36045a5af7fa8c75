use super::*;
use crate::api::ObservabilityPipelineSpec;
use crate::names::Identity;
use crate::validate::{External, validate};

fn pod(change: impl FnOnce(&mut Value)) -> Value {
    let mut collector = json!({"config": {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}},
        "exporters": {"debug": {}},
        "service": {"pipelines": {"traces": {"receivers": ["otlp"], "exporters": ["debug"]}}},
    }});
    change(&mut collector);
    let spec = json!({"collector": collector});
    let spec: ObservabilityPipelineSpec = serde_json::from_value(spec).expect("a spec");
    let identity = Identity { namespace: "ns".into(), name: "p".into(), uid: "u".into() };
    let validated = validate(&identity, &spec, &External::new()).validated.expect("valid");
    template(&validated, &Settings::default())["spec"].clone()
}

fn variable_of(pod: &Value, name: &str) -> String {
    let list = pod["containers"][0]["env"].as_array().expect("variables");
    let found = list.iter().find(|variable| variable["name"] == name).expect("set");
    found["value"].as_str().expect("text").to_owned()
}

#[test]
fn a_collector_has_drained_before_the_kubelet_kills_it() {
    let plain = pod(|_| {});
    assert_eq!(plain["terminationGracePeriodSeconds"], 40);
    assert_eq!(variable_of(&plain, "OBSPIPE_LINGER_SECONDS"), "5");
    assert_eq!(variable_of(&plain, "OBSPIPE_DRAIN_SECONDS"), "30");
    let asked = pod(|collector| collector["terminationGracePeriodSeconds"] = json!(120));
    assert_eq!(asked["terminationGracePeriodSeconds"], 120);
    assert_eq!(variable_of(&asked, "OBSPIPE_DRAIN_SECONDS"), "110");
    for grace in 0..100 {
        let (linger, drain) = stopping(grace);
        assert!(linger >= 0 && drain >= 0 && linger + drain <= grace, "{grace}");
        assert!(drain > 0 || grace == 0, "{grace}");
    }
}

#[test]
fn several_replicas_are_spread_and_one_is_not() {
    let keys = |pod: Value| -> Vec<String> {
        let constraints = pod["topologySpreadConstraints"].as_array().cloned();
        let key = |constraint: Value| constraint["topologyKey"].as_str().map(str::to_owned);
        constraints.into_iter().flatten().filter_map(key).collect()
    };
    let both = ["kubernetes.io/hostname", "topology.kubernetes.io/zone"];
    let deployment = |replicas: i32| {
        pod(|collector| {
            collector["mode"] = json!("Deployment");
            collector["replicas"] = json!(replicas);
        })
    };
    assert_eq!(keys(deployment(2)), both);
    assert!(keys(deployment(1)).is_empty());
    assert!(keys(pod(|_| {})).is_empty(), "a DaemonSet is on every node");
    let scaled = pod(|collector| {
        collector["mode"] = json!("Deployment");
        collector["autoscaling"] = json!({"minReplicas": 1, "maxReplicas": 5});
    });
    assert_eq!(keys(scaled), both);
    let own = pod(|collector| {
        collector["mode"] = json!("Deployment");
        collector["replicas"] = json!(3);
        collector["topologySpreadConstraints"] =
            json!([{"maxSkew": 1, "topologyKey": "rack", "whenUnsatisfiable": "DoNotSchedule"}]);
    });
    let selected = &own["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"];
    assert_eq!(selected["app.kubernetes.io/instance"], "p", "it counts the pipeline's pods");
    assert_eq!(keys(own), ["rack"]);
}

#[test]
fn memory_follows_the_limiter_unless_it_is_said() {
    let limit = |limiter: Value| {
        let pod = pod(|collector| {
            collector["config"]["processors"] = json!({"memory_limiter": limiter});
            collector["config"]["service"]["pipelines"]["traces"]["processors"] =
                json!(["memory_limiter"]);
        });
        pod["containers"][0]["resources"]["limits"]["memory"].clone()
    };
    // A quarter more, and 64Mi at the least.
    assert_eq!(limit(json!({"check_interval": "1s", "limit_mib": 1000})), "1250Mi");
    assert_eq!(limit(json!({"check_interval": "1s", "limit_mib": 100})), "164Mi");
    let plain = pod(|_| {});
    assert_eq!(plain["containers"][0]["resources"]["limits"]["memory"], "256Mi");
    assert_eq!(plain["containers"][0]["resources"]["requests"]["memory"], "64Mi");
}
