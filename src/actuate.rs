//! Carrying out: writes run beside the tick loop, so that a slow one delays no other model's wake.
//!
//! In a burst all scales go out before any report does: a report waits until no scale is waiting
//! for its turn. Each kind has its own bound on requests under way.

use std::{sync::Arc, time::Duration};

use kube::Client;
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::{
    clock::Clock,
    cluster::{RequestError, look, scale_from_zero, send_report},
    core::{Change, Now, Report, Reported, Target, TargetKey, Wake},
};

/// Reports under way at once.
const REPORTS_AT_ONCE: usize = 8;

/// Something that was carried out.
#[derive(Debug)]
pub enum Done {
    /// The answer to a wake, and when it came.
    Woken(Box<Wake>, Result<(), RequestError>, Now),
    /// How a report ended.
    Reported(Box<Report>, Reported),
    /// What a look at a target has brought.
    Looked(Box<Looked>),
}

/// A look at a target.
#[derive(Debug)]
pub struct Looked {
    /// The target.
    pub target: TargetKey,
    /// What was known of it before.
    pub known: Option<Target>,
    /// What it is.
    pub change: Result<Change, RequestError>,
}

/// Sends writes, bounded, in tasks of its own.
pub struct Actuator {
    client: Client,
    clock: Clock,
    annotate_variant: bool,
    instance: Arc<str>,
    scales: Arc<Semaphore>,
    reports: Arc<Semaphore>,
    /// Scales that wait for their turn.
    waiting: Arc<watch::Sender<usize>>,
    tasks: JoinSet<Done>,
}

impl Actuator {
    /// An actuator that is yet to be configured: it sends nothing.
    pub fn new(client: Client, clock: Clock, instance: Arc<str>) -> Self {
        Self {
            client,
            clock,
            annotate_variant: false,
            instance,
            scales: Arc::new(Semaphore::new(0)),
            reports: Arc::new(Semaphore::new(REPORTS_AT_ONCE)),
            waiting: Arc::new(watch::Sender::new(0)),
            tasks: JoinSet::new(),
        }
    }

    /// At most `concurrency` scales under way at once from here on. What waits already goes by the old bound.
    pub fn configure(&mut self, concurrency: usize, annotate_variant: bool) {
        self.scales = Arc::new(Semaphore::new(concurrency));
        self.annotate_variant = annotate_variant;
    }

    /// Sends a wake, in the order of the calls.
    pub fn wake(&mut self, wake: Wake) {
        let (client, clock) = (self.client.clone(), self.clock);
        let (turns, waiting) = (self.scales.clone(), self.waiting.clone());
        waiting.send_modify(|n| *n += 1);
        self.tasks.spawn(async move {
            // Fails only once the semaphore is closed, which nobody does.
            let turn = turns.acquire_owned().await;
            waiting.send_modify(|n| *n -= 1);
            let answer = scale_from_zero(&client, &wake).await;
            drop(turn);
            Done::Woken(Box::new(wake), answer, clock.now())
        });
    }

    /// Sends a report once no wake is waiting.
    pub fn report(&mut self, report: Report) {
        let client = self.client.clone();
        let (turns, mut waiting) = (self.reports.clone(), self.waiting.subscribe());
        let (annotate, instance) = (self.annotate_variant, self.instance.clone());
        self.tasks.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let _ = waiting.wait_for(|n| *n == 0).await;
            let reported = send_report(&client, &report, annotate, &instance).await;
            Done::Reported(Box::new(report), reported)
        });
    }

    /// Looks at a target whose watch is silent. `known` is what the inventory holds of it.
    pub fn look(&mut self, target: TargetKey, known: Option<Target>) {
        let (client, turns) = (self.client.clone(), self.reports.clone());
        self.tasks.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let change = look(&client, &target).await;
            Done::Looked(Box::new(Looked {
                target,
                known,
                change,
            }))
        });
    }

    /// What has been carried out since the last call, without waiting.
    pub fn finished(&mut self) -> Vec<Done> {
        let mut done = Vec::new();
        while let Some(end) = self.tasks.try_join_next() {
            done.extend(end.inspect_err(|error| tracing::error!(%error, "A write ended without an answer")));
        }
        done
    }

    /// Waits for the next end of something under way, up to `longest`; at once if nothing is.
    pub async fn any_finished(&mut self, longest: Duration) -> Vec<Done> {
        let Ok(Some(end)) = tokio::time::timeout(longest, self.tasks.join_next()).await else {
            return Vec::new();
        };
        let mut done = self.finished();
        done.extend(end.inspect_err(|error| tracing::error!(%error, "A write ended without an answer")));
        done
    }

    /// Whether anything is under way.
    pub fn is_busy(&self) -> bool {
        !self.tasks.is_empty()
    }
}
