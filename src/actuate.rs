//! Carrying out: writes and looks run beside the tick loop, so that a slow one delays no other model's wake.
//!
//! In a burst all scales go out before any report does: a report waits until no scale is waiting
//! for its turn. Each kind has its own bound on requests under way.

use std::{sync::Arc, time::Duration};

use futures::FutureExt as _;
use kube::Client;
use tokio::{
    sync::{Semaphore, watch},
    task::{JoinSet, unconstrained},
};

use crate::{
    clock::Clock,
    cluster::{
        Discovered, PodsSeen, RequestError, Warning, look, look_at_pods, owners, scale_from_zero,
        send_report, send_warning, write_guard,
    },
    core::{Change, GuardWrite, Labels, Now, Owner, Report, Reported, Target, TargetKey, Wake},
};

/// Reports and looks under way at once.
const REPORTS_AT_ONCE: usize = 8;
/// Warnings under way at once: in turns of their own, so that they hold up nothing else.
const WARNINGS_AT_ONCE: usize = 2;
/// Warnings that may wait for their turn. What is over is no Event; the log and the history tell of it all the same.
const WARNINGS_HELD: usize = 1000;

/// Something that was carried out.
#[derive(Debug)]
pub enum Done {
    /// The answer to a wake, and when it came.
    Woken(Box<Wake>, Result<(), RequestError>, Now),
    /// The answer to a write of a guard.
    Guarded(Box<GuardWrite>, Result<(), RequestError>),
    /// How a report ended.
    Reported(Box<Report>, Reported),
    /// What a look at a target has brought.
    Looked(Box<Looked>),
    /// Who owns the replicas of a target that was taken back, where the object says.
    Attributed(TargetKey, Result<Option<Vec<Owner>>, RequestError>),
    /// What the pods of a target say.
    Pods(TargetKey, Result<PodsSeen, RequestError>),
    /// Nothing that anybody waits for.
    Nothing,
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
    discovered: Discovered,
    clock: Clock,
    annotate_variant: bool,
    instance: Arc<str>,
    scales: Arc<Semaphore>,
    reports: Arc<Semaphore>,
    warnings: Arc<Semaphore>,
    /// Room for warnings that wait.
    held: Arc<Semaphore>,
    /// Scales that wait for their turn.
    waiting: Arc<watch::Sender<usize>>,
    tasks: JoinSet<Vec<Done>>,
}

impl Actuator {
    /// An actuator that is yet to be configured: it sends nothing.
    pub fn new(client: Client, discovered: Discovered, clock: Clock, instance: Arc<str>) -> Self {
        Self {
            client,
            discovered,
            clock,
            annotate_variant: false,
            instance,
            scales: Arc::new(Semaphore::new(0)),
            reports: Arc::new(Semaphore::new(REPORTS_AT_ONCE)),
            warnings: Arc::new(Semaphore::new(WARNINGS_AT_ONCE)),
            held: Arc::new(Semaphore::new(WARNINGS_HELD)),
            waiting: Arc::new(watch::Sender::new(0)),
            tasks: JoinSet::new(),
        }
    }

    /// At most `concurrency` scales under way at once from here on. What waits already goes by the old bound.
    pub fn configure(&mut self, concurrency: usize, annotate_variant: bool) {
        self.scales = Arc::new(Semaphore::new(concurrency));
        self.annotate_variant = annotate_variant;
    }

    /// Sends a wake, in the order of the calls; its guards go first. A guard that fails does not hold it up.
    pub fn wake(&mut self, wake: Wake) {
        let (client, discovered, clock) = (self.client.clone(), self.discovered.clone(), self.clock);
        let (turns, waiting) = (self.scales.clone(), self.waiting.clone());
        waiting.send_modify(|n| *n += 1);
        // The place in the line is taken here and now, since tasks begin in any order: whatever else this task has
        // done meanwhile, the semaphore must be asked.
        let mut line = Box::pin(unconstrained(turns.acquire_owned()));
        let turn = line.as_mut().now_or_never();
        self.tasks.spawn(async move {
            // Fails only once the semaphore is closed, which nobody does.
            let turn = match turn {
                Some(turn) => turn,
                None => line.await,
            };
            waiting.send_modify(|n| *n -= 1);
            let mut done = Vec::new();
            for guard in &wake.guards {
                let answer = Box::pin(write_guard(&client, guard)).await;
                done.push(Done::Guarded(Box::new(guard.clone()), answer));
            }
            let answer = Box::pin(scale_from_zero(&client, &discovered, &wake)).await;
            drop(turn);
            done.push(Done::Woken(Box::new(wake), answer, clock.now()));
            done
        });
    }

