//! The real servers: kube-apiserver with etcd, and Prometheus.

mod api;
pub mod child;
mod prometheus;

use std::{
    collections::BTreeSet,
    env,
    net::TcpListener,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

pub use self::{api::ApiServer, prometheus::PrometheusServer};
use crate::demand::Exporter;

/// A server that did not start says why; ports and machines being what they are, it is tried again.
const TRIES: usize = 3;

/// The folder with the real programs.
#[derive(Clone, Debug)]
pub struct Assets(PathBuf);

impl Assets {
    /// What `KUBEBUILDER_ASSETS` names, or why there is none.
    pub fn find() -> Result<Self, String> {
        let Some(folder) = env::var_os("KUBEBUILDER_ASSETS").filter(|folder| !folder.is_empty()) else {
            return Err("KUBEBUILDER_ASSETS is not set; scripts/test sets it".into());
        };
        let assets = Self(folder.into());
        for program in ["etcd", "kube-apiserver", "kubectl", "prometheus"] {
            if !assets.path(program).is_file() {
                return Err(format!(
                    "KUBEBUILDER_ASSETS: no {}",
                    assets.path(program).display()
                ));
            }
        }
        Ok(assets)
    }

    /// One of the programs.
    pub fn path(&self, program: &str) -> PathBuf {
        self.0.join(program)
    }
}

/// Whether missing servers are a failure.
pub fn required() -> bool {
    env::var("REQUIRE_REAL").is_ok_and(|value| value == "1")
}

/// The servers that all trials share. They end when this is dropped.
pub struct Servers {
    /// The API server of the trials that need only a namespace.
    pub shared: Arc<ApiServer>,
    /// The one Prometheus.
    pub prometheus: PrometheusServer,
    /// What it scrapes.
    pub exporter: Exporter,
    /// Where the programs are.
    pub assets: Assets,
    /// Held by the trial that has an API server of its own.
    pub alone: tokio::sync::Mutex<()>,
}

impl Servers {
    /// Starts them all.
    pub async fn start(assets: Assets) -> Result<Self, String> {
        let exporter = Exporter::start().await;
        let (shared, prometheus) = tokio::join!(
            ApiServer::start(&assets),
            PrometheusServer::start(&assets, exporter.address())
        );
        let shared = Arc::new(shared?);
        shared.install_crds().await;
        shared.install_cluster_role().await;
        Ok(Self {
            shared,
            prometheus: prometheus?,
            exporter,
            assets,
            alone: tokio::sync::Mutex::new(()),
        })
    }
}

/// Starts a server, again if it does not come up.
async fn persist<T>(mut start: impl AsyncFnMut() -> Result<T, String>) -> Result<T, String> {
    let mut told = Vec::new();
    for _ in 0..TRIES {
        match start().await {
            Ok(server) => return Ok(server),
            Err(why) => told.push(why),
        }
    }
    Err(told.join("\n"))
}

/// A port of this machine that is free, and that nobody else here has been given.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    loop {
        let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = socket.local_addr().expect("its address").port();
        if GIVEN.lock().unwrap().insert(port) {
            return port;
        }
    }
}

/// A file of this project.
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A YAML file of this project, document by document.
pub fn documents(path: &str) -> Vec<serde_json::Value> {
    use serde::Deserialize as _;

    let file = project(path);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    serde_yaml::Deserializer::from_str(&text)
        .map(|document| serde_json::Value::deserialize(document).unwrap_or_else(|e| panic!("{path}: {e}")))
        .filter(|document| !document.is_null())
        .collect()
}
