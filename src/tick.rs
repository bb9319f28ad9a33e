//! One tick: query, join, plan, act, report. This file is the table of contents of the program.

mod settle;
mod signals;
mod status;

use std::{sync::Arc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    actuate::Actuator,
    clock::Clock,
    config::Config,
    core::{
        Answer, Change, Held, Inventory, Joined, Memory, Mono, Now, OtherKind, Plan, Rules, ScopeRules,
        Signals, join, plan, rows,
    },
    pace::Pace,
    prometheus::{Prometheus, QueryError},
    report::{History, Journal, Metrics, Queues},
};

/// How long a wake seen from outside may still be somebody's to report.
const WITNESS_FOR: Duration = Duration::from_secs(5);

/// How often demand is asked for with nothing inactive, and contradictions between objects are looked for.
const SLOWLY: Duration = Duration::from_secs(30);

/// Everything that a tick works on.
pub struct Ticker {
    /// The clocks.
    clock: Clock,
    /// What decisions read of the configuration.
    rules: Rules,
    /// Decide and report, write nothing.
    dry_run: bool,
    /// What the watches have learnt and the inventory has not.
    changes: mpsc::Receiver<Change>,
    /// Where demand is asked for.
    prometheus: Arc<Prometheus>,
    /// When the next query may be sent.
    pace: Pace,
    /// Until when demand is asked for with nothing inactive; unknown before the first tick.
    witness_until: Option<Mono>,
    /// When demand is asked for even with nothing inactive.
    slow_due: Mono,
    /// When the variants are counted by state again.
    states_due: Mono,
    /// The slow query for the signal of EPPs.
    asking: signals::Asking,
    /// How often that is sent.
    signal_interval: Duration,
    /// Whether this copy led in the last tick.
    led: bool,
    /// The joined objects.
    inventory: Inventory,
    /// Episodes.
    memory: Memory,
    /// Whether demand of each pool would be seen.
    signals: Signals,
    /// The last demand that was known, and what was held back of it.
    last: (Joined, Vec<Held>),
    /// What carries out.
    actuator: Actuator,
    /// The log.
    journal: Journal,
    /// The metrics.
    metrics: Metrics,
    /// The last minutes of the queues.
    queues: Queues,
}

impl Ticker {
    /// A ticker that knows nothing yet.
    pub fn new(
        clock: Clock,
        actuator: Actuator,
        metrics: Metrics,
        (history, queues): (History, Queues),
        config: &Config,
        prometheus: Arc<Prometheus>,
    ) -> Self {
        Self {
            clock,
            rules: Rules::from(config),
            dry_run: config.dry_run,
            changes: mpsc::channel(1).1,
            prometheus,
            pace: Pace::new(config.interval),
            witness_until: None,
            slow_due: Mono::default(),
            states_due: Mono::default(),
            asking: signals::Asking::default(),
            signal_interval: config.query.signal_interval,
            led: false,
            inventory: Inventory::default(),
            memory: Memory::default(),
            signals: Signals::default(),
            last: (Joined::default(), Vec::new()),
            actuator,
            journal: Journal::new(metrics.clone(), history),
            metrics,
            queues,
        }
    }

    /// Goes by this configuration from here on. Objects are learnt anew; memory, writes under way and what the log
    /// has said stay.
    pub fn configure(
        &mut self,
        config: &Config,
        changes: mpsc::Receiver<Change>,
        prometheus: Arc<Prometheus>,
    ) {
        self.rules = Rules::from(config);
        self.dry_run = config.dry_run;
        self.changes = changes;
        self.prometheus = prometheus;
        self.pace = Pace::new(config.interval);
        self.witness_until = None;
        self.slow_due = Mono::default();
        self.asking = signals::Asking::default();
        self.signal_interval = config.query.signal_interval;
        self.inventory = Inventory::new(ScopeRules::from(config));
        self.actuator
            .configure(config.wake.concurrency, config.status.annotate_variant);
        if !config.dry_run {
            self.memory.no_dry_run();
        }
    }

