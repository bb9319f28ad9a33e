//! Telling the cluster of a wake: Events first, the mark last (see `core::Reporting`); and of what is wrong.

use std::{fmt::Write as _, sync::Arc};

use kube::Client;

use super::{
    discovery::Discovered,
    error::RequestError,
    events::{About, Text, write_event},
    status::{annotate, write_status},
};
use crate::core::{Cause, Failure, Mark, Report, Reported, TargetKey, VariantKey};

/// `reason` of the Event of a wake.
pub const SCALED_FROM_ZERO: &str = "ScaledFromZero";

/// Sends one report. What fails is logged and said in the answer; the core decides what follows.
pub async fn send_report(
    client: &Client,
    discovered: &Discovered,
    report: &Report,
    annotate_variant: bool,
    instance: &str,
) -> Reported {
    let events = !report.events || write_events(client, discovered, report, instance).await;
    let mark = match &report.mark {
        None => true,
        Some(Mark::Status(update)) => settled(
            "status",
            &write_status(client, &report.variant.name, update).await,
        ),
        Some(Mark::Annotation) => {
            // Whoever does not grant it has no use for it: the Events have told all.
            annotated(&annotate(client, &report.variant, report.told.as_ref()).await)
        }
    };
    // Who only renews the status, or has seen the wake of another, has no decision to tell of.
    let decided = report.told.is_some() && matches!(report.mark, Some(Mark::Status(_)));
    if annotate_variant && mark && decided {
        // For whoever watches updates; the status already says it all, so it is not tried again.
        let answer = annotate(client, &report.variant, report.told.as_ref()).await;
        if let Err(error) = answer {
            tracing::warn!(%error, "Could not annotate a variant; it is not tried again");
        }
    }
    Reported { events, mark }
}

async fn write_events(client: &Client, discovered: &Discovered, report: &Report, instance: &str) -> bool {
    let text = Text {
        warning: false,
        reason: SCALED_FROM_ZERO,
        note: note(report),
        occasion: format!("{}/{}", report.target_uid, report.generation),
    };
    let variant = About::variant(&report.variant, &report.variant_uid);
    let target = About::target(&report.target, &report.target_uid, discovered);
    let (on_variant, on_target) = tokio::join!(
        write_event(client, &variant, &text, instance),
        write_event(client, &target, &text, instance),
    );
    // One that is refused for what it says is refused for ever.
    let refused =
        |answer: &Result<(), RequestError>| matches!(answer, Err(e) if e.failure == Failure::Rejected);
    let done = |answer| refused(answer) | settled("event", answer);
    done(&on_variant) & done(&on_target)
}

/// As [`settled`]; one that is refused is not tried again.
fn annotated(answer: &Result<(), RequestError>) -> bool {
    match answer {
        Err(error) if error.failure == Failure::Forbidden => {
            tracing::warn!(%error, "Not permitted to annotate a variant; its wakes are told of by Events alone");
            true
        }
        answer => settled("annotation", answer),
    }
}

/// Whether nothing is left to do: it is written, or what it is about is gone.
fn settled(what: &str, answer: &Result<(), RequestError>) -> bool {
    match answer {
        Ok(()) => true,
        Err(error) if error.failure == Failure::NotFound => true,
        // The next try is made from the newer object.
        Err(error) if error.failure == Failure::Conflict => {
            tracing::debug!(%error, what, "Report overtaken by another write");
            false
        }
        Err(error) => {
            tracing::warn!(%error, what, reason = error.failure.as_str(), why = %error.failure, "Could not report a wake; trying again");
            false
        }
    }
}

/// What the Event of a wake says.
fn note(report: &Report) -> String {
    let Some(told) = &report.told else {
        return format!(
            "{} was scaled from 0 to 1 while requests waited; who did it has not reported it",
            report.target
        );
    };
    let mut text = format!("Scaled {} from 0 to 1", report.target);
    // Writing to a string does not fail.
    let _ = match &told.cause {
        Cause::ByHand => write!(text, " by hand, for model {}", told.key.model),
        Cause::Demand(demanded) => write!(
            text,
            ": {} requests waiting for model {} at pool {}",
            demanded.waiting, told.key.model, told.key.pool
        ),
        Cause::Escalation { from, why, .. } => write!(
            text,
            " for model {} at pool {}, in place of {from}: {why}",
            told.key.model, told.key.pool
        ),
    };
    if let (Some(age), Some(total)) = (told.sample_age, told.sample_to_scale) {
        let (age, total) = (age.as_secs_f64(), total.as_secs_f64());
        let _ = write!(text, "; sample {age:.2} s old, {total:.2} s from sample to scale");
    }
    text
}

/// Something that is wrong with a variant or its target, to be told by a Warning Event on each.
#[derive(Clone, Debug)]
pub struct Warning {
    /// The variant, with its uid.
    pub variant: Option<(VariantKey, Box<str>)>,
    /// The target, with its uid.
    pub target: Option<(TargetKey, Arc<str>)>,
    /// `reason`, one word.
    pub reason: &'static str,
    /// What is wrong, and what to do.
    pub note: String,
    /// Tells this occasion from others, the same for every copy.
    pub occasion: String,
}

/// Writes the Events of a warning, each with one try: nothing depends on them, and others wait for their turn.
pub async fn send_warning(client: &Client, discovered: &Discovered, warning: &Warning, instance: &str) {
    let variant = warning
        .variant
        .as_ref()
        .map(|(variant, uid)| About::variant(variant, uid));
    let target = warning
        .target
        .as_ref()
        .map(|(target, uid)| About::target(target, uid, discovered));
    let text = Text {
        warning: true,
        reason: warning.reason,
        note: warning.note.clone(),
        occasion: format!("{}/{}", warning.reason, warning.occasion),
    };
    for about in variant.iter().chain(&target) {
        if let Err(error) = write_event(client, about, &text, instance).await {
            tracing::debug!(%error, "Could not write a warning as an Event");
        }
    }
}
