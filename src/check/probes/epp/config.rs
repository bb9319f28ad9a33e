//! The configuration of an EPP: its flags, the file that they name, and what that says of flow control.
//!
//! Flags and schema are those of gateway-api-inference-extension and llm-d-router (`pkg/epp/server/options.go`,
//! `apix/config/*/endpointpickerconfig_types.go`, `pkg/epp/config/loader`).

use std::time::Duration;

use serde_json::Value;

use super::find::Epp;
use crate::{check::Object, config::yaml_value};

/// The gate in `featureGates` and `--feature-gates`; off unless it is named.
pub(super) const GATE: &str = "flowControl";
/// What older EPPs took in place of the gate.
pub(super) const VARIABLE: &str = "ENABLE_EXPERIMENTAL_FLOW_CONTROL_LAYER";

/// What an EPP is told.
#[derive(Debug)]
pub(super) struct Settings<'a> {
    /// Where its configuration stands.
    pub place: Place<'a>,
    /// The configuration, as far as it can be read: an error says why the EPP cannot read it either. `None`: unknown.
    pub document: Option<Result<Value, String>>,
    /// `--feature-gates`.
    gates: Vec<String>,
    /// Whether [`VARIABLE`] is set to true.
    pub variable: bool,
    /// The container's name.
    pub container: String,
    /// The container's image.
    pub image: String,
}

/// Where a configuration stands.
#[derive(Clone, Debug)]
pub(super) enum Place<'a> {
    /// Under a key of a ConfigMap.
    ConfigMap { object: &'a Object, key: String },
    /// In the flag `--config-text`.
    Text,
    /// Nowhere: the EPP has its defaults.
    Nowhere,
    /// The ConfigMap, or its key, does not exist: which, in words.
    Missing(String),
    /// Somewhere that is not looked at.
    Elsewhere,
}

/// Whether flow control is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Configured {
    Yes,
    /// With the gates that are named.
    No(Vec<String>),
    Unknown,
}

