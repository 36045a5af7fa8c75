use serde_json::json;

use super::*;

fn spec(collector: serde_json::Value) -> ObservabilityPipelineSpec {
    serde_json::from_value(json!({"collector": collector})).unwrap()
}

fn with_processors(processors: serde_json::Value, names: serde_json::Value) -> serde_json::Value {
    json!({"config": {
        "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "0.0.0.0:4317"}}}},
        "processors": processors,
        "exporters": {"debug": {}},
        "service": {"pipelines": {"traces": {
            "receivers": ["otlp"], "processors": names, "exporters": ["debug"],
        }}},
    }})
}

fn check(name: &str, spec: &ObservabilityPipelineSpec) -> Verdict {
    let identity = Identity { namespace: "ns".into(), name: name.into(), uid: String::new() };
    validate(&identity, spec, &External::new())
}

#[test]
fn the_memory_limit_follows_memory_limiter() {
    for (limit_mib, expected) in [(100, 164), (256, 320), (1000, 1250)] {
        let limiter = json!({"memory_limiter": {"check_interval": "1s", "limit_mib": limit_mib}});
        let verdict = check("p", &spec(with_processors(limiter, json!(["memory_limiter"]))));
        let validated = verdict.validated.expect("valid");
        assert_eq!(validated.default_memory_limit_mib(), expected, "{limit_mib}");
    }
    let without = check("p", &spec(with_processors(json!({}), json!([]))));
    assert_eq!(without.validated.expect("valid").default_memory_limit_mib(), 256);
}

/// How much that is nobody knows here: it follows the node's memory, or the container's own limit.
#[test]
fn a_share_of_the_memory_leaves_the_default() {
    let limiter = json!({"memory_limiter": {"check_interval": "1s", "limit_percentage": 80}});
    let verdict = check("p", &spec(with_processors(limiter, json!(["memory_limiter"]))));
    assert_eq!(verdict.validated.expect("valid").default_memory_limit_mib(), 256);
}

#[test]
fn a_container_smaller_than_memory_limiter_is_refused_with_both_numbers() {
    let limiter = json!({"memory_limiter": {"check_interval": "1s", "limit_mib": 1000}});
    let with = |limit: &str| {
        let mut collector = with_processors(limiter.clone(), json!(["memory_limiter"]));
        collector["resources"] = json!({"limits": {"memory": limit}});
        check("p", &spec(collector)).config
    };
    assert_eq!(with("1000Mi"), Vec::<String>::new());
    let problems = with("999Mi");
    assert!(problems.len() == 1 && problems[0].contains("999Mi") && problems[0].contains("1000"));
}

#[test]
fn a_secret_is_not_known_here_and_a_plain_value_is() {
    let mut collector = with_processors(json!({}), json!([]));
    collector["config"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"] =
        json!("0.0.0.0:${env:PORT}");
    collector["env"] = json!([{"name": "PORT", "value": "4444"}]);
    let known = check("p", &spec(collector.clone())).validated.expect("valid");
    assert_eq!(known.ports().iter().map(|port| port.number).collect::<Vec<_>>(), [4444]);
    collector["env"] =
        json!([{"name": "PORT", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}]);
    let verdict = check("p", &spec(collector.clone()));
    assert!(verdict.warnings.iter().any(|w| w.contains("deferred")), "{:?}", verdict.warnings);
    assert!(verdict.validated.expect("valid").ports().is_empty(), "no port is invented");
    collector["env"] = json!([{"name": "PORT", "value": "$(OTHER)"}]);
    assert!(check("p", &spec(collector)).validated.expect("valid").ports().is_empty());
}

#[test]
fn a_request_above_its_limit_is_refused() {
    let mut collector = with_processors(json!({}), json!([]));
    collector["resources"] = json!({"limits": {"cpu": "500m"}, "requests": {"cpu": 1}});
    let verdict = check("p", &spec(collector));
    assert_eq!(verdict.config, ["collector.resources.requests.cpu: more than its limit"]);
}
