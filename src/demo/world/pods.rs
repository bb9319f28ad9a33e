//! The simulated controllers of Deployments and `StatefulSets`: what they write into a status.

use serde_json::{Value, json};

/// Replicas that an object asks for.
pub(super) fn replicas(target: &Value) -> u64 {
    target["spec"]["replicas"].as_u64().unwrap_or_default()
}

/// Writes the status of a target whose pods are up, or not yet, or gone.
pub(super) fn report(target: &mut Value, ready: bool, now: &str) {
    let wanted = replicas(target);
    let up = if ready { wanted } else { 0 };
    let mut status = json!({"observedGeneration": target["metadata"]["generation"], "replicas": wanted});
    for (key, count) in [
        ("updatedReplicas", wanted),
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
        report(&mut target, false, "1");
        let status = &target["status"];
        assert_eq!(
            (&status["unavailableReplicas"], status.get("readyReplicas")),
            (&1.into(), None)
        );
        assert_eq!(status["conditions"][0]["status"], "False");
        report(&mut target, true, "2");
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
        report(&mut target, false, "3");
        assert_eq!(
            (
                &target["status"]["replicas"],
                target["status"].get("readyReplicas")
            ),
            (&0.into(), None)
        );
    }
}
