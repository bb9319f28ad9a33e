//! All watches of a scope, started together.

use std::sync::Arc;

use kube::{Client, Config};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    client::{ClientError, client},
    health::Watches,
    kinds::{Namespaces, Variants, Watched},
    objects::{NamespaceObject, PoolObject, TargetObject, VariantObject},
    watch::Watch,
};
use crate::core::{Change, Kind, PoolGroup, TargetKind};

/// Namespaces whose watches share a connection: an API server takes 100 requests at once on one
/// (`http2-max-streams-per-connection`), a namespace needs six for good, and its lists come on top.
const NAMESPACES_PER_CONNECTION: usize = 10;

/// Starts a watch of every kind: cluster-wide, or one for each namespace named. They run in `tasks`.
///
/// Their connections are theirs alone, so that no write ever queues behind a watch.
///
/// # Errors
/// When the credentials cannot be used.
pub fn watch_all(
    cluster: &Config,
    namespaces: &[String],
    changes: &mpsc::Sender<Change>,
    tasks: &mut JoinSet<()>,
) -> Result<Watches, ClientError> {
    let scopes: Vec<Option<Arc<str>>> = match namespaces {
        [] => vec![None],
        some => some.iter().map(|n| Some(Arc::from(n.as_str()))).collect(),
    };
    let names = scopes
        .iter()
        .flat_map(|within| Kind::ALL.map(|kind| (kind, within.clone())));
    let watches = Watches::new(names);
    for scopes in scopes.chunks(NAMESPACES_PER_CONNECTION) {
        let client = &client(cluster)?;
        for within in scopes {
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
    }
    Ok(watches)
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
