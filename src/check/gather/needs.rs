//! What the program needs to be allowed, in one table: the rules of `manifests/rbac`, each with what is lost without it. A
//! test holds the two equal.

use crate::{
    check::Need,
    config::Config,
    core::{Source, TargetKind},
};

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// API groups.
    pub groups: &'static [&'static str],
    /// Resources, with their subresources.
    pub resources: &'static [&'static str],
    /// Name of the one object; `None` for all.
    pub name: Option<&'static str>,
    /// Verbs.
    pub verbs: &'static [&'static str],
    /// Where it is granted.
    pub granted: Granted,
    /// When it is needed, and for what.
    pub used: Used,
}

/// Where a right is granted, by folder of `manifests/rbac`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Granted {
    /// `cluster-wide` and `namespaced` alike.
    Always,
    /// `cluster-wide` alone.
    ClusterWide,
    /// The folder of an option.
    Option(&'static str),
    /// The folder of an option, for a ClusterRole alone.
    ClusterWideOption(&'static str),
    /// `leader-election`, in the namespace of the Lease.
    Lease,
}

/// When a right is needed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Used {
    /// Always, and nothing is woken without it.
    Wake,
    /// The same, where variants are taken from this source.
    Source(Source),
    /// Where variants are taken from this source they are not woken without it; else it is of use all the same.
    Scaler(Source),
    /// Where a variant's target is of this kind, which is not woken without it.
    Target(&'static str),
    /// As for [`Target`](Self::Target), where something less is lost.
    TargetOption(&'static str, &'static str),
    /// Under this condition; what is lost without it.
    Option(When, &'static str),
    /// Granted for what may come, and used by nothing today.
    Unused,
}

/// When an option is on.
#[derive(Clone, Copy, Debug)]
pub(super) enum When {
    Always,
    Status,
    Annotate,
    Events,
    Autoscalers,
    Guard,
    LeaderElection,
}

const READ_AGAIN: &str =
    "after a lost race the target is not looked at once more, and nobody is named who took a wake back";
const SCALERS: &str = "autoscalers are not seen: what pauses or limits a target, and who takes a wake back";
const GUARD: &str = "autoscalers are not kept from taking a wake back (wake.guard), nor told of a wake where they are the variant";

/// Nothing but the defaults.
const RULE: Rule = Rule {
    groups: &[""],
    resources: &[],
    name: None,
    verbs: &[],
    granted: Granted::Always,
    used: Used::Unused,
};

/// Every right that `manifests/rbac` grants.
pub(super) const RULES: &[Rule] = &[
    Rule {
        groups: &["llmd.ai"],
        resources: &["variantautoscalings"],
        verbs: &["list", "watch"],
        used: Used::Source(Source::VariantAutoscaling),
        ..RULE
    },
    Rule {
        groups: &["llmd.ai"],
        resources: &["variantautoscalings"],
        verbs: &["get"],
        used: Used::Option(
            When::Always,
            "`scale-from-zero wake NAMESPACE/NAME` does not find its variant",
        ),
        ..RULE
    },
    Rule {
        groups: &["inference.networking.k8s.io", "inference.networking.x-k8s.io"],
        resources: &["inferencepools"],
        verbs: &["list", "watch"],
        used: Used::Wake,
        ..RULE
    },
    Rule {
        groups: &["inference.networking.k8s.io", "inference.networking.x-k8s.io"],
        resources: &["inferencepools"],
        verbs: &["get"],
        ..RULE
    },
    Rule {
        groups: &["autoscaling"],
        resources: &["horizontalpodautoscalers"],
        verbs: &["list", "watch"],
        used: Used::Scaler(Source::HorizontalPodAutoscaler),
        ..RULE
    },
    Rule {
        groups: &["keda.sh"],
        resources: &["scaledobjects"],
        verbs: &["list", "watch"],
        used: Used::Scaler(Source::ScaledObject),
        ..RULE
    },
    Rule {
        groups: &["autoscaling"],
        resources: &["horizontalpodautoscalers"],
        verbs: &["get"],
        ..RULE
    },
    Rule {
        groups: &["keda.sh"],
        resources: &["scaledobjects"],
        verbs: &["get"],
        ..RULE
    },
    Rule {
        groups: &["apps"],
        resources: &["deployments"],
        verbs: &["list", "watch"],
        used: Used::Wake,
        ..RULE
    },
    Rule {
        groups: &["apps"],
        resources: &["deployments"],
        verbs: &["get"],
        used: Used::Option(When::Always, READ_AGAIN),
        ..RULE
    },
    Rule {
        groups: &["apps"],
        resources: &["deployments/scale"],
        verbs: &["patch"],
        used: Used::Wake,
        ..RULE
    },
    Rule {
        groups: &["apps"],
        resources: &["statefulsets"],
        verbs: &["list", "watch"],
        used: Used::Target("StatefulSet"),
        ..RULE
    },
    Rule {
        groups: &["apps"],
        resources: &["statefulsets"],
        verbs: &["get"],
        used: Used::TargetOption("StatefulSet", READ_AGAIN),
        ..RULE
    },
    Rule {
        groups: &["apps"],
        resources: &["statefulsets/scale"],
        verbs: &["patch"],
        used: Used::Target("StatefulSet"),
        ..RULE
    },
    // Of kinds that only discovery finds this one alone stands in the manifests; the others are asked for alike.
    Rule {
        groups: &["leaderworkerset.x-k8s.io"],
        resources: &["leaderworkersets"],
        verbs: &["get", "list", "watch"],
        ..RULE
    },
    Rule {
        groups: &["leaderworkerset.x-k8s.io"],
        resources: &["leaderworkersets/scale"],
        verbs: &["patch"],
        ..RULE
    },
    Rule {
        groups: &["llmd.ai"],
        resources: &["variantautoscalings/status"],
        verbs: &["patch"],
        used: Used::Option(
            When::Status,
            "the variant's status does not tell of a wake, and WVA goes on asking for 0 replicas",
        ),
        ..RULE
    },
    Rule {
        groups: &["events.k8s.io"],
        resources: &["events"],
        verbs: &["create"],
        used: Used::Option(When::Events, "no Event tells of a wake"),
        ..RULE
    },
    Rule {
        resources: &["namespaces"],
        verbs: &["list", "watch"],
        granted: Granted::ClusterWide,
        used: Used::Option(
            When::Always,
            "annotations of a namespace that exclude its variants are not seen",
        ),
        ..RULE
    },
    Rule {
        resources: &["namespaces"],
        verbs: &["get"],
        granted: Granted::ClusterWide,
        used: Used::Option(
            When::Always,
            "`scale-from-zero wake NAMESPACE/NAME` does not see the annotations of the namespace",
        ),
        ..RULE
    },
    Rule {
        groups: &["llmd.ai"],
        resources: &["variantautoscalings"],
        verbs: &["patch"],
        granted: Granted::Option("annotate-variant"),
        used: Used::Option(
            When::Annotate,
            "no annotation of the variant tells of a wake (status.annotateVariant)",
        ),
        ..RULE
    },
    Rule {
        resources: &["pods"],
        verbs: &["list"],
        granted: Granted::Option("pods"),
        used: Used::Option(
            When::Always,
            "pods that cannot be scheduled are not seen: another variant is woken in their place only after \
             wake.readyTimeout, not after wake.unschedulableAfter",
        ),
        ..RULE
    },
    Rule {
        groups: &["autoscaling"],
        resources: &["horizontalpodautoscalers"],
        verbs: &["patch"],
        granted: Granted::Option("autoscalers"),
        used: Used::Option(When::Autoscalers, GUARD),
        ..RULE
    },
    Rule {
        groups: &["keda.sh"],
        resources: &["scaledobjects"],
        verbs: &["patch"],
        granted: Granted::Option("autoscalers"),
        used: Used::Option(When::Autoscalers, GUARD),
        ..RULE
    },
    Rule {
        groups: &["apiextensions.k8s.io"],
        resources: &["customresourcedefinitions"],
        name: Some("scaledobjects.keda.sh"),
        verbs: &["get"],
        granted: Granted::ClusterWideOption("autoscalers"),
        used: Used::Option(When::Guard, "KEDA's version cannot be told; the guard needs 2.18"),
    },
    Rule {
        groups: &["coordination.k8s.io"],
        resources: &["leases"],
        name: Some("scale-from-zero"),
        verbs: &["get", "patch"],
        granted: Granted::Lease,
        used: Used::Option(When::LeaderElection, LEASE),
    },
    Rule {
        groups: &["coordination.k8s.io"],
        resources: &["leases"],
        verbs: &["create"],
        granted: Granted::Lease,
        used: Used::Option(When::LeaderElection, LEASE),
        ..RULE
    },
];

const LEASE: &str = "no copy comes to hold the Lease, so none wakes anything (leaderElection.enabled)";

/// Of a kind that only discovery finds: the verbs, whether of its scale, and what they are for.
pub(super) const OTHER_KIND: [(&str, bool, Need); 4] = [
    ("list", false, Need::Wake),
    ("watch", false, Need::Wake),
    ("get", false, Need::Option(READ_AGAIN)),
    ("patch", true, Need::Wake),
];

/// What WVA's own engine needs to wake by itself (design, section 5): group, resource, verb. Pools may be of either group.
pub(super) const WVA: [(&str, &str, &str); 4] = [
    ("inference.networking.k8s.io", "inferencepools", "list"),
    ("inference.networking.x-k8s.io", "inferencepools", "list"),
    ("apps", "deployments/scale", "get"),
    ("apps", "deployments/scale", "update"),
];

/// What of the cluster decides which rights are needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Situation<'a> {
    pub config: &'a Config,
    /// Whether a variant has no VariantAutoscaling.
    pub has_managed: bool,
    /// The kinds of the variants' targets.
    pub kinds: &'a [TargetKind],
}

impl Rule {
    /// What it is needed for; `None` where it is not.
    pub fn need(&self, situation: Situation<'_>) -> Option<Need> {
        let Situation {
            config,
            has_managed,
            kinds,
        } = situation;
        let takes = |source| config.scope.sources.contains(&source);
        let names = |kind| kinds.iter().any(|of| of.as_str() == kind);
        match self.used {
            Used::Wake => Some(Need::Wake),
            Used::Source(source) => takes(source).then_some(Need::Wake),
            Used::Scaler(source) if takes(source) => Some(Need::Wake),
            Used::Scaler(_) => Some(Need::Option(SCALERS)),
            Used::Target(kind) => names(kind).then_some(Need::Wake),
            Used::TargetOption(kind, lost) => names(kind).then_some(Need::Option(lost)),
            Used::Option(when, lost) => {
                let is_on = match when {
                    When::Always => true,
                    When::Status => config.status.enabled,
                    When::Annotate => config.status.annotate_variant,
                    When::Events => config.events,
                    When::Autoscalers => config.wake.guard || has_managed,
                    When::Guard => config.wake.guard,
                    When::LeaderElection => config.leader_election.enabled,
                };
                is_on.then_some(Need::Option(lost))
            }
            Used::Unused => None,
        }
    }
}

#[cfg(test)]
mod tests;
