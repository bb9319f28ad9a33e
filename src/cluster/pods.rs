//! The pods of a target that is starting: whether one of them cannot be scheduled (rule 11).

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{ListParams, ObjectList},
};

use super::error::RequestError;
use crate::{
    core::{Labels, TargetKey, TargetKind, Wall},
    text::one_line,
};

const DEADLINE: Duration = Duration::from_secs(5);
/// Pods looked at: one that hangs is enough.
const MOST: u32 = 100;

/// What the pods of a target say: since when and why one of them cannot be scheduled, in the scheduler's words.
pub type PodsSeen = Option<(Wall, Box<str>)>;

/// Looks at the pods of a target, found by the labels of its pod template.
///
/// # Errors
/// What the server answered.
pub async fn look_at_pods(
    client: &Client,
    target: &TargetKey,
    labels: &Labels,
) -> Result<PodsSeen, RequestError> {
    let namespace = &target.name.namespace;
    let what = format!("list pods of {target}");
    let selector: Vec<_> = labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if selector.is_empty() {
        return Ok(None);
    }
    let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
    let params = ListParams::default().labels(&selector.join(",")).limit(MOST);
    let pods: ObjectList<Pod> = match tokio::time::timeout(DEADLINE, api.list(&params)).await {
        Ok(answer) => answer.map_err(|error| RequestError::from_kube(what, &error))?,
        Err(_) => return Err(RequestError::timeout(what, DEADLINE)),
    };
    Ok(pods
        .items
        .iter()
        .filter(|pod| belongs(pod, target))
        .filter_map(unschedulable)
        .min_by_key(|(since, _)| *since))
}

/// Whether a pod's owner is the target, or made by it: two targets may carry the same labels, and the name of one may
/// begin with that of the other.
fn belongs(pod: &Pod, target: &TargetKey) -> bool {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.any(|owner| {
        let rest = owner.name.strip_prefix(&*target.name.name);
        let is_it = rest == Some("");
        // A Deployment's ReplicaSets are named by a hash.
        let is_made_by_it = rest
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|hash| !hash.is_empty() && !hash.contains('-'));
        match target.kind {
            TargetKind::Deployment => owner.kind == "ReplicaSet" && is_made_by_it,
            TargetKind::StatefulSet => owner.kind == "StatefulSet" && is_it,
            // A LeaderWorkerSet's leaders are of a StatefulSet of its own name, a Rollout has ReplicaSets.
            TargetKind::Other(_) => is_it || is_made_by_it,
        }
    })
}

/// Since when and why a pod cannot be scheduled, if so.
fn unschedulable(pod: &Pod) -> PodsSeen {
    let conditions = pod.status.as_ref()?.conditions.as_ref()?;
    let scheduled = conditions
        .iter()
        .find(|condition| condition.type_ == "PodScheduled")?;
    let hangs = scheduled.status == "False" && scheduled.reason.as_deref() == Some("Unschedulable");
    let since = scheduled.last_transition_time.as_ref().map(|time| time.0);
    let why = scheduled.message.clone().unwrap_or_default();
    hangs.then_some((since?, one_line(&why).into()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::core::ObjectName;

    fn owned(kind: &str, name: &str) -> Pod {
        let owner = json!({"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "1"});
        let hangs = json!({
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/3 nodes:\n no GPU", "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        let pod = json!({"metadata": {"ownerReferences": [owner]}, "status": {"conditions": [hangs]}});
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn a_pod_belongs_to_the_target_that_made_it() {
        let rollout = TargetKind::other("argoproj.io", "Rollout");
        let leaders = TargetKind::other("leaderworkerset.x-k8s.io", "LeaderWorkerSet");
        for (kind, owner, name, belonging) in [
            (&TargetKind::Deployment, "ReplicaSet", "llama-5d4f", true),
            (&TargetKind::Deployment, "ReplicaSet", "llama-70b-5d4f", false),
            (&TargetKind::Deployment, "StatefulSet", "llama-70b", false),
            (&TargetKind::Deployment, "ReplicaSet", "llama", false),
            (&TargetKind::Deployment, "ReplicaSet", "other-5d4f", false),
            (&TargetKind::StatefulSet, "StatefulSet", "llama", true),
            (&TargetKind::StatefulSet, "StatefulSet", "llama-70b", false),
            (&rollout, "ReplicaSet", "llama-5d4f", true),
            (&rollout, "ReplicaSet", "llama-70b-5d4f", false),
            (&leaders, "StatefulSet", "llama", true),
            (&leaders, "StatefulSet", "llama-0", true),
        ] {
            let target = TargetKey {
                kind: kind.clone(),
                name: ObjectName::new("llm", "llama"),
            };
            assert_eq!(
                belongs(&owned(owner, name), &target),
                belonging,
                "{kind:?} {owner} {name}"
            );
        }
    }

    #[test]
    fn the_words_of_the_scheduler_are_made_fit_for_a_log_line() {
        let (_, why) = unschedulable(&owned("ReplicaSet", "llama-5d4f")).unwrap();
        assert_eq!(&*why, "0/3 nodes:  no GPU");
    }
}
