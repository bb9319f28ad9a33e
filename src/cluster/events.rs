//! Events of wakes and of what is wrong, on the objects they are about.
//!
//! Their names follow from what they tell of, so that two copies that tell of the same write one Event; the second is
//! told `AlreadyExists`, which is as good.

use std::time::Duration;

use kube::{Client, api::PostParams};
use serde_json::json;

use super::{
    discovery::Discovered,
    error::RequestError,
    kinds::resource,
    write::{FIELD_MANAGER, send},
};
use crate::{
    core::{Failure, ObjectName, TargetKey, VariantKey, Wall},
    text::tame,
};

/// How long the writing of one Event may take.
const DEADLINE: Duration = Duration::from_secs(5);
/// Bytes of a note that the API takes.
const LONGEST_NOTE: usize = 1024;

/// What an Event is about.
#[derive(Clone, Debug)]
pub struct About {
    api_version: String,
    kind: String,
    name: ObjectName,
    uid: Box<str>,
}

impl About {
    /// A variant of this uid.
    pub fn variant(variant: &VariantKey, uid: &str) -> Self {
        let api_version = resource(&variant.source.into()).map(|resource| resource.api_version);
        Self {
            api_version: api_version.unwrap_or_default(),
            kind: variant.source.as_str().into(),
            name: variant.name.clone(),
            uid: uid.into(),
        }
    }

    /// A target of this uid.
    pub fn target(target: &TargetKey, uid: &str, discovered: &Discovered) -> Self {
        let api_version = discovered.of(&target.kind).map(|resource| resource.api_version);
        Self {
            api_version: api_version.unwrap_or_default(),
            kind: target.kind.as_str().into(),
            name: target.name.clone(),
            uid: uid.into(),
        }
    }
}

/// What an Event tells.
#[derive(Clone, Debug)]
pub struct Text {
    /// Whether it is a warning.
    pub warning: bool,
    /// `reason`, one word.
    pub reason: &'static str,
    /// `note`; cut to what the API takes.
    pub note: String,
    /// Tells this occasion from others on the same object, the same for every copy that tells of it.
    pub occasion: String,
}

/// Writes one Event. `instance` names this process.
///
/// # Errors
/// What the server answered, but for an Event that stands already.
pub async fn write_event(
    client: &Client,
    about: &About,
    text: &Text,
    instance: &str,
) -> Result<(), RequestError> {
    let About {
        api_version,
        kind,
        name: ObjectName { namespace, name },
        uid,
    } = about;
    let occasion = format!("{kind}/{}", text.occasion);
    let body = json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": event_name(name, &occasion), "namespace": &**namespace},
        "eventTime": Wall::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        "reportingController": FIELD_MANAGER,
        "reportingInstance": instance,
        "action": "ScaleFromZero",
        "reason": text.reason,
        "type": if text.warning { "Warning" } else { "Normal" },
        "note": cut(&text.note),
        "regarding": {
            "apiVersion": api_version,
            "kind": kind,
            "namespace": &**namespace,
            "name": &**name,
            "uid": &**uid,
        },
    });
    let path = format!("/apis/events.k8s.io/v1/namespaces/{namespace}/events");
    let parameters = PostParams {
        field_manager: Some(FIELD_MANAGER.into()),
        ..PostParams::default()
    };
    let request = kube::core::Request::new(path).create(&parameters, body.to_string().into_bytes());
    let what = format!("create events {namespace} for {kind} {name}");
    match send(client, what, request, DEADLINE).await {
        Err(error) if error.failure == Failure::Conflict => Ok(()),
        answer => answer,
    }
}

/// The note on one line, cut to what the API takes: it holds names that others choose.
fn cut(note: &str) -> String {
    let mut note = tame(note, LONGEST_NOTE);
    let mut end = note.len().min(LONGEST_NOTE);
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note.truncate(end);
    note
}

/// A name that is the same for every copy that tells of the same occasion.
fn event_name(name: &str, occasion: &str) -> String {
    // FNV-1a: std's hasher is seeded by each process.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in occasion.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    // An object's name may be as long as an Event's: 253 characters.
    let room = 253 - 17;
    let name = name.get(..room).unwrap_or(name).trim_end_matches(['.', '-']);
    format!("{name}.{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_NOTE, cut, event_name};

    #[test]
    fn a_note_is_one_line_of_at_most_1024_bytes() {
        assert_eq!(
            cut("for model \u{1b}]0;owned\u{7}\nb"),
            "for model <U+001B>]0;owned<U+0007> b"
        );
        for model in ["x", "é", "モ", "\u{1b}", "👩‍🚀", "\n"] {
            for before in ["", "a", "ab", "abc"] {
                let note = cut(&format!("{before}{}", model.repeat(5000)));
                assert!(note.len() <= LONGEST_NOTE, "{model:?}: {}", note.len());
                assert!(!note.contains(char::is_control), "{model:?}");
            }
        }
        assert_eq!(cut(&"é".repeat(600)).len(), 1024, "all that there is room for");
    }

    #[test]
    fn the_name_of_an_event_follows_from_the_occasion() {
        let name = event_name("llama", "Deployment/uid-1/2");
        assert_eq!(name, event_name("llama", "Deployment/uid-1/2"));
        assert_ne!(name, event_name("llama", "Deployment/uid-1/3"));
        assert_ne!(name, event_name("llama", "VariantAutoscaling/uid-1/2"));
        assert!(event_name(&"x".repeat(253), "Deployment/uid-1/2").len() <= 253);
    }
}
