//! Watches of kinds of target that only discovery knows: found first, followed, and found again once they are gone.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kube::{Client, Config, api::ApiResource};
use tokio::{
    sync::{Mutex as Turn, mpsc},
    time::Instant,
};

use super::{
    client::{ClientError, client},
    discovery::{Discovered, Found, discover},
    error::RequestError,
    health::{WatchName, WatchState, Watches},
    objects::TargetObject,
    watch::{LOOK_FOR_ABSENT, Unheard, Watch},
};
use crate::core::{Change, Failure, Kind, OtherKind, TargetKind};

/// How often a kind without a `/scale` is asked for: nobody adds one to a CRD in a hurry.
const LOOK_FOR_SCALE: Duration = Duration::from_secs(5 * 60);

/// A watch of such a kind, in a namespace where it is not cluster-wide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OtherName {
    pub kind: Arc<OtherKind>,
    pub within: Option<Arc<str>>,
}

impl OtherName {
    /// The same among all watches.
    pub fn watch(&self) -> WatchName {
        (
            Kind::Target(TargetKind::Other(self.kind.clone())),
            self.within.clone(),
        )
    }
}

/// Asks the API server for kinds: each at most once per 10 s, in however many namespaces it is named. Cheap to clone;
/// all clones are one.
#[derive(Clone)]
pub(super) struct Finder {
    cluster: Config,
    /// For all its requests.
    client: Client,
    discovered: Discovered,
    answers: Arc<Mutex<HashMap<Arc<OtherKind>, LastAnswer>>>,
}

/// The last answer for a kind. Whoever asks holds it; the others wait for that.
type LastAnswer = Arc<Turn<Option<Answer>>>;

#[derive(Clone)]
struct Answer {
    found: Result<Found, RequestError>,
    /// When to ask again.
    again: Instant,
}

impl Finder {
    /// Has asked for nothing yet.
    pub fn new(cluster: &Config, discovered: Discovered) -> Result<Self, ClientError> {
        Ok(Self {
            cluster: cluster.clone(),
            client: client(cluster)?,
            discovered,
            answers: Arc::default(),
        })
    }

    /// What the API server has of a kind, as asked just now or not long ago.
    async fn find(&self, kind: &Arc<OtherKind>) -> Answer {
        let turn = {
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            answers.entry(kind.clone()).or_default().clone()
        };
        let mut last = turn.lock().await;
        if let Some(answer) = last.as_ref().filter(|answer| Instant::now() < answer.again) {
            return answer.clone();
        }
        let found = discover(&self.client, kind).await;
        match &found {
            Ok(Found::Scalable(resource)) => self.discovered.set(kind, resource.clone()),
            Ok(Found::NotScalable | Found::Absent { .. }) => self.discovered.forget(kind),
            // Nothing new is known of it.
            Err(_) => {}
        }
        let answer = Answer {
            again: Instant::now() + ask_again(&found),
            found,
        };
        *last = Some(answer.clone());
        answer
    }
}

/// How long an answer holds.
fn ask_again(found: &Result<Found, RequestError>) -> Duration {
    match found {
        Ok(Found::NotScalable) => LOOK_FOR_SCALE,
        // One request per 10 s, as for any kind that is not there.
        Ok(Found::Absent { requests }) => LOOK_FOR_ABSENT * (*requests).max(1),
        Ok(Found::Scalable(_)) => LOOK_FOR_ABSENT,
        Err(error) => LOOK_FOR_ABSENT.max(error.retry_after.unwrap_or_default()),
    }
}

/// A watch of a kind that is to be found first.
pub(super) struct Other {
    pub name: OtherName,
    pub finder: Finder,
    pub changes: mpsc::Sender<Change>,
    pub watches: Watches,
}

impl Other {
    /// Runs until nobody takes the changes any more.
    pub async fn run(self) {
        while let Ok(()) = self.once().await {}
    }

    /// Asks for the kind, follows its objects while it is there, and waits until it may be asked for again.
    async fn once(&self) -> Result<(), Unheard> {
        let kind = &self.name.kind;
        let answer = self.finder.find(kind).await;
        let (state, scalable, readable) = match answer.found {
            Ok(Found::Scalable(resource)) => match client(&self.finder.cluster) {
                Ok(client) => {
                    self.say(Change::Scalable(kind.clone(), true)).await?;
                    self.follow(client, resource).await?;
                    // By now it has been long enough, as a rule: it may be there in another version.
                    tokio::time::sleep_until(answer.again).await;
                    return Ok(());
                }
                Err(error) => (WatchState::Failing(error.to_string()), true, false),
            },
            Ok(Found::NotScalable) => (
                WatchState::Failing("the API has no /scale for it".into()),
                false,
                true,
            ),
            Ok(Found::Absent { .. }) => (WatchState::Absent, true, true),
            Err(error) if error.failure == Failure::Forbidden => {
                (WatchState::Forbidden(error.to_string()), true, false)
            }
            Err(error) => (WatchState::Failing(error.to_string()), true, false),
        };
        let (watched, within) = self.name.watch();
        self.say(Change::Scalable(kind.clone(), scalable)).await?;
        self.say(Change::Readable(watched, within, readable)).await?;
        self.watches.set(&self.name.watch(), state);
        tokio::time::sleep_until(answer.again).await;
        Ok(())
    }

    /// Follows its objects until the kind is gone. A connection of its own: there may be a watch in each of many
    /// namespaces.
    async fn follow(&self, client: Client, resource: ApiResource) -> Result<(), Unheard> {
        let watch: Watch<TargetObject> = Watch {
            client,
            of: TargetKind::Other(self.name.kind.clone()),
            resource,
            within: self.name.within.clone(),
            changes: self.changes.clone(),
            watches: self.watches.clone(),
        };
        watch.until_absent().await
    }

    async fn say(&self, change: Change) -> Result<(), Unheard> {
        Ok(self.changes.send(change).await?)
    }
}
