//! The metrics, `scale_from_zero_*`. The table in `docs/metrics.md` names them all; a test holds the
//! two together.

mod labels;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    fmt,
    sync::{Arc, Mutex, PoisonError, atomic::AtomicU64},
};

use crate::{
    build_info,
    cluster::{WatchState, Watches},
    core::{Held, Inventory, State},
};
use labels::{BlockedLabels, StateLabel, WatchLabels, WatchStateLabels};
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::{ConstGauge, Gauge},
        histogram::Histogram,
    },
    registry::Registry,
};

pub use labels::{Reason, ResultLabel};

/// Models named in `blocked` at once. Anybody can ask for any model name, so the rest is only counted.
const MOST_BLOCKED: usize = 500;

/// Characters of a label that clients choose.
const LONGEST_LABEL: usize = 200;

/// What the gauges of held-back demand show.
#[derive(Default)]
struct Shown {
    unmatched: HashSet<Reason>,
    blocked: HashSet<BlockedLabels>,
}

type GaugeF = Gauge<f64, AtomicU64>;

/// All metrics. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    /// Ticks begun.
    pub ticks: Counter,
    /// Duration of a tick in seconds, its queries included.
    pub tick_seconds: Histogram,
    /// When the last tick ended, in Unix seconds.
    pub last_tick: GaugeF,
    /// Seconds from one tick to the next, as the answers' durations make it.
    pub interval: GaugeF,
    /// Queries sent, both kinds.
    pub queries: Counter,
    /// Duration of a query in seconds.
    pub query_seconds: Histogram,
    /// Queries that brought no answer to go by.
    pub query_errors: Family<Reason, Counter>,
    /// When a query last succeeded, in Unix seconds.
    pub last_query: GaugeF,
    variants: Gauge,
    inactive: Gauge,
    pools: Gauge,
    states: Family<StateLabel, Gauge>,
    /// Episodes open.
    pub episodes: Gauge,
    /// Requests waiting that variants ask for.
    pub demand: GaugeF,
    unmatched: Family<Reason, GaugeF>,
    blocked: Family<BlockedLabels, Gauge>,
    shown: Arc<Mutex<Shown>>,
    /// Wakes by result.
    pub wakes: Family<ResultLabel, Counter>,
    /// Seconds from the sample to the accepted write.
    pub demand_to_scale: Histogram,
    /// Seconds from the start to the first ready replica.
    pub time_to_ready: Histogram,
    /// Wakes that something took back.
    pub reverts: Counter,
    /// Sets given up for others, by what was wrong with them.
    pub escalations: Family<Reason, Counter>,
    /// Writes of guards by result.
    pub guards: Family<ResultLabel, Counter>,
    /// Reports by result.
    pub reports: Family<ResultLabel, Counter>,
    watch_state: Family<WatchStateLabels, Gauge>,
    watch_news: Family<WatchLabels, GaugeF>,
    reloads: Family<ResultLabel, Counter>,
    config_good: Gauge,
    /// Whether this copy queries and wakes.
    pub leader: Gauge,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// Buckets of everything that takes milliseconds.
const FAST: [f64; 12] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
];
/// From the sample to the write: scrape intervals make most of it.
const TO_SCALE: [f64; 12] = [0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0];
/// From the write to ready: pulling images and loading weights.
const TO_READY: [f64; 12] = [
    5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 180.0, 300.0, 420.0, 600.0, 900.0, 1800.0,
];