    /// Writes a guard that is missing, or takes one away.
    pub fn guard(&mut self, write: GuardWrite) {
        let client = self.client.clone();
        self.aside(move || async move {
            let answer = write_guard(&client, &write).await;
            Done::Guarded(Box::new(write), answer)
        });
    }

    /// Sends a report once no wake is waiting.
    pub fn report(&mut self, report: Report) {
        let (client, discovered) = (self.client.clone(), self.discovered.clone());
        let (annotate, instance) = (self.annotate_variant, self.instance.clone());
        self.aside(move || async move {
            let reported = send_report(&client, &discovered, &report, annotate, &instance).await;
            Done::Reported(Box::new(report), reported)
        });
    }

    /// Tells of something that is wrong, by Events.
    pub fn warn(&mut self, warning: Warning) {
        let Ok(room) = self.held.clone().try_acquire_owned() else {
            tracing::debug!(?warning, "Too many warnings: this one is no Event");
            return;
        };
        let (client, discovered, instance) = (
            self.client.clone(),
            self.discovered.clone(),
            self.instance.clone(),
        );
        self.in_turn(self.warnings.clone(), move || async move {
            send_warning(&client, &discovered, &warning, &instance).await;
            drop(room);
            Done::Nothing
        });
    }

    /// Looks at a target whose watch is silent. `known` is what the inventory holds of it.
    pub fn look(&mut self, target: TargetKey, known: Option<Target>) {
        let (client, discovered) = (self.client.clone(), self.discovered.clone());
        self.aside(move || async move {
            let change = look(&client, &discovered, &target).await;
            Done::Looked(Box::new(Looked {
                target,
                known,
                change,
            }))
        });
    }

    /// Looks who owns the replicas of a target.
    pub fn attribute(&mut self, target: TargetKey) {
        let (client, discovered) = (self.client.clone(), self.discovered.clone());
        self.aside(move || async move {
            let owners = owners(&client, &discovered, &target).await;
            Done::Attributed(target, owners)
        });
    }

    /// Looks at the pods of a target, which carry these labels.
    pub fn look_at_pods(&mut self, target: TargetKey, labels: Labels) {
        let client = self.client.clone();
        self.aside(move || async move {
            let seen = look_at_pods(&client, &target, &labels).await;
            Done::Pods(target, seen)
        });
    }

    /// Runs a report or a look in its turn, once no wake is waiting.
    fn aside<F: Future<Output = Done> + Send>(&mut self, work: impl FnOnce() -> F + Send + 'static) {
        self.in_turn(self.reports.clone(), work);
    }

    /// Runs something that is no wake in its turn, once no wake is waiting.
    fn in_turn<F: Future<Output = Done> + Send>(
        &mut self,
        turns: Arc<Semaphore>,
        work: impl FnOnce() -> F + Send + 'static,
    ) {
        let mut waiting = self.waiting.subscribe();
        self.tasks.spawn(async move {
            let _turn = turns.acquire_owned().await;
            let _ = waiting.wait_for(|n| *n == 0).await;
            // The room that the work takes is taken now: after a burst thousands wait for their turn.
            vec![Box::pin(work()).await]
        });
    }

    /// What has been carried out since the last call, without waiting.
    pub fn finished(&mut self) -> Vec<Done> {
        let mut done = Vec::new();
        while let Some(end) = self.tasks.try_join_next() {
            done.extend(ended(end));
        }
        done
    }

    /// Waits for the next end of something under way, up to `longest`; at once if nothing is.
    pub async fn any_finished(&mut self, longest: Duration) -> Vec<Done> {
        let Ok(Some(end)) = tokio::time::timeout(longest, self.tasks.join_next()).await else {
            return Vec::new();
        };
        let mut done = self.finished();
        done.extend(ended(end));
        done
    }

    /// Whether anything is under way.
    pub fn is_busy(&self) -> bool {
        !self.tasks.is_empty()
    }
}

fn ended(end: Result<Vec<Done>, tokio::task::JoinError>) -> Vec<Done> {
    end.inspect_err(|error| tracing::error!(%error, "A write ended without an answer"))
        .unwrap_or_default()
}
