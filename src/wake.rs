//! `wake NAMESPACE/NAME`: one wake by hand, with the same rules of writing as the loop's.

use std::{str::FromStr, time::Duration};

use kube::Client;

use crate::{
    clock::Clock,
    cluster::{
        Discovered, Found, RequestError, discover, look, look_at_namespace, look_at_pools, look_at_scalers,
        look_at_variant, scale_from_zero, send_report, write_guard,
    },
    config::Config,
    core::{
        Blocked, Change, Inventory, Memory, NotWakeable, ObjectName, PoolGroup, Reported, Rules, ScalerKind,
        ScopeRules, Source, TargetKind, Told, VariantKey, Wake,
    },
};

/// A variant named on the command line.
#[derive(Clone, Debug)]
pub struct VariantArgument(pub ObjectName);

impl FromStr for VariantArgument {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c))
        };
        match text.split_once('/') {
            Some((namespace, name)) if is_name(namespace) && is_name(name) => {
                Ok(Self(ObjectName::new(namespace, name)))
            }
            _ => Err("write NAMESPACE/NAME of a variant, e.g. llm/llama-8b-autoscaler".into()),
        }
    }
}

/// Why a variant was not woken.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// The API server refused or did not answer.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Nothing to wake.
    #[error("{0}")]
    NotWakeable(String),
    /// The wake went through and its report did not.
    #[error("{0} is scaled to 1, but its {1} could not be written; run with log.level: debug to see why")]
    NotReported(String, &'static str),
}

/// Wakes one variant. Returns what to tell.
///
/// # Errors
/// Why it was not woken, or not reported.
pub async fn wake(
    client: &Client,
    config: &Config,
    name: &ObjectName,
    dry_run: bool,
    instance: &str,
) -> Result<String, WakeError> {
    let clock = Clock::start();
    let rules = Rules::from(config);
    let discovered = Discovered::default();
    let mut inventory = gather(client, &discovered, config, name).await?;
    let variant = named(&inventory, name);
    let wake = match Wake::by_hand(&inventory, &variant, clock.now(), &rules) {
        Ok(wake) => wake,
        Err(NotWakeable::Scaled { replicas, ready }) => {
            return Ok(format!(
                "{variant}: its target is at {replicas} already, {ready} ready; nothing to do"
            ));
        }
        Err(why) => return Err(WakeError::NotWakeable(explain(&variant, why))),
    };
    if dry_run {
        return Ok(format!(
            "{variant}: would scale {} from 0 to 1 (dry run, nothing written)",
            wake.target
        ));
    }

    let mut memory = Memory::default();
    memory.sent(&wake);
    for guard in &wake.guards {
        if let Err(error) = write_guard(client, guard).await {
            tracing::warn!(scaler = %guard.scaler, %error, "Could not write a guard; waking all the same");
        }
    }
    scale_from_zero(client, &discovered, &wake).await?;
    let told = Told {
        key: wake.key.clone(),
        cause: wake.cause.clone(),
        sample_age: None,
        sample_to_scale: None,
    };
    memory.answered(&wake, Ok(()), told, clock.now(), &rules);
    let mut reported = Reported {
        events: true,
        mark: true,
    };
    for _ in 0..REPORT_TRIES {
        for report in memory.reports_due(&inventory, clock.now(), &rules) {
            let annotate = config.status.annotate_variant;
            reported = send_report(client, &discovered, &report, annotate, instance).await;
            memory.reported(&report.variant, reported, clock.now().mono, &rules);
        }
        if reported.events && reported.mark {
            break;
        }
        // WVA writes variants all the time: the next try is made from the newer object.
        inventory.apply(look_at_variant(client, name).await?);
        tokio::time::sleep(rules.backoff.initial).await;
    }
    if !reported.mark {
        return Err(WakeError::NotReported(wake.target.to_string(), "status"));
    }
    if !reported.events {
        return Err(WakeError::NotReported(wake.target.to_string(), "Events"));
    }
    Ok(format!("{variant}: scaled {} from 0 to 1", wake.target))
}

/// The variant of that name: of the source that comes first, where there are several.
fn named(inventory: &Inventory, name: &ObjectName) -> VariantKey {
    let keys = Source::ALL.map(|source| VariantKey {
        name: name.clone(),
        source,
    });
    let known = keys.iter().find(|key| inventory.entry(key).is_some()).cloned();
    known.unwrap_or_else(|| VariantKey::autoscaling(name.clone()))
}

/// Reads what the decision about one variant needs, and no more.
async fn gather(
    client: &Client,
    discovered: &Discovered,
    config: &Config,
    name: &ObjectName,
) -> Result<Inventory, WakeError> {
    let mut inventory = Inventory::new(ScopeRules::from(config));
    inventory.apply(look_at_variant(client, name).await?);
    for kind in ScalerKind::ALL {
        // Whoever may not read them has no such variants, and no pauses to obey.
        match look_at_scalers(client, kind, &name.namespace).await {
            Ok(change) => inventory.apply(change),
            Err(error) => tracing::debug!(%error, "Cannot read what scales by itself"),
        }
    }
    let target = inventory
        .entry(&named(&inventory, name))
        .and_then(|entry| entry.target())
        .cloned();
    if let Some(target) = target {
        if let TargetKind::Other(kind) = &target.kind {
            match discover(client, kind).await? {
                Found::Scalable(resource) => discovered.set(kind, resource),
                Found::NotScalable => inventory.apply(Change::Scalable(kind.clone(), false)),
                Found::Absent { .. } => {
                    return Err(WakeError::NotWakeable(format!(
                        "{name}: the API server has no kind {kind}, which its scaleTargetRef names; install its CRD, or write the apiVersion that has it"
                    )));
                }
            }
        }
        if discovered.of(&target.kind).is_some() {
            inventory.apply(look(client, discovered, &target).await?);
        }
    }
    for group in [PoolGroup::Stable, PoolGroup::Experimental] {
        inventory.apply(look_at_pools(client, group, &name.namespace).await?);
    }
    // Whoever has a Role only may not read namespaces; then there is no such annotation to obey.
    match look_at_namespace(client, &name.namespace).await {
        Ok(change) => inventory.apply(change),
        Err(error) => tracing::debug!(%error, "Cannot read the namespace"),
    }
    Ok(inventory)
}

fn explain(variant: &VariantKey, why: NotWakeable) -> String {
    match why {
        NotWakeable::NoVariant => {
            format!(
                "{variant}: there is no such VariantAutoscaling, nor a ScaledObject or HorizontalPodAutoscaler of that name with the annotation llm-d.ai/managed; see kubectl get va,scaledobject,hpa --namespace {}",
                variant.name.namespace
            )
        }
        NotWakeable::OutOfScope(why) => format!("{variant}: out of scope: {why}"),
        NotWakeable::Target(gone) => format!("{variant}: {}", Blocked::Target(gone)),
        NotWakeable::Scaled { replicas, .. } => format!("{variant}: its target is at {replicas} already"),
    }
}

/// How often the report of a wake by hand is tried.
const REPORT_TRIES: u32 = 3;

/// How long a wake by hand may take in all.
pub const LONGEST: Duration = Duration::from_secs(30);