impl Metrics {
    /// All metrics at zero.
    #[allow(
        clippy::too_many_lines,
        reason = "one list of all metrics, which is what a reader looks for"
    )]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("scale_from_zero");
        let r = &mut registry;
        let metrics = Self {
            ticks: add(r, "ticks", "Ticks begun", Counter::default()),
            tick_seconds: add(
                r,
                "tick_duration_seconds",
                "Duration of a tick, its queries included",
                Histogram::new(FAST),
            ),
            last_tick: add(
                r,
                "last_tick_timestamp_seconds",
                "When the last tick ended, in Unix time",
                GaugeF::default(),
            ),
            interval: add(
                r,
                "effective_interval_seconds",
                "From one tick to the next, as the duration of queries makes it",
                GaugeF::default(),
            ),
            queries: add(r, "queries", "PromQL queries sent", Counter::default()),
            query_seconds: add(
                r,
                "query_duration_seconds",
                "Duration of a PromQL query",
                Histogram::new(FAST),
            ),
            query_errors: add(
                r,
                "query_errors",
                "PromQL queries without an answer to go by",
                Family::default(),
            ),
            last_query: add(
                r,
                "last_successful_query_timestamp_seconds",
                "When a query last succeeded, in Unix time",
                GaugeF::default(),
            ),
            variants: add(r, "variants", "Variants known, in scope or not", Gauge::default()),
            inactive: add(
                r,
                "inactive_variants",
                "Variants in scope with their target at 0 replicas",
                Gauge::default(),
            ),
            pools: add(r, "pools", "InferencePools known", Gauge::default()),
            states: add(
                r,
                "variants_by_state",
                "Variants by their state, counted every 5 s",
                Family::default(),
            ),
            episodes: add(
                r,
                "episodes",
                "Models with demand that has not been served for long yet",
                Gauge::default(),
            ),
            demand: add(
                r,
                "demand_requests",
                "Requests waiting for models that a variant in scope serves",
                GaugeF::default(),
            ),
            unmatched: add(
                r,
                "unmatched_demand_requests",
                "Requests waiting that no variant asks for",
                Family::default(),
            ),
            blocked: add(
                r,
                "blocked",
                "1 for each model with demand that wakes nothing, and each parked one without a signal, with the reason",
                Family::default(),
            ),
            wakes: add(r, "wakes", "Wakes by result", Family::default()),
            demand_to_scale: add(
                r,
                "demand_to_scale_seconds",
                "From the sample of the demand to the accepted scale",
                Histogram::new(TO_SCALE),
            ),
            time_to_ready: add(
                r,
                "time_to_ready_seconds",
                "From the scale to the first ready replica",
                Histogram::new(TO_READY),
            ),
            reverts: add(
                r,
                "reverts",
                "Targets scaled back to 0 by something else before they had served for long",
                Counter::default(),
            ),
            escalations: add(
                r,
                "escalations",
                "Sets that did not become ready, for which another was woken, by what was wrong",
                Family::default(),
            ),
            guards: add(r, "guards", "Writes of guards by result", Family::default()),
            reports: add(
                r,
                "reports",
                "Reports of wakes (status and Events) by result",
                Family::default(),
            ),
            watch_state: add(
                r,
                "watch_state",
                "1 for the state that a watch is in",
                Family::default(),
            ),
            watch_news: add(
                r,
                "watch_last_news_timestamp_seconds",
                "When a watch last brought a list or an event, in Unix time",
                Family::default(),
            ),
            reloads: add(
                r,
                "config_reloads",
                "Changes of the configuration file by result",
                Family::default(),
            ),
            config_good: add(
                r,
                "config_last_reload_successful",
                "1 while the configuration file says what is in force, 0 while it cannot be used",
                Gauge::default(),
            ),
            leader: add(
                r,
                "leader",
                "1 while this copy queries and wakes: always without leader election",
                Gauge::default(),
            ),
            shown: Arc::default(),
            registry: Arc::default(),
        };
        let labels = [("version", build_info::VERSION), ("commit", build_info::COMMIT)];
        registry
            .sub_registry_with_labels(
                labels
                    .map(|(name, value)| (name.into(), value.into()))
                    .into_iter(),
            )
            .register(
                "build_info",
                "What the program was built from",
                ConstGauge::new(1_i64),
            );
        // What the program starts with is in force.
        metrics.config_good.set(1);
        // A counter that begins with its first count looks to Prometheus as if it had not moved.
        for result in ["accepted", "other_waker"] {
            metrics.wakes.get_or_create(&ResultLabel { result }).inc_by(0);
        }
        Self {
            registry: Arc::new(registry),
            ..metrics
        }
    }

    /// The gauges of the inventory.
    pub fn inventory(&self, inventory: &Inventory) {
        self.variants.set(count(inventory.variants()));
        self.inactive.set(count(inventory.inactive()));
        self.pools.set(count(inventory.pools()));
    }

    /// The gauges of the variants by state: one of each variant.
    pub fn states<'a>(&self, states: impl Iterator<Item = State> + 'a) {
        let mut counts = State::WORDS.map(|state| (state, 0_i64));
        for state in states {
            let word = state.as_str();
            if let Some((_, count)) = counts.iter_mut().find(|(state, _)| *state == word) {
                *count += 1;
            }
        }
        for (state, count) in counts {
            self.states.get_or_create(&StateLabel { state }).set(count);
        }
    }

    /// A changed configuration is in force.
    pub fn config_applied(&self) {
        self.reloads
            .get_or_create(&ResultLabel { result: "applied" })
            .inc();
        self.config_restored();
    }

    /// The configuration file cannot be used; what was in force stays so.
    pub fn config_rejected(&self) {
        self.reloads
            .get_or_create(&ResultLabel { result: "rejected" })
            .inc();
        self.config_good.set(0);
    }

    /// The configuration file says again what is in force.
    pub fn config_restored(&self) {
        self.config_good.set(1);
    }

    /// The gauges of blocked and unmatched demand. What is over is taken away, the rest stays in place, so that a
    /// scrape at any moment finds what stands.
    pub fn blocked<'a>(&self, held: impl Iterator<Item = &'a Held> + Clone) {
        let mut unmatched: HashMap<Reason, f64> = HashMap::new();
        for held in held.clone().filter(|held| held.why.is_unmatched()) {
            let reason = held.why.as_str();
            *unmatched.entry(Reason { reason }).or_default() += held.waiting;
        }
        // Clients choose names, and a Prometheus may refuse a whole scrape for one long label.
        let text = |label: &Option<Box<str>>| -> String {
            let label = label.as_deref().unwrap_or_default();
            label.chars().take(LONGEST_LABEL).collect()
        };
        let blocked = held.take(MOST_BLOCKED).map(|held| BlockedLabels {
            namespace: text(&held.namespace),
            model: text(&held.model),
            reason: held.why.as_str(),
        });
        let blocked: HashSet<_> = blocked.collect();

        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        for over in shown
            .unmatched
            .iter()
            .filter(|reason| !unmatched.contains_key(reason))
        {
            self.unmatched.remove(over);
        }
        for over in shown.blocked.difference(&blocked) {
            self.blocked.remove(over);
        }
        for (reason, waiting) in &unmatched {
            self.unmatched.get_or_create(reason).set(*waiting);
        }
        for labels in blocked.difference(&shown.blocked) {
            self.blocked.get_or_create(labels).set(1);
        }
        shown.unmatched = unmatched.into_keys().collect();
        shown.blocked = blocked;
    }

    /// Forgets the watches of a configuration that is over.
    pub fn no_watches(&self) {
        self.watch_state.clear();
        self.watch_news.clear();
    }

    /// The gauges of the watches.
    pub fn watches(&self, watches: &Watches) {
        for ((kind, within), health) in watches.snapshot() {
            let (kind, namespace) = (
                kind.as_str().into_owned(),
                within.as_deref().unwrap_or_default().to_owned(),
            );
            for state in WatchState::WORDS {
                let labels = WatchStateLabels {
                    kind: kind.clone(),
                    namespace: namespace.clone(),
                    state,
                };
                self.watch_state
                    .get_or_create(&labels)
                    .set(i64::from(state == health.state.as_str()));
            }
            if let Some(at) = health.last_news {
                let labels = WatchLabels { kind, namespace };
                self.watch_news
                    .get_or_create(&labels)
                    .set(at.as_duration().as_secs_f64());
            }
        }
    }

    /// All of it in the `OpenMetrics` text format.
    ///
    /// # Errors
    /// Never in practice: writing to a string does not fail.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn add<M: prometheus_client::registry::Metric + Clone>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    metric: M,
) -> M {
    registry.register(name, help, metric.clone());
    metric
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
