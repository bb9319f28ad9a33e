//! What is fuzzed: each function takes any bytes, goes by the library's public API, and panics where a promise is
//! broken. The fuzz targets call them under libFuzzer, `tests/fuzzed.rs` for a short while on stable.

use std::{path::Path, str::from_utf8};

use scale_from_zero::{
    cluster::change,
    config::{self, Environment},
    core::{Inventory, Kind, Labels, OtherKind, PoolGroup, ScalerKind, TargetKind, rows},
    prometheus::{decode, exposition, series},
};
use serde_json::Value;

/// An answer of Prometheus: it is decoded or refused, and what is demand is a number above 0.
pub fn prometheus_answer(bytes: &[u8]) {
    if let Ok(answer) = decode::answer(bytes, &config::Labels::default()) {
        for row in rows(answer.samples) {
            assert!(row.waiting > 0.0, "{row:?}");
        }
    }
    let _ = series(bytes);
    let _ = decode::error_body(bytes);
}

/// The text that an EPP prints.
pub fn exposition_text(bytes: &[u8]) {
    if let Ok(text) = from_utf8(bytes) {
        let _ = exposition(text);
    }
}

/// The kinds whose objects are decoded.
pub fn kinds() -> [Kind; 9] {
    let other = OtherKind {
        group: "leaderworkerset.x-k8s.io".into(),
        kind: "LeaderWorkerSet".into(),
    };
    [
        Kind::Variant,
        Kind::Target(TargetKind::Deployment),
        Kind::Target(TargetKind::StatefulSet),
        Kind::Target(TargetKind::Other(other.into())),
        Kind::Pool(PoolGroup::Stable),
        Kind::Pool(PoolGroup::Experimental),
        Kind::Scaler(ScalerKind::ScaledObject),
        Kind::Scaler(ScalerKind::HorizontalPodAutoscaler),
        Kind::Namespace,
    ]
}

/// An object of the API, of whichever kind: where it has a name it is decoded, whatever else it holds, since one odd
/// object must not fail a list.
pub fn object(bytes: &[u8]) {
    if let Ok(object) = serde_json::from_slice::<Value>(bytes) {
        object_of_any_kind(&object);
    }
}

/// The same of a value.
pub fn object_of_any_kind(object: &Value) {
    let named = object.is_object() && object["metadata"]["name"].is_string();
    let mut inventory = Inventory::default();
    for kind in kinds() {
        let change = change(&kind, object);
        assert!(change.is_some() || !named, "{kind:?} is not decoded: {object}");
        if let Some(change) = change {
            inventory.apply(change);
        }
    }
    let _ = inventory.conflicts();
}

/// A selector and labels, each of lines `name=value` before and after an empty line: it selects as a slow comparison says.
pub fn selector(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    let (selector, labels) = text.split_once("\n\n").unwrap_or((text, ""));
    let pairs = |text: &str| -> Vec<(String, String)> {
        let mut kept: Vec<(String, String)> = Vec::new();
        let mut all: Vec<_> = text
            .lines()
            .map(|line| line.split_once('=').unwrap_or((line, "")))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        // Of a name that stands twice, the lesser value counts.
        all.sort();
        for (name, value) in all {
            if kept.iter().all(|(of, _)| *of != name) {
                kept.push((name, value));
            }
        }
        kept
    };
    let (wanted, given) = (pairs(selector), pairs(labels));
    let expected = !wanted.is_empty() && wanted.iter().all(|pair| given.contains(pair));
    let of = |pairs: &[(String, String)]| -> Labels { pairs.iter().cloned().collect() };
    assert_eq!(of(&wanted).selects(&of(&given)), expected, "{text:?}");
    for (name, value) in &given {
        assert_eq!(of(&given).get(name), Some(value.as_str()));
    }
}

/// A configuration file: it is read or refused, in words that are fit for a log line or two.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = from_utf8(bytes) else { return };
    if let Err(error) = config::parse(Path::new("config.yaml"), text, &Environment::default()) {
        let told = error.to_string();
        let odd = told.chars().find(|c| c.is_control() && *c != '\n');
        assert_eq!(odd, None, "{told:?}");
    }
}

/// Manifests as `check -f` reads them.
pub fn yaml_documents(bytes: &[u8]) {
    if let Ok(text) = from_utf8(bytes) {
        let _ = config::yaml_value(text);
        for document in config::documents(text).unwrap_or_default() {
            object_of_any_kind(&document);
        }
    }
}
