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
    discovery::Discovered,
    health::Watches,
    kinds::{Namespaces, Variants, Watched, resource},
    objects::{NamespaceObject, PoolObject, TargetObject, VariantObject},
    other::{Finder, Other, OtherName},
    scalers::ScalerObject,
    watch::Watch,
};
use crate::core::{Change, HashMap, Kind, OtherKind, ScopeRules, Source, Table, TargetKind};

/// Namespaces whose watches share a connection: an API server takes 100 requests at once on one
/// (`http2-max-streams-per-connection`), a namespace needs eight for good, and its lists come on top.
const NAMESPACES_PER_CONNECTION: usize = 8;

/// The watches of one configuration. They end when this is dropped.
pub struct WatchSet {
    changes: mpsc::Sender<Change>,
    watches: Watches,
    finder: Finder,
    cluster_wide: bool,
    tasks: JoinSet<()>,
    /// Those of kinds found by discovery.
    others: BTreeMap<OtherName, AbortHandle>,
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
            changes,
            watches: Watches::new(names),
            finder: Finder::new(cluster, discovered)?,
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
            .map(|(kind, namespace)| OtherName {
                kind: kind.clone(),
                within: (!self.cluster_wide).then(|| namespace.clone()),
            })
            .collect();
        let over: Vec<_> = self
            .others
            .keys()
            .filter(|name| !wanted.contains(*name))
            .cloned()
            .collect();
        let mut changed = false;
        for name in over {
            // What it has brought goes with it. With no room to say so, it is tried again at the next call.
            let Ok(say) = self.changes.try_reserve() else {
                continue;
            };
            if let Some(task) = self.others.remove(&name) {
                task.abort();
            }
            self.watches.remove(&name.watch());
            say.send(Change::Listed {
                within: name.within,
                table: Table::Targets(TargetKind::Other(name.kind), HashMap::default()),
            });
            changed = true;
        }
        for name in wanted {
            if self.others.contains_key(&name) {
                continue;
            }
            changed = true;
            self.watches.add(name.watch());
            let other = Other {
                name: name.clone(),
                finder: self.finder.clone(),
                changes: self.changes.clone(),
                watches: self.watches.clone(),
            };
            self.others.insert(name, self.tasks.spawn(other.run()));
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

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::demo::kubernetes::Kube;

    struct Trial {
        kube: Kube,
        set: WatchSet,
        changes: mpsc::Receiver<Change>,
    }

    impl Trial {
        async fn start() -> Self {
            let kube = Kube::start().await.expect("a port");
            let (say, changes) = mpsc::channel(100);
            let scope = ScopeRules::default();
            let config = kube.client_config().expect("its own URL");
            let set = WatchSet::start(&config, &scope, say, Discovered::default()).expect("a client");
            Self { kube, set, changes }
        }

        /// Reads changes until one is as wanted.
        async fn until<T>(&mut self, wanted: impl Fn(Change) -> Option<T>) -> T {
            let read = async {
                loop {
                    let change = self.changes.recv().await.expect("a change");
                    if let Some(found) = wanted(change) {
                        return found;
                    }
                }
            };
            tokio::time::timeout(Duration::from_secs(10), read)
                .await
                .expect("no such change")
        }

        /// How many objects of other kinds a list has.
        async fn until_listed(&mut self) -> usize {
            self.until(|change| match change {
                Change::Listed {
                    table: Table::Targets(TargetKind::Other(_), all),
                    ..
                } => Some(all.len()),
                _ => None,
            })
            .await
        }
    }

    fn named(group: &str, kind: &str) -> (Arc<OtherKind>, Arc<str>) {
        let TargetKind::Other(kind) = TargetKind::other(group, kind) else {
            unreachable!("it is one");
        };
        (kind, "llm".into())
    }

    #[tokio::test]
    async fn what_nobody_names_any_more_leaves_nothing_behind() {
        let mut trial = Trial::start().await;
        let rollout = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout",
            "metadata": {"namespace": "llm", "name": "llama"}, "spec": {"replicas": 0},
        });
        trial.kube.apply(rollout).expect("an object");
        assert!(trial.set.follow([named("argoproj.io", "Rollout")].iter()));
        assert_eq!(trial.until_listed().await, 1);
        assert!(
            !trial.set.follow([named("argoproj.io", "Rollout")].iter()),
            "no news"
        );
        assert!(trial.set.follow([].iter()));
        assert_eq!(trial.until_listed().await, 0);
    }

    #[tokio::test]
    async fn a_kind_that_cannot_be_scaled_is_known_at_once_and_asked_for_once() {
        let mut trial = Trial::start().await;
        let pod = named("", "Pod");
        trial.set.follow([pod.clone()].iter());
        let scalable = |change| match change {
            Change::Scalable(kind, scalable) if kind == pod.0 => Some(scalable),
            _ => None,
        };
        assert!(!trial.until(scalable).await);
        // In another namespace as well: the answer that is known serves.
        let name = OtherName {
            kind: pod.0.clone(),
            within: Some("other".into()),
        };
        let other = Other {
            name,
            finder: trial.set.finder.clone(),
            changes: trial.set.changes.clone(),
            watches: trial.set.watches.clone(),
        };
        trial.set.tasks.spawn(other.run());
        assert!(!trial.until(scalable).await);
        assert_eq!(trial.kube.discoveries(), ["/api/v1"]);
    }
}
