//! Why pods do not run, in the pods' own words.

use k8s_openapi::api::core::v1::{ContainerStatus, Pod};

use super::Reason;

/// Waiting reasons that do not pass by themselves (kubelet, `kuberuntime` and `images`).
const FAILURES: [&str; 9] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "StartError",
];

/// The reason and details of the first kind of failure among pods; None where all may yet start.
pub(super) fn failure(pods: &[Pod]) -> Option<(Reason, Vec<String>)> {
    let failing: Vec<String> = pods.iter().filter_map(failing).collect();
    if !failing.is_empty() {
        return Some((Reason::PodsFailing, failing));
    }
    let homeless: Vec<String> = pods.iter().filter_map(unschedulable).collect();
    (!homeless.is_empty()).then_some((Reason::Unschedulable, homeless))
}

fn failing(pod: &Pod) -> Option<String> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let status = pod.status.as_ref()?;
    status.container_statuses.iter().flatten().find_map(|container| {
        let (reason, message) = waiting(container)?;
        Some(format!("pod {name}: {reason}: {message}"))
    })
}

/// Why a container waits. Restart counts and back-off times move by themselves and are left out:
/// a status must stand still while nothing changes.
fn waiting(container: &ContainerStatus) -> Option<(&str, String)> {
    let waiting = container.state.as_ref()?.waiting.as_ref()?;
    let reason = waiting.reason.as_deref()?;
    if !FAILURES.contains(&reason) {
        return None;
    }
    let last = container.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let message = match (reason, last) {
        ("CrashLoopBackOff", Some(last)) => {
            let why = last.reason.as_deref().unwrap_or("ended");
            format!("the collector {why} with exit code {}", last.exit_code)
        }
        ("CrashLoopBackOff", None) => "the collector ends again and again".to_owned(),
        _ => waiting.message.clone().unwrap_or_default(),
    };
    Some((reason, message))
}

fn unschedulable(pod: &Pod) -> Option<String> {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let condition = conditions.iter().find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    })?;
    Some(format!("pod {name}: {}", condition.message.as_deref().unwrap_or("no node fits")))
}
