//! Another collector image, or another rendering, rolls pipelines in waves. There is no node here:
//! the status of pods, which a kubelet would write, is written by hand; the rest is the controllers'.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use obspipe_operator::kinds::Kind;
use serde_json::{Value, json};

use crate::audit::{requests, writes};
use crate::environment::{Environment, Operator, eventually};
use crate::fixtures::minimal;

const OLD: &str = "obspipe/collector:1";
const NEW: &str = "obspipe/collector:2";
const LIMIT: usize = 2;
const PIPELINES: usize = 7;
/// How long the operator is watched not to do what it must not: some rounds of asking.
const WATCHED: Duration = Duration::from_secs(12);

fn name(number: usize) -> String {
    format!("p{number}")
}

/// Pipelines of a Deployment each.
async fn pipelines(env: &Environment, namespace: &str, count: usize) {
    for number in 0..count {
        let mut pipeline = minimal(namespace, &name(number));
        pipeline["spec"]["collector"]["mode"] = json!("Deployment");
        env.apply(&pipeline).await;
    }
}

async fn operator(env: &Environment, namespace: &str, image: &str) -> Operator {
    let limit = LIMIT.to_string();
    let arguments = [
        "--namespace",
        namespace,
        "--leader-elect",
        "false",
        "--collector-image",
        image,
        "--max-concurrent-upgrades",
        &limit,
    ];
    env.operator(&arguments).await
}

async fn deployment(env: &Environment, namespace: &str, pipeline: &str) -> Value {
    env.wait_for(Kind::Deployment, namespace, &format!("{pipeline}-collector")).await
}

fn image(deployment: &Value) -> &str {
    let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
    image.as_str().unwrap_or_default()
}

/// Says in the kubelet's place that every pod there is runs and is ready.
async fn available(env: &Environment, namespace: &str, pipeline: &str) {
    let selector = format!("app.kubernetes.io/instance={pipeline}");
    eventually(&format!("the pods of {pipeline} to be available"), || async {
        let list = ["get", "pods", "-n", namespace, "-l", &selector, "-o", "json"];
        let pods: Value = serde_json::from_str(&env.kubectl_ok(&list).await).expect("JSON");
        for pod in pods["items"].as_array().into_iter().flatten() {
            if pod["status"]["phase"] != "Running" {
                set_ready(env, namespace, pod["metadata"]["name"].as_str().expect("a name")).await;
            }
        }
        let object = deployment(env, namespace, pipeline).await;
        let (status, generation) = (&object["status"], &object["metadata"]["generation"]);
        let all = ["replicas", "updatedReplicas", "availableReplicas"];
        let done =
            all.iter().all(|it| status[*it] == 1) && status["observedGeneration"] == *generation;
        if done { Ok(()) } else { Err(status.to_string()) }
    })
    .await;
}

/// A pod that is gone meanwhile needs nothing.
async fn set_ready(env: &Environment, namespace: &str, pod: &str) {
    let conditions = ["Ready", "ContainersReady"].map(|it| json!({"type": it, "status": "True"}));
    let status = json!({"status": {"phase": "Running", "conditions": conditions}}).to_string();
    let patch = ["patch", "pod", pod, "-n", namespace, "--subresource=status", "--type=merge"];
    let _ = env.kubectl(&[&patch[..], &["-p", &status]].concat(), None).await;
}

async fn upgraded(env: &Environment, namespace: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for number in 0..PIPELINES {
        let object = deployment(env, namespace, &name(number)).await;
        if image(&object) == NEW {
            found.insert(name(number));
        }
    }
    found
}

