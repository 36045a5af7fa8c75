//! What helm makes of the chart.

use std::collections::BTreeSet;
use std::path::Path;

use obspipe_operator::rights::{Right, in_namespaces, of_lease};
use serde_json::{Value, json};

use super::{directory, documents, helm, objects, of_kind, rendered, template, values};
use crate::environment::{SYSTEM, root};

pub(super) async fn lint() {
    let chart = directory().display().to_string();
    for file in values() {
        let file = file.display().to_string();
        let arguments = ["lint", "--strict", &chart, "--values", &file, "--kube-version"];
        let arguments = [&arguments[..], &[local_cluster::KUBERNETES_VERSION]].concat();
        if let Err(error) = helm(&arguments, None).await {
            panic!("{file}: {error}");
        }
        // Templates fail on some values only when they are rendered whole.
        assert!(!rendered(&["--values", &file]).await.is_empty());
    }
}

/// Each is refused, and the refusal names the value.
pub(super) async fn bad_values_are_refused() {
    let cases = [
        ("replicas=2", "replicas"),
        ("image.tags=1", "tags"),
        ("image.tag=a b", "/image/tag"),
        ("image.digest=sha256:1", "/image/digest"),
        ("image.repository=", "/image/repository"),
        ("image.pullPolicy=Sometimes", "/image/pullPolicy"),
        ("replicaCount=2,leaderElection=false", "/leaderElection"),
        ("replicaCount=-1", "/replicaCount"),
        ("concurrency=0", "/concurrency"),
        ("upgrade.maxConcurrentPipelines=0", "/upgrade/maxConcurrentPipelines"),
        ("upgrade=null", "upgrade"),
        ("watchNamespaces[0]=A", "/watchNamespaces/0"),
        ("logLevel=loud", "/logLevel"),
        ("prometheus.ruleLabels.release=a b", "/prometheus/ruleLabels/release"),
        ("commonLabels.app\\.kubernetes\\.io/name=x", "app.kubernetes.io/name"),
        ("podLabels.app\\.kubernetes\\.io/instance=x", "app.kubernetes.io/instance"),
        ("resources.limits.memory=lots", "/resources/limits/memory"),
        ("resources.limit.memory=1Mi", "limit"),
        ("podDisruptionBudget.maxUnavailable=0", "/podDisruptionBudget/maxUnavailable"),
        ("networkPolicy.metricsFrom[0].namespaces=x", "/networkPolicy/metricsFrom/0"),
        ("networkPolicy.apiServerPorts=null", "apiServerPorts"),
        ("tolerations[0].operator=Maybe", "/tolerations/0/operator"),
        ("topologySpreadConstraints[0].maxSkew=1", "/topologySpreadConstraints/0"),
        ("serviceAccount.name=Not_A_Name", "/serviceAccount/name"),
        ("crds.keep=yes", "/crds/keep"),
    ];
    let path = |place: &str| place.replace('/', ".");
    for (set, place) in cases {
        let refusal = match template(&directory(), &["--set", set]).await {
            Ok(_) => panic!("{set} is taken"),
            Err(refusal) => refusal,
        };
        let named =
            refusal.contains(place) || refusal.contains(path(place).trim_start_matches('.'));
        assert!(refusal.contains("values don't meet the specifications"), "{set}: {refusal}");
        assert!(named, "{set}: {place} not in {refusal}");
    }
}

fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

