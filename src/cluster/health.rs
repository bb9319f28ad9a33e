//! How each watch stands: what `/readyz`, metrics and logs say of it.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Notify, futures::Notified},
    time::Instant,
};

use crate::core::{Kind, TargetKind, Wall};

/// A watch: its kind, and its namespace where it is not cluster-wide.
pub type WatchName = (Kind, Option<Arc<str>>);

/// How a watch stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WatchState {
    /// Its first list has not ended.
    Starting,
    /// It follows the objects.
    Synced,
    /// The API has no such kind; looked for again every 10 s.
    Absent,
    /// We may not list or watch it.
    Forbidden(String),
    /// It does not work just now, or what it knows is not current.
    Failing(String),
}

impl WatchState {
    /// Every word of [`WatchState::as_str`].
    pub const WORDS: [&'static str; 5] = ["starting", "synced", "absent", "forbidden", "failing"];

    /// The word for it in metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Synced => "synced",
            Self::Absent => "absent",
            Self::Forbidden(_) => "forbidden",
            Self::Failing(_) => "failing",
        }
    }
}

impl fmt::Display for WatchState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        match self {
            Self::Forbidden(why) | Self::Failing(why) => write!(f, " ({why})"),
            _ => Ok(()),
        }
    }
}

/// What is known of one watch.
#[derive(Clone, Debug)]
pub struct WatchHealth {
    /// How it stands.
    pub state: WatchState,
    /// When it last brought a list or an event.
    pub last_news: Option<Wall>,
    /// Whether it has been listed once since the start.
    pub listed: bool,
}

/// How long the start waits for a kind that cannot be listed: then the others go on without it.
const START_WAITS: Duration = Duration::from_secs(15);

/// All watches of this process. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Watches {
    all: Arc<Mutex<BTreeMap<WatchName, WatchHealth>>>,
    began: Instant,
    recovered: Arc<Notify>,
}

impl Watches {
    /// These watches, all starting.
    pub fn new(names: impl IntoIterator<Item = WatchName>) -> Self {
        let watches = Self {
            all: Arc::default(),
            began: Instant::now(),
            recovered: Arc::default(),
        };
        for name in names {
            watches.add(name);
        }
        watches
    }

    /// How each stands.
    pub fn snapshot(&self) -> BTreeMap<WatchName, WatchHealth> {
        self.lock().clone()
    }

    /// Whether each kind has been listed once, or is known not to be: absent or forbidden. One that
    /// fails is waited for, but not for ever, since it must not hold up the others; a kind that only
    /// discovery knows is not waited for at all, since one variant that names it is enough to have it here.
    pub fn is_settled(&self) -> bool {
        let given_up = self.began.elapsed() >= START_WAITS;
        self.lock().iter().all(|((kind, _), health)| {
            health.listed
                || match health.state {
                    WatchState::Absent | WatchState::Forbidden(_) => true,
                    WatchState::Failing(_) => given_up || matches!(kind, Kind::Target(TargetKind::Other(_))),
                    WatchState::Starting | WatchState::Synced => false,
                }
        })
    }

    /// One more watch, starting.
    pub(super) fn add(&self, name: WatchName) {
        let starting = WatchHealth {
            state: WatchState::Starting,
            last_news: None,
            listed: false,
        };
        self.lock().insert(name, starting);
    }

    /// One watch less.
    pub(super) fn remove(&self, name: &WatchName) {
        self.lock().remove(name);
    }

    /// Whether a watch has been listed once since the start.
    pub(super) fn is_listed(&self, name: &WatchName) -> bool {
        self.lock().get(name).is_some_and(|health| health.listed)
    }

    /// A watch stands so now. Says it in the log, if that is new.
    pub(super) fn set(&self, name: &WatchName, state: WatchState) {
        let mut all = self.lock();
        let Some(health) = all.get_mut(name) else { return };
        if health.state != state {
            log(name, &health.state, &state);
        }
        if state == WatchState::Synced {
            if matches!(health.state, WatchState::Failing(_)) {
                self.recovered.notify_waiters();
            }
            health.last_news = Some(Wall::now());
            health.listed = true;
        }
        health.state = state;
    }

    /// Ends when one that failed works again, from this call on: then what the others failed of is likely over, too.
    pub(super) fn one_recovers(&self) -> Notified<'_> {
        self.recovered.notified()
    }

    /// A watch has brought something.
    pub(super) fn news(&self, name: &WatchName) {
        if let Some(health) = self.lock().get_mut(name) {
            health.last_news = Some(Wall::now());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<WatchName, WatchHealth>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line when a watch changes, with what to mend.
fn log((kind, within): &WatchName, before: &WatchState, now: &WatchState) {
    let namespace = within.as_deref().unwrap_or("*");
    let resource = &*kind.as_str();
    match (before, now) {
        (_, WatchState::Synced) => tracing::info!(resource, namespace, "Watching"),
        (_, WatchState::Absent) if *kind == Kind::Variant => tracing::warn!(
            resource,
            namespace,
            "The API server does not have this resource, so only managed ScaledObjects and HorizontalPodAutoscalers are woken; install WVA's CRDs if you use them. Looking again every 10 s"
        ),
        (_, WatchState::Absent) => {
            tracing::info!(
                resource,
                namespace,
                "The API server does not have this resource; looking again every 10 s"
            );
        }
        (_, WatchState::Forbidden(_)) if matches!(kind, Kind::Scaler(_)) => tracing::warn!(
            resource,
            namespace,
            "Not permitted to watch these: pauses and guards on them are not seen, nor that they scale a woken target back"
        ),
        // Only its annotations are lost; whoever runs with a Role has no way to read namespaces.
        (_, WatchState::Forbidden(_)) if *kind == Kind::Namespace => tracing::info!(
            resource,
            namespace,
            "Not permitted to watch namespaces: annotations that exclude a whole namespace are not seen"
        ),
        (_, WatchState::Forbidden(why)) => tracing::error!(
            resource,
            namespace,
            error = why,
            "Not permitted to list and watch; grant get, list and watch as in manifests/, or narrow scope.namespaces"
        ),
        // The same trouble in other words is no news.
        (WatchState::Failing(_), WatchState::Failing(_)) | (_, WatchState::Starting) => {}
        (_, WatchState::Failing(why)) => tracing::warn!(
            resource,
            namespace,
            error = why,
            "Watch failed; going on with what is known and trying again"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_waits_for_no_kind_that_discovery_cannot_find() {
        let other = (Kind::Target(TargetKind::other("example.com", "Model")), None);
        let standing = (Kind::Target(TargetKind::Deployment), None);
        let watches = Watches::new([other.clone(), standing.clone()]);
        watches.set(&standing, WatchState::Synced);
        assert!(!watches.is_settled(), "its first answer is waited for");
        watches.set(&other, WatchState::Failing("the API has no /scale for it".into()));
        assert!(watches.is_settled());

        let watches = Watches::new([standing.clone()]);
        watches.set(&standing, WatchState::Failing("503".into()));
        assert!(!watches.is_settled(), "many may need a standing kind");
    }
}