    /// One round. `leading` is whether this copy queries and wakes.
    pub async fn tick(&mut self, leading: bool) {
        self.metrics.ticks.inc();
        let began = self.clock.now();
        self.absorb();
        self.take_over(leading);
        let answer = if leading {
            self.ask().await
        } else {
            Answer::Unknown
        };
        let joined = match &answer {
            Answer::Complete(rows) => join(&self.inventory, rows, &self.rules),
            Answer::Unknown => Joined::default(),
        };
        let now = self.clock.now();
        let notices = self
            .memory
            .observe(&self.inventory, &answer, &joined, now, &self.rules);
        self.journal.notices(&notices, &self.inventory, now.wall);
        if answer != Answer::Unknown {
            let mut plan = plan(&self.inventory, &joined, &self.memory, now, &self.rules);
            self.check_ages(&mut plan).await;
            self.metrics
                .demand
                .set(joined.asked.values().map(|asked| asked.waiting).sum());
            self.queues.answered(&joined, &plan.blocked, now.wall);
            self.last = (joined, std::mem::take(&mut plan.blocked));
            self.tell_blocked(now);
            self.act(plan);
        } else if !leading {
            // Another copy asks, and tells what is held back.
            self.metrics.demand.set(0.0);
            self.last = (Joined::default(), Vec::new());
            self.signals.unknown();
            self.tell_blocked(now);
        }
        self.follow_up(leading);
        self.count_states();
        self.metrics
            .episodes
            .set(i64::try_from(self.memory.episodes()).unwrap_or(i64::MAX));
        let ended = self.clock.now();
        self.metrics
            .tick_seconds
            .observe(ended.mono.since(began.mono).as_secs_f64());
        self.metrics.last_tick.set(ended.wall.as_duration().as_secs_f64());
    }

    /// Takes in what the watches have brought and what has been carried out.
    fn absorb(&mut self) {
        self.take_in();
        let done = self.actuator.finished();
        self.settle(done);
        if !self.actuator.is_busy() {
            self.memory.nothing_under_way(self.clock.now().mono, &self.rules);
        }
        self.journal.inventory(&self.inventory);
    }

    /// Takes in what the watches have brought.
    pub fn take_in(&mut self) {
        while let Ok(change) = self.changes.try_recv() {
            self.inventory.apply(change);
        }
    }

    /// The kinds of target, by namespace, that only discovery finds.
    pub fn other_kinds(&self) -> impl Iterator<Item = &(Arc<OtherKind>, Arc<str>)> {
        self.inventory.other_kinds()
    }

    /// Who begins to decide, after a start or as the next leader, goes on with the episodes that others have left.
    fn take_over(&mut self, leading: bool) {
        if leading && !self.led {
            let restored = self
                .memory
                .restore(&self.inventory, self.clock.now(), &self.rules);
            self.journal.restored(restored);
        }
        self.led = leading;
    }

    /// Whether demand is to be asked for. With nothing inactive nothing can be woken; but who has just seen the last
    /// target go up, or has just started, does not know of the demand behind it yet, and is to tell of the wake if its
    /// waker has died meanwhile (rule 15). And now and then in any case, so that demand for what is broken, and a
    /// Prometheus that cannot be asked, are told of before the first model is parked.
    fn wants_demand(&mut self, now: Mono) -> bool {
        let inactive = self.inventory.inactive() > 0;
        if inactive {
            self.witness_until = Some(now + WITNESS_FOR);
        }
        let until = *self.witness_until.get_or_insert(now + WITNESS_FOR);
        let witness = || now < until && self.inventory.entries().any(|(_, entry)| entry.is_starting());
        inactive || now >= self.slow_due || witness()
    }

    /// Asks for demand: one query, and none that could change nothing or before the pace allows it.
    async fn ask(&mut self) -> Answer {
        let now = self.clock.now().mono;
        if !self.wants_demand(now) || !self.pace.may_ask(now) {
            return Answer::Unknown;
        }
        self.slow_due = now + SLOWLY;
        let prometheus = self.prometheus.clone();
        match self.timed(prometheus.demand()).await {
            Ok(samples) => {
                self.journal.query_answered();
                Answer::Complete(rows(samples))
            }
            Err(error) => {
                let now = self.clock.now().wall;
                self.journal.query_failed(error.reason.as_str(), &error, now);
                Answer::Unknown
            }
        }
    }

