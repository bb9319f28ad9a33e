//! A cluster full of parked models, with a Prometheus that scrapes their EPPs, on either kind of servers.

use std::time::Duration;

use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use scale_from_zero::{
    config::Config,
    demo::{
        kubernetes::{Kube, Resource, Settings},
        prometheus::{self, Epp, Prometheus, QueueKey},
    },
    prometheus::query,
};
use serde_json::{Value, json};

use crate::{
    Backend, Options, bare,
    cluster::{Cluster, DEPLOYMENT, POOL, Rights, VARIANT},
    demand::{Demand, Queue, Queues, TODAY},
    http, objects, seen,
    seen::Seen,
    servers::{Assets, Servers},
    wait,
    world::{Logs, World},
};

/// Namespace of the program's account.
const HOME: &str = "scale-from-zero";
/// The embedded Prometheus scrapes at the benchmark's word; this often only so that samples do not grow old.
const SCRAPE: Duration = Duration::from_secs(5);
/// Changes and requests that the embedded API keeps: all of a burst and its reports.
const KEPT: usize = 100_000;
/// Requests of the benchmark's own under way at once, to fill a cluster.
const AT_ONCE: usize = 16;

/// A cluster with its Prometheus.
pub struct Stage {
    /// The servers, for the program to be started on.
    pub world: World,
    per_namespace: usize,
    servers: Under,
}

enum Under {
    Embedded(Box<Prometheus>),
    Real(Box<Servers>),
}

/// Counters of the servers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counted {
    /// Queries that Prometheus was asked.
    pub queries: f64,
    /// Its CPU seconds; NaN for the embedded one, which is not alone in its process.
    pub cpu_seconds: f64,
}

impl Stage {
    /// Servers with the namespaces of so many models, and nothing in them yet.
    pub async fn build(backend: Backend, models: usize, options: &Options, assets: Option<&Assets>) -> Self {
        let per_namespace = options.per_namespace.max(1);
        let (world, servers) = if let (Backend::Real, Some(assets)) = (backend, assets) {
            let servers = Servers::start(assets.clone()).await.expect("the real servers");
            let world = World::real(HOME, &servers, servers.shared.clone(), Logs::default()).await;
            (world, Under::Real(Box::new(servers)))
        } else {
            let (world, prometheus) = embed().await;
            (world, Under::Embedded(Box::new(prometheus)))
        };
        let stage = Self {
            world,
            per_namespace,
            servers,
        };
        if let Under::Real(_) = &stage.servers {
            let all = (0..models).step_by(per_namespace).map(|n| stage.namespace(n));
            stream::iter(all)
                .map(async |name| stage.world.create_namespace(&name).await)
                .buffer_unordered(AT_ONCE)
                .collect::<Vec<()>>()
                .await;
        }
        stage
    }

    /// Namespace of a model.
    fn namespace(&self, model: usize) -> String {
        format!("team-{}", model / self.per_namespace)
    }

    /// Makes models, parked, each with its queue, which is empty.
    pub async fn park(&self, models: impl Iterator<Item = usize> + Clone) {
        let objects = models.clone().flat_map(|n| {
            let mut objects = objects::parked(&name(n), &id(n));
            for object in &mut objects {
                object["metadata"]["namespace"] = self.namespace(n).into();
            }
            objects
        });
        if let Under::Embedded(_) = &self.servers {
            for object in objects {
                self.world.cluster.kube().apply(object).expect("a good object");
            }
        } else {
            let admin = &self.world.cluster.admin;
            stream::iter(objects)
                .map(async |object| drop(admin.create(object).await))
                .buffer_unordered(AT_ONCE)
                .collect::<Vec<()>>()
                .await;
        }
        self.waiting(models.map(|n| (n, 0)));
    }

    /// Takes a model away; its queue stays, empty.
    pub async fn remove(&self, model: usize) {
        let (namespace, name) = (self.namespace(model), name(model));
        for kind in [VARIANT, DEPLOYMENT, POOL] {
            if let Under::Embedded(_) = &self.servers {
                let deleted = self
                    .world
                    .cluster
                    .kube()
                    .delete(kind.resource(), &namespace, &name);
                deleted.expect("an object");
            } else {
                let admin = &self.world.cluster.admin;
                admin.delete(kind, Some(&namespace), &name).await;
            }
        }
    }

    /// More queues: empty ones of models that nothing describes, and such with requests waiting.
    pub fn beside(&self, idle: usize, unmatched: usize) {
        let queue = |what: &str, n: usize| queue("elsewhere", "elsewhere", format!("{what}/model-{n}"));
        let idle = (0..idle).map(|n| (queue("idle", n), 0.0));
        let unmatched = (0..unmatched).map(|n| (queue("unmatched", n), 3.0));
        self.world.demand.queues().set_all(idle.chain(unmatched));
    }

    /// So many requests wait for each of these models; one scrape sees all of it. On the embedded servers that is
    /// now, and it is said when.
    pub fn waiting(&self, models: impl Iterator<Item = (usize, u32)>) -> Option<Timestamp> {
        let queues = models.map(|(n, waiting)| (queue(&self.namespace(n), &name(n), id(n)), waiting.into()));
        self.world.demand.queues().set_all(queues);
        if let Under::Embedded(prometheus) = &self.servers {
            prometheus.scrape();
            return Some(Timestamp::now());
        }
        None
    }