impl<'a> Settings<'a> {
    /// Reads them off what makes the pods, or else off a pod. `None` where there is neither, or no telling which container
    /// the EPP is.
    pub fn read(epp: &Epp<'a>) -> Option<Self> {
        let spec = match (epp.workload, epp.pods.first()) {
            (Some(workload), _) => workload.at("/spec/template/spec")?,
            (None, Some(pod)) => pod.at("/spec")?,
            (None, None) => return None,
        };
        let containers = spec.get("containers")?.as_array()?;
        let container = the_epp(containers)?;
        let flags = flags(container);
        let flag = |name: &str| {
            let mut all = flags.iter().rev();
            all.find(|(flag, _)| flag == name)
                .map(|(_, value)| value.as_str())
        };
        let text = |key: &str| {
            container
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (place, document) = match (flag("configtext"), flag("configfile")) {
            _ if wrapped(container) => (Place::Elsewhere, None),
            // The text comes first where both are given (pkg/epp: `if opts.ConfigText != ""`).
            (Some(text), _) if !text.is_empty() => (Place::Text, Some(document(text))),
            (_, Some(file)) if !file.is_empty() => of_file(epp, spec, container, file),
            _ => (Place::Nowhere, Some(Ok(Value::Object(serde_json::Map::new())))),
        };
        Some(Self {
            place,
            document,
            gates: flags
                .iter()
                .filter(|(name, _)| name == "featuregates")
                .flat_map(|(_, value)| value.split(',').map(|gate| gate.trim().to_owned()))
                .collect(),
            variable: variable(container),
            container: text("name"),
            image: text("image"),
        })
    }

    /// Whether flow control is configured, the variable aside. Of the gates the last word counts, and flags come after
    /// the file.
    pub fn gate(&self) -> Configured {
        let Some(Ok(document)) = &self.document else {
            let mut of_flags = self.gates.iter().filter_map(|gate| switch(gate));
            return match of_flags.next_back() {
                Some(true) => Configured::Yes,
                Some(false) => Configured::No(self.gates.clone()),
                None => Configured::Unknown,
            };
        };
        let listed = document.get("featureGates").and_then(Value::as_array);
        let listed = listed.into_iter().flatten().filter_map(Value::as_str);
        let all: Vec<_> = listed.map(str::to_owned).chain(self.gates.clone()).collect();
        match all.iter().filter_map(|gate| switch(gate)).next_back() {
            Some(true) => Configured::Yes,
            _ => Configured::No(all),
        }
    }

    /// How long a request waits while the pool has no endpoint; `None` without end, and where it is not known.
    ///
    /// What is not set is 60 s for llm-d-router; other EPPs have had other defaults.
    pub fn ttl(&self) -> Option<Duration> {
        let document = self.document.as_ref()?.as_ref().ok()?;
        let set = |key: &str| document.get("flowControl")?.get(key);
        let set = set("noEndpointRequestTTL").or_else(|| set("defaultRequestTTL"));
        let ttl = match set {
            Some(value) => duration(value.as_str()?)?,
            None if self.image.contains("llm-d-router") => Duration::from_secs(60),
            None => return None,
        };
        (!ttl.is_zero()).then_some(ttl)
    }
}

/// Which container is the EPP: one with flags that only it has, or one of its name, or the only one.
fn the_epp(containers: &[Value]) -> Option<&Value> {
    const FLAGS: [&str; 4] = ["configfile", "configtext", "poolname", "featuregates"];
    let has_flags = |container: &&Value| {
        let all = flags(container);
        all.iter().any(|(name, _)| FLAGS.contains(&name.as_str()))
    };
    let named = |container: &&Value| container.get("name").and_then(Value::as_str) == Some("epp");
    let only = || (containers.len() == 1).then(|| containers.first()).flatten();
    let of_flags = containers.iter().find(has_flags);
    of_flags.or_else(|| containers.iter().find(named)).or_else(only)
}

/// Whether a shell starts it, so that its flags cannot be told.
fn wrapped(container: &Value) -> bool {
    let command = container.get("command").and_then(|command| command.get(0));
    let program = command.and_then(Value::as_str).unwrap_or_default();
    let program = program.rsplit('/').next().unwrap_or_default();
    matches!(program, "sh" | "bash" | "ash" | "dash")
}

/// Flags by name, in lower case and without dashes, as versions have written them `configFile` and `config-file`.
fn flags(container: &Value) -> Vec<(String, String)> {
    let words = ["command", "args"]
        .into_iter()
        .filter_map(|key| container.get(key)?.as_array())
        .flatten()
        .filter_map(Value::as_str);
    let mut words = words.peekable();
    let mut flags = Vec::new();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix('-') else {
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, value),
            None => (
                flag,
                words.next_if(|next| !next.starts_with('-')).unwrap_or_default(),
            ),
        };
        let name = name.replace('-', "").to_ascii_lowercase();
        flags.push((name, value.to_owned()));
    }
    flags
}

fn variable(container: &Value) -> bool {
    let all = container.get("env").and_then(Value::as_array);
    all.into_iter().flatten().any(|variable| {
        let text = |key: &str| variable.get(key).and_then(Value::as_str);
        text("name") == Some(VARIABLE) && text("value").is_some_and(is_true)
    })
}

/// What Go's `strconv.ParseBool` takes for true, in any case.
fn is_true(text: &str) -> bool {
    ["1", "t", "true"]
        .iter()
        .any(|word| text.trim().eq_ignore_ascii_case(word))
}

/// What an entry of the gates says of flow control: `flowControl`, `flowControl=false`.
fn switch(gate: &str) -> Option<bool> {
    match gate.split_once('=') {
        Some((GATE, value)) => Some(is_true(value)),
        None if gate == GATE => Some(true),
        _ => None,
    }
}

