//! What the account may do, and what the API server has.

use std::collections::BTreeMap;

use crate::{
    check::{Access, Concerns, Facts, Link, Need, Origin, Problem, Severity, Verdict},
    core::TargetKind,
};

/// What is wrong there.
pub(super) fn probe(facts: &Facts, _: &Verdict<'_>) -> Vec<Problem> {
    let mut problems = denied(facts);
    problems.extend(absent(facts));
    problems
}

/// Permissions that lack, by what is lost without them.
fn denied(facts: &Facts) -> Vec<Problem> {
    let mut lost: BTreeMap<&str, Vec<&Access>> = BTreeMap::new();
    for access in facts.access.iter().filter(|access| access.allowed == Ok(false)) {
        // A kind that is not there needs no rule yet.
        if is_absent(facts, access) {
            continue;
        }
        let what = match access.need {
            Need::Wake => "",
            Need::Option(what) => what,
            Need::Wva => continue,
        };
        lost.entry(what).or_default().push(access);
    }
    let account = facts.account.as_deref().unwrap_or("this account");
    lost.into_iter()
        .map(|(what, missing)| {
            let mut problem = if what.is_empty() {
                let concerns = concerned(facts, &missing);
                Problem::new(
                    "permission_missing",
                    Severity::Error,
                    Link::Permissions,
                    format!("{account} may not do what a wake needs"),
                )
                .concerning(concerns)
            } else {
                Problem::new(
                    "permission_missing_option",
                    Severity::Warning,
                    Link::Permissions,
                    format!("{account} lacks a permission, and without it {what}"),
                )
            };
            for access in &missing {
                problem = problem.seen(format!("not allowed: {}", question(access)));
            }
            let first = missing[0];
            let namespace = first.namespace.as_ref().map_or_else(
                || " --all-namespaces".to_owned(),
                |namespace| format!(" --namespace {}", super::paste::word(namespace)),
            );
            let who = match account.strip_prefix("system:serviceaccount:") {
                Some(_) => format!(" --as {}", super::paste::word(account)),
                None => String::new(),
            };
            problem
                .mend("apply the project's role, see manifests/README.md; then ask again")
                .mend(format!(
                    "kubectl auth can-i {} {}{}{namespace}{who}",
                    first.verb,
                    first.resource,
                    if first.group.is_empty() {
                        String::new()
                    } else {
                        format!(".{}", first.group)
                    },
                ))
        })
        .collect()
}

fn question(access: &Access) -> String {
    let Access {
        verb,
        group,
        resource,
        namespace,
        ..
    } = access;
    let dot = if group.is_empty() { "" } else { "." };
    let within = match namespace {
        Some(namespace) => format!(" in {namespace}"),
        None => String::new(),
    };
    format!("{verb} {resource}{dot}{group}{within}")
}

/// Whether the API server has no kind of that group, so that nothing lacks yet.
fn is_absent(facts: &Facts, access: &Access) -> bool {
    let plural = access.resource.split('/').next().unwrap_or_default();
    let of_it = |kind: &str| kind.to_lowercase() + "s" == plural;
    let mut unread = facts.unread.iter();
    unread.any(|unread| unread.absent && unread.group == access.group && of_it(&unread.kind))
}

/// Whom a missing permission concerns: those with a target of that kind in that namespace, or all.
fn concerned(facts: &Facts, missing: &[&Access]) -> Concerns {
    let mut all = std::collections::BTreeSet::new();
    for access in missing {
        let kind = match (&*access.group, access.resource.split('/').next()) {
            ("apps", Some("deployments")) => TargetKind::Deployment,
            ("apps", Some("statefulsets")) => TargetKind::StatefulSet,
            ("leaderworkerset.x-k8s.io", Some("leaderworkersets")) => {
                TargetKind::other(&access.group, "LeaderWorkerSet")
            }
            _ => return Concerns::All,
        };
        let concerned = facts.inventory.entries().filter(|(name, entry)| {
            let here = access
                .namespace
                .as_deref()
                .is_none_or(|ns| ns == &*name.name.namespace);
            here && entry.target().is_some_and(|target| target.kind == kind)
        });
        all.extend(concerned.map(|(name, _)| name.clone()));
    }
    Concerns::Variants(all)
}

/// Kinds that the API server does not have, where nothing stands in for them.
fn absent(facts: &Facts) -> Vec<Problem> {
    let lacks = |group: &str, kind: &str| {
        let mut unread = facts.unread.iter();
        unread.any(|unread| unread.absent && unread.group == group && unread.kind == kind)
    };
    let mut problems = Vec::new();
    let pools = ["inference.networking.k8s.io", "inference.networking.x-k8s.io"];
    if pools.iter().all(|group| lacks(group, "InferencePool")) {
        problems.push(
            Problem::new(
                "no_pool_api",
                Severity::Error,
                Link::Permissions,
                "the API server has no InferencePools, so no variant is behind a queue",
            )
            .concerning(Concerns::All)
            .seen("neither inference.networking.k8s.io/v1 nor inference.networking.x-k8s.io/v1alpha2 is served")
            .mend("install the CRDs of the Gateway API Inference Extension, and create a pool for each model server"),
        );
    }
    let nothing = facts.inventory.variants() == 0;
    if nothing
        && !facts
            .unread
            .iter()
            .any(|unread| unread.kind == "VariantAutoscaling" && !unread.absent)
    {
        let problem = Problem::new(
            "no_variants",
            Severity::Warning,
            Link::Variant,
            "there is no variant, so there is nothing to wake",
        );
        let problem = if lacks("llmd.ai", "VariantAutoscaling") {
            problem.seen("the API server has no kind VariantAutoscaling (llmd.ai/v1alpha1)")
        } else {
            problem.seen(match &facts.config.scope.namespaces[..] {
                [] => "looked for in all namespaces that were asked about".to_owned(),
                some => format!("looked for in scope.namespaces: {}", some.join(", ")),
            })
        };
        let problem = match facts.origin {
            Origin::Live { .. } => problem.mend("create a VariantAutoscaling, or annotate an HPA or ScaledObject with llm-d.ai/managed and llm-d.ai/model-id").mend("kubectl get va,hpa,scaledobject --all-namespaces"),
            Origin::Files { .. } => problem.mend("name the folder that holds them: --objects DIR"),
        };
        problems.push(problem);
    }
    problems
}
