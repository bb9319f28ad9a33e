//! A small Kubernetes API over HTTP/1.1 on loopback: as much of one as the control loop uses, and
//! that much as kube-apiserver 1.37 does it.
//!
//! List, watch, get, create, update, merge patch, apply and delete of the kinds in [`Resource`], with
//! their `/status` and `/scale`, and discovery of them; what it does not know it refuses. Nothing is kept on disk. For tests it
//! goes wrong on request ([`Fault`]) and tells what it was asked ([`Kube::requests`]).

use std::{io, sync::Arc, time::Duration};

use axum::Router;
use serde_json::{Value, json};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use failure::Failure;
pub use fault::{Effect, Fault, FaultId};
pub use requests::{Counters, Match, Request, Verb};
pub use resource::Resource;
pub use route::Subresource;

mod autoscaler;
mod crds;
mod discovery;
mod failure;
mod fault;
mod fields;
mod inspect;
mod list;
mod object;
mod ownership;
mod requests;
mod resource;
mod review;
mod route;
mod rules;
mod scale;
mod schema;
mod serve;
mod server;
mod store;
mod watch;

use super::connection::{Connection, Connections, Cuttable};
use ownership::Writer;
use route::Place;
use server::Server;
use store::Store;

/// Who writes what is changed from within the process.
const EMBEDDED: Writer = Writer {
    manager: "embedded",
    through: Subresource::Main,
};

/// What may differ from one API to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Changes of one kind kept for watches to start from; older versions are gone (410).
    pub history: usize,
    /// Time between the bookmarks of a watch.
    pub bookmarks: Duration,
    /// Requests kept in the log of them ([`Kube::requests`]).
    pub requests: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            history: 10_000,
            bookmarks: Duration::from_secs(60),
            requests: 10_000,
        }
    }
}

/// A running API. Clones are the same one; it ends with [`Kube::shutdown`] or its last clone.
#[derive(Clone)]
pub struct Kube {
    server: Arc<Server>,
    url: String,
    connections: Connections,
    stop: CancellationToken,
    _stop_with_last: Arc<DropGuard>,
}

