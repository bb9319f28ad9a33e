//! Watches: one line of JSON a change, from a version on, until the timeout.

use std::{collections::VecDeque, io, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{Stream, stream};
use serde_json::json;
use tokio::{
    sync::watch::Receiver,
    time::{Instant, sleep_until},
};

use super::{
    failure::Failure,
    list::{self, Query, Selection},
    requests::Request,
    resource::Resource,
    route::Place,
    server::Server,
    store::{Change, Record, Store, Stored},
};

/// Lines are sent together up to about this size.
const CHUNK: usize = 64 * 1024;
/// How long a watch lasts that does not say.
const TIMEOUT: Duration = Duration::from_secs(1800);
/// How long before its end a watch is told where it stands.
const LAST_BOOKMARK: Duration = Duration::from_secs(2);

/// One watch, as far as it has come.
pub(super) struct Watch {
    server: Arc<Server>,
    request: Request,
    resource: Resource,
    selection: Selection,
    /// What was there at the start and is still to be sent.
    initial: VecDeque<Arc<Stored>>,
    /// Every change up to this version was sent.
    seen: u64,
    /// The oldest version that can be watched from, if that asked for is older.
    too_old: Option<u64>,
    life: u64,
    bookmarks: Option<Bookmarks>,
    deadline: Instant,
    changed: Receiver<u64>,
    silent: bool,
    close_midway: Option<Midway>,
    over: bool,
}

/// When bookmarks are due.
struct Bookmarks {
    next: Instant,
    /// Bookmarks asked for by [`super::Kube::send_bookmarks`] that were sent.
    sent: u64,
    /// Whether the end of the initial objects is still to be told.
    initial: bool,
}

enum Midway {
    Armed,
    Half,
}

impl Watch {
    pub fn open(
        server: &Arc<Server>,
        place: &Place,
        query: &Query,
        request: Request,
        close_midway: bool,
    ) -> Result<Self, Failure> {
        let selection = Selection::new(place, query)?;
        let timeout = list::number(query, "timeoutSeconds")?.filter(|seconds| *seconds > 0);
        let timeout = timeout.map_or(TIMEOUT, Duration::from_secs);
        let from = list::version(query).map_err(Failure::internal)?.unwrap_or(0);
        let now = Instant::now();
        // Subscribed before the look at the store, so that nothing falls between the two.
        let changed = server.subscribe(place.resource);
        let mut watch = Self {
            server: Arc::clone(server),
            request,
            resource: place.resource,
            selection,
            initial: VecDeque::new(),
            seen: from,
            too_old: None,
            life: 0,
            bookmarks: None,
            deadline: now + timeout,
            changed,
            silent: false,
            close_midway: close_midway.then_some(Midway::Armed),
            over: false,
        };
        if query
            .get("allowWatchBookmarks")
            .is_some_and(|value| matches!(value.as_str(), "true" | "1"))
        {
            let asked = server.bookmarks_asked();
            let next = watch.next_bookmark(now);
            watch.bookmarks = Some(Bookmarks {
                next,
                sent: asked,
                initial: from == 0,
            });
        }
        server.watch_opened(place.resource);
        let store = server.store();
        let table = store.table(place.resource);
        watch.life = table.life;
        if from == 0 {
            watch.initial = table.objects.values().cloned().collect();
            watch.seen = store.version;
        } else if from < table.since {
            watch.too_old = Some(table.since);
        }
        drop(store);
        Ok(watch)
    }

    /// The body of the answer.
    pub fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
        stream::unfold(
            self,
            |mut watch| async move { Some((watch.next().await?, watch)) },
        )
    }

    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if self.silent {
                std::future::pending::<()>().await;
            }
            self.changed.borrow_and_update();
            if self.server.silences(&self.request) {
                self.silent = true;
                continue;
            }
            if let Some(Midway::Half) = self.close_midway {
                // Lets the first half out before the cut.
                tokio::task::yield_now().await;
                return Some(Err(io::ErrorKind::ConnectionReset.into()));
            }
            if self.over {
                return None;
            }
            let server = Arc::clone(&self.server);
            let lines = self.look(&server.store());
            if !lines.is_empty() {
                return Some(Ok(self.half(lines)));
            }
            if self.over {
                return None;
            }
            let bookmark = self
                .bookmarks
                .as_ref()
                .map_or(self.deadline, |bookmarks| bookmarks.next);
            tokio::select! {
                biased;
                changed = self.changed.changed() => changed.ok()?,
                () = sleep_until(bookmark.min(self.deadline)) => {
                    if Instant::now() >= self.deadline {
                        return None;
                    }
                }
            }
        }
    }

    /// The lines to send now. Sets `over` where none can follow them.
    fn look(&mut self, store: &Store) -> Bytes {
        let mut lines = Vec::new();
        while lines.len() < CHUNK
            && let Some(object) = self.initial.pop_front()
        {
            if self.selection.takes(&object.value) {
                line(&mut lines, "ADDED", &object.json);
            }
        }
        if !self.initial.is_empty() {
            return lines.into();
        }
        let table = store.table(self.resource);
        let lost = (self.seen < table.forgotten).then_some(table.since);
        if let Some(since) = self.too_old.or(lost) {
            self.over = true;
            let failure = Failure::expired(format!("too old resource version: {} ({since})", self.seen));
            line(&mut lines, "ERROR", failure.to_value().to_string().as_bytes());
            return lines.into();
        }
        let start = table
            .history
            .partition_point(|record| record.object.version <= self.seen);
        for record in table.history.iter().skip(start) {
            self.tell(&mut lines, record);
            self.seen = record.object.version;
            if lines.len() >= CHUNK {
                return lines.into();
            }
        }
        self.seen = self.seen.max(store.version);
        if table.life == self.life {
            self.bookmark(&mut lines);
        } else {
            self.over = true;
        }
        lines.into()
    }

    /// Tells of a change as it looks from here: what is no longer selected is gone, what has come to be
    /// selected is new.
    fn tell(&self, lines: &mut Vec<u8>, record: &Record) {
        let before = record
            .before
            .as_ref()
            .filter(|before| self.selection.takes(&before.value));
        let after = record.change != Change::Deleted && self.selection.takes(&record.object.value);
        match (before, after) {
            (None, false) => {}
            (None, true) => line(lines, Change::Added.as_str(), &record.object.json),
            (Some(_), true) => line(lines, Change::Modified.as_str(), &record.object.json),
            (Some(_), false) if record.change == Change::Deleted => {
                line(lines, Change::Deleted.as_str(), &record.object.json);
            }
            (Some(before), false) => {
                // As it last was when it was selected, with the version of the change.
                let mut last = before.value.clone();
                last["metadata"]["resourceVersion"] = record.object.version.to_string().into();
                let last = Stored::new(last, record.object.version);
                line(lines, Change::Deleted.as_str(), &last.json);
            }
        }
    }

    /// Tells the client where it stands, if that is due.
    fn bookmark(&mut self, lines: &mut Vec<u8>) {
        let now = Instant::now();
        let asked = self.server.bookmarks_asked();
        let next = self.next_bookmark(now);
        let Some(bookmarks) = &mut self.bookmarks else {
            return;
        };
        if !(bookmarks.initial || bookmarks.sent < asked || now >= bookmarks.next) {
            return;
        }
        let traits = self.resource.traits();
        let mut metadata = json!({"resourceVersion": self.seen.to_string()});
        if bookmarks.initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object = json!({"kind": traits.kind, "apiVersion": traits.api_version(), "metadata": metadata});
        line(lines, "BOOKMARK", object.to_string().as_bytes());
        *bookmarks = Bookmarks {
            next,
            sent: asked,
            initial: false,
        };
    }

    /// Every so often, and shortly before the end.
    fn next_bookmark(&self, now: Instant) -> Instant {
        let regular = now + self.server.bookmark_interval();
        match self.deadline.checked_sub(LAST_BOOKMARK) {
            Some(last) if last > now => regular.min(last),
            _ => regular,
        }
    }

    fn half(&mut self, lines: Bytes) -> Bytes {
        if self.close_midway.is_none() {
            return lines;
        }
        self.close_midway = Some(Midway::Half);
        lines.slice(..lines.len() / 2)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.server.watch_closed(self.resource);
    }
}

impl Change {
    fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

fn line(lines: &mut Vec<u8>, kind: &str, object: &[u8]) {
    lines.extend_from_slice(b"{\"type\":\"");
    lines.extend_from_slice(kind.as_bytes());
    lines.extend_from_slice(b"\",\"object\":");
    lines.extend_from_slice(object);
    lines.extend_from_slice(b"}\n");
}
