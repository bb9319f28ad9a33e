//! From manifests in a folder, and samples in a file.

mod folder;

use std::path::Path;

use super::{
    GatherError, Wanted,
    inventory::{Known, apply_other, inventory},
    object, samples,
};
use crate::{
    check::{Facts, Object, Objects, Origin, Prom, Unread},
    clock::Clock,
    config::Config,
    core::OtherKind,
};

/// Kinds that stand in no namespace, of those that manifests around models hold.
const WITHOUT_NAMESPACE: [&str; 14] = [
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "DeviceClass",
    "GatewayClass",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
    "ValidatingWebhookConfiguration",
];
/// Kinds that have a pod template, or are one, and no `/scale`.
const NOT_SCALABLE: [(&str, &str); 4] = [
    ("apps", "DaemonSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
    ("", "Pod"),
];

/// Gathers what manifests and samples say: what a cluster would be that holds just these objects.
///
/// `objects` is a folder or a file. Objects without a namespace stand in that of `wanted`, else in `default`. Of a custom
/// kind that a variant's target names it is taken for granted that it has a `/scale`.
///
/// # Errors
/// Where a file cannot be read or understood, an object stands there twice and not alike, or there is none.
pub fn files(
    config: &Config,
    objects: &Path,
    samples: Option<&Path>,
    wanted: &Wanted,
) -> Result<Facts, GatherError> {
    wanted.check()?;
    let found = read(objects, wanted)?;
    // Pods are made by controllers, and so are in no manifest.
    let unread = match found.all("", "Pod").next() {
        Some(_) => Vec::new(),
        None => vec![Unread {
            group: String::new(),
            kind: "Pod".into(),
            namespace: None,
            why: "manifests hold no pods".into(),
            absent: false,
        }],
    };
    let mut inventory = inventory(config, &found, &unread);
    let others: Vec<_> = inventory.other_kinds().map(|(kind, _)| kind.clone()).collect();
    for kind in others {
        let OtherKind { group, kind: name } = &*kind;
        let known = if NOT_SCALABLE.contains(&(group, name)) {
            Known::NotScalable
        } else {
            Known::Scalable(&found, &[])
        };
        apply_other(&mut inventory, &kind, &known);
    }
    wanted.find(&inventory)?;
    let prometheus = match samples {
        Some(file) => samples::read(file, &config.query)?,
        None => Prom::default(),
    };
    Ok(Facts {
        config: config.clone(),
        origin: Origin::Files {
            objects: objects.to_owned(),
            samples: samples.map(Path::to_owned),
        },
        now: Clock::start().now(),
        objects: found,
        unread,
        inventory,
        access: Vec::new(),
        account: None,
        prometheus,
    })
}

/// The objects of all files, those of other namespaces than the wanted one left out.
fn read(path: &Path, wanted: &Wanted) -> Result<Objects, GatherError> {
    let folder::Found {
        objects: found,
        skipped,
    } = folder::read(path)?;
    for why in &skipped {
        tracing::info!("{why}");
    }
    let mut objects = Objects::default();
    for (json, place) in found {
        let Some(mut object) = object(json, Some(place.clone())) else {
            tracing::info!("{place}: left out: it has no name");
            continue;
        };
        if let Some(part) = [&object.name, &object.namespace]
            .into_iter()
            .find(|part| part.contains("{{"))
        {
            return Err(GatherError::Manifest {
                place,
                problem: format!("{part:?} is a template; {}", folder::RENDER),
            });
        }
        settle(&mut object, wanted);
        // Who is scraped is often said elsewhere.
        let is_of_monitoring = object.group == "monitoring.coreos.com";
        let is_wanted = wanted
            .namespace
            .as_ref()
            .is_none_or(|wanted| object.namespace.is_empty() || object.namespace == *wanted);
        if is_wanted || is_of_monitoring {
            add(&mut objects, object)?;
        }
    }
    if objects.iter().next().is_none() {
        return Err(GatherError::NoObjects {
            path: path.to_owned(),
            left_out: skipped.into_iter().next(),
        });
    }
    Ok(objects)
}

/// Gives it the namespace that `kubectl apply` would, and takes away what nobody looks at.
fn settle(object: &mut Object, wanted: &Wanted) {
    if object.namespace.is_empty() && !WITHOUT_NAMESPACE.contains(&&*object.kind) {
        object.namespace = wanted.namespace.clone().unwrap_or_else(|| "default".into());
    }
    if object.namespace.is_empty() {
        return;
    }
    let meta = object.json.get_mut("metadata");
    if let Some(meta) = meta.and_then(serde_json::Value::as_object_mut) {
        meta.insert("namespace".into(), object.namespace.as_str().into());
    }
}

/// Adds an object, which may stand there twice if it is the same.
fn add(objects: &mut Objects, object: Object) -> Result<(), GatherError> {
    let (named, json) = (object.named(), object.json.clone());
    let place = object.place.clone().unwrap_or_default();
    let Some(before) = objects.add(object) else {
        return Ok(());
    };
    let first = before.place.unwrap_or_default();
    if before.json == json {
        tracing::info!("{place}: {named} stands in {first} as well, and alike");
        return Ok(());
    }
    Err(GatherError::Manifest {
        place,
        problem: format!(
            "{named} stands in {first} as well, and not alike; remove one of them, or, where they are a base and \
             patches, put them together first: kubectl kustomize FOLDER > rendered.yaml"
        ),
    })
}

#[cfg(test)]
mod tests;
