//! The simulated controllers of Deployments and `StatefulSets`: what they write into a status.

use serde_json::{Value, json};

/// Replicas that an object asks for.
pub(super) fn replicas(target: &Value) -> u64 {
    target["spec"]["replicas"].as_u64().unwrap_or_default()
}

/// How far the pods of a target are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not ready yet, or none wanted.
    Starting,
    /// All are ready.
    Ready,
    /// None is made: quota refuses them.
    Refused,
}

/// What keeps pods from becoming ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HeldUp {
    /// No node takes them.
    Unschedulable,
    /// Quota refuses them.
    Refused,
    /// They run, and that is all.
    NotReady,
}

/// Name of the one pod of a target.
pub(super) fn name(kind: &str, target: &str) -> String {
    if kind == "StatefulSet" {
        format!("{target}-0")
    } else {
        format!("{target}-{HASH}-x8k2p")
    }
}

/// How a `Deployment`'s `ReplicaSet` is told from the next.
const HASH: &str = "7c5ddbdf54";

/// The pod of a target that no node takes.
pub(super) fn pending(target: &Value, accelerator: &str, now: &str) -> Value {
    let (kind, name_of_target) = (
        &target["kind"],
        target["metadata"]["name"].as_str().unwrap_or_default(),
    );
    let (owner, owner_name) = if kind == "StatefulSet" {
        ("StatefulSet", name_of_target.to_owned())
    } else {
        ("ReplicaSet", format!("{name_of_target}-{HASH}"))
    };
    let message =
        format!("0/3 nodes are available: 3 Insufficient nvidia.com/gpu (none with a free {accelerator}).");
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name(kind.as_str().unwrap_or_default(), name_of_target),
            "namespace": target["metadata"]["namespace"],
            "labels": target["spec"]["template"]["metadata"]["labels"],
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": owner, "name": owner_name, "uid": target["metadata"]["uid"],
            }],
        },
        "spec": target["spec"]["template"]["spec"],
        "status": {
            "phase": "Pending",
            "conditions": [{
                "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message,
                "lastTransitionTime": now,
            }],
        },
    })
}

/// Writes the status of a target by how far its pods are.
pub(super) fn report(target: &mut Value, state: State, now: &str) {
    let wanted = replicas(target);
    let made = if state == State::Refused { 0 } else { wanted };
    let up = if state == State::Ready { wanted } else { 0 };
    let mut status = json!({"observedGeneration": target["metadata"]["generation"], "replicas": made});
    for (key, count) in [
        ("updatedReplicas", made),
        ("readyReplicas", up),
        ("availableReplicas", up),
        ("unavailableReplicas", wanted - up),
    ] {
        // As the real ones do: what is 0 is left out.
        if count > 0 {
            status[key] = count.into();
        }
    }
    if target["kind"] == "Deployment" {
        let available = up == wanted;
        let since = |kind: &str, value: &str| {
            let old = target["status"]["conditions"].as_array().into_iter().flatten();
            let same = old.filter(|old| old["type"] == kind && old["status"] == value);
            same.map(|old| old["lastTransitionTime"].clone())
                .next()
                .unwrap_or_else(|| now.into())
        };
        let (value, reason) = if available {
            ("True", "MinimumReplicasAvailable")
        } else {
            ("False", "MinimumReplicasUnavailable")
        };
        let progress = if available {
            "NewReplicaSetAvailable"
        } else {
            "ReplicaSetUpdated"
        };
        status["conditions"] = json!([
            {"type": "Available", "status": value, "reason": reason, "message": "",
             "lastTransitionTime": since("Available", value), "lastUpdateTime": now},
            {"type": "Progressing", "status": "True", "reason": progress, "message": "",
             "lastTransitionTime": since("Progressing", "True"), "lastUpdateTime": now},
        ]);
        if state == State::Refused {
            let message = "pods are forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1, used: \
                           requests.nvidia.com/gpu=4, limited: requests.nvidia.com/gpu=4";
            let refused = json!({
                "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message,
                "lastTransitionTime": since("ReplicaFailure", "True"), "lastUpdateTime": now,
            });
            if let Some(conditions) = status["conditions"].as_array_mut() {
                conditions.push(refused);
            }
        }
    } else if let Some(status) = status.as_object_mut() {
        status.remove("unavailableReplicas");
    }
    target["status"] = status;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deployment_comes_up_and_goes() {
        let mut target =
            json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 1}});
        report(&mut target, State::Starting, "1");
        let status = &target["status"];
        assert_eq!(
            (&status["unavailableReplicas"], status.get("readyReplicas")),
            (&1.into(), None)
        );
        assert_eq!(status["conditions"][0]["status"], "False");
        report(&mut target, State::Ready, "2");
        let status = &target["status"];
        assert_eq!(
            (&status["readyReplicas"], status.get("unavailableReplicas")),
            (&1.into(), None)
        );
        let conditions = &status["conditions"];
        assert_eq!(
            (&conditions[0]["status"], &conditions[0]["lastTransitionTime"]),
            (&"True".into(), &"2".into())
        );
        assert_eq!(
            conditions[1]["lastTransitionTime"], "1",
            "progressing since the start"
        );
        target["spec"]["replicas"] = 0.into();
        report(&mut target, State::Starting, "3");
        assert_eq!(
            (
                &target["status"]["replicas"],
                target["status"].get("readyReplicas")
            ),
            (&0.into(), None)
        );
    }

    #[test]
    fn pods_that_quota_refuses_are_not_made() {
        let mut target =
            json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 1}});
        report(&mut target, State::Refused, "1");
        assert_eq!(target["status"]["replicas"], 0);
        let failure = &target["status"]["conditions"][2];
        assert_eq!(
            (&failure["type"], &failure["status"]),
            (&"ReplicaFailure".into(), &"True".into())
        );
        report(&mut target, State::Starting, "2");
        assert_eq!(target["status"]["conditions"].as_array().map(Vec::len), Some(2));
    }
}
