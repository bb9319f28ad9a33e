//! Events of a wake, on the variant and on its target.
//!
//! Their names follow from the target's uid and generation, so that two copies that report the same
//! wake write one Event; the second is told `AlreadyExists`, which is as good.

use std::{fmt::Write as _, time::Duration};

use kube::{Client, api::PostParams};
use serde_json::{Value, json};

use super::{
    error::RequestError,
    write::{FIELD_MANAGER, send},
};
use crate::core::{Failure, ObjectName, Report, Told, Wall};

/// How long the writing of one Event may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// `reason` of the Event of a wake.
pub const SCALED_FROM_ZERO: &str = "ScaledFromZero";

/// What an Event is about.
pub struct About<'a> {
    /// `apiVersion`.
    pub api_version: &'a str,
    /// `kind`.
    pub kind: &'a str,
    /// Its name.
    pub name: &'a ObjectName,
    /// Its uid.
    pub uid: &'a str,
}

/// Writes the Event of a wake on one object. `target_uid` with the report's generation names the wake,
/// `instance` this process.
///
/// # Errors
/// What the server answered, but for an Event that stands already.
pub async fn scaled_from_zero(
    client: &Client,
    about: About<'_>,
    report: &Report,
    target_uid: &str,
    instance: &str,
) -> Result<(), RequestError> {
    let ObjectName { namespace, name } = about.name;
    let now = Wall::now();
    let body = json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": event_name(name, about.kind, target_uid, report.generation), "namespace": &**namespace},
        "eventTime": now.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        "reportingController": FIELD_MANAGER,
        "reportingInstance": instance,
        "action": "ScaleFromZero",
        "reason": SCALED_FROM_ZERO,
        "type": "Normal",
        "note": note(report),
        "regarding": reference(&about),
    });
    let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
    let parameters = PostParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PostParams::default()
    };
    let request = kube::core::Request::new(path).create(&parameters, body.to_string().into_bytes());
    match send(
        client,
        format!("create events {namespace} for {} {name}", about.kind),
        request,
        DEADLINE,
    )
    .await
    {
        Err(error) if error.failure == Failure::Conflict => Ok(()),
        answer => answer,
    }
}

fn reference(about: &About<'_>) -> Value {
    json!({
        "apiVersion": about.api_version,
        "kind": about.kind,
        "namespace": &*about.name.namespace,
        "name": &*about.name.name,
        "uid": about.uid,
    })
}

/// Bytes of a note that the API takes.
const LONGEST_NOTE: usize = 1024;

/// The note, cut to what the API takes.
fn note(report: &Report) -> String {
    let text = match &report.told {
        // Demand is always above 0; without any, somebody has asked for it by hand.
        Some(told) if told.waiting <= 0.0 => format!(
            "Scaled {} from 0 to 1 by hand, for model {}",
            report.target, told.key.model
        ),
        Some(Told {
            key,
            waiting,
            sample_age,
            sample_to_scale,
        }) => {
            let mut text = format!(
                "Scaled {} from 0 to 1: {waiting} requests waiting for model {} at pool {}",
                report.target, key.model, key.pool
            );
            if let (Some(age), Some(total)) = (sample_age, sample_to_scale) {
                let (age, total) = (age.as_secs_f64(), total.as_secs_f64());
                // Writing to a string does not fail.
                let _ = write!(text, "; sample {age:.2} s old, {total:.2} s from sample to scale");
            }
            text
        }
        None => format!(
            "{} was scaled from 0 to 1 while requests waited; who did it has not reported it",
            report.target
        ),
    };
    let mut end = text.len().min(LONGEST_NOTE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// A name that is the same for every copy that reports the same wake of the same object.
fn event_name(name: &str, kind: &str, target_uid: &str, generation: i64) -> String {
    // FNV-1a: std's hasher is seeded by each process.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in format!("{kind}/{target_uid}/{generation}").bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // An object's name may be as long as an Event's: 253 characters.
    let room = 253 - 17;
    let name = name.get(..room).unwrap_or(name).trim_end_matches(['.', '-']);
    format!("{name}.{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::event_name;

    #[test]
    fn the_name_of_an_event_follows_from_the_wake() {
        let name = event_name("llama", "Deployment", "uid-1", 2);
        assert_eq!(name, event_name("llama", "Deployment", "uid-1", 2));
        assert_ne!(name, event_name("llama", "Deployment", "uid-1", 3));
        assert_ne!(name, event_name("llama", "VariantAutoscaling", "uid-1", 2));
        assert!(event_name(&"x".repeat(253), "Deployment", "uid-1", 2).len() <= 253);
    }
}
