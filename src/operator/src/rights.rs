//! Every right that the operator needs, derived from the table of kinds and from what the code does
//! beside children. The chart's roles grant exactly these; `doctor` asks for each.

use kube::Resource;

use crate::api::{GROUP, ObservabilityPipeline};
use crate::kinds::{KINDS, Kind, KindInfo};

/// A permission to do one thing with one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Right {
    /// The verb, as RBAC spells it.
    pub verb: &'static str,
    /// API group; empty for core.
    pub group: &'static str,
    /// Resource name, in the plural.
    pub resource: String,
    /// Part of the resource; empty for the object itself.
    pub subresource: &'static str,
    /// The one object it is about; empty for all.
    pub name: String,
}

impl Right {
    fn new(verb: &'static str, group: &'static str, resource: &str) -> Self {
        Self { verb, group, resource: resource.to_owned(), subresource: "", name: String::new() }
    }

    /// The resource as a role's rule names it: `resource` or `resource/subresource`.
    #[must_use]
    pub fn full_resource(&self) -> String {
        match self.subresource {
            "" => self.resource.clone(),
            part => format!("{}/{part}", self.resource),
        }
    }
}

impl std::fmt::Display for Right {
    /// `patch deployments.apps`, as `kubectl auth can-i` takes it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.verb, self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if !self.subresource.is_empty() {
            write!(f, "/{}", self.subresource)?;
        }
        if self.name.is_empty() { Ok(()) } else { write!(f, " {}", self.name) }
    }
}

/// What every kind of child needs.
const OF_CHILDREN: [&str; 5] = ["get", "list", "watch", "create", "patch"];

/// Every pipeline has one of these as long as there is a pipeline: deleting them is left to the
/// garbage collector.
const NEVER_DELETED: [Kind; 2] = [Kind::ServiceAccount, Kind::PodMonitor];

/// What is needed in every namespace whose pipelines are reconciled.
#[must_use]
pub fn in_namespaces() -> Vec<Right> {
    let mut all = of_pipelines();
    all.extend(KINDS.iter().flat_map(of_kind));
    all.push(Right::new("list", "", "pods"));
    all.extend(["create", "patch"].map(|verb| Right::new(verb, "events.k8s.io", "events")));
    all
}

fn of_pipelines() -> Vec<Right> {
    let plural = ObservabilityPipeline::plural(&());
    let right = |verb, subresource| Right { subresource, ..Right::new(verb, GROUP, &plural) };
    vec![
        right("list", ""),
        right("watch", ""),
        right("patch", "status"),
        // Asked for by the API server where owner references that block deletion need it.
        right("update", "finalizers"),
    ]
}

fn of_kind(info: &KindInfo) -> Vec<Right> {
    let deleted = !NEVER_DELETED.contains(&info.kind);
    let verbs = OF_CHILDREN.into_iter().chain(deleted.then_some("delete"));
    verbs.map(|verb| Right::new(verb, info.group, info.plural)).collect()
}

/// What the election needs in the namespace of its lease.
#[must_use]
pub fn of_lease(name: &str) -> Vec<Right> {
    let lease = |verb| Right::new(verb, "coordination.k8s.io", "leases");
    // The name of an object that is not there yet cannot restrict its creation.
    let named = |verb| Right { name: name.to_owned(), ..lease(verb) };
    vec![lease("create"), named("get"), named("update")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_reads_as_kubectl_takes_it() {
        let texts: Vec<String> = in_namespaces().iter().map(ToString::to_string).collect();
        for text in [
            "patch observabilitypipelines.obspipe.dev/status",
            "delete deployments.apps",
            "watch configmaps",
        ] {
            assert!(texts.iter().any(|found| found == text), "{text} not in {texts:#?}");
        }
        assert_eq!(of_lease("x")[1].to_string(), "get leases.coordination.k8s.io x");
    }

    #[test]
    fn every_kind_is_written_and_what_always_is_there_is_never_deleted() {
        let all = in_namespaces();
        for info in &KINDS {
            let has = |verb| all.contains(&Right::new(verb, info.group, info.plural));
            assert!(OF_CHILDREN.into_iter().all(has), "{}", info.name);
            assert_eq!(has("delete"), !NEVER_DELETED.contains(&info.kind), "{}", info.name);
        }
    }
}