/// A file in a container: the volume that is mounted there, its ConfigMap, its key.
fn of_file<'a>(
    epp: &Epp<'a>,
    spec: &Value,
    container: &Value,
    file: &str,
) -> (Place<'a>, Option<Result<Value, String>>) {
    let nowhere = (Place::Elsewhere, None);
    let Some((volume, path)) = mounted(container, file) else {
        return nowhere;
    };
    let volumes = spec.get("volumes").and_then(Value::as_array);
    let volume = volumes
        .into_iter()
        .flatten()
        .find(|candidate| candidate.get("name").and_then(Value::as_str) == Some(volume));
    let Some((name, key, optional)) = volume.and_then(|volume| key_of(volume, &path)) else {
        return nowhere;
    };
    let Some(object) = epp.facts.objects.get("", "ConfigMap", &epp.namespace, &name) else {
        if optional || !epp.knows("", "ConfigMap") {
            return nowhere;
        }
        return (
            Place::Missing(format!("ConfigMap {}/{name}", epp.namespace)),
            None,
        );
    };
    let text = object.json.get("data").and_then(|data| data.get(&key));
    match text.and_then(Value::as_str) {
        Some(text) => (Place::ConfigMap { object, key }, Some(document(text))),
        None if object.at("/binaryData").is_some() => nowhere,
        None => (Place::Missing(format!("key {key} of {}", object.named())), None),
    }
}

/// The volume that a file lies in, and its path there.
fn mounted<'v>(container: &'v Value, file: &str) -> Option<(&'v str, String)> {
    let mounts = container.get("volumeMounts")?.as_array()?.iter();
    let (_, volume, path) = mounts
        .filter_map(|mount| {
            let text = |key: &str| mount.get(key).and_then(Value::as_str);
            let at = text("mountPath")?.trim_end_matches('/');
            let below = file.strip_prefix(at)?;
            if !below.is_empty() && !below.starts_with('/') {
                return None;
            }
            let parts = [text("subPath").unwrap_or_default(), below];
            let parts = parts.map(|part| part.trim_matches('/'));
            let path = parts.iter().filter(|part| !part.is_empty()).copied();
            Some((at.len(), text("name")?, path.collect::<Vec<_>>().join("/")))
        })
        .max_by_key(|(length, _, _)| *length)?;
    Some((volume, path))
}

/// The ConfigMap of a volume and the key that a path in it shows, and whether they may be missing.
fn key_of(volume: &Value, path: &str) -> Option<(String, String, bool)> {
    let projected = volume.pointer("/projected/sources").and_then(Value::as_array);
    let projected = projected.into_iter().flatten();
    let sources: Vec<_> = volume
        .get("configMap")
        .into_iter()
        .chain(projected.filter_map(|source| source.get("configMap")))
        .collect();
    let several = sources.len() > 1;
    sources.into_iter().find_map(|source| {
        let optional = source.get("optional").and_then(Value::as_bool).unwrap_or(false);
        let name = source.get("name")?.as_str()?.to_owned();
        let items = source.get("items").and_then(Value::as_array);
        let key = match items {
            Some(items) => items.iter().find_map(|item| {
                let text = |key: &str| item.get(key).and_then(Value::as_str);
                (text("path")? == path).then(|| text("key").map(str::to_owned))?
            })?,
            // Of several it may be any.
            None if several => return None,
            None => path.to_owned(),
        };
        Some((name, key, optional))
    })
}

/// The text as an `EndpointPickerConfig`, or why the EPP, which decodes strictly, refuses it.
fn document(text: &str) -> Result<Value, String> {
    let document = yaml_value(text)?;
    if !document.is_object() {
        return Err("it holds no keys with values".to_owned());
    }
    match document.get("kind") {
        Some(Value::String(kind)) if kind == "EndpointPickerConfig" => {}
        Some(kind) => return Err(format!("its kind is {kind}, not EndpointPickerConfig")),
        None => return Err("it has no kind: EndpointPickerConfig".to_owned()),
    }
    match document.get("featureGates") {
        None | Some(Value::Null) => {}
        Some(Value::Array(gates)) => {
            for gate in gates {
                let Some(gate) = gate.as_str() else {
                    return Err(format!("featureGates holds {gate}, which is no text"));
                };
                let name = gate.split('=').next().unwrap_or_default();
                let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
                if name != GATE && plain(name) == plain(GATE) {
                    return Err(format!("featureGates holds {name}, which must be {GATE}"));
                }
            }
        }
        Some(other) => return Err(format!("featureGates is {other}, not a list")),
    }
    Ok(document)
}

/// A span of time as Go writes it, without fractions: `60s`, `1m30s`, `0`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    if text == "0" {
        return Some(Duration::ZERO);
    }
    humantime::parse_duration(text).ok()
}
