//! The configuration: what is allowed, and yet seldom wanted.

use crate::{
    check::near::nearest,
    check::{Concerns, Facts, Link, Problem, Severity, Verdict},
    core::StatusUpdate,
};

/// What is wrong there.
pub(super) fn probe(facts: &Facts, _: &Verdict<'_>) -> Vec<Problem> {
    let config = &facts.config;
    let mut problems = Vec::new();
    if config.dry_run {
        problems.push(
            Problem::new(
                "dry_run",
                Severity::Warning,
                Link::Config,
                "the configuration says dryRun: true, so nothing is woken, only told",
            )
            .concerning(Concerns::All)
            .mend("take the line dryRun: true out of the configuration"),
        );
    }
    if config.prometheus.tls.insecure_skip_verify {
        problems.push(
            Problem::new(
                "tls_not_verified",
                Severity::Note,
                Link::Config,
                "Prometheus' certificate is not verified, so whoever is in between can have any model woken",
            )
            .mend("name its CA instead")
            .mend("prometheus: {tls: {caFile: /path/to/ca.crt}}"),
        );
    }
    if config.query.expression.is_some() {
        problems.push(
            Problem::new(
                "custom_expression",
                Severity::Note,
                Link::Config,
                "query.expression replaces the query, so the age of samples and the signal of EPPs cannot be told",
            )
            .mend("use query.families, labels and matchers, if they can say the same"),
        );
    }
    problems.extend(namespaces(facts));
    problems.extend(fallback(facts));
    problems
}

/// Namespaces in `scope.namespaces` that do not exist.
fn namespaces(facts: &Facts) -> Option<Problem> {
    let known: Vec<_> = facts.objects.all("", "Namespace").collect();
    let readable = !known.is_empty() && !facts.unread.iter().any(|unread| unread.kind == "Namespace");
    let wanted = facts.config.scope.namespaces.iter().filter(|_| readable);
    let missing: Vec<_> = wanted
        .filter(|name| !known.iter().any(|namespace| namespace.name == **name))
        .collect();
    let first = missing.first()?;
    let mut problem = Problem::new(
        "scope_namespace_missing",
        Severity::Warning,
        Link::Config,
        "scope.namespaces names a namespace that does not exist",
    );
    for name in &missing {
        problem = problem.seen(format!("there is no namespace {name}"));
    }
    let near = nearest(first, known.iter().map(|namespace| namespace.name.as_str()));
    Some(problem.mend(match near {
        Some(near) => format!("write {near} in scope.namespaces, or create the namespace"),
        None => "correct scope.namespaces, or create the namespace".to_owned(),
    }))
}

/// Variants whose status would name the fallback as their accelerator, which WVA then keeps for good.
fn fallback(facts: &Facts) -> Option<Problem> {
    let fallback = &facts.config.status.fallback_accelerator;
    if !facts.config.status.enabled {
        return None;
    }
    let concerned = facts.inventory.entries().filter(|(name, entry)| {
        let is_variant = name.source == crate::core::Source::VariantAutoscaling;
        let target = entry.target().and_then(|target| facts.inventory.target(target));
        is_variant && entry.is_inactive() && StatusUpdate::falls_back(&entry.variant, target, fallback)
    });
    let concerned: std::collections::BTreeSet<_> = concerned.map(|(name, _)| name.clone()).collect();
    let first = concerned.first()?.name.clone();
    Some(
        Problem::new(
            "fallback_accelerator",
            Severity::Note,
            Link::Config,
            format!("their accelerator cannot be told, so after a wake their status says {fallback:?}"),
        )
        .concerning(Concerns::Variants(concerned))
        .seen("no label inference.optimization/acceleratorName on the variant, none in its status, none in the pod template's nodeSelector or nodeAffinity")
        .mend("label them, since WVA goes by it")
        .mend(super::kubectl("label", "va", &first, "inference.optimization/acceleratorName=H100")),
    )
}
