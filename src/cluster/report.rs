//! Telling the cluster of a wake: Events first, the status last (see `core::Reporting`).

use kube::Client;

use super::{
    error::RequestError,
    events::{About, scaled_from_zero},
    status::{annotate, write_status},
};
use crate::core::{Failure, Report, Reported};

/// Sends one report. What fails is logged and said in the answer; the core decides what follows.
pub async fn send_report(
    client: &Client,
    report: &Report,
    annotate_variant: bool,
    instance: &str,
) -> Reported {
    let events = !report.events || write_events(client, report, instance).await;
    let status = match &report.status {
        None => true,
        Some(update) => settled("status", write_status(client, &report.variant, update).await),
    };
    if annotate_variant && status {
        // For whoever watches updates; the status already says it all, so it is not tried again.
        settled(
            "annotation",
            annotate(client, &report.variant, report.told.as_ref()).await,
        );
    }
    Reported { events, status }
}

async fn write_events(client: &Client, report: &Report, instance: &str) -> bool {
    let variant = About {
        api_version: "llmd.ai/v1alpha1",
        kind: "VariantAutoscaling",
        name: &report.variant,
        uid: &report.variant_uid,
    };
    let target = About {
        api_version: "apps/v1",
        kind: report.target.kind.as_str(),
        name: &report.target.name,
        uid: &report.target_uid,
    };
    let (on_variant, on_target) = tokio::join!(
        scaled_from_zero(client, variant, report, &report.target_uid, instance),
        scaled_from_zero(client, target, report, &report.target_uid, instance),
    );
    // One that is refused for what it says is refused for ever.
    let refused =
        |answer: &Result<(), RequestError>| matches!(answer, Err(e) if e.failure == Failure::Rejected);
    let done = |answer| refused(&answer) | settled("event", answer);
    done(on_variant) & done(on_target)
}

/// Whether nothing is left to do: it is written, or what it is about is gone.
fn settled(what: &str, answer: Result<(), RequestError>) -> bool {
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