fn arguments(deployment: &Value) -> Vec<&str> {
    container(deployment)["args"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

pub(super) async fn values_have_their_effect() {
    let file = |name: &str| {
        let all = values();
        let found = all.iter().find(|path| path.ends_with(name)).expect("a file");
        found.display().to_string()
    };
    let everything = rendered(&["--values", &file("everything.yaml")]).await;
    let deployment = of_kind(&everything, "Deployment");
    let given = arguments(deployment);
    for argument in [
        "--namespace=team-a",
        "--namespace=team-b",
        "--rule-label=release=x",
        "--dashboard-annotation=grafana_folder=A, B",
        "--allow-datasources",
        "--scrape-namespace=monitoring",
        "--collector-image=registry.example/obspipe/collector@sha256:0000000000000000000000000000000000000000000000000000000000000000",
    ] {
        assert!(given.contains(&argument), "{argument} not in {given:?}");
    }
    let waves = json!({"name": "OBSPIPE_MAX_CONCURRENT_UPGRADES", "value": "2"});
    let env = container(deployment)["env"].as_array().expect("env");
    assert!(env.contains(&waves), "{env:?}");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    // A pod's own label wins over one for everything.
    assert_eq!((&labels["team"], &labels["tier"]), (&json!("operators"), &json!("control")));
    for object in &everything {
        assert_eq!(object["metadata"]["labels"]["team"], "platform", "{object}");
    }
    for kind in ["NetworkPolicy", "PodMonitor", "PrometheusRule", "PodDisruptionBudget"] {
        of_kind(&everything, kind);
    }
    // The pod of `helm test` is not taken for the operator.
    let doctor = &of_kind(&everything, "Pod")["metadata"]["labels"];
    assert_ne!(doctor["app.kubernetes.io/name"], labels["app.kubernetes.io/name"]);

    let nothing = rendered(&["--values", &file("nothing.yaml")]).await;
    let deployment = of_kind(&nothing, "Deployment");
    assert_eq!(deployment["spec"]["strategy"]["type"], "Recreate");
    assert_eq!(deployment["spec"]["template"]["spec"]["serviceAccountName"], "theirs");
    let kinds: BTreeSet<&str> = nothing.iter().filter_map(|one| one["kind"].as_str()).collect();
    let wanted = ["ClusterRole", "ClusterRoleBinding", "Deployment", "Pod"];
    assert_eq!(kinds, BTreeSet::from(wanted));

    let bare = rendered(&["--set", "resources=null"]).await;
    assert_eq!(container(of_kind(&bare, "Deployment"))["resources"], Value::Null);

    let other = helm(
        &[
            "template",
            "prod",
            &directory().display().to_string(),
            "--kube-version",
            local_cluster::KUBERNETES_VERSION,
        ],
        None,
    )
    .await
    .expect("rendered");
    assert_eq!(
        of_kind(&objects(&other), "Deployment")["metadata"]["name"],
        "prod-obspipe-operator"
    );
}

/// (verb, group, resource, name) of every rule.
fn granted(role: &Value) -> BTreeSet<[String; 4]> {
    let list = |value: &Value| -> Vec<String> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let mut all = BTreeSet::new();
    for rule in role["rules"].as_array().expect("rules") {
        let mut names = list(&rule["resourceNames"]);
        if names.is_empty() {
            names.push(String::new());
        }
        for group in list(&rule["apiGroups"]) {
            for resource in list(&rule["resources"]) {
                for verb in list(&rule["verbs"]) {
                    for name in &names {
                        all.insert([verb.clone(), group.clone(), resource.clone(), name.clone()]);
                    }
                }
            }
        }
    }
    all
}

fn needed(rights: &[Right]) -> BTreeSet<[String; 4]> {
    let spelled = |right: &Right| {
        [right.verb.to_owned(), right.group.to_owned(), right.full_resource(), right.name.clone()]
    };
    rights.iter().map(spelled).collect()
}

fn role<'a>(objects: &'a [Value], kind: &str, name: &str, namespace: Option<&str>) -> &'a Value {
    let fits = |object: &&Value| {
        object["kind"] == kind
            && object["metadata"]["name"] == name
            && object["metadata"]["namespace"].as_str() == namespace
    };
    objects.iter().find(fits).unwrap_or_else(|| panic!("no {kind} {name} in {namespace:?}"))
}

const OPERATOR: &str = "obspipe-operator";

fn rights_are_exact(objects: &[Value], namespaces: &[&str]) {
    let wanted = needed(&in_namespaces());
    if namespaces.is_empty() {
        assert_eq!(granted(role(objects, "ClusterRole", OPERATOR, None)), wanted);
    }
    for namespace in namespaces {
        assert_eq!(granted(role(objects, "Role", OPERATOR, Some(namespace))), wanted);
        let binding = role(objects, "RoleBinding", OPERATOR, Some(namespace));
        assert_eq!(binding["subjects"][0]["namespace"], SYSTEM);
    }
    let election = role(objects, "Role", "obspipe-operator-election", Some(SYSTEM));
    assert_eq!(granted(election), needed(&of_lease(OPERATOR)));
}

pub(super) async fn rights_are_those_of_the_code() {
    rights_are_exact(&rendered(&[]).await, &[]);
    let some = rendered(&["--set", "watchNamespaces={a,b}"]).await;
    rights_are_exact(&some, &["a", "b"]);
    let bound = some.iter().filter(|object| object["kind"] == "ClusterRoleBinding").count();
    assert_eq!(bound, 0, "nothing elsewhere");
}

/// A copy of the chart as of another release.
pub(super) fn release(version: &str) -> tempfile::TempDir {
    let copy = tempfile::tempdir().expect("a directory");
    let status = std::process::Command::new("cp")
        .arg("-R")
        .arg(directory().join("."))
        .arg(copy.path())
        .status()
        .expect("cp runs");
    assert!(status.success());
    let path = copy.path().join("Chart.yaml");
    let text = std::fs::read_to_string(&path).expect("Chart.yaml");
    let mut chart: Value = serde_yaml::from_str(&text).expect("YAML");
    chart["version"] = json!(version);
    chart["appVersion"] = json!(version);
    std::fs::write(&path, serde_yaml::to_string(&chart).expect("YAML")).expect("writable");
    copy
}

/// Arguments that say which images run, whatever the release.
pub(super) const PINNED: [&str; 2] = ["--set-string", "image.tag=1,collector.image.tag=1"];

