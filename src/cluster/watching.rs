//! All watches of a scope, started together.

use std::sync::Arc;

use kube::Client;
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    health::Watches,
    kinds::{Namespaces, Variants, Watched},
    objects::{NamespaceObject, PoolObject, TargetObject, VariantObject},
    watch::Watch,
};
use crate::core::{Change, Kind, PoolGroup, TargetKind};

/// Starts a watch of every kind: cluster-wide, or one for each namespace named. They run in `tasks`.
pub fn watch_all(
    client: &Client,
    namespaces: &[String],
    changes: &mpsc::Sender<Change>,
    tasks: &mut JoinSet<()>,
) -> Watches {
    let scopes: Vec<Option<Arc<str>>> = match namespaces {
        [] => vec![None],
        some => some.iter().map(|n| Some(Arc::from(n.as_str()))).collect(),
    };
    let names = scopes
        .iter()
        .flat_map(|within| Kind::ALL.map(|kind| (kind, within.clone())));
    let watches = Watches::new(names);
    for within in &scopes {
        let start = Start {
            client,
            within,
            changes,
            watches: &watches,
        };
        start.watch::<VariantObject>(Variants, tasks);
        for kind in TargetKind::ALL {
            start.watch::<TargetObject>(kind, tasks);
        }
        for group in [PoolGroup::Stable, PoolGroup::Experimental] {
            start.watch::<PoolObject>(group, tasks);
        }
        start.watch::<NamespaceObject>(Namespaces, tasks);
    }
    watches
}

/// What all watches of a namespace share.
struct Start<'a> {
    client: &'a Client,
    within: &'a Option<Arc<str>>,
    changes: &'a mpsc::Sender<Change>,
    watches: &'a Watches,
}

impl Start<'_> {
    fn watch<W: Watched>(&self, of: W::Of, tasks: &mut JoinSet<()>)
    where
        W::Of: 'static + Sync,
        W::Key: 'static,
        W::Record: 'static,
    {
        let watch: Watch<W> = Watch {
            client: self.client.clone(),
            of,
            within: self.within.clone(),
            changes: self.changes.clone(),
            watches: self.watches.clone(),
        };
        tasks.spawn(watch.run());
    }
}