impl Kube {
    /// Starts an API on a free port of 127.0.0.1, with the namespace `default` in it.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Settings::default()).await
    }

    /// The same, with settings of one's own.
    ///
    /// # Errors
    /// Where no port can be had.
    pub async fn start_with(settings: Settings) -> io::Result<Self> {
        let connections = Connections::default();
        let listener = Cuttable::bind(connections.clone()).await?;
        let url = format!("http://127.0.0.1:{}", listener.port()?);
        let server = Arc::new(Server::new(settings));
        let app = Router::new()
            .fallback(serve::handle)
            .with_state(Arc::clone(&server));
        let stop = CancellationToken::new();
        let kube = Self {
            server,
            url,
            connections: connections.clone(),
            _stop_with_last: Arc::new(stop.clone().drop_guard()),
            stop: stop.clone(),
        };
        kube.server
            .change(|store| ensure_namespace(store, "default"))
            .map_err(io::Error::other)?;
        tokio::spawn(async move {
            let service = app.into_make_service_with_connect_info::<Connection>();
            tokio::select! {
                // It never ends by itself.
                _ = axum::serve(listener, service) => {}
                () = stop.cancelled() => {}
            }
            connections.cut();
        });
        Ok(kube)
    }

    /// Ends the API and cuts all connections to it.
    pub fn shutdown(&self) {
        self.stop.cancel();
        self.connections.cut();
    }

    /// Base URL, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Configuration of a client of this API. Its namespace is `default`.
    ///
    /// # Errors
    /// Never for a URL made here.
    pub fn client_config(&self) -> Result<kube::Config, http::uri::InvalidUri> {
        Ok(kube::Config::new(self.url.parse()?))
    }

    /// The same as a kubeconfig file; JSON, which is YAML too.
    pub fn kubeconfig(&self) -> String {
        json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "embedded",
            "clusters": [{"name": "embedded", "cluster": {"server": self.url}}],
            "users": [{"name": "embedded", "user": {}}],
            "contexts": [{"name": "embedded", "context": {"cluster": "embedded", "user": "embedded"}}],
        })
        .to_string()
    }

    /// Creates the object of a manifest, its namespace first if need be, or makes the existing one
    /// like it. Unlike through HTTP, `status` counts, too.
    ///
    /// # Errors
    /// As a POST: an unknown or absent kind, or an invalid object.
    pub fn apply(&self, mut manifest: Value) -> Result<Value, Failure> {
        let text = |path: &[&str]| object::text(&manifest, path).to_owned();
        let (api_version, kind, name) = (
            text(&["apiVersion"]),
            text(&["kind"]),
            text(&["metadata", "name"]),
        );
        let unknown = || Failure::bad_request(format!("the embedded API knows no {kind} of {api_version:?}"));
        let resource = Resource::of(&api_version, &kind).ok_or_else(unknown)?;
        let namespace = text(&["metadata", "namespace"]);
        let namespace = if namespace.is_empty() {
            "default"
        } else {
            &namespace
        };
        let place = place(resource, namespace, &name);
        let status = manifest
            .as_object_mut()
            .and_then(|manifest| manifest.remove("status"));
        self.server.change(|store| {
            if !store.table(resource).present {
                return Err(Failure::no_such_path());
            }
            if place.namespace.is_some() {
                ensure_namespace(store, namespace)?;
            }
            let mut stored = match store.get(&place) {
                Ok(old) => {
                    let next = object::update(resource, Subresource::Main, &old.value, manifest)?;
                    store.settle(&place, &old, next, EMBEDDED)
                }
                Err(_) => store.create(&place, manifest, EMBEDDED.manager)?,
            };
            if let Some(status) = status {
                let mut next = stored.value.clone();
                next["status"] = status;
                stored = store.write(&place, &stored, next);
            }
            Ok(stored.value.clone())
        })
    }

    /// An object as it is now.
    pub fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<Value> {
        let place = place(resource, namespace, name);
        self.server
            .store()
            .get(&place)
            .ok()
            .map(|stored| stored.value.clone())
    }

    /// Reads something off an object without copying it.
    pub fn look<T>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        read: impl FnOnce(&Value) -> T,
    ) -> Option<T> {
        let stored = self.server.store().get(&place(resource, namespace, name)).ok();
        stored.map(|stored| read(&stored.value))
    }

    /// The version of the last change of a kind; 0 where none is remembered.
    pub fn version(&self, resource: Resource) -> u64 {
        let store = self.server.store();
        store
            .table(resource)
            .history
            .back()
            .map_or(0, |record| record.object.version)
    }

    /// How many objects of a kind there are.
    pub fn count(&self, resource: Resource) -> usize {
        self.server.store().table(resource).objects.len()
    }

    /// The objects of a kind that were written after a version.
    pub fn newer(&self, resource: Resource, version: u64) -> Vec<Value> {
        let store = self.server.store();
        let objects = store.table(resource).objects.values();
        let newer = objects.filter(|stored| stored.version > version);
        newer.map(|stored| stored.value.clone()).collect()
    }

    /// All objects of a kind, in the order of lists.
    pub fn list(&self, resource: Resource) -> Vec<Value> {
        self.server
            .store()
            .table(resource)
            .objects
            .values()
            .map(|stored| stored.value.clone())
            .collect()
    }

    /// Changes an object, spec and status alike, as no client could in one step. A change of the
    /// spec makes a new generation, no change makes no new version. `change` must not ask this API for
    /// anything: it is held still meanwhile.
    ///
    /// # Errors
    /// If there is no such object.
    pub fn update(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Value, Failure> {
        let place = place(resource, namespace, name);
        self.server.change(|store| {
            let old = store.get(&place)?;
            let mut next = old.value.clone();
            change(&mut next);
            object::raise_generation(resource.traits(), &old.value, &mut next);
            Ok(store.settle(&place, &old, next, EMBEDDED).value.clone())
        })
    }

    /// Scales an object as an autoscaler would: through `/scale`, under its name.
    ///
    /// # Errors
    /// If there is no such object, or it has no `/scale`.
    pub fn scale(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        replicas: u32,
        manager: &str,
    ) -> Result<Value, Failure> {
        if resource.traits().scale.is_none() {
            return Err(Failure::no_such_path());
        }
        let place = Place {
            subresource: Subresource::Scale,
            ..place(resource, namespace, name)
        };
        let body = json!({"spec": {"replicas": replicas}});
        let scaled = self
            .server
            .change(|store| store.patch(&place, &store::Patch::Merge, &body, manager));
        scaled.map(|stored| stored.value.clone())
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// If there is no such object.
    pub fn delete(&self, resource: Resource, namespace: &str, name: &str) -> Result<(), Failure> {
        let place = place(resource, namespace, name);
        self.server.change(|store| store.delete(&place)).map(|_| ())
    }

    /// Installs or removes a kind, as a CRD would be. With it go its objects, and its watches end.
    pub fn set_present(&self, resource: Resource, present: bool) {
        self.server.change(|store| store.set_present(resource, present));
    }

    /// Makes every version up to now too old for a watch to start from (410).
    pub fn compact(&self) {
        self.server.change(Store::compact);
    }

    /// Has every watch that takes bookmarks send one.
    pub fn send_bookmarks(&self) {
        self.server.send_bookmarks();
    }

    /// Cuts every open connection, watches and all. New ones may come.
    pub fn cut_connections(&self) {
        self.connections.cut();
    }
}

fn place(resource: Resource, namespace: &str, name: &str) -> Place {
    let namespace = resource.traits().namespaced.then(|| namespace.to_owned());
    Place {
        resource,
        namespace,
        name: Some(name.to_owned()),
        subresource: Subresource::Main,
    }
}

fn ensure_namespace(store: &mut Store, name: &str) -> Result<(), Failure> {
    let place = place(Resource::Namespaces, "", name);
    if store.get(&place).is_err() {
        store.create(&place, json!({"metadata": {"name": name}}), EMBEDDED.manager)?;
    }
    Ok(())
}