    /// Before anything is woken, a second query tells how old its samples are (rules 1 and 5).
    async fn check_ages(&mut self, plan: &mut Plan) {
        if plan.wakes.is_empty() || !self.prometheus.knows_ages() {
            return;
        }
        let prometheus = self.prometheus.clone();
        match self.timed(prometheus.ages()).await {
            Ok(ages) => {
                self.journal.ages(None);
                plan.check_ages(
                    ages.unwrap_or_default(),
                    &mut self.memory,
                    self.clock.now(),
                    &self.rules,
                );
            }
            Err(error) => self.journal.ages(Some((error.reason.as_str(), &error))),
        }
    }

    /// Sends a query, counts and times it, and lets the pace know.
    async fn timed<T>(
        &mut self,
        query: impl Future<Output = Result<T, QueryError>>,
    ) -> Result<T, QueryError> {
        let began = self.clock.now().mono;
        self.metrics.queries.inc();
        let answer = query.await;
        let now = self.clock.now();
        self.metrics
            .query_seconds
            .observe(now.mono.since(began).as_secs_f64());
        match &answer {
            Ok(_) => {
                self.pace.answered(began, now.mono);
                self.metrics.last_query.set(now.wall.as_duration().as_secs_f64());
            }
            Err(error) => self.pace.failed(began, now.mono, error.retry_after),
        }
        answer
    }

    /// Tells what is held back, and what cannot be seen, unless demand for it is.
    fn tell_blocked(&mut self, now: Now) {
        let (joined, held) = &self.last;
        let silent = self.signals.silent().iter();
        let unseen = silent.filter(|(key, _)| !joined.asked.contains_key(key));
        let all = held.iter().chain(unseen.map(|(_, held)| held));
        self.journal.blocked(all, &self.inventory, now);
    }

    /// Sends the wakes, the largest queue first.
    fn act(&mut self, plan: Plan) {
        let now = self.clock.now().wall;
        self.journal.escalated(&plan.escalations, &self.inventory, now);
        self.memory.escalated(&plan, &self.inventory, &self.rules);
        for wake in plan.wakes {
            self.journal.waking(&wake, self.dry_run, now);
            if self.dry_run {
                self.memory.only_reported(&wake);
            } else {
                self.memory.sent(&wake);
                self.actuator.wake(wake);
            }
        }
    }

    /// What is not part of a wake: the slow query, reports, guards, looks.
    fn follow_up(&mut self, leading: bool) {
        self.ask_signals(leading);
        let now = self.clock.now();
        for target in self.memory.attributions_due() {
            self.actuator.attribute(target);
        }
        for target in self.memory.pods_due(now.mono, &self.rules) {
            if let Some(known) = self.inventory.target(&target) {
                self.actuator.look_at_pods(target, known.labels.clone());
            }
        }
        if self.dry_run {
            self.journal.warnings();
            return;
        }
        if leading {
            for write in self.memory.guards_due(&self.inventory, now, &self.rules) {
                self.actuator.guard(write);
            }
        }
        for warning in self.journal.warnings() {
            if self.rules.events {
                self.actuator.warn(warning);
            }
        }
        self.report();
    }

    /// Sends the reports that are owed, and looks where a watch is silent after a write.
    fn report(&mut self) {
        if self.dry_run {
            return;
        }
        let now = self.clock.now();
        for report in self.memory.reports_due(&self.inventory, now, &self.rules) {
            self.actuator.report(report);
        }
        for target in self.memory.look_due(now.mono) {
            let known = self.inventory.target(&target).cloned();
            self.actuator.look(target, known);
        }
    }

    /// Before the end: lets writes under way finish and reports what they have woken, up to `longest`.
    pub async fn drain(&mut self, longest: Duration) {
        let deadline = self.clock.now().mono + longest;
        loop {
            self.absorb();
            self.report();
            let left = deadline.since(self.clock.now().mono);
            if !self.actuator.is_busy() || left.is_zero() {
                break;
            }
            let done = self.actuator.any_finished(left).await;
            self.settle(done);
        }
        if self.actuator.is_busy() {
            tracing::warn!(
                "Writes were still under way at the end; another copy, or the next start, reports them"
            );
        }
    }

    /// When the next tick is due, for one that began at `began`.
    pub fn next(&self, began: Now) -> Duration {
        let due = self.pace.next_tick(began.mono);
        self.metrics.interval.set(due.since(began.mono).as_secs_f64());
        due.since(self.clock.now().mono)
    }
}
