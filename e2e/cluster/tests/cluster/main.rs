//! The crate against the real thing: every test runs its own control plane, and looks at
//! processes and directories from outside.

#![allow(clippy::unwrap_used, clippy::panic)]

mod asking;
mod command;

use asking::{apply, audit_events, eventually, is_alive, kubectl};
use local_cluster::{CurrentCluster, Error, LocalCluster, Silent};
use serde_json::Value;

/// An object that another one owns, by its uid.
fn owned_by(uid: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: owned\n  ownerReferences:\n  \
         - {{apiVersion: v1, kind: ConfigMap, name: owner, uid: {uid}}}\n"
    )
}

#[tokio::test]
async fn the_controllers_work() {
    let cluster = LocalCluster::builder().start().await.unwrap();
    let namespaces = kubectl(&cluster.kubectl(), &["get", "ns", "-o", "name"]).unwrap();
    assert!(namespaces.contains("namespace/kube-system"), "{namespaces}");

    kubectl(&cluster.kubectl(), &["create", "deployment", "web", "--image=web"]).unwrap();
    kubectl(&cluster.kubectl(), &["create", "configmap", "owner"]).unwrap();
    let uid = ["get", "configmap", "owner", "-o", "jsonpath={.metadata.uid}"];
    apply(&cluster.kubectl(), &owned_by(&kubectl(&cluster.kubectl(), &uid).unwrap()));

    eventually("a ReplicaSet and its pod", || {
        let made = kubectl(&cluster.kubectl(), &["get", "rs,pod", "-o", "name"])?;
        let both = made.contains("replicaset.apps/web-") && made.contains("pod/web-");
        both.then_some(()).ok_or(made)
    });
    eventually("the pod to be seen by the scheduler", || {
        let reason = "jsonpath={.items[*].status.conditions[*].reason}";
        let found = kubectl(&cluster.kubectl(), &["get", "pod", "-o", reason])?;
        (found == "Unschedulable").then_some(()).ok_or(found)
    });
    kubectl(&cluster.kubectl(), &["get", "configmap", "owned"]).unwrap();
    kubectl(&cluster.kubectl(), &["delete", "configmap", "owner"]).unwrap();
    eventually("the owned object to be collected", || {
        let left =
            kubectl(&cluster.kubectl(), &["get", "configmap", "owned", "--ignore-not-found"])?;
        left.is_empty().then_some(()).ok_or(left)
    });
}

#[tokio::test]
async fn the_audit_log_holds_every_request_once_with_its_user_agent() {
    let cluster =
        LocalCluster::builder().controller_manager(false).scheduler(false).start().await.unwrap();
    kubectl(&cluster.kubectl(), &["create", "configmap", "seen"]).unwrap();
    // Answered means logged: no waiting here.
    let events = audit_events(cluster.audit_log());
    let is_ours =
        |event: &&Value| event["objectRef"]["name"] == "seen" && event["verb"] == "create";
    let ours: Vec<_> = events.iter().filter(is_ours).collect();
    assert_eq!(ours.len(), 1, "{ours:?}");
    assert_eq!(ours[0]["stage"], "ResponseComplete");
    assert_eq!(ours[0]["level"], "Metadata");
    assert_eq!(ours[0]["user"]["username"], "admin");
    assert_eq!(ours[0]["objectRef"]["resource"], "configmaps");
    assert_eq!(ours[0]["responseStatus"]["code"], 201);
    let agent = ours[0]["userAgent"].as_str().unwrap();
    assert!(agent.starts_with("kubectl/v1.34.4"), "{agent}");
    assert!(events.iter().all(|event| event["stage"] == "ResponseComplete"));
}

#[tokio::test]
async fn two_side_by_side_leave_nothing_behind() {
    let starting = || LocalCluster::builder().controller_manager(false).scheduler(false).start();
    let (one, two) = tokio::try_join!(tokio::spawn(starting()), tokio::spawn(starting())).unwrap();
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one.server(), two.server());
    kubectl(&one.kubectl(), &["create", "ns", "only-here"]).unwrap();
    let other = kubectl(&two.kubectl(), &["get", "ns", "-o", "name"]).unwrap();
    assert!(!other.contains("only-here"), "{other}");

    let directories = [&one, &two].map(|cluster| cluster.kubeconfig().parent().unwrap().to_owned());
    let pids = [one.pids(), two.pids()].concat();
    assert_eq!(pids.len(), 4);
    assert!(pids.iter().all(|&pid| is_alive(pid)));
    assert!(directories.iter().all(|directory| directory.is_dir()));
    one.stop().await;
    drop(two);
    assert!(!pids.iter().any(|&pid| is_alive(pid)));
    assert!(!directories.iter().any(|directory| directory.exists()));
}

#[tokio::test]
async fn a_directory_of_the_callers_keeps_what_else_is_in_it() {
    let parent = tempfile::tempdir().unwrap();
    let other = parent.path().join("other");
    std::fs::create_dir(&other).unwrap();
    // As old as what a start removes where it owns the place.
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
    std::fs::File::open(&other).unwrap().set_modified(long_ago).unwrap();
    let builder = LocalCluster::builder().controller_manager(false).scheduler(false);
    let cluster = builder.directory(Some(parent.path().to_owned())).start().await.unwrap();
    let directory = cluster.directory().to_owned();
    assert_eq!(directory.parent(), Some(parent.path()));
    assert!(cluster.audit_log().starts_with(&directory));
    cluster.stop().await;
    assert!(!directory.exists());
    assert!(other.is_dir());
}

#[tokio::test]
async fn somebodys_cluster_is_announced_first_and_refused_when_it_serves_our_kind() {
    let theirs =
        LocalCluster::builder().controller_manager(false).scheduler(false).start().await.unwrap();
    let connect = async |force| {
        let mut announced = None;
        let announce =
            |context: &str, server: &str| announced = Some((context.to_owned(), server.to_owned()));
        let outcome =
            CurrentCluster::connect(Some(theirs.kubeconfig()), force, announce, &Silent).await;
        assert_eq!(announced.unwrap(), ("local-cluster".to_owned(), theirs.server().to_owned()));
        outcome
    };
    let current = connect(false).await.unwrap();
    assert_ne!(current.kubeconfig(), theirs.kubeconfig());
    let user = kubectl(
        &current.kubectl(),
        &["auth", "whoami", "-o", "jsonpath={.status.userInfo.username}"],
    );
    assert_eq!(user.unwrap(), "admin");

    apply(&theirs.kubectl(), include_str!("pipeline-crd.yaml"));
    let refused = connect(false).await.unwrap_err();
    assert!(
        matches!(&refused, Error::AlreadyServed { server, .. } if server == theirs.server()),
        "{refused}"
    );
    connect(true).await.unwrap();
}

#[tokio::test]
async fn the_operators_crds_are_the_real_ones() {
    let directory = local_cluster::prometheus_operator_crds(&Silent).await.unwrap();
    for kind in ["prometheusrules", "podmonitors"] {
        let text =
            std::fs::read_to_string(directory.join(format!("monitoring.coreos.com_{kind}.yaml")))
                .unwrap();
        assert!(text.contains(&format!("name: {kind}.monitoring.coreos.com")));
        assert!(text.contains("operator.prometheus.io/version: 0.85.0"));
    }
}
