//! The loop of one watch: list, follow, and start again after trouble.
//!
//! The backoff is our own, since kube's `default_backoff` resets before every list, and a missing
//! CRD would be listed once a second for ever. Ours resets only when a list has ended well. Waits differ from watch to
//! watch, and the first that works again ends those of the others: an API server that is back is found soon, and
//! not by all at once.

use std::{sync::Arc, time::Duration};

use futures::StreamExt as _;
use kube::{
    Api, Client,
    api::ApiResource,
    runtime::watcher::{self, Event, ListSemantic, watcher},
};
use tokio::sync::mpsc;

use super::{
    error::describe,
    health::{WatchName, WatchState, Watches},
    kinds::{Watched, changed},
};
use crate::core::{Change, HashMap, Kind};

/// A watch is asked to end after this, and held for silent a little later: then it goes on from where it was.
const WATCH_FOR_SECONDS: u32 = 60;
/// Objects in one page of a list. Small pages keep the memory of a list small.
const PAGE: u32 = 100;
/// How often a kind that the API does not have is looked for.
pub(super) const LOOK_FOR_ABSENT: Duration = Duration::from_secs(10);
/// Waits after trouble.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_LONGEST: Duration = Duration::from_secs(30);
/// Once one watch works again, the others start again within this, one by one.
const REJOIN_WITHIN: Duration = Duration::from_secs(1);

/// One watch to keep running.
pub struct Watch<W: Watched> {
    /// The connection.
    pub client: Client,
    /// Which kind of this shape.
    pub of: W::Of,
    /// Where its objects are found.
    pub resource: ApiResource,
    /// Namespace; `None` for all. For Namespaces themselves: the one to look at.
    pub within: Option<Arc<str>>,
    /// Where changes go.
    pub changes: mpsc::Sender<Change>,
    /// Where it says how it stands.
    pub watches: Watches,
}

/// Nobody takes the changes any more.
#[derive(Debug)]
pub(super) struct Unheard;

impl From<mpsc::error::SendError<Change>> for Unheard {
    fn from(_: mpsc::error::SendError<Change>) -> Self {
        Self
    }
}

impl<W: Watched> Watch<W> {
    /// Runs until nobody takes the changes any more.
    pub async fn run(self) {
        while let Ok(()) = self.until_absent().await {
            tokio::time::sleep(LOOK_FOR_ABSENT).await;
        }
    }

    /// Runs until the API has no such kind.
    pub(super) async fn until_absent(&self) -> Result<(), Unheard> {
        let kind: Kind = self.of.clone().into();
        let name: WatchName = (kind.clone(), self.within.clone());
        let mut backoff = BACKOFF_FIRST;
        loop {
            // From here on, since another may recover while this try is under way.
            let one_recovers = self.watches.one_recovers();
            let error = self.follow(&name, &mut backoff).await?;
            let state = trouble(&error);
            let is_absent = state == WatchState::Absent;
            let readable = match state {
                WatchState::Absent => {
                    // What it was is gone with it.
                    let table = W::table(self.of.clone(), HashMap::default());
                    let within = self.within.clone();
                    self.changes.send(Change::Listed { within, table }).await?;
                    Some(true)
                }
                WatchState::Forbidden(_) => Some(false),
                // What was listed once is still the best there is.
                _ => (!self.watches.is_listed(&name)).then_some(false),
            };
            if let Some(readable) = readable {
                let change = Change::Readable(kind.clone(), self.within.clone(), readable);
                self.changes.send(change).await?;
            }
            let is_failing = matches!(state, WatchState::Failing(_));
            self.watches.set(&name, state);
            if is_absent {
                return Ok(());
            }
            let wait = tokio::time::sleep(backoff.mul_f64(fastrand::f64().midpoint(1.0)));
            tokio::select! {
                () = wait => {}
                () = one_recovers, if is_failing => {
                    tokio::time::sleep(REJOIN_WITHIN.mul_f64(fastrand::f64())).await;
                }
            }
            backoff = (backoff * 2).min(BACKOFF_LONGEST);
        }
    }

