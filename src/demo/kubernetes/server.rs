//! What the handlers of all requests share.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use super::{
    Settings,
    fault::{Effect, Faults},
    requests::{Log, Request},
    resource::Resource,
    route::Subresource,
    store::Store,
};

/// One API server. Its locks are held for moments, never across an await, and never two at once.
pub(super) struct Server {
    settings: Settings,
    store: Mutex<Store>,
    faults: Mutex<Faults>,
    log: Mutex<Log>,
    /// Told of each change of a kind, and of whatever else its watches must look at.
    kinds: Vec<watch::Sender<u64>>,
    /// Told of every change and every request.
    activity: watch::Sender<u64>,
    bookmarks_asked: AtomicU64,
    watches: Vec<AtomicUsize>,
}

/// Nothing that is done under these locks can leave the state half changed by panicking, so a
/// poisoned one is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Server {
    pub fn new(settings: Settings) -> Self {
        Self {
            store: Mutex::new(Store::new(settings.history)),
            log: Mutex::new(Log::keeping(settings.requests)),
            settings,
            faults: Mutex::default(),
            kinds: Resource::ALL.iter().map(|_| watch::channel(0).0).collect(),
            activity: watch::channel(0).0,
            bookmarks_asked: AtomicU64::new(0),
            watches: Resource::ALL.iter().map(|_| AtomicUsize::new(0)).collect(),
        }
    }

    /// To read only: watches would not be told of a change.
    pub fn store(&self) -> MutexGuard<'_, Store> {
        lock(&self.store)
    }

    /// Changes the store and tells the watches.
    pub fn change<T>(&self, change: impl FnOnce(&mut Store) -> T) -> T {
        let mut store = lock(&self.store);
        let result = change(&mut store);
        let changed = store.take_changed();
        drop(store);
        if !changed.is_empty() {
            for resource in changed {
                self.kinds[resource as usize].send_modify(|count| *count += 1);
            }
            self.stir();
        }
        result
    }

    pub fn subscribe(&self, resource: Resource) -> watch::Receiver<u64> {
        self.kinds[resource as usize].subscribe()
    }

    pub fn activity(&self) -> watch::Receiver<u64> {
        self.activity.subscribe()
    }

    fn stir(&self) {
        self.activity.send_modify(|count| *count += 1);
    }

    fn poke_watches(&self) {
        for kind in &self.kinds {
            kind.send_modify(|count| *count += 1);
        }
    }

    /// Changes the faults, and has open watches look at them.
    pub fn with_faults<T>(&self, change: impl FnOnce(&mut Faults) -> T) -> T {
        let result = change(&mut lock(&self.faults));
        self.poke_watches();
        result
    }

    pub fn strike(&self, request: &Request) -> Option<Effect> {
        lock(&self.faults).strike(request)
    }

    pub fn silences(&self, watch: &Request) -> bool {
        lock(&self.faults).silences(watch)
    }

    pub fn forbids(&self, request: &Request) -> bool {
        lock(&self.faults).forbids(request)
    }

    pub fn with_log<T>(&self, read: impl FnOnce(&mut Log) -> T) -> T {
        read(&mut lock(&self.log))
    }

    pub fn begin(&self, request: &Request) -> Entry<'_> {
        let number = lock(&self.log).begin(request.clone());
        self.stir();
        let kind = (request.verb, request.resource, request.subresource);
        Entry {
            server: self,
            number,
            kind,
            code: None,
        }
    }

    pub fn send_bookmarks(&self) {
        self.bookmarks_asked.fetch_add(1, Ordering::SeqCst);
        self.poke_watches();
    }

    pub fn bookmarks_asked(&self) -> u64 {
        self.bookmarks_asked.load(Ordering::SeqCst)
    }

    pub fn bookmark_interval(&self) -> Duration {
        self.settings.bookmarks
    }

    pub fn watch_opened(&self, resource: Resource) {
        self.watches[resource as usize].fetch_add(1, Ordering::SeqCst);
        self.stir();
    }

    pub fn watch_closed(&self, resource: Resource) {
        self.watches[resource as usize].fetch_sub(1, Ordering::SeqCst);
        self.stir();
    }

    pub fn watches(&self, resource: Resource) -> usize {
        self.watches[resource as usize].load(Ordering::SeqCst)
    }
}

/// A request under way; how it ended is noted when this is dropped, whatever became of it.
pub(super) struct Entry<'a> {
    server: &'a Server,
    number: u64,
    kind: (super::Verb, Resource, Subresource),
    pub code: Option<u16>,
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        lock(&self.server.log).end(self.number, self.kind, self.code);
        self.server.stir();
    }
}
