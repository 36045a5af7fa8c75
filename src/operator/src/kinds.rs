//! The kinds of object that a pipeline may own, in the order in which they are applied: what a pod
//! needs comes before the pod. One list; watches, requests and the chart's Role derive from it.

use kube::core::{ApiResource, GroupVersionKind};

/// A kind of child.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// core/v1
    ServiceAccount,
    /// core/v1: configuration, dashboards, data sources
    ConfigMap,
    /// core/v1
    Service,
    /// apps/v1
    DaemonSet,
    /// apps/v1
    Deployment,
    /// apps/v1
    StatefulSet,
    /// autoscaling/v2
    HorizontalPodAutoscaler,
    /// policy/v1
    PodDisruptionBudget,
    /// networking.k8s.io/v1
    NetworkPolicy,
    /// monitoring.coreos.com/v1
    PrometheusRule,
    /// monitoring.coreos.com/v1
    PodMonitor,
    /// apps/v1: accepted specs
    ControllerRevision,
}

/// How the API names a kind.
pub struct KindInfo {
    /// The kind itself.
    pub kind: Kind,
    /// API group; empty for core.
    pub group: &'static str,
    /// API version.
    pub version: &'static str,
    /// Name of the kind.
    pub name: &'static str,
    /// Resource name.
    pub plural: &'static str,
    /// Served only where its CustomResourceDefinition is installed.
    pub optional: bool,
    /// Whether `metadata.generation` counts changes of its content, so that changes of its status
    /// can be told from them without reading it.
    pub generation: bool,
}

const fn built_in(
    kind: Kind,
    group: &'static str,
    version: &'static str,
    name: &'static str,
    plural: &'static str,
) -> KindInfo {
    KindInfo { kind, group, version, name, plural, optional: false, generation: false }
}

const fn counted(info: KindInfo) -> KindInfo {
    KindInfo { generation: true, ..info }
}

const fn optional(info: KindInfo) -> KindInfo {
    KindInfo { optional: true, ..info }
}

const MONITORING: &str = "monitoring.coreos.com";

/// All kinds, in the order of [`Kind`]. Append a new kind to both.
pub const KINDS: [KindInfo; 12] = [
    built_in(Kind::ServiceAccount, "", "v1", "ServiceAccount", "serviceaccounts"),
    built_in(Kind::ConfigMap, "", "v1", "ConfigMap", "configmaps"),
    built_in(Kind::Service, "", "v1", "Service", "services"),
    counted(built_in(Kind::DaemonSet, "apps", "v1", "DaemonSet", "daemonsets")),
    counted(built_in(Kind::Deployment, "apps", "v1", "Deployment", "deployments")),
    counted(built_in(Kind::StatefulSet, "apps", "v1", "StatefulSet", "statefulsets")),
    built_in(
        Kind::HorizontalPodAutoscaler,
        "autoscaling",
        "v2",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
    ),
    counted(built_in(
        Kind::PodDisruptionBudget,
        "policy",
        "v1",
        "PodDisruptionBudget",
        "poddisruptionbudgets",
    )),
    counted(built_in(
        Kind::NetworkPolicy,
        "networking.k8s.io",
        "v1",
        "NetworkPolicy",
        "networkpolicies",
    )),
    optional(counted(built_in(
        Kind::PrometheusRule,
        MONITORING,
        "v1",
        "PrometheusRule",
        "prometheusrules",
    ))),
    optional(counted(built_in(Kind::PodMonitor, MONITORING, "v1", "PodMonitor", "podmonitors"))),
    built_in(Kind::ControllerRevision, "apps", "v1", "ControllerRevision", "controllerrevisions"),
];

impl Kind {
    /// How the API names it.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        &KINDS[self as usize]
    }

    /// Whether it runs pods.
    #[must_use]
    pub fn is_workload(self) -> bool {
        matches!(self, Self::DaemonSet | Self::Deployment | Self::StatefulSet)
    }

    /// `group/version`, or `version` for core.
    #[must_use]
    pub fn api_version(self) -> String {
        let info = self.info();
        if info.group.is_empty() {
            info.version.to_owned()
        } else {
            format!("{}/{}", info.group, info.version)
        }
    }

    /// What a dynamic client needs.
    #[must_use]
    pub fn resource(self) -> ApiResource {
        let info = self.info();
        let gvk = GroupVersionKind::gvk(info.group, info.version, info.name);
        ApiResource::from_gvk_with_plural(&gvk, info.plural)
    }

    /// The resource as `kubectl` takes it.
    #[must_use]
    pub fn kubectl_name(self) -> String {
        self.info().name.to_ascii_lowercase()
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.info().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (index, info) in KINDS.iter().enumerate() {
            assert_eq!(info.kind as usize, index, "{}", info.name);
            assert_eq!(info.kind.info().name, info.name);
        }
    }
}