/// Waits until so many have the new image, and watches that no more get it.
async fn exactly(env: &Environment, namespace: &str, count: usize) -> BTreeSet<String> {
    eventually(&format!("{count} upgraded pipelines"), || async {
        let found = upgraded(env, namespace).await;
        if found.len() >= count { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    tokio::time::sleep(WATCHED).await;
    let found = upgraded(env, namespace).await;
    assert_eq!(found.len(), count, "{found:?}");
    found
}

/// All pipelines with the old image, available, and no operator.
async fn settled(env: &Environment, about: &str) -> String {
    let namespace = env.namespace(about).await;
    let operator = operator(env, &namespace, OLD).await;
    pipelines(env, &namespace, PIPELINES).await;
    for number in 0..PIPELINES {
        available(env, &namespace, &name(number)).await;
        let place = (namespace.as_str(), name(number));
        env.wait_condition((place.0, &place.1), "CollectorAvailable", ("True", "RolledOut")).await;
        env.wait_condition((place.0, &place.1), "Upgraded", ("True", "UpToDate")).await;
    }
    operator.stop().await;
    namespace
}

/// What is up to date is not written again, by the same operator started anew with another limit.
pub(crate) async fn an_unchanged_output_writes_nothing(env: Arc<Environment>) {
    let namespace = settled(&env, "unchanged").await;
    let before = writes(&env).iter().filter(|it| it.namespace == namespace).count();
    let asked = requests(&env).iter().filter(|it| it.namespace == namespace).count();
    let _operator = operator(&env, &namespace, OLD).await;
    eventually("the operator to look", || async {
        let now = requests(&env).iter().filter(|it| it.namespace == namespace).count();
        if now >= asked + PIPELINES { Ok(()) } else { Err(format!("{now} requests")) }
    })
    .await;
    tokio::time::sleep(WATCHED).await;
    let after = writes(&env).iter().filter(|it| it.namespace == namespace).count();
    assert_eq!(after, before, "nothing was written");
}

pub(crate) async fn rolls_in_waves_and_survives_a_restart(env: Arc<Environment>) {
    let namespace = settled(&env, "waves").await;
    let first = operator(&env, &namespace, NEW).await;
    let rolling = exactly(&env, &namespace, LIMIT).await;
    let waiting = (0..PIPELINES).map(name).find(|it| !rolling.contains(it)).expect("one waits");
    let place = (namespace.as_str(), waiting.as_str());
    let message = env.wait_condition(place, "Upgraded", ("False", "UpgradeWaiting")).await;
    assert!(message.contains("2 of at most 2 pipelines"), "{message}");
    let ready = env.condition(&namespace, &waiting, "Ready").await.expect("a condition");
    assert_eq!(ready["status"], "True", "what runs is as good as it was: {ready}");

    // A held pipeline is still kept as it is, with the image it runs.
    let workload = format!("{waiting}-collector");
    env.kubectl_ok(&["delete", "service", &workload, "-n", &namespace]).await;
    env.wait_for(Kind::Service, &namespace, &workload).await;
    let edit = ["set", "image", &format!("deployment/{workload}"), "collector=x", "-n", &namespace];
    env.kubectl_ok(&edit).await;
    eventually("the old image", || async {
        let object = deployment(&env, &namespace, &waiting).await;
        if image(&object) == OLD { Ok(()) } else { Err(image(&object).to_owned()) }
    })
    .await;
    available(&env, &namespace, &waiting).await;

    // Its user's own change waits for nobody.
    let patch = r#"{"spec":{"collector":{"podAnnotations":{"a":"b"}}}}"#;
    env.kubectl_ok(&["patch", "obspipe", &waiting, "-n", &namespace, "--type=merge", "-p", patch])
        .await;
    eventually("the new image for who asked for a change", || async {
        let object = deployment(&env, &namespace, &waiting).await;
        if image(&object) == NEW { Ok(()) } else { Err(image(&object).to_owned()) }
    })
    .await;
    available(&env, &namespace, &waiting).await;

    // Another operator sees what rolls, and takes no place more.
    drop(first);
    let _second = operator(&env, &namespace, NEW).await;
    let now = exactly(&env, &namespace, LIMIT + 1).await;
    assert!(now.is_superset(&rolling) && now.contains(&waiting), "{now:?}");

    // As each becomes available, another begins, until all have.
    let mut done: BTreeSet<String> = BTreeSet::from([waiting]);
    while done.len() < PIPELINES {
        let found = upgraded(&env, &namespace).await;
        let rolling: Vec<&String> = found.difference(&done).collect();
        assert!(rolling.len() <= LIMIT, "{rolling:?} at once");
        if let Some(one) = rolling.first() {
            available(&env, &namespace, one).await;
            done.insert((*one).clone());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    for number in 0..PIPELINES {
        env.wait_condition((&namespace, &name(number)), "Upgraded", ("True", "UpToDate")).await;
    }
}

/// A pod of the first upgraded pipeline whose image cannot be had stops the others; when the
/// operator gets the old image again, everything goes back.
pub(crate) async fn a_failing_one_stops_the_others(env: Arc<Environment>) {
    let namespace = settled(&env, "halted").await;
    let first = operator(&env, &namespace, NEW).await;
    let rolling = exactly(&env, &namespace, LIMIT).await;
    let mut both = rolling.iter();
    let (bad, good) = (both.next().expect("one"), both.next().expect("another"));
    fail(&env, &namespace, bad).await;
    env.wait_condition((&namespace, bad), "CollectorAvailable", ("False", "PodsFailing")).await;
    available(&env, &namespace, good).await;
    let now = exactly(&env, &namespace, LIMIT).await;
    assert_eq!(now, rolling, "nobody else begins");
    let waiting = (0..PIPELINES).map(name).find(|it| !rolling.contains(it)).expect("one waits");
    let place = (namespace.as_str(), waiting.as_str());
    let message = env.wait_condition(place, "Upgraded", ("False", "UpgradeHalted")).await;
    assert!(
        message.contains(&format!("kubectl describe obspipe {bad} -n {namespace}")),
        "{message}"
    );

    drop(first);
    let _second = operator(&env, &namespace, OLD).await;
    eventually("the old image everywhere", || async {
        for number in 0..PIPELINES {
            let object = deployment(&env, &namespace, &name(number)).await;
            if image(&object) != OLD {
                return Err(format!("{} has {}", name(number), image(&object)));
            }
            if rolling.contains(&name(number)) {
                available(&env, &namespace, &name(number)).await;
            }
        }
        Ok(())
    })
    .await;
}

/// What failed and was deleted stops nobody, though somebody's finalizer holds it for long.
pub(crate) async fn one_that_is_being_deleted_stops_nobody(env: Arc<Environment>) {
    let namespace = settled(&env, "deleted").await;
    let _operator = operator(&env, &namespace, NEW).await;
    let rolling = exactly(&env, &namespace, LIMIT).await;
    let bad = rolling.first().expect("one");
    let waiting = (0..PIPELINES).map(name).find(|it| !rolling.contains(it)).expect("one waits");
    fail(&env, &namespace, bad).await;
    env.wait_condition((&namespace, &waiting), "Upgraded", ("False", "UpgradeHalted")).await;

    let hold = r#"{"metadata":{"finalizers":["example.com/hold"]}}"#;
    env.kubectl_ok(&["patch", "obspipe", bad, "-n", &namespace, "--type=merge", "-p", hold]).await;
    env.kubectl_ok(&["delete", "obspipe", bad, "-n", &namespace, "--wait=false"]).await;
    eventually("another to begin", || async {
        let found = upgraded(&env, &namespace).await;
        if found.len() > LIMIT { Ok(()) } else { Err(format!("{found:?}")) }
    })
    .await;
    let free = r#"{"metadata":{"finalizers":null}}"#;
    env.kubectl_ok(&["patch", "obspipe", bad, "-n", &namespace, "--type=merge", "-p", free]).await;
}

/// A pod as the kubelet would report it, whose image is not to be had.
async fn fail(env: &Environment, namespace: &str, pipeline: &str) {
    let object = deployment(env, namespace, pipeline).await;
    let mut template = object["spec"]["template"].clone();
    let pod = format!("{pipeline}-failing");
    template["apiVersion"] = json!("v1");
    template["kind"] = json!("Pod");
    template["metadata"]["name"] = json!(pod);
    template["metadata"]["namespace"] = json!(namespace);
    env.apply(&template).await;
    let status = json!({"status": {"phase": "Pending", "containerStatuses": [{
        "name": "collector", "image": NEW, "imageID": "", "ready": false, "restartCount": 0,
        "state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}},
    }]}});
    env.kubectl_ok(&[
        "patch",
        "pod",
        &pod,
        "-n",
        namespace,
        "--subresource=status",
        "--type=merge",
        "-p",
        &status.to_string(),
    ])
    .await;
}
