//! Configuration files of the program under trial.

use serde_json::{Value, json};

/// What every trial wants: its own namespace, any free port, and a log that can be read line by line.
pub fn base(namespace: &str, prometheus: &str) -> Value {
    json!({
        "interval": "50ms",
        "prometheus": {"url": prometheus, "timeout": "10s"},
        "scope": {"namespaces": [namespace]},
        "server": {"address": "127.0.0.1:0"},
        "log": {"level": "debug", "format": "json"},
    })
}

/// Puts `over` on top: maps are merged, anything else is replaced, null takes a key away.
pub fn merged(mut under: Value, over: &Value) -> Value {
    match (under.as_object_mut(), over.as_object()) {
        (Some(map), Some(over)) => {
            for (key, value) in over {
                let merged = merged(map.remove(key).unwrap_or_default(), value);
                if !merged.is_null() {
                    map.insert(key.clone(), merged);
                }
            }
            under
        }
        _ => over.clone(),
    }
}
