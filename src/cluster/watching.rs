//! All watches of a scope: those that stand in any case, and those of kinds that only discovery finds.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::{Client, Config};
use tokio::{
    sync::mpsc,
    task::{AbortHandle, JoinSet},
};

use super::{
    client::{ClientError, client},
    discovery::{Discovered, Found, discover},
    health::{WatchName, WatchState, Watches},
    kinds::{Namespaces, Variants, Watched, resource},
    objects::{NamespaceObject, PoolObject, TargetObject, VariantObject},
    scalers::ScalerObject,
    watch::{LOOK_FOR_ABSENT, Watch},
};
use crate::core::{Change, Kind, OtherKind, ScopeRules, Source, TargetKind};

/// Namespaces whose watches share a connection: an API server takes 100 requests at once on one
/// (`http2-max-streams-per-connection`), a namespace needs eight for good, and its lists come on top.
const NAMESPACES_PER_CONNECTION: usize = 8;

/// The watches of one configuration. They end when this is dropped.
pub struct WatchSet {
    cluster: Config,
    changes: mpsc::Sender<Change>,
    watches: Watches,
    discovered: Discovered,
    cluster_wide: bool,
    tasks: JoinSet<()>,
    /// Those of kinds found by discovery.
    others: BTreeMap<(Arc<OtherKind>, Option<Arc<str>>), AbortHandle>,
}

impl WatchSet {
    /// Starts a watch of every standing kind: cluster-wide, or one for each namespace named.
    ///
    /// Their connections are theirs alone, so that no write ever queues behind a watch.
    ///
    /// # Errors
    /// When the credentials cannot be used.
    pub fn start(
        cluster: &Config,
        scope: &ScopeRules,
        changes: mpsc::Sender<Change>,
        discovered: Discovered,
    ) -> Result<Self, ClientError> {
        let scopes: Vec<Option<Arc<str>>> = match &scope.namespaces[..] {
            [] => vec![None],
            some => some.iter().map(|n| Some(Arc::from(n.as_str()))).collect(),
        };
        let mut kinds = Kind::STANDING.to_vec();
        kinds.retain(|kind| *kind != Kind::Variant || scope.sources.contains(&Source::VariantAutoscaling));
        let names = scopes
            .iter()
            .flat_map(|within| kinds.iter().map(|kind| (kind.clone(), within.clone())));
        let mut set = Self {
            cluster: cluster.clone(),
            changes,
            watches: Watches::new(names),
            discovered,
            cluster_wide: scope.namespaces.is_empty(),
            tasks: JoinSet::new(),
            others: BTreeMap::new(),
        };
        for scopes in scopes.chunks(NAMESPACES_PER_CONNECTION) {
            let client = client(cluster)?;
            for within in scopes {
                for kind in &kinds {
                    set.watch_kind(&client, kind, within.as_ref());
                }
            }
        }
        Ok(set)
    }

    /// How they stand.
    pub fn health(&self) -> &Watches {
        &self.watches
    }

    /// Waits until one of them ends, which none does by itself.
    pub async fn ended(&mut self) {
        loop {
            match self.tasks.join_next().await {
                // Ended by us: nobody names its kind any more.
                Some(Err(end)) if end.is_cancelled() => {}
                Some(_) => return,
                None => std::future::pending().await,
            }
        }
    }

    /// Watches the kinds of target that variants name and only discovery finds, by namespace, and no others. Returns
    /// whether a watch has come or gone.
    pub fn follow<'a>(&mut self, named: impl Iterator<Item = &'a (Arc<OtherKind>, Arc<str>)>) -> bool {
        let wanted: BTreeSet<_> = named
            .map(|(kind, namespace)| (kind.clone(), (!self.cluster_wide).then(|| namespace.clone())))
            .collect();
        let over: Vec<_> = self
            .others
            .keys()
            .filter(|key| !wanted.contains(*key))
            .cloned()
            .collect();
        let mut changed = !over.is_empty();
        for key in over {
            if let Some(task) = self.others.remove(&key) {
                task.abort();
            }
            self.watches.remove(&watch_name(&key));
        }
        for key in wanted {
            if self.others.contains_key(&key) {
                continue;
            }
            // A connection of its own: there may be a watch in each of many namespaces. The credentials have been used
            // before; should they be no good any more, it is tried again at the next call.
            let Ok(client) = client(&self.cluster) else {
                continue;
            };
            changed = true;
            self.watches.add(watch_name(&key));
            let other = Other {
                client,
                kind: key.0.clone(),
                within: key.1.clone(),
                changes: self.changes.clone(),
                watches: self.watches.clone(),
                discovered: self.discovered.clone(),
            };
            self.others.insert(key, self.tasks.spawn(other.run()));
        }
        changed
    }

    fn watch_kind(&mut self, client: &Client, kind: &Kind, within: Option<&Arc<str>>) {
        match kind {
            Kind::Variant => self.watch::<VariantObject>(client, Variants, within),
            Kind::Target(kind) => self.watch::<TargetObject>(client, kind.clone(), within),
            Kind::Pool(group) => self.watch::<PoolObject>(client, *group, within),
            Kind::Scaler(kind) => self.watch::<ScalerObject>(client, *kind, within),
            Kind::Namespace => self.watch::<NamespaceObject>(client, Namespaces, within),
        }
    }

    fn watch<W: Watched>(&mut self, client: &Client, of: W::Of, within: Option<&Arc<str>>)
    where
        W::Of: 'static + Sync,
        W::Key: 'static,
        W::Record: 'static,
    {
        // Each standing kind has one.
        let Some(resource) = resource(&of.clone().into()) else {
            return;
        };
        let watch: Watch<W> = Watch {
            client: client.clone(),
            of,
            resource,
            within: within.cloned(),
            changes: self.changes.clone(),
            watches: self.watches.clone(),
        };
        self.tasks.spawn(watch.run());
    }
}

fn watch_name((kind, within): &(Arc<OtherKind>, Option<Arc<str>>)) -> WatchName {
    (Kind::Target(TargetKind::Other(kind.clone())), within.clone())
}

/// A watch of a kind that is to be found first.
struct Other {
    client: Client,
    kind: Arc<OtherKind>,
    within: Option<Arc<str>>,
    changes: mpsc::Sender<Change>,
    watches: Watches,
    discovered: Discovered,
}

impl Other {
    /// Looks for the kind until it is there, then follows its objects.
    async fn run(self) {
        let name = watch_name(&(self.kind.clone(), self.within.clone()));
        let resource = loop {
            let (state, scalable) = match discover(&self.client, &self.kind).await {
                Ok(Found::Scalable(resource)) => break resource,
                Ok(Found::NotScalable) => (WatchState::Failing("the API has no /scale for it".into()), false),
                Ok(Found::Absent) => (WatchState::Absent, true),
                Err(error) => (WatchState::Failing(error.to_string()), true),
            };
            if self.say_scalable(scalable).await.is_err() {
                return;
            }
            self.watches.set(&name, state);
            tokio::time::sleep(LOOK_FOR_ABSENT).await;
        };
        self.discovered.set(&self.kind, resource.clone());
        if self.say_scalable(true).await.is_err() {
            return;
        }
        let watch: Watch<TargetObject> = Watch {
            client: self.client,
            of: TargetKind::Other(self.kind),
            resource,
            within: self.within,
            changes: self.changes,
            watches: self.watches,
        };
        watch.run().await;
    }

    async fn say_scalable(&self, scalable: bool) -> Result<(), mpsc::error::SendError<Change>> {
        self.changes
            .send(Change::Scalable(self.kind.clone(), scalable))
            .await
    }
}