/// What a release of the chart makes with images pinned.
async fn pinned(version: &str) -> Vec<Value> {
    let set = [&["--set", "replicaCount=2"], &PINNED[..]].concat();
    objects(&template(release(version).path(), &set).await.expect("rendered"))
}

/// The chart of another release with the same images: nothing that would start a pod anew.
pub(super) async fn an_upgrade_restarts_nothing() {
    let (before, after) = (pinned("1.0.0").await, pinned("2.0.0").await);
    let (before, after) = (of_kind(&before, "Deployment"), of_kind(&after, "Deployment"));
    assert_ne!(before["metadata"]["labels"], after["metadata"]["labels"], "another release");
    assert_eq!(before["spec"], after["spec"]);
}

pub(super) async fn the_definition_is_kept() {
    let kind = "CustomResourceDefinition";
    let kept = rendered(&["--set", "crds.annotations.a=b"]).await;
    let kept = of_kind(&kept, kind);
    let annotations = &kept["metadata"]["annotations"];
    assert_eq!(annotations["helm.sh/resource-policy"], "keep");
    assert_eq!(annotations["argocd.argoproj.io/sync-options"], "Prune=false,Delete=false");
    assert_eq!(annotations["a"], "b");
    let text = std::fs::read_to_string(directory().join("files/crd.yaml")).expect("the definition");
    let source: Value = serde_yaml::from_str(&text).expect("YAML");
    assert!(normal(&kept["spec"]) == normal(&source["spec"]), "helm changes the definition");
    let free = rendered(&["--set", "crds.keep=false"]).await;
    assert_eq!(of_kind(&free, kind)["metadata"]["annotations"], source["metadata"]["annotations"]);
    let without = rendered(&["--set", "crds.install=false"]).await;
    assert!(without.iter().all(|object| object["kind"] != kind));
}

/// Numbers as they are compared: helm writes 1.0 as 1.
fn normal(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(list) => list.iter().map(normal).collect(),
        Value::Object(map) => map.iter().map(|(key, one)| (key.clone(), normal(one))).collect(),
        other => other.clone(),
    }
}

/// The base for those without Helm does what the chart does by default.
pub(super) async fn kustomize_is_in_step() {
    let base = root().join("config/kustomize");
    let read = |name: &str| objects(&std::fs::read_to_string(base.join(name)).expect("readable"));
    let chart = rendered(&[]).await;
    let roles = read("rbac.yaml");
    rights_are_exact(&roles, &[]);
    for name in ["obspipe-operator-view", "obspipe-operator-edit"] {
        let (ours, theirs) =
            (role(&roles, "ClusterRole", name, None), role(&chart, "ClusterRole", name, None));
        assert_eq!(granted(ours), granted(theirs));
    }
    let ours = read("deployment.yaml");
    let (ours, theirs) = (of_kind(&ours, "Deployment"), of_kind(&chart, "Deployment"));
    for argument in arguments(ours) {
        assert!(arguments(theirs).contains(&argument), "{argument}");
    }
    // Images are set by the kustomization; the chart spells out what the operator defaults.
    let bare = |deployment: &Value| {
        let mut pod = deployment["spec"]["template"]["spec"].clone();
        let container = pod["containers"][0].as_object_mut().expect("a container");
        for key in ["args", "image", "imagePullPolicy"] {
            container.remove(key);
        }
        pod
    };
    assert_eq!(bare(ours), bare(theirs));
}

/// What the operator's own alerts and dashboard ask for is what it counts.
pub(super) async fn alerts_and_dashboard() {
    let set = ["--set", "metrics.rules.enabled=true,metrics.dashboard.enabled=true"];
    let all = rendered(&set).await;
    let rules = &of_kind(&all, "PrometheusRule")["spec"];
    let model = of_kind(&all, "ConfigMap")["data"]["obspipe-system-obspipe-operator.json"].clone();
    let model: Value = serde_json::from_str(model.as_str().expect("a dashboard")).expect("JSON");
    assert!(model["panels"].as_array().is_some_and(|panels| panels.len() >= 8), "{model}");
    let asked = format!("{rules} {model}");
    let series: BTreeSet<String> = documents::series().into_iter().collect();
    let names = |text: &str| -> BTreeSet<String> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .filter(|word| word.starts_with("obspipe_operator_"))
            .map(str::to_owned)
            .collect()
    };
    let unknown: Vec<String> = names(&asked).difference(&series).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?} not in {series:?}");
    assert!(names(&rules.to_string()).len() >= 5 && names(&model.to_string()).len() >= 7);
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), serde_yaml::to_string(rules).expect("YAML")).expect("writable");
    promtool(&["check", "rules", "--lint-fatal"], file.path()).await;
}

async fn promtool(arguments: &[&str], file: &Path) {
    let promtool = local_cluster::promtool(&local_cluster::Silent).await.expect("promtool");
    let output = std::process::Command::new(promtool).args(arguments).arg(file).output();
    let output = output.expect("promtool runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
