//! The guard on a ScaledObject or HPA (rule 17): read from our annotation there, and written with it in one patch.

use std::time::Duration;

use kube::{Client, api::ObjectMeta};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    error::RequestError,
    kinds::resource,
    metadata::{GUARD, Marks as _},
    scale::path,
    write::{patch, send},
};
use crate::core::{
    Failure, Guard, GuardChange, GuardWrite, Kind, ModelKey, ObjectName, PAUSED_SCALE_IN, ScalerKind, Wall,
};

/// How long the write may take: a wake waits for it.
const DEADLINE: Duration = Duration::from_secs(2);

/// Our annotation, as JSON.
#[derive(Deserialize, Serialize)]
struct Annotation {
    /// What stood there before; null: nothing.
    before: Option<String>,
    /// What we wrote.
    ours: String,
    /// When it ends at the latest.
    until: Wall,
    /// The model whose episode it belongs to; null: its name is too long to be written here.
    model: Option<String>,
    pool: Option<String>,
}

/// The longest names, of model and pool together, that stand in the annotation: all of an object's annotations may have
/// 256 KiB, and anybody may have written much into the others.
const LONGEST_NAMES: usize = 1000;

/// The guard that stands on an object. An annotation that cannot be read is none: somebody has had a hand in it.
pub(super) fn read(meta: &ObjectMeta) -> Option<Guard> {
    let annotation: Annotation = serde_json::from_str(meta.annotation(GUARD)?).ok()?;
    Some(Guard {
        before: annotation.before.map(Into::into),
        ours: annotation.ours.into(),
        until: annotation.until,
        model: ModelKey {
            namespace: meta.namespace.as_deref()?.into(),
            // Nobody serves a model without a name.
            pool: annotation.pool.unwrap_or_default().into(),
            model: annotation.model.unwrap_or_default().into(),
        },
    })
}

/// Writes a guard, or takes it away: one patch, compare-and-swap.
///
/// # Errors
/// What the server answered.
pub async fn write_guard(client: &Client, write: &GuardWrite) -> Result<(), RequestError> {
    let ObjectName { namespace, name } = &write.scaler.name;
    let what = format!("patch {}", write.scaler);
    let Some(resource) = resource(&Kind::Scaler(write.scaler.kind)) else {
        return Err(RequestError {
            what,
            failure: Failure::NotFound,
            message: "no such kind".into(),
            retry_after: None,
        });
    };
    let body = body(write);
    send(
        client,
        what,
        patch(&path(&resource, namespace), name, None, &body),
        DEADLINE,
    )
    .await
}

fn body(write: &GuardWrite) -> Value {
    let mut annotations = json!({});
    let mut body = json!({});
    let mut set = |value: Option<&str>| match write.scaler.kind {
        ScalerKind::ScaledObject => annotations[PAUSED_SCALE_IN] = value.into(),
        ScalerKind::HorizontalPodAutoscaler => {
            body["spec"]["minReplicas"] = value.and_then(|v| v.parse::<i64>().ok()).into();
        }
    };
    let annotation = match &write.change {
        GuardChange::Put(guard) => {
            set(Some(&guard.ours));
            let ModelKey { pool, model, .. } = &guard.model;
            let is_short = pool.len() + model.len() <= LONGEST_NAMES;
            let annotation = Annotation {
                before: guard.before.as_deref().map(Into::into),
                ours: guard.ours.as_ref().into(),
                until: guard.until,
                model: is_short.then(|| model.as_ref().into()),
                pool: is_short.then(|| pool.as_ref().into()),
            };
            json!(annotation).to_string().into()
        }
        GuardChange::End(guard) => {
            set(guard.before.as_deref());
            Value::Null
        }
        GuardChange::Forget(_) => Value::Null,
    };
    annotations[GUARD] = annotation;
    body["metadata"] = json!({"resourceVersion": &*write.resource_version, "annotations": annotations});
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ScalerKey;

    /// What is read of a guard of a model, once it is written.
    fn read_back(model: &str) -> Guard {
        let write = GuardWrite {
            scaler: ScalerKey {
                kind: ScalerKind::ScaledObject,
                name: ObjectName::new("llm", "llama"),
            },
            resource_version: "1".into(),
            change: GuardChange::Put(Guard {
                before: None,
                ours: "true".into(),
                until: "2026-01-01T00:00:00Z".parse().unwrap(),
                model: ModelKey {
                    namespace: "llm".into(),
                    pool: "pool".into(),
                    model: model.into(),
                },
            }),
        };
        let body = body(&write);
        let annotation = body["metadata"]["annotations"][GUARD]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(annotation.len() < 2000);
        let meta = ObjectMeta {
            namespace: Some("llm".into()),
            annotations: Some([(GUARD.into(), annotation)].into()),
            ..ObjectMeta::default()
        };
        read(&meta).expect("a guard")
    }

    #[test]
    fn a_guard_is_read_as_it_was_written() {
        let guard = read_back("llama");
        assert_eq!((&*guard.model.pool, &*guard.model.model), ("pool", "llama"));
        assert_eq!((guard.before, &*guard.ours), (None, "true"));
    }

    #[test]
    fn a_name_too_long_for_an_annotation_is_left_out() {
        let guard = read_back(&"x".repeat(300_000));
        assert_eq!((&*guard.model.pool, &*guard.model.model), ("", ""));
        assert_eq!(&*guard.ours, "true", "the guard itself stands");
    }
}