    /// When the first sample in which requests wait for a model could be queried in the real Prometheus: its time is
    /// that of the scrape's start, and none of a scrape is seen before all of it is.
    pub async fn sampled(&self, model: usize) -> Option<Timestamp> {
        let Under::Real(servers) = &self.servers else {
            return None;
        };
        // The query `FAMILY{target_model_name="ID"}[5m]`, escaped.
        let query = format!("{TODAY}%7Btarget_model_name=%22{}%22%7D%5B5m%5D", id(model));
        let answer = servers.prometheus.api(&format!("query?query={query}")).await?;
        let samples = answer["data"]["result"][0]["values"].as_array()?;
        let first = samples.iter().find(|sample| sample[1] != "0")?;
        let scrape = servers
            .prometheus
            .api("query?query=max(scrape_duration_seconds)")
            .await?;
        let scrape = scrape["data"]["result"][0]["value"][1]
            .as_str()?
            .parse::<f64>()
            .ok()?;
        let seconds = first[0].as_f64()? + scrape;
        Timestamp::from_duration(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
    }

    /// Waits until a model's target is at 1.
    pub async fn until_woken(&self, model: usize) {
        let (namespace, name) = (self.namespace(model), name(model));
        let replicas = |object: &Value| object["spec"]["replicas"] == 1;
        if let Under::Embedded(_) = &self.servers {
            let kube = self.world.cluster.kube();
            let woken = kube.until(|kube| {
                let woken = kube.look(Resource::Deployments, &namespace, &name, replicas);
                woken.filter(|woken| *woken)
            });
            wait::in_time("a wake", woken).await;
        } else {
            let admin = &self.world.cluster.admin;
            wait::until_true("a wake", async || {
                let target = admin.get(DEPLOYMENT, &namespace, &name).await;
                target.as_ref().is_some_and(replicas)
            })
            .await;
        }
    }

    /// What the program has asked of the API since a time.
    pub fn seen(&self, since: Timestamp) -> Vec<Seen> {
        match self.world.cluster.server() {
            Some(server) => seen::of_audit(&server.audit(), HOME, since),
            None => seen::of_kube(self.world.cluster.kube(), since),
        }
    }

    /// What the servers count.
    pub async fn counted(&self) -> Counted {
        match &self.servers {
            Under::Embedded(prometheus) => {
                let asked = prometheus.asked();
                let all = asked.demand + asked.age + asked.signal + asked.other;
                Counted {
                    queries: f64::from(u32::try_from(all).unwrap_or(u32::MAX)),
                    cpu_seconds: f64::NAN,
                }
            }
            Under::Real(servers) => {
                let url = format!("{}/metrics", servers.prometheus.url());
                let (_, text) = http::get(&url).await.expect("metrics of Prometheus");
                let sum = |name: &str, part: &str| -> f64 {
                    let lines = text
                        .lines()
                        .filter(|line| line.starts_with(name) && line.contains(part));
                    lines
                        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok())
                        .sum()
                };
                Counted {
                    queries: sum("prometheus_http_requests_total", "handler=\"/api/v1/query\""),
                    cpu_seconds: sum("process_cpu_seconds_total", ""),
                }
            }
        }
    }

    /// A kubeconfig for an account with the rights of the ClusterRole.
    pub async fn account(&self, name: &str) -> String {
        self.world.cluster.account(HOME, name, Rights::ClusterWide).await
    }

    /// All Deployments as they are.
    pub async fn deployments(&self) -> Vec<bare::Deployment> {
        let list = match self.world.cluster.server() {
            Some(_) => {
                let admin = &self.world.cluster.admin;
                let list = admin.look(&DEPLOYMENT.path(None, None, None)).await;
                list.expect("a list")["items"].take()
            }
            None => json!(self.world.cluster.kube().list(Resource::Deployments)),
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let read = |object: &Value| {
            let metadata = &object["metadata"];
            (
                text(&metadata["namespace"]),
                text(&metadata["name"]),
                text(&metadata["resourceVersion"]),
            )
        };
        list.as_array().into_iter().flatten().map(read).collect()
    }
}

/// What a model is called: its Deployment, variant and pool.
pub fn name(model: usize) -> String {
    format!("model-{model}")
}

/// What requests call it.
fn id(model: usize) -> String {
    format!("meta/model-{model}")
}

fn queue(namespace: &str, pool: &str, model: String) -> Queue {
    Queue {
        family: TODAY,
        namespace: namespace.to_owned(),
        pool: pool.to_owned(),
        model,
    }
}

/// The servers of `demo`.
async fn embed() -> (World, Prometheus) {
    let settings = Settings {
        history: KEPT,
        requests: KEPT,
        ..Settings::default()
    };
    let kube = Kube::start_with(settings).await.expect("a port");
    let queues = Queues::default();
    let prometheus = scrape(queues.clone()).await;
    let world = World {
        ns: HOME.to_owned(),
        cluster: Cluster::embedded(kube),
        demand: Demand::Scraped {
            url: prometheus.url().to_owned(),
            queues,
        },
        dir: tempfile::tempdir().expect("a folder"),
        logs: Logs::default(),
    };
    (world, prometheus)
}

/// The Prometheus of `demo`, with these queues in it.
async fn scrape(queues: Queues) -> Prometheus {
    let known = Config::default().query;
    let queries = prometheus::Queries {
        demand: query::demand(&known),
        age: query::age(&known).unwrap_or_default(),
        signal: query::signal(&known).unwrap_or_default(),
    };
    let told = |(queue, waiting): (Queue, f64)| prometheus::Queue {
        key: QueueKey {
            namespace: queue.namespace,
            pool: queue.pool,
            target_model: queue.model,
            model: String::new(),
        },
        waiting,
        epp: Epp::FlowControl,
    };
    let started = Prometheus::start(queries, SCRAPE, move || {
        queues.all().into_iter().map(told).collect()
    });
    started.await.expect("a port")
}
