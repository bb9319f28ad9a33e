//! What the design promises and this version does not do yet. Such a key is refused, since one that is taken and
//! does nothing would be believed. To build one, remove its row here and add the key to `raw.rs`.

use serde_yaml::Value;

use super::key::{Key, quoted};

struct Unbuilt {
    key: &'static str,
    /// Only this value is not built; `None`: the whole key.
    value: Option<&'static str>,
    /// Completes "it ...".
    does: &'static str,
    mend: &'static str,
}

const fn key(key: &'static str, does: &'static str) -> Unbuilt {
    Unbuilt {
        key,
        value: None,
        does,
        mend: "remove the key",
    }
}

const UNBUILT: &[Unbuilt] = &[
    key(
        "scope.sources",
        "takes variants from ScaledObjects and HorizontalPodAutoscalers, too",
    ),
    key("wake.guard", "keeps autoscalers from taking a woken target back"),
    key(
        "wake.unschedulableAfter",
        "wakes another variant when pods cannot be scheduled",
    ),
    key(
        "wake.maxEscalations",
        "limits how many more variants are woken when one does not become ready",
    ),
    key(
        "wake.manualHold",
        "leaves a target alone that a person took back to zero",
    ),
    key("wake.maxStarting", "caps how many targets start at once"),
    key(
        "wake.maxStartingPerNamespace",
        "caps how many targets of one namespace start at once",
    ),
    Unbuilt {
        key: "wake.unmatched",
        value: Some("pool"),
        does: "wakes the cheapest variant of the pool for a model that no variant names",
        mend: "write report",
    },
];

/// Why `value` cannot stand at `key` yet, and the mend; `None` where this version knows it.
pub(super) fn refusal(at: &Key, value: &Value) -> Option<String> {
    let row = UNBUILT.iter().find(|row| {
        Key::of(row.key) == *at && row.value.is_none_or(|unbuilt| value.as_str() == Some(unbuilt))
    })?;
    let what = row
        .value
        .map(|value| format!("{} is ", quoted(value)))
        .unwrap_or_default();
    Some(format!(
        "{what}not built yet in this version (it {}); {}",
        row.does, row.mend
    ))
}
