//! The pods of a target that is starting: whether one of them cannot be scheduled (rule 11).

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{ListParams, ObjectList},
};

use super::error::RequestError;
use crate::core::{Labels, TargetKey, Wall};

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
        .filter(|pod| belongs(pod, &target.name.name))
        .filter_map(unschedulable)
        .min_by_key(|(since, _)| *since))
}

/// Whether a pod's owner is the target, or made by it: two targets may carry the same labels.
fn belongs(pod: &Pod, target: &str) -> bool {
    let mut owners = pod.metadata.owner_references.iter().flatten();
    owners.any(|owner| {
        owner
            .name
            .strip_prefix(target)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
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
    hangs.then_some((since?, why.into()))
}
