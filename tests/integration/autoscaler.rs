//! Stand-ins for the controllers that scale a target back: the HPA controller and KEDA, of both of which no process runs
//! here. Each looks at its object and the target again and again, as the real one does, only faster; what they follow
//! always says 0.

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::{
    cluster::{Admin, DEPLOYMENT, HPA, Kind, SCALED_OBJECT},
    world::World,
};

/// How often they look. Not a time that a trial waits for: it waits for what comes of it.
const EVERY: std::time::Duration = std::time::Duration::from_millis(50);

/// A controller that runs until this is dropped.
pub struct Autoscaler(JoinHandle<()>);

impl Drop for Autoscaler {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Autoscaler {
    /// The HPA controller for an HPA of a Deployment: it holds still while the Deployment is at 0, and goes no lower than
    /// `minReplicas`.
    pub fn of_hpa(world: &World, hpa: &str, deployment: &str) -> Self {
        Self::run(world, HPA, hpa, deployment, |hpa| {
            Some(hpa["spec"]["minReplicas"].as_u64().unwrap_or(1))
        })
    }

    /// KEDA for a ScaledObject without activity: down to `minReplicaCount`, unless an annotation keeps it from scaling in.
    pub fn of_scaled_object(world: &World, scaled_object: &str, deployment: &str) -> Self {
        Self::run(world, SCALED_OBJECT, scaled_object, deployment, |object| {
            let annotations = &object["metadata"]["annotations"];
            let paused = annotations["autoscaling.keda.sh/paused-scale-in"] == "true";
            (!paused).then(|| object["spec"]["minReplicaCount"].as_u64().unwrap_or(0))
        })
    }

    /// `floor` says how low it may go, if it may at all.
    fn run(
        world: &World,
        kind: Kind,
        name: &str,
        deployment: &str,
        floor: impl Fn(&Value) -> Option<u64> + Send + Sync + 'static,
    ) -> Self {
        let (admin, namespace) = (world.cluster.admin.clone(), world.ns.clone());
        let (name, deployment) = (name.to_owned(), deployment.to_owned());
        Self(tokio::spawn(async move {
            loop {
                look(&admin, &namespace, kind, &name, &deployment, &floor).await;
                tokio::time::sleep(EVERY).await;
            }
        }))
    }
}

async fn look(
    admin: &Admin,
    namespace: &str,
    kind: Kind,
    name: &str,
    deployment: &str,
    floor: &(impl Fn(&Value) -> Option<u64> + Sync),
) {
    let Some(object) = admin.get(kind, namespace, name).await else {
        return;
    };
    let Some(target) = admin.get(DEPLOYMENT, namespace, deployment).await else {
        return;
    };
    let Some(floor) = floor(&object) else { return };
    if target["spec"]["replicas"].as_u64().is_some_and(|now| now > floor) {
        let scale = json!({"spec": {"replicas": floor}});
        admin
            .patch(DEPLOYMENT, Some(namespace), deployment, Some("scale"), &scale)
            .await;
    }
}
