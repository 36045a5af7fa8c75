//! Kubernetes Events on changes of condition, for `kubectl describe`.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::core::ObjectMeta;
use kube_runtime::events::{Event, EventType, Recorder, Reporter};

use super::lease::Leadership;
use crate::api::status::ConditionStatus;
use crate::api::{Condition, ObservabilityPipeline};
use kube::Resource;

/// Longest note that the API server takes (events.k8s.io/v1 Event.note).
const MAX_NOTE: usize = 1024;

/// Writes events.
#[derive(Clone)]
pub struct Events {
    recorder: Recorder,
    leadership: Leadership,
}

impl Events {
    /// Events written in the name of this process.
    #[must_use]
    pub fn new(client: Client, instance: String, leadership: Leadership) -> Self {
        let reporter =
            Reporter { controller: "obspipe.dev/operator".into(), instance: Some(instance) };
        Self { recorder: Recorder::new(client, reporter), leadership }
    }

    /// One event for a condition that changed. An event that cannot be written is logged and lost:
    /// the condition itself says the same.
    pub async fn changed(&self, meta: &ObjectMeta, condition: &Condition) {
        if self.leadership.check().is_err() {
            return;
        }
        let event = Event {
            type_: match condition.status {
                ConditionStatus::False => EventType::Warning,
                ConditionStatus::True | ConditionStatus::Unknown => EventType::Normal,
            },
            reason: condition.reason.clone(),
            note: Some(note(condition)),
            action: "Reconcile".into(),
            secondary: None,
        };
        if let Err(error) = self.recorder.publish(&event, &reference(meta)).await {
            tracing::debug!(%error, reason = condition.reason, "event not written");
        }
    }
}

fn note(condition: &Condition) -> String {
    let mut note =
        format!("{} is {}: {}", condition.kind, condition.status.as_str(), condition.message);
    if note.len() > MAX_NOTE {
        let end = (0..=MAX_NOTE - 4).rev().find(|at| note.is_char_boundary(*at)).unwrap_or(0);
        note.truncate(end);
        note.push('…');
    }
    note
}

fn reference(meta: &ObjectMeta) -> ObjectReference {
    ObjectReference {
        api_version: Some(ObservabilityPipeline::api_version(&()).into_owned()),
        kind: Some(ObservabilityPipeline::kind(&()).into_owned()),
        name: meta.name.clone(),
        namespace: meta.namespace.clone(),
        uid: meta.uid.clone(),
        ..ObjectReference::default()
    }
}