    /// Lists and follows until there is trouble, which is returned.
    async fn follow(&self, name: &WatchName, backoff: &mut Duration) -> Result<watcher::Error, Unheard> {
        let config = watcher::Config {
            list_semantic: ListSemantic::MostRecent,
            ..watcher::Config::default()
        };
        let config = config.timeout(WATCH_FOR_SECONDS).page_size(PAGE);
        let resource = &self.resource;
        let (api, config): (Api<W>, _) = match (&self.within, &name.0) {
            (Some(one), Kind::Namespace) => {
                let config = config.fields(&format!("metadata.name={one}"));
                (Api::all_with(self.client.clone(), resource), config)
            }
            (Some(namespace), _) => (
                Api::namespaced_with(self.client.clone(), namespace, resource),
                config,
            ),
            (None, _) => (Api::all_with(self.client.clone(), resource), config),
        };
        let mut events = watcher(api, config).boxed();
        let mut fresh = HashMap::default();
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => return Ok(error),
            };
            let change = match event {
                Event::Init => {
                    fresh = HashMap::default();
                    continue;
                }
                Event::InitApply(object) => {
                    fresh.extend(object.key().zip(object.record(&self.of)));
                    continue;
                }
                Event::InitDone => {
                    let table = W::table(self.of.clone(), std::mem::take(&mut fresh));
                    Some(Change::Listed {
                        within: self.within.clone(),
                        table,
                    })
                }
                Event::Apply(object) => changed(&object, self.of.clone()),
                Event::Delete(object) => object.key().map(|key| W::change(self.of.clone(), key, None)),
            };
            let Some(change) = change else { continue };
            let listed = matches!(change, Change::Listed { .. });
            self.changes.send(change).await?;
            if listed {
                *backoff = BACKOFF_FIRST;
                let readable = Change::Readable(name.0.clone(), self.within.clone(), true);
                self.changes.send(readable).await?;
                self.watches.set(name, WatchState::Synced);
            } else {
                self.watches.news(name);
            }
        }
        // A watcher has no end.
        Err(Unheard)
    }
}

/// What an error says about the kind.
fn trouble(error: &watcher::Error) -> WatchState {
    use watcher::Error::{InitialListFailed, NoResourceVersion, WatchError, WatchFailed, WatchStartFailed};

    let (code, message) = match error {
        InitialListFailed(error) | WatchStartFailed(error) | WatchFailed(error) => {
            let code = if let kube::Error::Api(status) = error {
                status.code
            } else {
                0
            };
            (code, describe(error))
        }
        WatchError(status) => (status.code, status.message.clone()),
        NoResourceVersion => (0, "an object without a resourceVersion".into()),
    };
    match code {
        404 => WatchState::Absent,
        403 => WatchState::Forbidden(message),
        401 => WatchState::Failing(format!(
            "{message}; the API server does not know our token or certificate"
        )),
        _ => WatchState::Failing(message),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use http::Response;
    use kube::client::Body;
    use tokio::time::Instant;

    use super::*;
    use crate::cluster::{kinds::resource, objects::PoolObject};
    use crate::core::PoolGroup;

    /// Some tries are under way while another already has its answer.
    const REFUSES_AFTER: Duration = Duration::from_secs(5);

    /// An API server that refuses until it is told to answer: empty lists, and watches without an end.
    fn server(answers: Arc<AtomicBool>) -> Client {
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let answers = answers.load(Ordering::Relaxed);
            async move {
                if !answers {
                    tokio::time::sleep(REFUSES_AFTER).await;
                    return Err(std::io::Error::other("refused"));
                }
                if request.uri().query().is_some_and(|q| q.contains("watch=")) {
                    std::future::pending::<()>().await;
                }
                let list = r#"{"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}"#;
                Ok(Response::new(Body::from(list.as_bytes().to_vec())))
            }
        });
        Client::new(service, "ns")
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_watch_that_works_again_ends_the_waits_of_the_others() {
        let answers = Arc::new(AtomicBool::new(false));
        let client = server(answers.clone());
        let namespaces: Vec<Arc<str>> = (0..8).map(|n| format!("ns-{n}").into()).collect();
        let kind = Kind::Pool(PoolGroup::Stable);
        let watches = Watches::new(namespaces.iter().map(|ns| (kind.clone(), Some(ns.clone()))));
        let (changes, mut told) = mpsc::channel(64);
        let mut tasks = tokio::task::JoinSet::new();
        for namespace in &namespaces {
            let watch: Watch<PoolObject> = Watch {
                client: client.clone(),
                of: PoolGroup::Stable,
                resource: resource(&kind).expect("a standing kind"),
                within: Some(namespace.clone()),
                changes: changes.clone(),
                watches: watches.clone(),
            };
            tasks.spawn(watch.run());
        }
        // Long enough for each to wait as long as it ever does.
        let outage = tokio::time::sleep(Duration::from_secs(600));
        tokio::pin!(outage);
        loop {
            tokio::select! {
                () = &mut outage => break,
                _ = told.recv() => {}
            }
        }
        answers.store(true, Ordering::Relaxed);
        let mut listed = Vec::new();
        while listed.len() < namespaces.len() {
            if let Some(Change::Listed { .. }) = told.recv().await {
                listed.push(Instant::now());
            }
        }
        let spread = listed[listed.len() - 1] - listed[0];
        let longest = REFUSES_AFTER + REJOIN_WITHIN + Duration::from_millis(10);
        assert!(spread <= longest, "{spread:?}");
        assert!(!spread.is_zero(), "not all at once");
    }
}
