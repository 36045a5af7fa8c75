//! The reasons that conditions give: a fixed list, each with one fixed sentence. What differs from
//! pipeline to pipeline comes after it as details.

/// Why a condition is as it is. The documentation's table derives from [`Reason::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// ConfigValid
    Valid,
    /// ConfigValid
    InvalidConfig,
    /// CollectorAvailable
    RolledOut,
    /// CollectorAvailable
    RollingOut,
    /// CollectorAvailable
    SwitchingMode,
    /// CollectorAvailable
    PodsFailing,
    /// CollectorAvailable
    Unschedulable,
    /// CollectorAvailable
    NothingToRun,
    /// Any that applies objects
    Forbidden,
    /// Any that applies objects
    NameConflict,
    /// Any that applies objects
    Refused,
    /// Any that applies objects
    NotApplied,
    /// RulesReady, DashboardsReady
    Applied,
    /// RulesReady, DashboardsReady
    NoneDeclared,
    /// RulesReady
    InvalidExpression,
    /// RulesReady
    KindNotServed,
    /// DashboardsReady
    InvalidDashboard,
    /// Ready
    ReadyWithoutRules,
    /// Ready
    ReadyUnobserved,
    /// Ready
    Suspended,
    /// Upgraded
    UpToDate,
    /// Upgraded
    UpgradeWaiting,
    /// Upgraded
    UpgradeHalted,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 23] = [
        Self::Valid,
        Self::InvalidConfig,
        Self::RolledOut,
        Self::RollingOut,
        Self::SwitchingMode,
        Self::PodsFailing,
        Self::Unschedulable,
        Self::NothingToRun,
        Self::Forbidden,
        Self::NameConflict,
        Self::Refused,
        Self::NotApplied,
        Self::Applied,
        Self::NoneDeclared,
        Self::InvalidExpression,
        Self::KindNotServed,
        Self::InvalidDashboard,
        Self::ReadyWithoutRules,
        Self::ReadyUnobserved,
        Self::Suspended,
        Self::UpToDate,
        Self::UpgradeWaiting,
        Self::UpgradeHalted,
    ];

    /// The word in the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "Valid",
            Self::InvalidConfig => "InvalidConfig",
            Self::RolledOut => "RolledOut",
            Self::RollingOut => "RollingOut",
            Self::SwitchingMode => "SwitchingMode",
            Self::PodsFailing => "PodsFailing",
            Self::Unschedulable => "Unschedulable",
            Self::NothingToRun => "NothingToRun",
            Self::Forbidden => "Forbidden",
            Self::NameConflict => "NameConflict",
            Self::Refused => "Refused",
            Self::NotApplied => "NotApplied",
            Self::Applied => "Applied",
            Self::NoneDeclared => "NoneDeclared",
            Self::InvalidExpression => "InvalidExpression",
            Self::KindNotServed => "KindNotServed",
            Self::InvalidDashboard => "InvalidDashboard",
            Self::ReadyWithoutRules => "ReadyWithoutRules",
            Self::ReadyUnobserved => "ReadyUnobserved",
            Self::Suspended => "Suspended",
            Self::UpToDate => "UpToDate",
            Self::UpgradeWaiting => "UpgradeWaiting",
            Self::UpgradeHalted => "UpgradeHalted",
        }
    }

    /// The sentence that opens the message.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Valid => "The collector's configuration is valid.",
            Self::InvalidConfig => {
                "The collector's configuration is invalid; what was running stays as it is."
            }
            Self::RolledOut => "All collectors run the current configuration.",
            Self::RollingOut => "Collectors are being started or replaced.",
            Self::SwitchingMode => {
                "The collectors of the new mode are not available yet; those of the old one stay."
            }
            Self::PodsFailing => "Collectors fail to start.",
            Self::Unschedulable => "Collectors find no node to run on.",
            Self::NothingToRun => "Nothing has been applied: no spec was valid so far.",
            Self::Forbidden => "The operator lacks a right; see its ClusterRole or Role.",
            Self::NameConflict => {
                "An object of a needed name belongs to somebody else and was left alone."
            }
            Self::Refused => "The API server refuses an object.",
            Self::NotApplied => "An object could not be applied; it is tried again.",
            Self::Applied => "All are applied.",
            Self::NoneDeclared => "None are declared.",
            Self::InvalidExpression => "A rule is invalid; what was applied stays as it is.",
            Self::KindNotServed => {
                "This cluster does not serve PrometheusRule (prometheus-operator is not installed)."
            }
            Self::InvalidDashboard => "A dashboard is invalid; what was applied stays as it is.",
            Self::ReadyWithoutRules => {
                "The collectors are rolled out; the rules wait for a cluster that serves them."
            }
            Self::ReadyUnobserved => {
                "Everything is rolled out; whether telemetry flows is not observed."
            }
            Self::Suspended => "Reconciling is suspended; all objects are left as they are.",
            Self::UpToDate => "The collectors are as this operator makes them.",
            Self::UpgradeWaiting => {
                "The collectors stay as they were until this pipeline's turn to be upgraded comes."
            }
            Self::UpgradeHalted => {
                "The collectors stay as they were: an upgraded pipeline did not become available."
            }
        }
    }
}
