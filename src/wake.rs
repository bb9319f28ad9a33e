//! `wake NAMESPACE/NAME`: one wake by hand, with the same rules of writing as the loop's.

use std::{str::FromStr, time::Duration};

use kube::Client;

use crate::{
    clock::Clock,
    cluster::{
        RequestError, look, look_at_namespace, look_at_pools, look_at_variant, scale_from_zero, send_report,
    },
    config::Config,
    core::{
        Gone, Inventory, Memory, NotWakeable, ObjectName, PoolGroup, Reported, Rules, ScopeRules, Told, Wake,
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
            _ => Err("write NAMESPACE/NAME of a VariantAutoscaling, e.g. llm/llama-8b-autoscaler".into()),
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
    let mut inventory = gather(client, config, name).await?;
    let wake = match Wake::by_hand(&inventory, name, clock.now()) {
        Ok(wake) => wake,
        Err(NotWakeable::Scaled { replicas, ready }) => {
            return Ok(format!(
                "{name}: its target is at {replicas} already, {ready} ready; nothing to do"
            ));
        }
        Err(why) => return Err(WakeError::NotWakeable(explain(name, why))),
    };
    if dry_run {
        return Ok(format!(
            "{name}: would scale {} from 0 to 1 (dry run, nothing written)",
            wake.target
        ));
    }

    let mut memory = Memory::default();
    memory.sent(&wake);
    scale_from_zero(client, &wake).await?;
    let told = Told {
        key: wake.key.clone(),
        waiting: wake.waiting,
        sample_age: None,
        sample_to_scale: None,
    };
    memory.answered(&wake, Ok(()), told, clock.now(), &rules);
    let mut reported = Reported {
        events: true,
        status: true,
    };
    for _ in 0..REPORT_TRIES {
        for report in memory.reports_due(&inventory, clock.now(), &rules) {
            reported = send_report(client, &report, config.status.annotate_variant, instance).await;
            memory.reported(&report.variant, reported, clock.now().mono, &rules);
        }
        if reported.events && reported.status {
            break;
        }
        // WVA writes variants all the time: the next try is made from the newer object.
        inventory.apply(look_at_variant(client, name).await?);
        tokio::time::sleep(rules.backoff.initial).await;
    }
    if !reported.status {
        return Err(WakeError::NotReported(wake.target.to_string(), "status"));
    }
    if !reported.events {
        return Err(WakeError::NotReported(wake.target.to_string(), "Events"));
    }
    Ok(format!("{name}: scaled {} from 0 to 1", wake.target))
}

/// Reads what the decision about one variant needs, and no more.
async fn gather(client: &Client, config: &Config, name: &ObjectName) -> Result<Inventory, RequestError> {
    let mut inventory = Inventory::new(ScopeRules::from(config));
    inventory.apply(look_at_variant(client, name).await?);
    let target = inventory.entry(name).and_then(|entry| entry.target()).cloned();
    if let Some(target) = target {
        inventory.apply(look(client, &target).await?);
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

fn explain(name: &ObjectName, why: NotWakeable) -> String {
    match why {
        NotWakeable::NoVariant => {
            format!(
                "{name}: there is no such VariantAutoscaling; see kubectl get va --namespace {}",
                name.namespace
            )
        }
        NotWakeable::OutOfScope(why) => format!("{name}: out of scope: {why}"),
        NotWakeable::Target(Gone::Unsupported) => {
            format!("{name}: the kind in spec.scaleTargetRef cannot be woken; Deployment and StatefulSet can")
        }
        NotWakeable::Target(_) => format!("{name}: the target in spec.scaleTargetRef does not exist"),
        NotWakeable::Scaled { replicas, .. } => format!("{name}: its target is at {replicas} already"),
    }
}

/// How often the report of a wake by hand is tried.
const REPORT_TRIES: u32 = 3;

/// How long a wake by hand may take in all.
pub const LONGEST: Duration = Duration::from_secs(30);
