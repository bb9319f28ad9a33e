//! What one trial has to itself: a namespace of a cluster, and demand in it.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, DEPLOYMENT, EVENT, Kind, VARIANT},
    demand::{Demand, Queue, Scripted, TODAY},
    log::Log,
    program::Start,
    servers::{ApiServer, Servers},
    wait,
};

/// The world of a trial.
pub struct World {
    /// The namespace of the trial, which is there.
    pub ns: String,
    /// The cluster.
    pub cluster: Cluster,
    /// Its Prometheus.
    pub demand: Demand,
    /// For files.
    pub dir: tempfile::TempDir,
    /// Logs of the programs it has started.
    pub logs: Logs,
}

/// The logs of a trial's programs, to be shown if it fails.
pub type Logs = Arc<Mutex<Vec<Log>>>;

impl World {
    /// A world on the embedded API.
    pub async fn embedded(namespace: &str, logs: Logs) -> Self {
        let world = Self {
            ns: namespace.to_owned(),
            cluster: Cluster::embed().await,
            demand: Demand::Scripted(Scripted::start().await),
            dir: tempfile::tempdir().expect("a folder"),
            logs,
        };
        world.create_namespace(namespace).await;
        world
    }

    /// A world on a real server.
    pub async fn real(namespace: &str, servers: &Servers, api: Arc<ApiServer>, logs: Logs) -> Self {
        let world = Self {
            ns: namespace.to_owned(),
            cluster: Cluster::real(api),
            demand: Demand::Scraped {
                url: servers.prometheus.url().to_owned(),
                queues: servers.exporter.queues().clone(),
            },
            dir: tempfile::tempdir().expect("a folder"),
            logs,
        };
        world.create_namespace(namespace).await;
        world
    }

    /// One more namespace.
    pub async fn create_namespace(&self, name: &str) {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.cluster.admin.create(namespace).await;
    }

    /// A program to start.
    pub fn program(&self, name: &str) -> Start<'_> {
        Start::new(self, name)
    }

    /// Remembers a log.
    pub fn keep(&self, log: Log) {
        self.logs.lock().unwrap().push(log);
    }

    /// Creates objects in the namespace of the trial.
    pub async fn create(&self, objects: impl IntoIterator<Item = Value>) {
        self.create_in(&self.ns, objects).await;
    }

    /// The same in another namespace.
    pub async fn create_in(&self, namespace: &str, objects: impl IntoIterator<Item = Value>) {
        for mut object in objects {
            object["metadata"]["namespace"] = namespace.into();
            self.cluster.admin.create(object).await;
        }
    }

    /// Has objects in the embedded API without a request for each.
    pub fn apply(&self, objects: impl IntoIterator<Item = Value>) {
        for mut object in objects {
            object["metadata"]["namespace"] = self.ns.as_str().into();
            self.cluster.kube().apply(object).expect("an object");
        }
    }

    /// An object of the trial, which must be there.
    pub async fn get(&self, kind: Kind, name: &str) -> Value {
        let object = self.cluster.admin.get(kind, &self.ns, name).await;
        object.unwrap_or_else(|| panic!("there is no {} {name}", kind.name))
    }

    /// Merges a patch into an object of the trial.
    pub async fn patch(&self, kind: Kind, name: &str, body: &Value) {
        self.cluster
            .admin
            .patch(kind, Some(&self.ns), name, None, body)
            .await;
    }

    /// Merges a patch into the status of an object of the trial.
    pub async fn patch_status(&self, kind: Kind, name: &str, body: &Value) {
        let ns = Some(self.ns.as_str());
        self.cluster
            .admin
            .patch(kind, ns, name, Some("status"), body)
            .await;
    }

    /// So many requests wait for a model at a pool of this namespace.
    pub fn ask(&self, pool: &str, model: &str, waiting: u32) {
        self.ask_in(&self.ns, pool, model, waiting);
    }

    /// The same in any namespace.
    pub fn ask_in(&self, namespace: &str, pool: &str, model: &str, waiting: u32) {
        let queue = Queue {
            family: TODAY,
            namespace: namespace.to_owned(),
            pool: pool.to_owned(),
            model: model.to_owned(),
        };
        self.demand.queues().set(queue, f64::from(waiting));
    }

    /// Replicas that a target of the trial is to have.
    pub async fn replicas(&self, kind: Kind, name: &str) -> u64 {
        self.get(kind, name).await["spec"]["replicas"]
            .as_u64()
            .expect("replicas")
    }

    /// Waits until a Deployment has been scaled to 1.
    pub async fn until_woken(&self, name: &str) {
        self.until_scaled(DEPLOYMENT, name).await;
    }

    /// Waits until a target has been scaled to 1.
    pub async fn until_scaled(&self, kind: Kind, name: &str) {
        wait::until_true(&format!("{} {name} at 1", kind.name), async || {
            self.replicas(kind, name).await == 1
        })
        .await;
    }

    /// Waits until the status of a variant tells of its wake, and returns the variant.
    pub async fn until_told(&self, name: &str) -> Value {
        wait::until(&format!("the status of {name}"), async || {
            let variant = self.get(VARIANT, name).await;
            let replicas = &variant["status"]["desiredOptimizedAlloc"]["numReplicas"];
            (replicas == 1).then_some(variant)
        })
        .await
    }

    /// The Events of wakes.
    pub async fn events(&self) -> Vec<Value> {
        self.events_of("ScaledFromZero").await
    }

    /// The Events of a reason.
    pub async fn events_of(&self, reason: &str) -> Vec<Value> {
        let mut events = self.cluster.admin.list(EVENT, &self.ns).await;
        events.retain(|event| event["reason"] == reason);
        events
    }

    /// Patches of the program on these resources, in their order.
    pub fn patched(&self, resources: &[&str]) -> Vec<String> {
        let requests = self.cluster.requests(&self.ns).into_iter();
        let patches =
            requests.filter(|request| resources.iter().any(|resource| request.is("patch", resource)));
        patches.map(|request| request.resource).collect()
    }

    /// Requests of the program that are of this kind, with the code of their answer.
    pub fn asked(&self, verb: &str, resource: &str) -> Vec<(String, u16)> {
        let requests = self.cluster.requests(&self.ns).into_iter();
        let alike = requests.filter(|request| request.is(verb, resource));
        alike.map(|request| (request.name, request.code)).collect()
    }

    /// How the server answered each PATCH of `/scale` on a Deployment.
    pub fn scale_codes(&self) -> Vec<u16> {
        let asked = self.asked("patch", "deployments/scale").into_iter();
        asked.map(|(_, code)| code).collect()
    }

    /// Waits until the log of requests holds so many of this kind, and returns them. The real
    /// server's comes a moment after its answers.
    pub async fn until_asked(&self, verb: &str, resource: &str, count: usize) -> Vec<(String, u16)> {
        wait::until(&format!("{count} times {verb} {resource}"), async || {
            Some(self.asked(verb, resource)).filter(|asked| asked.len() >= count)
        })
        .await
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.demand.queues().forget(&self.ns);
    }
}
