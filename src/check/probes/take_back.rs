//! Who may take a wake back, or wakes as well: HPAs, WVA, GitOps.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    check::{Concerns, Facts, Link, Need, Object, Problem, Severity, Verdict},
    core::{ObjectName, ScalerKey, ScalerKind, Scope, Select, Source, TargetKey, TargetRef, VariantKey},
};

/// An HPA's scale-down window where it says none. (`--horizontal-pod-autoscaler-downscale-stabilization`, 5 minutes.)
const DEFAULT_WINDOW: i64 = 300;
/// The least that outlasts what WVA's gauge may lag: a tick of 30 s, and a scrape.
const SAFE_WINDOW: i64 = 60;
/// The gauge that WVA steers HPAs by.
const GAUGE: &str = "wva_desired_replicas";
/// Marks of the tools that put manifests back to what a repository says.
const GITOPS: [(&str, &str); 4] = [
    ("/metadata/annotations/argocd.argoproj.io~1tracking-id", "Argo CD"),
    ("/metadata/labels/argocd.argoproj.io~1instance", "Argo CD"),
    ("/metadata/labels/kustomize.toolkit.fluxcd.io~1name", "Flux"),
    ("/metadata/labels/helm.toolkit.fluxcd.io~1name", "Flux"),
];

/// What is wrong there.
pub(super) fn probe(facts: &Facts, _: &Verdict<'_>) -> Vec<Problem> {
    let hpas = facts.objects.all("autoscaling", "HorizontalPodAutoscaler");
    let mut problems: Vec<_> = hpas.filter_map(|hpa| takes_back(facts, hpa)).collect();
    problems.extend(gitops(facts));
    problems.extend(engine(facts));
    problems.extend(status_disabled(facts));
    problems
}

/// The variants in scope on a target.
pub(super) fn in_scope(facts: &Facts, target: &TargetKey) -> BTreeSet<VariantKey> {
    let names = facts.inventory.variants_of(target);
    let ours = names.filter(|name| {
        facts
            .inventory
            .entry(name)
            .is_some_and(|entry| entry.scope == Scope::In)
    });
    ours.cloned().collect()
}

/// An HPA that may scale to 0, and does so at once when its metric says 0.
fn takes_back(facts: &Facts, hpa: &Object) -> Option<Problem> {
    let key = ScalerKey {
        kind: ScalerKind::HorizontalPodAutoscaler,
        name: ObjectName::new(hpa.namespace.as_str(), hpa.name.as_str()),
    };
    let scaler = facts.inventory.scaler(&key)?;
    let TargetRef::Known(target) = &scaler.target else {
        return None;
    };
    let variants = in_scope(facts, target);
    // What is KEDA's is told of with its ScaledObject; and with guards, minReplicas is 1 meanwhile.
    if variants.is_empty() || scaler.is_child || scaler.min_replicas > 0 || facts.config.wake.guard {
        return None;
    }
    let down = hpa.at("/spec/behavior/scaleDown");
    if down.is_some_and(|down| down["selectPolicy"] == "Disabled") {
        return None;
    }
    let window = down.and_then(|down| down["stabilizationWindowSeconds"].as_i64());
    let seconds = window.unwrap_or(DEFAULT_WINDOW);
    if seconds >= SAFE_WINDOW {
        return None;
    }
    let metrics = hpa
        .at("/spec/metrics")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let names: Vec<&str> = metrics
        .filter_map(|metric| {
            let external = metric
                .pointer("/external/metric/name")
                .or_else(|| metric.pointer("/object/metric/name"));
            external?.as_str()
        })
        .collect();
    let problem = Problem::new(
        "hpa_takes_back",
        Severity::Warning,
        Link::TakeBack,
        format!("it may scale {target} back to 0 within seconds of a wake"),
    )
    .about(hpa.named())
    .concerning(Concerns::Variants(variants))
    .seen(format!(
        "minReplicas: 0, behavior.scaleDown.stabilizationWindowSeconds: {seconds}"
    ));
    let problem = match names.iter().find(|name| name.contains(GAUGE)) {
        Some(_) => problem.seen(format!(
            "it goes by {GAUGE}, which for up to 30 s after a wake may still say 0"
        )),
        None if names.is_empty() => problem,
        None => problem.seen(format!("it goes by {}", names.join(", "))),
    };
    Some(
        problem
            .mend("give it a window, or let a guard keep it from that (wake: {guard: true})")
            .mend(super::patch(
                "hpa",
                &key.name,
                &json!({"spec": {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 120}}}}),
            )),
    )
}

