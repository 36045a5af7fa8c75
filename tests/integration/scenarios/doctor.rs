//! `obspipe-operator doctor` on a control plane of its own: what it says of the chart's rights, and
//! of each thing that is taken away.

use std::process::Command;

use serde_json::{Value, json};

use crate::environment::{Environment, SYSTEM, eventually, operator_binary, root};

const CRD: &str = "observabilitypipelines.obspipe.dev";

/// What the doctor finds, and its exit code.
fn doctor(kubeconfig: &std::path::Path, further: &[&str]) -> (Value, Option<i32>) {
    let output = Command::new(operator_binary())
        .args(["doctor", "--output", "json", "--lease-namespace", SYSTEM])
        .args(further)
        .arg("--kubeconfig")
        .arg(kubeconfig)
        .output()
        .expect("the doctor runs");
    let report = serde_json::from_slice(&output.stdout);
    let report = report
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (report, output.status.code())
}

/// The findings with a verdict, as `check: found`.
fn with_verdict(report: &Value, verdict: &str) -> Vec<String> {
    let checks = report["checks"].as_array().expect("checks");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    checks
        .iter()
        .filter(|check| check["verdict"] == verdict)
        .map(|check| format!("{}: {}", text(&check["check"]), text(&check["found"])))
        .collect()
}

fn remedy(report: &Value, check: &str) -> String {
    let checks = report["checks"].as_array().expect("checks");
    let found = checks.iter().find(|found| found["check"] == check).expect("the check");
    found["remedy"].as_str().unwrap_or_default().to_owned()
}

/// Examines until exactly these are wrong: authorizers and what is published lag behind writes.
async fn wrong(env: &Environment, further: &[&str], wanted: &[&str]) -> Value {
    eventually(&format!("{wanted:?}"), || async {
        let (report, code) = doctor(env.operator_kubeconfig(), further);
        let failed = with_verdict(&report, "failed");
        let same = failed.len() == wanted.len()
            && failed.iter().zip(wanted).all(|(found, wanted)| found.starts_with(wanted));
        assert_eq!(code, Some(i32::from(!failed.is_empty())), "{report:#}");
        assert_eq!(report["good"], failed.is_empty(), "{report:#}");
        if same { Ok(report) } else { Err(format!("{failed:#?}")) }
    })
    .await
}

pub(crate) async fn says_what_is_missing() {
    let env = Environment::start(false).await;
    let report = wrong(&env, &[], &[]).await;
    assert_eq!(with_verdict(&report, "ok").len(), 4, "{report:#}");
    let absent = with_verdict(&report, "absent");
    assert!(
        absent[0].starts_with("lease obspipe-system/obspipe-operator: not there"),
        "{absent:?}"
    );
    assert!(absent[1].starts_with("kind PrometheusRule: not served"), "{absent:?}");
    env.install_monitoring().await;
    let operator = env.operator(&[]).await;
    operator.wait_log("all listed, reconciling").await;
    let report = wrong(&env, &[], &[]).await;
    assert_eq!(with_verdict(&report, "absent"), Vec::<String>::new());
    assert_eq!(operator.stop().await, Some(0));

    a_right_less(&env).await;
    roles_of_namespaces(&env).await;
    another_definition(&env).await;

    env.kubectl_ok(&["delete", "crd", CRD]).await;
    let missing = format!("definition {CRD}: obspipe.dev/v1alpha1 is not served");
    let report = wrong(&env, &[], &[&missing]).await;
    let advice = remedy(&report, &format!("definition {CRD}"));
    assert!(advice.starts_with("kubectl apply --server-side -f crds/"), "{advice}");
    env.kubectl_ok(&["apply", "--server-side", "-f", &root().join("crds").display().to_string()])
        .await;
    wrong(&env, &[], &[]).await;
}

/// The verb and the resource are named.
async fn a_right_less(env: &Environment) {
    let role = env.kubectl_ok(&["get", "clusterrole", "obspipe-operator", "-o", "json"]).await;
    let mut role: Value = serde_json::from_str(&role).expect("JSON");
    role["metadata"] = json!({"name": "obspipe-operator"});
    let whole = role.clone();
    let rules = role["rules"].as_array_mut().expect("rules");
    let rule = rules.iter_mut().find(|rule| rule["resources"][0] == "daemonsets");
    let verbs = rule.expect("the rule of workloads")["verbs"].as_array_mut().expect("verbs");
    verbs.retain(|verb| verb != "patch");
    env.replace(&role).await;
    let at = |resource: &str| format!("rights in all namespaces: cannot patch {resource}.apps");
    let all = ["daemonsets", "deployments", "statefulsets", "controllerrevisions"].map(at);
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let report = wrong(env, &[], &all).await;
    assert!(remedy(&report, "rights in all namespaces").contains("helm upgrade"), "{report:#}");
    env.replace(&whole).await;
    wrong(env, &[], &[]).await;
}

/// With `watchNamespaces` the rights are there and nowhere else.
async fn roles_of_namespaces(env: &Environment) {
    let (inside, outside) = (env.namespace("inside").await, env.namespace("outside").await);
    let release = "confined";
    let set = format!("watchNamespaces={{{inside}}},crds.install=false,rbac.aggregate=false");
    let set = ["--set", &set, "--set", "serviceAccount.name=confined"];
    let rendered = crate::chart::template_of(release, &set).await.expect("rendered");
    let wanted = rendered.split("\n---\n").filter(|text| !text.contains("kind: Deployment"));
    env.apply_text(&wanted.collect::<Vec<_>>().join("\n---\n")).await;
    let kubeconfig = env.kubeconfig_of("confined").await;
    let lease = ["--lease-name", "confined-obspipe-operator"];
    let examine = |namespace: &str| {
        let further = [&lease[..], &["--namespace", namespace]].concat();
        doctor(&kubeconfig, &further).0
    };
    eventually("all rights inside", || async {
        let report = examine(&inside);
        if report["good"] == true { Ok(()) } else { Err(format!("{report:#}")) }
    })
    .await;
    let failed = with_verdict(&examine(&outside), "failed");
    assert!(
        failed.contains(&format!("rights in {outside}: cannot watch configmaps")),
        "{failed:#?}"
    );
    assert!(failed.iter().all(|one| one.starts_with("rights in ")), "{failed:#?}");
}

/// An older definition: the fields that it lacks are named.
async fn another_definition(env: &Environment) {
    let spec = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties";
    let older = json!([{"op": "remove", "path": format!("{spec}/suspend")}]).to_string();
    env.kubectl_ok(&["patch", "crd", CRD, "--type=json", "-p", &older]).await;
    let found = format!("definition {CRD}: of another version: spec.suspend is not there");
    wrong(env, &[], &[&found]).await;
}
