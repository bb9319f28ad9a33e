//! Variants that are left alone, and how to have them back.

use super::{
    kubectl,
    paste::{self, scalar, word},
    variant::named,
};
use crate::{
    check::{Concerns, Facts, Link, Problem, Severity},
    core::{Entry, ObjectName, OutOfScope, VariantKey},
};

/// Why a variant is left alone.
pub(super) fn out_of_scope(facts: &Facts, name: &VariantKey, entry: &Entry, why: OutOfScope) -> Problem {
    // What somebody wrote there on purpose is no problem; what easily happens by accident is.
    let severity = match why {
        OutOfScope::OtherInstance | OutOfScope::MaxReplicasZero | OutOfScope::Paused => Severity::Warning,
        _ => Severity::Note,
    };
    let problem = Problem::new(
        why.as_str(),
        severity,
        Link::Variant,
        format!("it is left alone: {why}"),
    )
    .about(named(name))
    .concerning(Concerns::one(name))
    .mend("if it is to be woken:")
    .mend(back(facts, name, entry, why));
    if why != OutOfScope::OtherInstance {
        return problem;
    }
    problem.seen(match &entry.variant.controller_instance {
        Some(label) => format!("the label says {label}"),
        None => "the label is not there".to_owned(),
    })
}

/// What has it back.
fn back(facts: &Facts, name: &VariantKey, entry: &Entry, why: OutOfScope) -> String {
    let (kind, own) = (name.source.as_str(), &name.name);
    let namespace = &own.namespace;
    let exclude = |kind: &str, name: &ObjectName| kubectl("annotate", kind, name, "scale-from-zero/exclude-");
    let of_namespace =
        |annotation: &str| format!("kubectl annotate namespace {} {annotation}-", word(namespace));
    match why {
        OutOfScope::OtherNamespace => format!("add {} to scope.namespaces", scalar(namespace)),
        OutOfScope::OtherInstance => {
            let ours = facts
                .config
                .scope
                .controller_instance
                .as_deref()
                .unwrap_or_default();
            let label = format!("wva.llmd.ai/controller-instance={ours}");
            kubectl("label --overwrite", kind, own, &word(&label))
        }
        OutOfScope::Deleting => kubectl("get", kind, own, "-o jsonpath='{.metadata.finalizers}'"),
        OutOfScope::VariantExcluded => exclude(kind, own),
        OutOfScope::TargetExcluded => match entry.target() {
            Some(target) => exclude(target.kind.as_str(), &target.name),
            None => "take the annotation away from its target".to_owned(),
        },
        OutOfScope::PoolExcluded => match entry.excluded_pools.first() {
            Some(pool) => exclude("inferencepool", &ObjectName::new(namespace.clone(), pool.clone())),
            None => "take the annotation away from its pool".to_owned(),
        },
        OutOfScope::NamespaceExcluded => of_namespace("scale-from-zero/exclude"),
        OutOfScope::NamespaceExcludedFromWva => of_namespace("wva.llmd.ai/exclude"),
        OutOfScope::MaxReplicasZero => "spec: {maxReplicas: 1}  # or more".to_owned(),
        OutOfScope::Paused => paste::kubectl(
            namespace,
            "get scaledobject -o yaml | grep -n autoscaling.keda.sh/paused",
        ),
        OutOfScope::Outranked => "delete one of the two objects, or leave both: the first counts".to_owned(),
    }
}