/// Targets that a GitOps tool keeps as a repository says, with the replicas written there.
fn gitops(facts: &Facts) -> Vec<Problem> {
    let targets = [
        ("apps", "Deployment"),
        ("apps", "StatefulSet"),
        ("leaderworkerset.x-k8s.io", "LeaderWorkerSet"),
    ];
    let objects = targets
        .iter()
        .flat_map(|(group, kind)| facts.objects.all(group, kind));
    let mut problems = Vec::new();
    for object in objects {
        let Some((_, tool)) = GITOPS.iter().find(|(pointer, _)| object.at(pointer).is_some()) else {
            continue;
        };
        let concerned: BTreeSet<_> = facts
            .inventory
            .entries()
            .filter(|(_, entry)| {
                let is_it = |target: &TargetKey| {
                    target.kind.as_str() == object.kind
                        && *target.name.namespace == *object.namespace
                        && *target.name.name == *object.name
                };
                entry.is_inactive() && entry.target().is_some_and(is_it)
            })
            .map(|(name, _)| name.clone())
            .collect();
        if !concerned.is_empty() {
            problems.push(
                Problem::new("gitops_may_take_back", Severity::Note, Link::TakeBack, format!("{tool} manages it, and puts replicas back if the repository says how many there are"))
                    .about(object.named())
                    .concerning(Concerns::Variants(concerned))
                    .mend("leave spec.replicas out of the manifests there, or have the tool ignore it (Argo CD: ignoreDifferences with jsonPointers [/spec/replicas])"),
            );
        }
    }
    problems
}

/// WVA's own engine, which wakes every variant of a model where its account may.
fn engine(facts: &Facts) -> Option<Problem> {
    let account = facts.account.as_deref()?.strip_prefix("system:serviceaccount:")?;
    let asked: Vec<_> = facts
        .access
        .iter()
        .filter(|access| access.need == Need::Wva)
        .collect();
    if asked.is_empty() || asked.iter().any(|access| access.allowed != Ok(true)) {
        return None;
    }
    let (namespace, name) = account.split_once(':')?;
    let runs_wva = |object: &&Object| {
        let of_account = object.text("/spec/template/spec/serviceAccountName") == Some(name);
        let is_wva = object
            .json
            .pointer("/metadata/labels/app.kubernetes.io~1name")
            .is_some_and(|value| value == "workload-variant-autoscaler");
        of_account && is_wva
    };
    let wva = facts
        .objects
        .within("apps", "Deployment", namespace)
        .find(runs_wva);
    let problem = Problem::new(
        "wva_engine_active",
        Severity::Warning,
        Link::TakeBack,
        match facts.config.wake.select {
            Select::Cheapest => "WVA's own engine works under this account, and wakes every variant of a model, not only the cheapest",
            Select::All => "WVA's own engine works under this account, and wakes what we wake",
        },
    )
    .about(format!("ServiceAccount {namespace}/{name}"))
    .concerning(Concerns::All)
    .seen("the account may list inferencepools, and get and update deployments/scale, which is all that the engine lacks otherwise");
    Some(
        match wva {
            Some(wva) => problem.seen(format!("{} runs under it", wva.named())),
            None => problem.seen("whether WVA runs under it could not be seen"),
        }
        .mend("take get and update of deployments/scale from WVA's role (its chart has them), or run us under an account of our own and accept that it wakes them all")
        .mend("see manifests/README.md"),
    )
}

/// Without the status, WVA goes on asking for 0.
fn status_disabled(facts: &Facts) -> Option<Problem> {
    let variants = facts
        .inventory
        .entries()
        .filter(|(name, _)| name.source == Source::VariantAutoscaling);
    let concerned: BTreeSet<_> = variants.map(|(name, _)| name.clone()).collect();
    (!facts.config.status.enabled && !concerned.is_empty()).then(|| {
        Problem::new("status_disabled", Severity::Warning, Link::TakeBack, "status.enabled is false: where the status says 0, WVA's gauge goes on saying 0 after a wake, and an HPA on it takes the wake back")
            .concerning(Concerns::Variants(concerned))
            .mend("status: {enabled: true}")
    })
}
