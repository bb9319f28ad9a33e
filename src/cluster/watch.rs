//! The loop of one watch: list, follow, and start again after trouble.
//!
//! The backoff is our own, since kube's `default_backoff` resets before every list, and a missing
//! CRD would be listed once a second for ever. Ours resets only when a list has ended well.

use std::{collections::HashMap, sync::Arc, time::Duration};

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
    kinds::Watched,
};
use crate::core::{Change, Kind};

/// A watch is asked to end after this, and held for silent a little later: then it goes on from where it was.
const WATCH_FOR_SECONDS: u32 = 60;
/// Objects in one page of a list. Small pages keep the memory of a list small.
const PAGE: u32 = 100;
/// How often a kind that the API does not have is looked for.
pub(super) const LOOK_FOR_ABSENT: Duration = Duration::from_secs(10);
/// Waits after trouble.
const BACKOFF_FIRST: Duration = Duration::from_millis(500);
const BACKOFF_LONGEST: Duration = Duration::from_secs(30);

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

impl<W: Watched> Watch<W> {
    /// Runs until nobody takes the changes any more.
    pub async fn run(self) {
        let kind: Kind = self.of.clone().into();
        let name: WatchName = (kind.clone(), self.within.clone());
        let mut backoff = BACKOFF_FIRST;
        while let Err(error) = self.follow(&name, &mut backoff).await {
            let (state, wait) = trouble(&error);
            let readable = match state {
                WatchState::Absent => {
                    // What it was is gone with it.
                    let table = W::table(self.of.clone(), HashMap::new());
                    if self
                        .changes
                        .send(Change::Listed {
                            within: self.within.clone(),
                            table,
                        })
                        .await
                        .is_err()
                    {
                        return;
                    }
                    Some(true)
                }
                WatchState::Forbidden(_) => Some(false),
                // What was listed once is still the best there is.
                _ => (!self.watches.is_listed(&name)).then_some(false),
            };
            if let Some(readable) = readable
                && self
                    .changes
                    .send(Change::Readable(kind.clone(), self.within.clone(), readable))
                    .await
                    .is_err()
            {
                return;
            }
            self.watches.set(&name, state);
            tokio::time::sleep(wait.unwrap_or(backoff)).await;
            backoff = (backoff * 2).min(BACKOFF_LONGEST);
        }
    }

    /// Lists and follows until there is trouble; `Ok` once nobody takes the changes any more.
    async fn follow(&self, name: &WatchName, backoff: &mut Duration) -> Result<(), watcher::Error> {
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
        let mut fresh = HashMap::new();
        while let Some(event) = events.next().await {
            let change = match event? {
                Event::Init => {
                    fresh = HashMap::new();
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
                Event::Apply(object) => {
                    let record = object.record(&self.of);
                    object.key().map(|key| W::change(self.of.clone(), key, record))
                }
                Event::Delete(object) => object.key().map(|key| W::change(self.of.clone(), key, None)),
            };
            let Some(change) = change else { continue };
            let listed = matches!(change, Change::Listed { .. });
            if self.changes.send(change).await.is_err() {
                return Ok(());
            }
            if listed {
                *backoff = BACKOFF_FIRST;
                if self
                    .changes
                    .send(Change::Readable(name.0.clone(), self.within.clone(), true))
                    .await
                    .is_err()
                {
                    return Ok(());
                }
                self.watches.set(name, WatchState::Synced);
            } else {
                self.watches.news(name);
            }
        }
        Ok(())
    }
}

/// What an error says about the kind, and how long to wait if not by backoff.
fn trouble(error: &watcher::Error) -> (WatchState, Option<Duration>) {
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
        404 => (WatchState::Absent, Some(LOOK_FOR_ABSENT)),
        403 => (WatchState::Forbidden(message), None),
        401 => (
            WatchState::Failing(format!(
                "{message}; the API server does not know our token or certificate"
            )),
            None,
        ),
        _ => (WatchState::Failing(message), None),
    }
}
